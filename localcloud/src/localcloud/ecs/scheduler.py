# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Decides which tasks of a service are to be started and stopped; pure.

After "Amazon ECS deployment types: rolling update" in the developer guide: with d tasks desired, at least ceil(d × minimumHealthyPercent)
of them are kept healthy and at most floor(d × maximumPercent) are pending or running at any time.
"""

from __future__ import annotations

import collections
import dataclasses
import math

from .state import Deployment, Service, Task

STARTED_AT_ONCE = 10
SETTLE_SECONDS = 2.0
"""How long a task without any health check must have run to count as healthy: one that ends at once never was."""

GONE = "STOPPED"
GOOD_TARGET = frozenset({"healthy", "unused"})


@dataclasses.dataclass(frozen=True)
class Decision:
    """`start` tasks of the primary deployment, `stop` tasks with the reason they are given; `stuck` when the limits allow neither."""

    start: int = 0
    stop: list[tuple[Task, str]] = dataclasses.field(default_factory=list)
    stuck: bool = False


def limits(service: Service) -> tuple[int, int]:
    """The least number of healthy tasks and the greatest number of tasks during a deployment."""
    configuration = service.members["deploymentConfiguration"]
    least = math.ceil(service.desired * configuration["minimumHealthyPercent"] / 100)
    most = math.floor(service.desired * configuration["maximumPercent"] / 100)
    return least, most


def is_healthy(task: Task, now: float) -> bool:
    """Whether a task counts towards the healthy ones."""
    if task.last_status != "RUNNING" or task.desired_status != "RUNNING" or task.started_at is None:
        return False
    if task.has_checks and task.health != "HEALTHY":
        return False
    if not all(state in GOOD_TARGET for state in task.targets.values()):
        return False
    return task.has_checks or bool(task.targets) or now - task.started_at >= SETTLE_SECONDS


def fault_of(task: Task, now: float) -> str | None:
    """The reason for which the scheduler replaces a running task, or None. Nothing is wrong with it in the grace period."""
    if task.last_status != "RUNNING" or task.started_at is None or task.service is None:
        return None
    if now - task.started_at < (task.service.members.get("healthCheckGracePeriodSeconds") or 0):
        return None
    if task.health == "UNHEALTHY":
        return "Task failed container health checks"
    for (arn, _), state in task.targets.items():
        if state == "unhealthy":
            return f"Task failed ELB health checks in (target-group {arn})"
    return None


def decide(service: Service, tasks: list[Task], now: float) -> Decision:
    """What to do next; `tasks` are the service's, stopped ones among them."""
    alive = [task for task in tasks if task.desired_status == "RUNNING"]
    deployment = service.primary
    if deployment is None:
        return Decision(stop=[(task, "Service was deleted") for task in alive])
    if deployment.rollout_state == "FAILED":
        return Decision(stop=_failed(deployment, alive, now))
    least, most = limits(service)
    why = f"Scaling activity initiated by (deployment {deployment.id})"
    own = [task for task in alive if task.deployment is deployment]
    old = [task for task in alive if task.deployment is not deployment]
    faults = {task.id: fault for task in own if (fault := fault_of(task, now)) is not None}

    stop: list[tuple[Task, str]] = []
    # a task that never was healthy is of no use to anybody; one that was is replaced first, where there is room
    stop += [(task, faults[task.id]) for task in own if task.id in faults and task.outcome != "succeeded"]
    good = [task for task in own if task.id not in faults]
    excess = _excess(good, service.desired, now)
    stop += [(task, why) for task in excess]
    kept = [task for task in good if task not in excess]
    stop += _old_to_stop(old, kept, least, why, now)

    stopping = {task.id for task, _ in stop}
    total = len([task for task in alive if task.id not in stopping])
    missing = service.desired - len(kept)
    room = max(most - total, 0)
    weak = [task for task in own if task.id in faults and task.id not in stopping]
    replaced = sum(is_healthy(task, now) for task in kept) >= service.desired
    if weak and (replaced or (missing > 0 and room == 0)):
        stop += [(task, faults[task.id]) for task in weak]
        room = max(most - total + len(weak), 0)
    wanted = min(missing, room, STARTED_AT_ONCE)
    if wanted > 0 and now < deployment.not_before:
        return Decision(stop=stop)
    waiting = any(task.last_status != "RUNNING" or not is_healthy(task, now) for task in alive) or any(
        task.desired_status == "STOPPED" and task.last_status != GONE for task in tasks
    )
    stuck = missing > 0 and wanted <= 0 and not stop and not waiting
    return Decision(start=max(wanted, 0), stop=stop, stuck=stuck)


def _failed(deployment: Deployment, alive: list[Task], now: float) -> list[tuple[Task, str]]:
    """A failed deployment starts nothing; what is faulty in it goes, the tasks of the deployments before it stay."""
    return [(task, fault) for task in alive if task.deployment is deployment and (fault := fault_of(task, now)) is not None]


def _excess(own: list[Task], desired: int, now: float) -> list[Task]:
    """Tasks too many: those that are not healthy first, then from the zone that has the most, the oldest first."""
    left = list(own)
    chosen: list[Task] = []
    while len(left) > desired:
        crowd = collections.Counter(task.zone for task in left)
        left.sort(key=lambda task: (is_healthy(task, now), -crowd[task.zone], task.created_at))
        chosen.append(left.pop(0))
    return chosen


def _old_to_stop(old: list[Task], kept: list[Task], least: int, why: str, now: float) -> list[tuple[Task, str]]:
    """Tasks of earlier deployments that can go: the unhealthy ones, and as many healthy ones as the limit allows."""
    healthy = [task for task in old if is_healthy(task, now)]
    spare = max(len(healthy) + sum(is_healthy(task, now) for task in kept) - least, 0)
    going = [task for task in old if task not in healthy] + healthy[:spare]
    return [(task, why) for task in going]


def least_used(subnets: list[str], tasks: list[Task]) -> str:
    """The subnet for the next task of a service: the one with the fewest, the first named among equals."""
    used = collections.Counter(
        task.network["subnets"][0] for task in tasks if task.desired_status == "RUNNING" and task.network.get("subnets")
    )
    return min(subnets, key=lambda subnet: (used[subnet], subnets.index(subnet)))
