# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The life of an instance in its group: steps, lifecycle hooks, health."""

from __future__ import annotations

import pytest
from asg_world import ARN, group, member

from localcloud.autoscaling.lifecycle import (
    LAUNCHING,
    TERMINATING,
    Step,
    abandoned,
    fault_of,
    heartbeat,
    new_waits,
    next_step,
    note_readiness,
    verdict,
)
from localcloud.autoscaling.state import Hook

LAUNCH = Hook("l", LAUNCHING, heartbeat=60)
END = Hook("t", TERMINATING, heartbeat=60, default="CONTINUE")


@pytest.mark.parametrize(
    ("state", "machine", "hooks", "drains", "step"),
    [
        ("Pending", "pending", [], False, None),
        ("Pending", "running", [], False, Step.ENTER_SERVICE),
        ("Pending", "running", [END], False, Step.ENTER_SERVICE),
        ("Pending", "running", [LAUNCH, END], False, Step.WAIT_LAUNCHING),
        ("Pending", "stopped", [], False, Step.GIVE_UP),
        ("Pending", "terminated", [LAUNCH], False, Step.GIVE_UP),
        ("Pending", None, [], False, Step.GIVE_UP),
        ("Pending:Wait", "stopped", [LAUNCH], False, Step.GIVE_UP),
        ("Pending:Proceed", "running", [], False, Step.ENTER_SERVICE),
        ("InService", "running", [LAUNCH, END], False, None),
        ("InService", "terminated", [], False, None),  # the scheduler's business
        ("Standby", "running", [LAUNCH, END], False, None),
        ("Terminating", "running", [], True, None),
        ("Terminating", "running", [], False, Step.TERMINATE),
        ("Terminating", "running", [END], False, Step.WAIT_TERMINATING),
        ("Terminating", "stopped", [END], True, Step.WAIT_TERMINATING),  # nothing to drain, and its disk can still be read
        ("Terminating", "terminated", [END], True, Step.TERMINATE),
        ("Terminating:Wait", None, [END], False, Step.TERMINATE),
        ("Terminating:Proceed", "shutting-down", [], False, None),
        ("Terminating:Proceed", "terminated", [], False, Step.FORGET),
        ("Terminating:Proceed", None, [], False, Step.FORGET),
    ],
)
def test_steps(state: str, machine: str | None, hooks: list[Hook], drains: bool, step: Step | None) -> None:
    found = member(group(), state=state)
    assert next_step(found, machine, hooks, drains=drains, now=0.0) == step


def test_target_groups_are_left_first() -> None:
    found = member(group(), state="Terminating", targets={ARN})
    assert next_step(found, "running", [END], drains=False, now=0.0) == Step.DEREGISTER


def test_a_forced_end_waits_for_nothing() -> None:
    found = member(group(), state="Terminating", in_a_hurry=True)
    assert next_step(found, "running", [END], drains=True, now=0.0) == Step.TERMINATE


@pytest.mark.parametrize(
    ("answers", "now", "result"),
    [
        ([None], 59.0, None),
        ([None], 60.0, "ABANDON"),
        (["CONTINUE"], 1.0, "CONTINUE"),
        (["CONTINUE", None], 1.0, None),
        (["CONTINUE", "CONTINUE"], 1.0, "CONTINUE"),
        (["ABANDON", None], 1.0, "ABANDON"),
        (["CONTINUE", None], 60.0, "ABANDON"),
    ],
)
def test_hooks(answers: list[str | None], now: float, result: str | None) -> None:
    hooks = [Hook(f"h{index}", LAUNCHING, heartbeat=60) for index, _ in enumerate(answers)]
    waits = new_waits([*hooks, END], LAUNCHING, 0.0)
    assert len(waits) == len(answers)
    for wait, answer in zip(waits, answers, strict=True):
        wait.result = answer
    assert verdict(waits, now) == result


@pytest.mark.parametrize(("result", "step"), [("CONTINUE", Step.ENTER_SERVICE), ("ABANDON", Step.ABANDON), (None, None)])
def test_the_answer_to_a_launch_hook_decides(result: str | None, step: Step | None) -> None:
    found = member(group(), state="Pending:Wait", waits=new_waits([LAUNCH], LAUNCHING, 0.0))
    found.waits[0].result = result
    assert next_step(found, "running", [LAUNCH], drains=False, now=1.0) == step


@pytest.mark.parametrize("result", ["CONTINUE", "ABANDON"])
def test_either_answer_to_a_termination_hook_ends_it(result: str) -> None:
    found = member(group(), state="Terminating:Wait", waits=new_waits([END], TERMINATING, 0.0))
    assert next_step(found, "running", [END], drains=False, now=1.0) is None
    found.waits[0].result = result
    assert next_step(found, "running", [END], drains=False, now=1.0) == Step.TERMINATE


def test_heartbeats_help_until_the_limit() -> None:
    (wait,) = new_waits([Hook("h", LAUNCHING, heartbeat=60)], LAUNCHING, 0.0)
    for now in range(50, 6000, 50):
        heartbeat(wait, float(now))
        assert verdict([wait], now + 9.0) is None
    heartbeat(wait, 5990.0)
    assert verdict([wait], 5999.0) is None
    assert verdict([wait], 6000.0) == "ABANDON"  # a hundred heartbeats
    assert Hook("h", LAUNCHING, heartbeat=7200).limit == 48 * 3600


def test_the_message_says_who_abandoned() -> None:
    waits = new_waits([LAUNCH], LAUNCHING, 0.0)
    verdict(waits, 100.0)
    prefix = f"Instance failed to complete user's Lifecycle Action: Lifecycle Action with token {waits[0].token} was abandoned: "
    assert abandoned(waits) == prefix + "Heartbeat Timeout Elapsed"
    waits = new_waits([LAUNCH], LAUNCHING, 0.0)
    waits[0].result = "ABANDON"
    assert abandoned(waits).endswith("was abandoned: Lifecycle Action Completed with ABANDON Result")


@pytest.mark.parametrize(
    ("machine", "targets", "health_type", "age", "fault"),
    [
        ("running", {ARN: "healthy"}, "ELB", 100.0, ""),
        ("running", {ARN: "unhealthy"}, "EC2", 100.0, ""),
        ("running", {ARN: "unhealthy"}, "ELB", 100.0, "ELB"),
        ("running", {ARN: "unhealthy"}, "EC2,ELB", 100.0, "ELB"),
        ("running", {ARN: "unhealthy"}, "ELB", 29.0, ""),
        ("running", {ARN: "healthy", "other": "unhealthy"}, "ELB", 100.0, "ELB"),
        ("running", {ARN: "initial"}, "ELB", 100.0, ""),
        ("running", {ARN: "unused"}, "ELB", 100.0, ""),
        ("stopped", {}, "EC2", 1.0, "EC2"),
        ("shutting-down", {ARN: "healthy"}, "ELB", 1.0, "EC2"),
        (None, {}, "EC2", 100.0, "EC2"),
    ],
)
def test_health(machine: str | None, targets: dict[str, str], health_type: str, age: float, fault: str) -> None:
    found = member(group(), health_of=targets, targets=set(targets), in_service_at=1000.0)
    found.in_service_at = 1000.0
    assert fault_of(found, machine, health_type, 30.0, 1000.0 + age) == fault


def test_readiness_begins_when_every_target_group_says_healthy() -> None:
    found = member(group(), targets={"a", "b"}, health_of={"a": "healthy", "b": "initial"}, ready_since=None)
    note_readiness(found, 1.0)
    assert not found.serves
    found.health_of["b"] = "unused"
    note_readiness(found, 2.0)
    note_readiness(found, 3.0)
    assert found.serves and found.ready_since == 2.0
    found.health_of["a"] = "unhealthy"
    note_readiness(found, 4.0)
    assert found.ready_since is None
