# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CPUUtilization of instances and groups, and the groups' own metrics, in CloudWatch once a minute."""

from __future__ import annotations

import asyncio
import logging
import os
import time
import typing as t

from .state import ENDING, STARTING, Group, Members, State

MINUTE = 60.0
_log = logging.getLogger("localcloud.autoscaling.metrics")

Call = t.Callable[[str, str, Members], t.Awaitable[Members]]
Measure = t.Callable[[], t.Awaitable[dict[str, float]]]


class Metrics:
    """Of one region. `measure()` gives the processor seconds of every running instance since it started, by its id.

    An instance has all processors of this machine, and utilization is a share of them.
    """

    def __init__(
        self, state: State, call: Call, measure: Measure, processors: int = os.cpu_count() or 1, clock: t.Callable[[], float] = time.time
    ) -> None:
        self._state = state
        self._call = call
        self._measure = measure
        self._processors = processors
        self._clock = clock
        self._before: dict[str, tuple[float, float]] = {}
        """Instance -> processor seconds, and when they were read."""

    async def run(self) -> None:
        """Until it is cancelled, at the full minutes."""
        while True:
            await asyncio.sleep(MINUTE - self._clock() % MINUTE)
            try:
                await self.record()
            except Exception:  # a minute without figures must not end them all
                _log.exception("no metrics in this minute")

    async def record(self) -> None:
        """Measure, and record what follows since the last time."""
        used, now = await self._measure(), self._clock()
        shares = {
            instance_id: 100 * max(seconds - self._before[instance_id][0], 0.0) / (now - self._before[instance_id][1]) / self._processors
            for instance_id, seconds in used.items()
            if instance_id in self._before and now > self._before[instance_id][1]
        }
        self._before = {instance_id: (seconds, now) for instance_id, seconds in used.items()}
        data = [_cpu([{"Name": "InstanceId", "Value": instance_id}], [share], now) for instance_id, share in shares.items()]
        own: list[Members] = []
        for group in self._state.groups.values():
            of_group = [shares[member.id] for member in group.instances.values() if member.id in shares]
            dimensions = [{"Name": "AutoScalingGroupName", "Value": group.name}]
            if of_group:
                data.append(_cpu(dimensions, of_group, now))
            counts = counts_of(group)
            own += [
                {"MetricName": name, "Dimensions": dimensions, "Timestamp": now - 1, "Unit": "None", "Value": float(counts[name])}
                for name in group.metrics
                if name in counts
            ]
        for namespace, metrics in (("AWS/EC2", data), ("AWS/AutoScaling", own)):
            for start in range(0, len(metrics), 500):
                await self._call("monitoring", "PutMetricData", {"Namespace": namespace, "MetricData": metrics[start : start + 500]})


def counts_of(group: Group) -> dict[str, int]:
    """The metrics of a group that has no warm pool and no weights."""
    states = [member.state for member in group.instances.values()]
    counts = {
        "InService": states.count("InService"),
        "Pending": sum(state in STARTING for state in states),
        "Standby": states.count("Standby"),
        "Terminating": sum(state in ENDING for state in states),
        "Total": len(states),
    }
    found = {"GroupMinSize": group.least, "GroupMaxSize": group.most, "GroupDesiredCapacity": group.desired}
    for name, count in counts.items():
        found |= {f"Group{name}Instances": count, f"Group{name}Capacity": count}
    return found


def _cpu(dimensions: list[Members], values: list[float], now: float) -> Members:
    return {
        "MetricName": "CPUUtilization",
        "Dimensions": dimensions,
        "Timestamp": now - 1,  # the minute that has just ended
        "Unit": "Percent",
        "Values": values,
        "Counts": [1.0] * len(values),
    }
