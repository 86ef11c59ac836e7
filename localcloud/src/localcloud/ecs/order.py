# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""In which order the containers of a task start and end (`dependsOn`); pure."""

from __future__ import annotations

from .state import Container, Members, Task


def given(task: Task, container: Container) -> Members:
    """The container's definition with what the task overrides of it."""
    found = task.definition.container(container.name)
    command = override(task, container.name).get("command")
    return {**found, "command": command} if command else found


def override(task: Task, name: str) -> Members:
    """The container override of this name; empty when there is none."""
    return next((item for item in task.overrides.get("containerOverrides") or [] if item.get("name") == name), {})


def may_start(task: Task, container: Container) -> bool:
    """Whether everything that the container depends on is as it must be."""
    for dependency in given(task, container).get("dependsOn") or []:
        other = named(task, dependency["containerName"])
        match dependency["condition"]:
            case "START" if other.status == "PENDING":
                return False
            case "HEALTHY" if other.health != "HEALTHY":
                return False
            case "COMPLETE" if other.status != "STOPPED":
                return False
            case "SUCCESS" if other.status != "STOPPED" or other.exit_code != 0:
                return False
    return True


def obstacle(task: Task) -> tuple[str, Container] | None:
    """Why a container that still waits can never start, and the one to blame; None while it can."""
    for container in task.containers:
        if container.status != "PENDING":
            continue
        for dependency in given(task, container).get("dependsOn") or []:
            other = named(task, dependency["containerName"])
            condition = dependency["condition"]
            if condition == "SUCCESS" and other.exit_code not in (None, 0):
                return f"Container {other.name} ended with {other.exit_code}, and {container.name} depends on its success", other
            if condition == "HEALTHY" and (other.health == "UNHEALTHY" or other.status == "STOPPED"):
                return f"Container {other.name} is not healthy, and {container.name} depends on its health", other
    return None


def ended(task: Task) -> Container | None:
    """An essential container that has ended, or None."""
    return next((container for container in task.containers if container.essential and container.status == "STOPPED"), None)


def next_to_stop(task: Task) -> list[Container]:
    """Running containers that no other running one depends on."""
    running = [container for container in task.containers if container.status == "RUNNING"]
    needed = {item["containerName"] for container in running for item in given(task, container).get("dependsOn") or []}
    return [container for container in running if container.name not in needed] or running


def named(task: Task, name: str) -> Container:
    """The container of this name."""
    return next(container for container in task.containers if container.name == name)
