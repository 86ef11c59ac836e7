# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CPUUtilization and MemoryUtilization of services, and what processes use according to proc(5)."""

from __future__ import annotations

import asyncio
import pathlib
import typing as t

import pytest
from ecs_world import container, deployment, service, task

from localcloud.ecs.metrics import Metrics
from localcloud.ecs.state import State
from localcloud.ecs.usage import TICKS, Usage, usage_of

MIB = 1024 * 1024


class World:
    """One service with two tasks of a quarter of a processor and 512 MiB; `cpu` are the processor seconds of each container."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.cpu = {"c1": 0.0, "c2": 0.0}
        self.memory = {"c1": 128 * MIB, "c2": 256 * MIB}
        self.recorded: list[dict[str, t.Any]] = []
        state = State("123456789012", "ap-northeast-2")
        self.service, of = service(), deployment()
        state.services["arn"] = self.service
        for name in self.cpu:
            running = container(docker_id=name, status="RUNNING", started_at=940.0)
            made = task(self.service, of, containers=[running, container("done", docker_id="x", status="STOPPED")], last_status="RUNNING")
            state.tasks[made.id] = made
        self.metrics = Metrics(state, self._call, self._measure, lambda: self.now)

    async def _call(self, service_name: str, operation: str, members: dict[str, t.Any]) -> dict[str, t.Any]:
        assert (service_name, operation, members["Namespace"]) == ("monitoring", "PutMetricData", "AWS/ECS")
        self.recorded += members["MetricData"]
        return {}

    async def _measure(self, container_ids: list[str]) -> dict[str, Usage]:
        return {name: Usage(self.cpu[name], self.memory[name]) for name in container_ids if name in self.cpu}

    def minute(self) -> dict[str, list[float]]:
        """Record, and give the values by metric."""
        self.recorded.clear()
        asyncio.run(self.metrics.record())
        return {datum["MetricName"]: datum["Values"] for datum in self.recorded}


def test_utilization_is_of_what_is_reserved() -> None:
    world = World()
    world.cpu = {"c1": 15.0, "c2": 7.5}
    assert world.minute() == {"CPUUtilization": [pytest.approx(100.0), pytest.approx(50.0)], "MemoryUtilization": [25.0, 50.0]}
    assert world.recorded[0]["Dimensions"] == [{"Name": "ClusterName", "Value": "c"}, {"Name": "ServiceName", "Value": "web"}]
    assert world.recorded[0]["Timestamp"] == 999.0
    world.now += 60
    world.cpu = {"c1": 18.0, "c2": 7.5}
    assert world.minute()["CPUUtilization"] == [pytest.approx(20.0), 0.0]


def test_a_container_that_ended_meanwhile_is_left_out() -> None:
    world = World()
    world.cpu = {"c1": 15.0}
    assert world.minute()["CPUUtilization"] == [pytest.approx(100.0)]


def _process(proc: pathlib.Path, pid: int, space: str, times: tuple[int, int, int, int], kilobytes: int) -> None:
    folder = proc / str(pid)
    (folder / "ns").mkdir(parents=True)
    (folder / "ns" / "pid").symlink_to(f"pid:[{space}]")
    (folder / "stat").write_text(f"{pid} (a) b) S 1 1 1 0 -1 0 0 0 0 0 {' '.join(map(str, times))} 20 0")
    (folder / "status").write_text(f"Name:\ta\nVmRSS:\t 999 kB\nRssAnon:\t {kilobytes} kB\nRssFile:\t 50 kB\nRssShmem:\t 1 kB\n")


def test_usage_is_that_of_all_processes_of_a_namespace(tmp_path: pathlib.Path) -> None:
    _process(tmp_path, 10, "100", (1, 2, 3, 4), 1000)
    _process(tmp_path, 11, "100", (TICKS, 0, 0, 0), 24)
    _process(tmp_path, 12, "999", (TICKS, 0, 0, 0), 5)
    (tmp_path / "self").mkdir()
    assert usage_of([10, 77], tmp_path) == {10: Usage(10 / TICKS + 1, 1026 * 1024.0)}
