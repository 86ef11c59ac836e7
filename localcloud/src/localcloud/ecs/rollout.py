# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Moves a service's deployments on: begun, completed, failed by the circuit breaker, rolled back; changes records and nothing else.

After "How the Amazon ECS deployment circuit breaker detects failures" in the developer guide and the API's `Deployment.failedTasks`.
"""

from __future__ import annotations

import math

from .scheduler import GONE, is_healthy
from .state import Deployment, Service, Task

LEAST_FAILURES, MOST_FAILURES = 3, 200
LONGEST_PAUSE = 60.0
UNSTEADY_AFTER = 3


def threshold(desired: int) -> int:
    """How many tasks must fail before the circuit breaker ends a deployment: half of the desired ones, from 3 to 200."""
    return max(LEAST_FAILURES, min(math.ceil(desired * 0.5), MOST_FAILURES))


def pause(streak: int) -> float:
    """Seconds that the next launch waits after so many tasks failed in a row."""
    return 0.0 if streak < 2 else min(0.5 * 2.0 ** (streak - 2), LONGEST_PAUSE)


def begin(service: Service, deployment: Deployment, now: float) -> None:
    """Make `deployment` the primary one."""
    for other in service.deployments:
        other.status = "ACTIVE"
        other.updated_at = now
    deployment.status = "PRIMARY"
    deployment.rollout_state = "IN_PROGRESS"
    deployment.rollout_reason = f"ECS deployment {deployment.id} in progress."
    deployment.updated_at = now
    service.deployments = [deployment, *(other for other in service.deployments if other is not deployment)]
    service.steady = service.stuck = False


def note_outcomes(service: Service, tasks: list[Task], now: float) -> None:
    """Count the tasks that have proved healthy, and those that ended before they did."""
    for task in tasks:
        if task.outcome == "succeeded" or task.deployment is None:
            continue
        if is_healthy(task, now):
            task.outcome = "succeeded"
            task.deployment.healthy_once = True
            task.deployment.failed_tasks = task.deployment.streak = 0
        elif task.outcome is None and _failed_by_itself(task):
            task.outcome = "failed"
            _count_failure(service, task.deployment, now)


def _failed_by_itself(task: Task) -> bool:
    """Whether it ended, or is ending, for a reason that lies in it and not in a scaling activity or a user's wish."""
    if task.desired_status != "STOPPED" or task.stop_code is None:
        return False
    if task.stop_code == "ServiceSchedulerInitiated":
        return (task.stopped_reason or "").startswith("Task failed ")
    return task.stop_code in ("TaskFailedToStart", "EssentialContainerExited")


def _count_failure(service: Service, deployment: Deployment, now: float) -> None:
    deployment.streak += 1
    deployment.not_before = now + pause(deployment.streak)
    if deployment.streak == UNSTEADY_AFTER:
        service.note(
            "is unable to consistently start tasks successfully. For more information, see the Troubleshooting section of the "
            "Amazon ECS Developer Guide.",
            now,
        )
    if deployment is not service.primary or deployment.rollout_state != "IN_PROGRESS" or deployment.healthy_once:
        return
    deployment.failed_tasks += 1
    breaker = service.members["deploymentConfiguration"].get("deploymentCircuitBreaker") or {}
    if breaker.get("enable") and deployment.failed_tasks >= threshold(service.desired):
        fail(service, deployment, now, rollback=bool(breaker.get("rollback")))


def fail(service: Service, deployment: Deployment, now: float, *, rollback: bool) -> None:
    """The circuit breaker ends a deployment, and goes back to the last completed one where it may."""
    deployment.rollout_state = "FAILED"
    deployment.rollout_reason = "ECS deployment circuit breaker: tasks failed to start."
    deployment.updated_at = now
    service.note(f"(deployment {deployment.id}) deployment failed: tasks failed to start.", now)
    target = service.last_completed
    if not rollback or target is None or target is deployment or deployment.is_rollback:
        return
    service.note(f"rolling back to deployment {target.id}.", now)
    begin(service, target, now)
    target.is_rollback = True
    target.failed_tasks = target.streak = 0
    target.not_before = 0.0
    target.rollout_reason = f"ECS deployment circuit breaker: rolling back to deploymentId {target.id}."


def settle(service: Service, tasks: list[Task], now: float) -> None:
    """Complete the primary deployment when it is all there is, and forget deployments that have no task left."""
    primary = service.primary
    if primary is None:
        return
    alive = [task for task in tasks if task.last_status != GONE]
    service.deployments = [found for found in service.deployments if found is primary or any(task.deployment is found for task in alive)]
    own = [task for task in alive if task.desired_status == "RUNNING" and task.deployment is primary]
    there = len(own) == service.desired and all(is_healthy(task, now) for task in own)
    others = any(task.deployment is not primary for task in alive)
    if not there or others:
        service.steady = False
        return
    service.stuck = False
    if primary.rollout_state == "IN_PROGRESS":
        primary.rollout_state = "COMPLETED"
        primary.rollout_reason = f"ECS deployment {primary.id} completed."
        primary.updated_at = now
        primary.is_rollback = False
        service.last_completed = primary
        service.note(f"(deployment {primary.id}) deployment completed.", now)
    if not service.steady and len(own) == len(alive):
        service.steady = True
        service.note("has reached a steady state.", now)
