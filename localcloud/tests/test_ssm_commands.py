# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run Command's states under a fake clock and fake agents: time-outs, concurrency, errors, cancelling. No process."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from localcloud.services.ssm_commands import Commands

START = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
TARGETS = [(f"i-{number}", f"host-{number}") for number in range(4)]


class World:
    """Commands, what was sent to agents, and a clock to set."""

    def __init__(self) -> None:
        self.now = START
        self.sent: list[tuple[str, str, dict[str, Any]]] = []
        self.away: set[str] = set()
        self.commands = Commands(self._send, lambda: self.now)

    def _send(self, instance_id: str, job_id: str, content: dict[str, Any]) -> bool:
        if instance_id not in self.away:
            self.sent.append((instance_id, job_id, content))
        return instance_id not in self.away

    def send(self, targets: list[tuple[str, str]] = TARGETS, **body: Any) -> str:
        parameters = {"commands": ["true"]} | body.pop("parameters", {})
        body = {"DocumentName": "AWS-RunShellScript", "InstanceIds": [name for name, _ in targets], "Parameters": parameters} | body
        return self.commands.send(body, targets)["Command"]["CommandId"]

    def orders(self) -> list[str]:
        """Instances that got an order since the last look."""
        names = [instance_id for instance_id, _, content in self.sent if not content.get("Cancel")]
        jobs = {instance_id: job_id for instance_id, job_id, _ in self.sent}
        self.jobs = getattr(self, "jobs", {}) | jobs
        self.sent.clear()
        return names

    def end(self, instance_id: str, code: int = 0) -> None:
        self.commands.acknowledged(self.jobs[instance_id])
        moment = self.now.isoformat()
        result = {
            "Status": "Failed" if code else "Success",
            "ResponseCode": code,
            "ExecutionStartDateTime": moment,
            "ExecutionEndDateTime": moment,
        }
        self.commands.replied(self.jobs[instance_id], result)

    def states(self, command_id: str) -> list[tuple[str, str]]:
        found = self.commands.list_invocations({"CommandId": command_id})["CommandInvocations"]
        return [(item["Status"], item["StatusDetails"]) for item in sorted(found, key=lambda item: item["InstanceId"])]

    def status(self, command_id: str) -> tuple[str, str]:
        (found,) = self.commands.list({"CommandId": command_id})["Commands"]
        return found["Status"], found["StatusDetails"]


@pytest.fixture
def world() -> World:
    return World()


@pytest.mark.parametrize(("concurrency", "first"), [(None, 4), ("2", 2), ("50%", 2), ("30%", 2), ("1", 1), ("100%", 4)])
def test_so_many_at_a_time(world, concurrency, first):
    command = world.send(**({"MaxConcurrency": concurrency} if concurrency else {}))
    begun = world.orders()
    assert len(begun) == first
    while begun:
        world.end(begun.pop(0))
        begun += world.orders()
    assert world.status(command) == ("Success", "Success")


def test_too_many_errors_end_the_rest(world):
    command = world.send(MaxConcurrency="1", MaxErrors="1")
    for code in (1, 0, 1):
        (instance_id,) = world.orders()
        world.end(instance_id, code)
    assert world.orders() == []
    assert world.states(command) == [("Failed", "Failed"), ("Success", "Success"), ("Failed", "Failed"), ("Cancelled", "Terminated")]
    assert world.status(command) == ("Failed", "Failed")


def test_states_of_the_whole(world):
    command = world.send(TARGETS[:2])
    assert world.status(command) == ("Pending", "Pending")
    world.orders()
    world.commands.acknowledged(world.jobs["i-0"])
    assert world.status(command) == ("InProgress", "InProgress")
    world.end("i-0")
    assert world.status(command) == ("InProgress", "InProgress")
    world.end("i-1", 2)
    assert world.status(command) == ("Failed", "Failed")


def test_delivery_times_out(world):
    world.away = {"i-0"}
    command = world.send(TARGETS[:1], TimeoutSeconds=60)
    world.now += datetime.timedelta(seconds=60)
    world.commands.tick()
    assert world.status(command) == ("Pending", "Pending")
    world.now += datetime.timedelta(seconds=1)
    world.commands.tick()
    assert world.status(command) == ("TimedOut", "DeliveryTimedOut")
    world.away.clear()
    world.commands.connected("i-0")
    assert world.orders() == []


def test_agent_that_comes_back_gets_its_order_once_more(world):
    world.away = {"i-0"}
    world.send(TARGETS[:1])
    assert world.orders() == []
    world.away.clear()
    world.commands.connected("i-0")
    assert world.orders() == ["i-0"]
    world.commands.acknowledged(world.jobs["i-0"])
    world.commands.connected("i-0")
    assert world.orders() == []


def test_agent_that_never_reports(world):
    command = world.send(TARGETS[:1], parameters={"executionTimeout": ["100"]})
    world.orders()
    world.commands.acknowledged(world.jobs["i-0"])
    world.now += datetime.timedelta(seconds=161)
    world.commands.tick()
    assert world.status(command) == ("TimedOut", "ExecutionTimedOut")
    world.end("i-0")
    assert world.status(command) == ("TimedOut", "ExecutionTimedOut")


def test_cancelled_before_and_after_delivery(world):
    world.away = {"i-1"}
    command = world.send(TARGETS[:2])
    world.orders()
    world.commands.acknowledged(world.jobs["i-0"])
    world.commands.cancel({"CommandId": command})
    assert world.states(command) == [("Cancelling", "Cancelling"), ("Cancelled", "Cancelled")]
    assert [content for _, _, content in world.sent] == [{"Cancel": True}]
    world.away.clear()
    world.sent.clear()
    world.commands.connected("i-1")
    assert world.orders() == []


def test_terminated_instances(world):
    world.away = {"i-1"}
    command = world.send(TARGETS[:2])
    world.orders()
    world.commands.acknowledged(world.jobs["i-0"])
    for instance_id in sorted(world.commands.waiting()):
        world.commands.instance_gone(instance_id)
    assert world.states(command) == [("Failed", "Terminated"), ("Failed", "Undeliverable")]
    assert world.commands.waiting() == set()
