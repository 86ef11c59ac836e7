# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The circuit breaker of ECS: what counts as a failure, when it ends a deployment, and what it goes back to."""

from __future__ import annotations

import pytest
from ecs_world import World, by_revision, crashes, never_starts, runs, service

from localcloud.ecs import rollout


@pytest.mark.parametrize(("desired", "failures"), [(0, 3), (1, 3), (5, 3), (7, 4), (25, 13), (400, 200), (800, 200)])
def test_threshold(desired: int, failures: int) -> None:
    assert rollout.threshold(desired) == failures


def test_the_pause_grows() -> None:
    assert [rollout.pause(streak) for streak in (0, 1, 2, 3, 4, 20)] == [0.0, 0.0, 0.5, 1.0, 2.0, 60.0]


@pytest.mark.parametrize("behaviour", [never_starts, crashes])
def test_rollback(behaviour: object) -> None:
    world = World(service(2, breaker=True, rollback=True), by_revision(r1=runs, r2=behaviour))
    first = world.deploy(1)
    world.settled()
    second = world.deploy(2)
    world.steps(80)
    assert second.rollout_state == "FAILED"
    assert second.rollout_reason == "ECS deployment circuit breaker: tasks failed to start."
    assert world.fewest_healthy == 2, "the healthy tasks stayed"
    assert world.service.primary is first and first.rollout_state == "COMPLETED"
    assert world.service.deployments == [first] and world.service.steady
    assert world.said(f"(deployment {second.id}) deployment failed: tasks failed to start.") == 1
    assert world.said(f"rolling back to deployment {first.id}.") == 1
    assert sum(found.deployment is second for found in world.tasks) == 4, "twice two tasks, of which the third failure counted"


def test_without_rollback_the_failed_deployment_stays_and_starts_nothing_more() -> None:
    world = World(service(2, breaker=True), by_revision(r1=runs, r2=never_starts))
    first = world.deploy(1)
    world.settled()
    second = world.deploy(2)
    world.steps(80)
    assert [(found, found.status, found.rollout_state) for found in world.service.deployments] == [
        (second, "PRIMARY", "FAILED"),
        (first, "ACTIVE", "COMPLETED"),
    ]
    count = len(world.tasks)
    world.steps(80)
    assert len(world.tasks) == count and world.fewest_healthy == 2


def test_a_new_deployment_after_a_failed_one() -> None:
    world = World(service(2, breaker=True), by_revision(r1=runs, r2=never_starts, r3=runs))
    world.deploy(1)
    world.settled()
    world.deploy(2)
    world.steps(80)
    third = world.deploy(3)
    world.settled()
    assert world.service.deployments == [third] and world.service.last_completed is third


def test_the_first_deployment_has_nothing_to_go_back_to() -> None:
    world = World(service(1, breaker=True, rollback=True), never_starts)
    first = world.deploy(1)
    world.steps(80)
    assert first.rollout_state == "FAILED" and world.service.deployments == [first]
    assert world.said("rolling back") == 0


def test_without_the_breaker_it_goes_on_ever_more_slowly() -> None:
    world = World(service(1), never_starts)
    first = world.deploy(1)
    world.steps(240)
    assert first.rollout_state == "IN_PROGRESS" and first.failed_tasks == len([found for found in world.tasks if found.outcome])
    assert 5 <= len(world.tasks) <= 9
    assert world.said("is unable to consistently start tasks successfully.") == 1


def test_one_healthy_task_ends_the_counting() -> None:
    world = World(service(2, breaker=True), runs)
    first = world.deploy(1)
    for _ in range(12):
        world.step()
    assert first.healthy_once and first.failed_tasks == 0
    world.behave = never_starts
    for found in world.tasks:
        found.desired_status, found.stop_code = "STOPPED", "EssentialContainerExited"
    world.steps(80)
    assert first.rollout_state == "COMPLETED" and first.failed_tasks == 0


def test_what_a_user_stops_is_no_failure() -> None:
    world = World(service(1, breaker=True), lambda found, age: None)
    first = world.deploy(1)
    for _ in range(6):
        world.step()
        for found in world.tasks:
            if found.desired_status == "RUNNING":
                found.desired_status, found.stop_code, found.stopped_reason = "STOPPED", "UserInitiated", "because"
    assert first.failed_tasks == 0 and first.rollout_state == "IN_PROGRESS"


def test_the_service_keeps_a_hundred_events() -> None:
    owner = service()
    for number in range(130):
        owner.note(f"event {number}", float(number))
    assert len(owner.events) == 100 and owner.events[0]["message"] == "(service web) event 129"
