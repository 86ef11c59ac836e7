# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""In which order the containers of a task start and end."""

from __future__ import annotations

import pytest
from ecs_world import container, definition, task

from localcloud.ecs import order
from localcloud.ecs.state import Task


def _task(condition: str) -> Task:
    """app depends on side."""
    found = task(None, None, containers=[container("app"), container("side", essential=False)])
    found.definition = definition(
        1,
        {"name": "app", "image": "x", "command": ["serve"], "dependsOn": [{"containerName": "side", "condition": condition}]},
        {"name": "side", "image": "x", "essential": False},
    )
    return found


@pytest.mark.parametrize(
    ("condition", "status", "health", "code", "starts"),
    [
        ("START", "PENDING", "UNKNOWN", None, False),
        ("START", "RUNNING", "UNKNOWN", None, True),
        ("START", "STOPPED", "UNKNOWN", 1, True),
        ("HEALTHY", "RUNNING", "UNKNOWN", None, False),
        ("HEALTHY", "RUNNING", "HEALTHY", None, True),
        ("COMPLETE", "RUNNING", "UNKNOWN", None, False),
        ("COMPLETE", "STOPPED", "UNKNOWN", 3, True),
        ("SUCCESS", "RUNNING", "UNKNOWN", None, False),
        ("SUCCESS", "STOPPED", "UNKNOWN", 3, False),
        ("SUCCESS", "STOPPED", "UNKNOWN", 0, True),
    ],
)
def test_conditions(condition: str, status: str, health: str, code: int | None, starts: bool) -> None:
    found = _task(condition)
    app, side = found.containers
    side.status, side.health, side.exit_code = status, health, code
    assert order.may_start(found, app) is starts
    assert order.may_start(found, side)


def test_a_dependency_that_cannot_come_any_more() -> None:
    found = _task("SUCCESS")
    assert order.obstacle(found) is None
    side = found.containers[1]
    side.status, side.exit_code = "STOPPED", 3
    assert order.obstacle(found) == ("Container side ended with 3, and app depends on its success", side)
    found = _task("HEALTHY")
    found.containers[1].status, found.containers[1].health = "RUNNING", "UNHEALTHY"
    assert order.obstacle(found) == ("Container side is not healthy, and app depends on its health", found.containers[1])


def test_only_an_essential_container_ends_the_task() -> None:
    found = _task("START")
    found.containers[1].status = "STOPPED"
    assert order.ended(found) is None
    found.containers[0].status = "STOPPED"
    assert order.ended(found) is found.containers[0]


def test_what_others_depend_on_stops_last() -> None:
    found = _task("START")
    for item in found.containers:
        item.status = "RUNNING"
    assert order.next_to_stop(found) == [found.containers[0]]
    found.containers[0].status = "STOPPED"
    assert order.next_to_stop(found) == [found.containers[1]]
    found.containers[1].status = "STOPPED"
    assert order.next_to_stop(found) == []


def test_an_override_replaces_the_command() -> None:
    found = _task("START")
    found.overrides = {"containerOverrides": [{"name": "app", "command": ["migrate"]}]}
    assert order.given(found, found.containers[0])["command"] == ["migrate"]
    assert order.override(found, "side") == {}
