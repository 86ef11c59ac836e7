# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the record of a new task from what a service or RunTask wants; starts nothing."""

from __future__ import annotations

import secrets
import typing as t

from .errors import client, invalid
from .state import Cluster, Container, Definition, Members, State, Task, uuid4


def new_task(
    state: State,
    cluster: Cluster,
    definition: Definition,
    *,
    network: Members,
    subnet: str,
    group: str,
    now: float,
    overrides: Members | None = None,
    **more: t.Any,
) -> Task:
    """A task in PROVISIONING, entered into the state. Raises ApiError when the overrides do not fit the definition."""
    overrides = overrides or {}
    identifier = secrets.token_hex(16)
    by_name = {item.get("name"): item for item in overrides.get("containerOverrides") or []}
    for name in by_name:
        if name not in {given["name"] for given in definition.containers}:
            raise invalid(f"Override for container named {name} is not a container in the TaskDefinition.")
    task = Task(
        id=identifier,
        arn=state.arn(f"task/{cluster.name}/{identifier}"),
        cluster=cluster,
        definition=definition,
        group=group,
        created_at=now,
        network={**network, "subnets": [subnet]},
        cpu=overrides.get("cpu") or definition.members["cpu"],
        memory=overrides.get("memory") or definition.members["memory"],
        overrides=overrides,
        containers=[],
        **more,
    )
    task.containers = [_container(state, task, given, by_name.get(given["name"]) or {}) for given in definition.containers]
    state.tasks[identifier] = task
    return task


def _container(state: State, task: Task, given: Members, override: Members) -> Container:
    memory = override.get("memory") or given.get("memory")
    reservation = override.get("memoryReservation") or given.get("memoryReservation")
    return Container(
        name=given["name"],
        arn=state.arn(f"container/{task.cluster.name}/{task.id}/{uuid4()}"),
        image=given["image"],
        essential=given["essential"],
        checked=bool(given.get("healthCheck")) and given["healthCheck"]["command"][0] != "NONE",
        cpu=str(override.get("cpu") or given.get("cpu") or 0),
        memory=str(memory) if memory else None,
        memory_reservation=str(reservation) if reservation else None,
    )


def for_fargate(definition: Definition) -> Definition:
    """The definition itself when Fargate can run it. Raises ApiError."""
    if "FARGATE" not in definition.members["compatibilities"]:
        raise client("The provided task definition does not support Fargate. Specify one with network mode awsvpc, cpu and memory.")
    return definition
