# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the scheduler of ECS starts and stops, step by step."""

from __future__ import annotations

import pytest
from ecs_world import GROUP, World, by_revision, container, deployment, runs, service, task

from localcloud.ecs import rollout, scheduler
from localcloud.ecs.state import Task


def test_first_tasks() -> None:
    world = World(service(3), runs)
    first = world.deploy(1)
    world.step()
    assert [found.deployment for found in world.tasks] == [first] * 3
    world.settled()
    assert len(world.tasks) == 3
    assert world.said("has reached a steady state.") == 1
    assert world.said(f"(deployment {first.id}) deployment completed.") == 1
    assert first.rollout_state == "COMPLETED"


@pytest.mark.parametrize(
    ("desired", "least", "most", "fewest", "greatest"),
    [(2, 100, 200, 2, 4), (4, 50, 100, 2, 4), (4, 100, 150, 4, 6), (1, 0, 100, 0, 1), (1, 100, 200, 1, 2), (3, 50, 133, 2, 3)],
)
def test_a_rolling_deployment_stays_within_its_limits(desired: int, least: int, most: int, fewest: int, greatest: int) -> None:
    world = World(service(desired, least=least, most=most), runs)
    world.deploy(1)
    world.settled()
    second = world.deploy(2)
    world.step(0)
    world.steps(60)
    assert world.service.steady
    assert (world.fewest_healthy, world.most_alive) == (fewest, greatest)
    alive = [found for found in world.tasks if found.desired_status == "RUNNING"]
    assert {found.deployment for found in alive} == {second} and len(alive) == desired
    assert world.service.deployments == [second]


def test_no_old_task_stops_before_a_new_one_is_healthy() -> None:
    world = World(service(1), by_revision(r1=runs, r2=lambda found, age: None))
    world.deploy(1)
    world.settled()
    world.deploy(2)
    world.steps(50)
    assert world.fewest_healthy == 1 and len(world.tasks) == 2
    assert [found.status for found in world.service.deployments] == ["PRIMARY", "ACTIVE"]


def test_limits_that_allow_nothing_are_told_once() -> None:
    world = World(service(1, least=100, most=150), runs)
    world.deploy(1)
    world.settled()
    world.deploy(2)
    world.step()
    assert world.service.stuck and len(world.tasks) == 1


def test_scaling() -> None:
    world = World(service(1), runs)
    world.deploy(1)
    world.settled()
    world.service.desired, world.service.steady = 4, False
    world.settled()
    assert sum(found.desired_status == "RUNNING" for found in world.tasks) == 4
    world.service.desired, world.service.steady = 1, False
    world.settled()
    stopped = [found for found in world.tasks if found.desired_status == "STOPPED"]
    assert {found.stopped_reason for found in stopped} == {f"Scaling activity initiated by (deployment {world.service.primary.id})"}
    assert len(stopped) == 3


def test_scaling_in_keeps_zones_even() -> None:
    owner, of = service(2), deployment()
    rollout.begin(owner, of, 0.0)
    tasks = [task(owner, of, zone=zone, last_status="RUNNING", started_at=0.0) for zone in ("a", "a", "a", "c")]
    chosen = [found for found, _ in scheduler.decide(owner, tasks, 100.0).stop]
    assert [found.zone for found in chosen] == ["a", "a"]
    assert chosen == tasks[:2]


def test_a_lost_task_is_replaced() -> None:
    world = World(service(2), runs)
    world.deploy(1)
    world.settled()
    victim = world.tasks[0]
    victim.desired_status, victim.stop_code, victim.last_status = "STOPPED", "EssentialContainerExited", "STOPPED"
    world.service.steady = False
    world.step()
    assert len(world.tasks) == 3
    world.settled()
    assert world.service.primary.rollout_state == "COMPLETED" and world.service.primary.failed_tasks == 0


def _on_group(state: str, **members: object) -> Task:
    owner, of = service(1, grace=int(members.pop("grace", 0))), deployment()
    rollout.begin(owner, of, 0.0)
    found = task(owner, of, last_status="RUNNING", started_at=0.0, **members)
    found.targets[(GROUP, 80)] = state
    return found


@pytest.mark.parametrize(
    ("state", "healthy"), [("healthy", True), ("unused", True), ("initial", False), ("unhealthy", False), ("draining", False)]
)
def test_a_task_with_a_target_is_as_healthy_as_that(state: str, healthy: bool) -> None:
    assert scheduler.is_healthy(_on_group(state), 1.0) is healthy


def test_an_unhealthy_target_is_replaced_after_the_grace_period() -> None:
    found = _on_group("unhealthy", grace=30)
    assert scheduler.fault_of(found, 29.0) is None
    assert scheduler.fault_of(found, 30.0) == f"Task failed ELB health checks in (target-group {GROUP})"


def test_a_task_that_was_healthy_is_replaced_before_it_is_stopped() -> None:
    found = _on_group("unhealthy", outcome="succeeded")
    owner = found.service
    decision = scheduler.decide(owner, [found], 10.0)
    assert (decision.start, decision.stop) == (1, [])
    other = task(owner, owner.primary, last_status="RUNNING", started_at=10.0, targets={(GROUP, 80): "healthy"})
    assert [stopped for stopped, _ in scheduler.decide(owner, [found, other], 20.0).stop] == [found]


def test_a_task_that_never_was_healthy_is_stopped_at_once() -> None:
    found = _on_group("unhealthy")
    assert [stopped for stopped, _ in scheduler.decide(found.service, [found], 10.0).stop] == [found]


def test_health_checks_of_containers() -> None:
    owner, of = service(1), deployment()
    rollout.begin(owner, of, 0.0)
    found = task(owner, of, last_status="RUNNING", started_at=0.0, containers=[container(checked=True), container("side", essential=False)])
    assert not scheduler.is_healthy(found, 100.0) and scheduler.fault_of(found, 100.0) is None
    found.containers[0].health = "HEALTHY"
    assert scheduler.is_healthy(found, 100.0) and found.health == "HEALTHY"
    found.containers[0].health = "UNHEALTHY"
    assert scheduler.fault_of(found, 100.0) == "Task failed container health checks"


def test_without_checks_a_task_must_run_for_a_moment() -> None:
    owner, of = service(1), deployment()
    found = task(owner, of, last_status="RUNNING", started_at=10.0)
    assert not scheduler.is_healthy(found, 10.0 + scheduler.SETTLE_SECONDS - 0.1)
    assert scheduler.is_healthy(found, 10.0 + scheduler.SETTLE_SECONDS)


def test_tasks_are_spread_over_subnets() -> None:
    tasks = [
        task(None, None, network={"subnets": ["subnet-a"]}),
        task(None, None, network={"subnets": ["subnet-c"]}, desired_status="STOPPED"),
    ]
    assert scheduler.least_used(["subnet-a", "subnet-c"], tasks) == "subnet-c"
    assert scheduler.least_used(["subnet-a", "subnet-c"], []) == "subnet-a"
