# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CPUUtilization and MemoryUtilization of services in CloudWatch, once a minute: how much of what its tasks reserve a service uses."""

from __future__ import annotations

import asyncio
import logging
import time
import typing as t

from .state import Members, Service, State, Task
from .usage import Usage

NAMESPACE = "AWS/ECS"
MINUTE = 60.0
UNITS_PER_CPU = 1024

_log = logging.getLogger("localcloud.ecs.metrics")

Call = t.Callable[[str, str, Members], t.Awaitable[Members]]
Measure = t.Callable[[list[str]], t.Awaitable[dict[str, Usage]]]


class Metrics:
    """Of one region's services. `measure(container ids)` gives what the running ones of them use."""

    def __init__(self, state: State, call: Call, measure: Measure, clock: t.Callable[[], float] = time.time) -> None:
        self._state = state
        self._call = call
        self._measure = measure
        self._clock = clock
        self._before: dict[str, tuple[float, float]] = {}
        """Container id → processor seconds, and when they were read."""

    async def run(self) -> None:
        """Until it is cancelled, at the full minutes."""
        while True:
            now = self._clock()
            await asyncio.sleep(MINUTE - now % MINUTE)
            try:
                await self.record()
            except Exception:  # a minute without figures must not end them all
                _log.exception("no metrics in this minute")

    async def record(self) -> None:
        """Measure every running container once, and record what follows for its service."""
        running = {
            service.arn: [task for task in self._state.tasks_of(service) if task.last_status == "RUNNING"]
            for service in self._state.services.values()
        }
        ids = [container.docker_id for tasks in running.values() for task in tasks for container in task.containers]
        used = await self._measure([identifier for identifier in ids if identifier is not None])
        now, data = self._clock(), []
        for arn, tasks in running.items():
            shares = [share for task in tasks if (share := self._share(task, used, now)) is not None]
            if shares:
                data += _data(self._state.services[arn], [cpu for cpu, _ in shares], [memory for _, memory in shares], now)
        self._before = {identifier: (usage.seconds, now) for identifier, usage in used.items()}
        if data:
            await self._call("monitoring", "PutMetricData", {"Namespace": NAMESPACE, "MetricData": data})

    def _share(self, task: Task, used: dict[str, Usage], now: float) -> tuple[float, float] | None:
        """Percent of its processor and of its memory that a task used since the last minute; None when nothing of it was measured."""
        seconds = memory = elapsed = 0.0
        for container in task.containers:
            usage = used.get(container.docker_id or "")
            if usage is not None and container.docker_id is not None:
                before, when = self._before.get(container.docker_id, (0.0, container.started_at or now))
                seconds += max(usage.seconds - before, 0.0)
                elapsed = max(elapsed, now - when)
                memory += usage.memory
        if elapsed <= 0:
            return None
        return 100 * seconds / elapsed / (int(task.cpu) / UNITS_PER_CPU), 100 * memory / (int(task.memory) * 1024 * 1024)


def _data(service: Service, cpu: list[float], memory: list[float], now: float) -> list[Members]:
    dimensions = [{"Name": "ClusterName", "Value": service.cluster.name}, {"Name": "ServiceName", "Value": service.name}]
    return [
        {
            "MetricName": name,
            "Dimensions": dimensions,
            "Timestamp": now - 1,  # the minute that has just ended
            "Unit": "Percent",
            "Values": values,
            "Counts": [1.0] * len(values),
        }
        for name, values in (("CPUUtilization", cpu), ("MemoryUtilization", memory))
    ]
