# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Decides what has to happen so that containers and EC2's records of instances agree; pure."""

from __future__ import annotations

import dataclasses
import enum


class Do(enum.Enum):
    """One step for one instance."""

    CREATE = "create a container"
    START = "start the container"
    STOP = "stop the container"
    RESTART = "restart the container"
    REMOVE = "remove the container"
    SHOW_RUNNING = "record that it runs"
    SHOW_STOPPED = "record that it has stopped"
    SHOW_TERMINATED = "record that it is terminated"
    SHOW_DEAD = "record that it ended by itself"
    SHOW_LOST = "record that its container is gone"


@dataclasses.dataclass(frozen=True)
class Record:
    """An instance as EC2 has it."""

    id: str
    state: str
    reboot_wanted: bool = False


@dataclasses.dataclass(frozen=True)
class Found:
    """The container of an instance as Docker has it; `state` is Docker's word."""

    instance_id: str
    container_id: str
    state: str

    @property
    def up(self) -> bool:
        return self.state in ("running", "restarting", "paused")


def decide(records: list[Record], containers: list[Found], busy: set[str]) -> dict[str, Do]:
    """Instance id → the one next step; nothing for instances that are right, and for those in `busy`."""
    by_id = {container.instance_id: container for container in containers}
    steps: dict[str, Do] = {}
    for record in records:
        step = _step(record, by_id.pop(record.id, None))
        if step is not None and record.id not in busy:
            steps[record.id] = step
    for orphan in by_id:
        if orphan not in busy:
            steps[orphan] = Do.REMOVE
    return steps


def _step(record: Record, container: Found | None) -> Do | None:
    up = container is not None and container.up
    match record.state:
        case "pending":
            if container is None:
                return Do.CREATE
            return Do.SHOW_RUNNING if up else Do.START
        case "running":
            if container is None:
                return Do.SHOW_LOST
            if not up:
                return Do.SHOW_DEAD
            return Do.RESTART if record.reboot_wanted else None
        case "stopping":
            if container is None:
                return Do.SHOW_LOST
            return Do.STOP if up else Do.SHOW_STOPPED
        case "stopped":
            if container is None:
                return Do.SHOW_LOST  # its data went with the container: it can never be started again
            return Do.STOP if up else None
        case "shutting-down":
            return Do.SHOW_TERMINATED if container is None else Do.REMOVE
        case _:
            return None if container is None else Do.REMOVE
