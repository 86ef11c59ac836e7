# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CPUUtilization of instances and groups, the groups' own metrics, and what a tree of processes uses according to proc(5)."""

from __future__ import annotations

import asyncio
import pathlib
import typing as t

import pytest
from asg_world import fill, group, member

from localcloud.autoscaling.metrics import Metrics, counts_of
from localcloud.autoscaling.state import State
from localcloud.ecs.usage import TICKS, seconds_of_trees


class World:
    """A group of two instances, and one instance that is in none, on a machine with two processors."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.group = group(2)
        first, second = fill(self.group, 2)
        self.names = [first.id, second.id, "i-alone"]
        self.seconds = dict.fromkeys(self.names, 10.0)
        self.recorded: dict[str, list[dict[str, t.Any]]] = {}
        state = State("123456789012", "ap-northeast-2")
        state.groups["g"] = self.group
        self.metrics = Metrics(state, self._call, self._measure, 2, lambda: self.now)

    async def _call(self, service: str, operation: str, members: dict[str, t.Any]) -> dict[str, t.Any]:
        assert (service, operation) == ("monitoring", "PutMetricData")
        self.recorded.setdefault(members["Namespace"], []).extend(members["MetricData"])
        return {}

    async def _measure(self) -> dict[str, float]:
        return dict(self.seconds)

    def minute(self) -> dict[str, list[float]]:
        """Record, and give the values of CPUUtilization by instance or group."""
        self.recorded.clear()
        asyncio.run(self.metrics.record())
        return {datum["Dimensions"][0]["Value"]: datum["Values"] for datum in self.recorded.get("AWS/EC2", [])}


def test_utilization_is_a_share_of_the_machine_since_the_last_minute() -> None:
    world = World()
    assert world.minute() == {}
    world.now += 60
    world.seconds = dict(zip(world.names, (70.0, 130.0, 16.0), strict=True))
    first, second, alone = world.names
    assert world.minute() == {first: [50.0], second: [100.0], alone: [5.0], "g": [50.0, 100.0]}
    (of_group,) = [datum for datum in world.recorded["AWS/EC2"] if datum["Dimensions"][0]["Name"] == "AutoScalingGroupName"]
    assert (of_group["Counts"], of_group["Unit"], of_group["Timestamp"]) == ([1.0, 1.0], "Percent", world.now - 1)


def test_an_instance_that_came_or_went_meanwhile_is_left_out() -> None:
    world = World()
    world.minute()
    world.now += 60
    world.seconds = {world.names[0]: 16.0, "i-new": 99.0}
    assert world.minute() == {world.names[0]: [5.0], "g": [5.0]}


def test_group_metrics_where_they_are_switched_on() -> None:
    world = World()
    member(world.group, state="Pending:Wait")
    member(world.group, state="Terminating:Wait")
    member(world.group, state="Standby")
    world.minute()
    assert "AWS/AutoScaling" not in world.recorded
    world.group.metrics = ["GroupInServiceInstances", "GroupPendingInstances", "WarmPoolTotalCapacity"]
    world.minute()
    assert {datum["MetricName"]: datum["Value"] for datum in world.recorded["AWS/AutoScaling"]} == {
        "GroupInServiceInstances": 2.0,
        "GroupPendingInstances": 1.0,
    }
    found = counts_of(world.group)
    assert [found[f"Group{name}Instances"] for name in ("Terminating", "Standby", "Total")] == [1, 1, 5]


def _process(proc: pathlib.Path, pid: int, parent: int, seconds: int) -> None:
    (proc / str(pid)).mkdir()
    (proc / str(pid) / "stat").write_text(f"{pid} (a) b) S {parent} 1 1 0 -1 0 0 0 0 0 {seconds * TICKS} 0 0 0 20 0")


@pytest.mark.parametrize(("asked", "found"), [([10], {10: 7.0}), ([10, 12], {10: 1.0, 12: 6.0}), ([99], {})])
def test_usage_of_a_tree_is_that_of_all_its_descendants(tmp_path: pathlib.Path, asked: list[int], found: dict[int, float]) -> None:
    for pid, parent, seconds in ((1, 0, 100), (10, 1, 1), (12, 10, 2), (13, 12, 4), (20, 1, 8)):
        _process(tmp_path, pid, parent, seconds)
    (tmp_path / "self").mkdir()
    assert seconds_of_trees(asked, tmp_path) == found
