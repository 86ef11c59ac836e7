# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeps services at what is wanted of them: asks the scheduler, starts and stops tasks, and keeps the tasks' runners."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
import typing as t

from . import rollout, scheduler
from .making import new_task
from .parts import Parts
from .runner import Runner
from .state import Members, Service, State, Task
from .surroundings import Surroundings

BUSY_SECONDS, IDLE_SECONDS = 0.4, 3.0
STOPPED_KEPT_SECONDS = 3600.0

_log = logging.getLogger("localcloud.ecs")


class Controller:
    """One task of the server's event loop, and one for each task of ECS."""

    def __init__(self, state: State, around: Surroundings, clock: t.Callable[[], float] = time.time) -> None:
        self._state = state
        self._around = around
        self._clock = clock
        self._parts: Parts | None = None
        self._runners: dict[str, Runner] = {}
        self._lives: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()
        self._loop_task: asyncio.Task[None] | None = None

    def start_with(self, parts: Parts) -> None:
        """Begin."""
        self._parts = parts
        self._loop_task = asyncio.create_task(self._run(), name="ecs-controller")

    async def close(self) -> None:
        """Stop at once; the containers are left for the clean-up."""
        tasks = [*self._lives, *([self._loop_task] if self._loop_task else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def changed(self) -> None:
        """Look at the services now; on the event loop."""
        self._wake.set()

    def docker_told(self, task_id: str) -> None:
        """Docker has news of a task's container; on the event loop."""
        runner = self._runners.get(task_id)
        if runner is not None:
            runner.wake()

    def start(self, task: Task) -> None:
        """Begin the life of a task."""
        if self._parts is None:
            return
        runner = Runner(self._parts, task)
        self._runners[task.id] = runner
        life = asyncio.create_task(runner.run(), name=f"ecs-{task.id[:12]}")
        self._lives.add(life)
        life.add_done_callback(lambda done: self._ended(done, task))

    def stop(self, task: Task, reason: str, code: str) -> None:
        """End it gracefully; nothing happens when it is already ending."""
        runner = self._runners.get(task.id)
        if runner is not None:
            runner.stop(reason, code)

    def _ended(self, life: asyncio.Task[None], task: Task) -> None:
        self._lives.discard(life)
        self._runners.pop(task.id, None)
        self.changed()

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            busy = False
            for service in list(self._state.services.values()):
                try:
                    if service.status != "INACTIVE":
                        busy |= await self._look(service)
                except Exception:  # one service's trouble must not stop the others
                    _log.exception("service %s could not be looked after", service.name)
            self._forget()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), BUSY_SECONDS if busy else IDLE_SECONDS)

    async def _look(self, service: Service) -> bool:
        """One look at a service; whether it must be looked at again soon."""
        tasks = self._state.tasks_of(service)
        await self._see_targets(service, tasks)
        now = self._clock()
        rollout.note_outcomes(service, tasks, now)
        self._carry_out(service, tasks, scheduler.decide(service, tasks, now), now)
        tasks = self._state.tasks_of(service)
        rollout.settle(service, tasks, now)
        if service.status == "DRAINING" and all(task.last_status == "STOPPED" for task in tasks):
            service.status = "INACTIVE"
            service.deployments = []
        return not service.steady or any(task.targets for task in tasks)

    async def _see_targets(self, service: Service, tasks: list[Task]) -> None:
        """Record what the load balancers say of the service's tasks."""
        arns = {arn for task in tasks for arn, _ in task.targets}
        known: dict[str, dict[tuple[str, int], str]] = {}
        for arn in arns:
            try:
                known[arn] = await asyncio.to_thread(self._around.groups.target_health, arn)
            except KeyError:
                known[arn] = {}
        for task in tasks:
            for arn, port in list(task.targets):
                if task.desired_status == "RUNNING" and task.interface is not None:
                    state = known[arn].get((task.interface.private_ip, port), "unused")
                    if state == "unhealthy" and task.targets[(arn, port)] == "healthy":
                        text = f"(task {task.id}) (port {port}) is unhealthy in (target-group {arn}) due to (reason Health checks failed)."
                        service.note(text, self._clock())
                    task.targets[(arn, port)] = state

    def _carry_out(self, service: Service, tasks: list[Task], decision: scheduler.Decision, now: float) -> None:
        for task, reason in decision.stop:
            if reason == "Task failed container health checks":
                service.note(f"(task {task.id}) failed container health checks.", now)
            self.stop(task, reason, "ServiceSchedulerInitiated")
        if decision.stop:
            service.steady = False
            names = " ".join(f"(task {task.id})" for task, _ in decision.stop)
            service.note(f"has stopped {len(decision.stop)} running tasks: {names}.", now)
        if decision.start:
            service.steady = False
            self._launch(service, tasks, decision.start, now)
        if decision.stuck and not service.stuck:
            service.note(
                "was unable to stop or start tasks during a deployment because of the service deployment configuration. Update the "
                "minimumHealthyPercent or maximumPercent value and try again.",
                now,
            )
        service.stuck = decision.stuck

    def _launch(self, service: Service, tasks: list[Task], count: int, now: float) -> None:
        deployment = service.primary
        if deployment is None:
            return
        problem = self._around.role_problem(deployment.definition)
        if problem:
            deployment.streak += 1
            deployment.not_before = now + max(rollout.pause(deployment.streak), 1.0)
            service.note(f"failed to launch a task with (error {problem}).", now)
            return
        network = deployment.network["awsvpcConfiguration"]
        started = []
        for _ in range(count):
            subnet = scheduler.least_used(network["subnets"], [*tasks, *started])
            started.append(
                new_task(
                    self._state,
                    service.cluster,
                    deployment.definition,
                    network=network,
                    subnet=subnet,
                    group=f"service:{service.name}",
                    now=now,
                    service=service,
                    deployment=deployment,
                    started_by=deployment.id,
                    load_balancers=deployment.load_balancers,
                    platform_version=deployment.platform_version,
                    capacity_provider=deployment.strategy[0]["capacityProvider"] if deployment.strategy else None,
                    tags=_tags(service, deployment.definition.tags),
                )
            )
        for task in started:
            self.start(task)
        names = " ".join(f"(task {task.id})" for task in started)
        service.note(f"has started {len(started)} tasks: {names}.", now)

    def _forget(self) -> None:
        """Forget tasks that ended an hour ago."""
        before = self._clock() - STOPPED_KEPT_SECONDS
        for task in list(self._state.tasks.values()):
            if task.stopped_at is not None and task.stopped_at < before:
                del self._state.tasks[task.id]


def _tags(service: Service, definition_tags: dict[str, str]) -> dict[str, str]:
    members: Members = service.members
    chosen = {"SERVICE": service.tags, "TASK_DEFINITION": definition_tags}.get(members["propagateTags"], {})
    managed = {"aws:ecs:clusterName": service.cluster.name, "aws:ecs:serviceName": service.name} if members["enableECSManagedTags"] else {}
    return {**chosen, **managed}
