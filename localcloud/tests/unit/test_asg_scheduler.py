# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which instances a group launches and terminates, where they go, and what its activities say."""

from __future__ import annotations

import pytest
from asg_world import ZONES, World, fill, group, member

from localcloud.autoscaling import placing, scheduler
from localcloud.autoscaling.scheduler import decide
from localcloud.autoscaling.state import Group

NOW = 1_700_000_000.0


@pytest.mark.parametrize(
    ("desired", "there", "launched", "terminated"), [(0, 0, 0, 0), (3, 0, 3, 0), (3, 2, 1, 0), (3, 3, 0, 0), (1, 3, 0, 2), (0, 2, 0, 2)]
)
def test_the_desired_capacity_is_kept(desired: int, there: int, launched: int, terminated: int) -> None:
    owner = group(desired)
    fill(owner, there)
    found = decide(owner, ZONES, None, NOW)
    assert (len(found.launch), len(found.terminate)) == (launched, terminated)


def test_instances_on_their_way_count_and_those_that_go_do_not() -> None:
    owner = group(3)
    for state in ("Pending", "Pending:Wait", "Pending:Proceed", "Terminating", "Terminating:Wait", "Terminating:Proceed", "Standby"):
        member(owner, state=state)
    found = decide(owner, ZONES, None, NOW)
    assert (found.launch, found.terminate) == ([], [])


def test_zones_are_balanced() -> None:
    owner = group(5)
    member(owner, "subnet-a")
    subnets = [launch.subnet for launch in decide(owner, ZONES, None, NOW).launch]
    assert sorted(subnets) == ["subnet-a", "subnet-a", "subnet-c", "subnet-c"]
    assert subnets[0] == "subnet-c"


def test_subnets_of_a_zone_take_turns() -> None:
    zones = {"s1": "a", "s2": "a", "s3": "c"}
    owner = group(4)
    assert [launch.subnet for launch in decide(owner, zones, None, NOW).launch] == ["s1", "s3", "s2", "s3"]


def test_an_unhealthy_instance_is_replaced() -> None:
    owner = group(2)
    bad, _ = fill(owner, 2)
    bad.health, bad.fault = "Unhealthy", "EC2"
    found = decide(owner, ZONES, None, NOW)
    assert [dead.id for dead, _ in found.terminate] == [bad.id]
    assert found.terminate[0][1] == (
        "At 2023-11-14T22:13:20Z an instance was taken out of service in response to an EC2 health check indicating it has been terminated "
        "or stopped."
    )
    (launch,) = found.launch
    assert launch.replaces and launch.subnet == "subnet-a"
    assert launch.cause == "At 2023-11-14T22:13:20Z an instance was launched in response to an unhealthy instance needing to be replaced."


@pytest.mark.parametrize(("fault", "words"), [("ELB", "an ELB system health check failure."), ("user", "a user health-check.")])
def test_the_cause_says_who_found_it_unhealthy(fault: str, words: str) -> None:
    owner = group(1)
    bad = member(owner, health="Unhealthy", fault=fault)
    assert decide(owner, ZONES, None, NOW).terminate == [
        (bad, f"At 2023-11-14T22:13:20Z an instance was taken out of service in response to {words}")
    ]


@pytest.mark.parametrize("process", ["ReplaceUnhealthy", "Terminate"])
def test_suspended_processes_keep_an_unhealthy_instance(process: str) -> None:
    owner = group(1, suspended={process: "x"})
    member(owner, health="Unhealthy", fault="EC2")
    assert decide(owner, ZONES, None, NOW) == scheduler.Decision()


def test_suspended_launch_and_terminate() -> None:
    owner = group(2, suspended={"Launch": "x"})
    assert decide(owner, ZONES, None, NOW).launch == []
    owner = group(0, suspended={"Terminate": "x"})
    fill(owner, 2)
    assert decide(owner, ZONES, None, NOW).terminate == []


def test_after_a_refusal_there_is_a_pause() -> None:
    owner = group(1, failures=1, not_before=NOW + 1)
    assert decide(owner, ZONES, None, NOW).launch == []
    assert len(decide(owner, ZONES, None, NOW + 1).launch) == 1
    assert [scheduler.pause(failures) for failures in (0, 1, 2, 6, 99)] == [0.0, 1.0, 2.0, 60.0, 60.0]


def test_causes_tell_the_whole_story() -> None:
    owner = group(1)
    owner.set_desired(3, "At 2023-11-14T22:13:10Z a user request explicitly set group desired capacity")
    member(owner)
    first, second = decide(owner, ZONES, None, NOW).launch
    why = "At 2023-11-14T22:13:10Z a user request explicitly set group desired capacity changing the desired capacity from 1 to 3."
    response = "At 2023-11-14T22:13:20Z an instance was started in response to a difference between desired and actual capacity, "
    assert first.cause == f"{why}  {response}increasing the capacity from 1 to 2."
    assert second.cause == f"{why}  {response}increasing the capacity from 2 to 3."
    owner = group(1)
    fill(owner, 2)
    ((gone, cause),) = decide(owner, ZONES, None, NOW).terminate
    assert cause.endswith(f"shrinking the capacity from 2 to 1.  At 2023-11-14T22:13:20Z instance {gone.id} was selected for termination.")


# -- which ones go


def _victims(owner: Group, count: int = 1) -> list[int]:
    """Indices of the victims in the order of launch."""
    order = list(owner.instances)
    return [order.index(found.id) for found in placing.victims(owner, count, NOW)]


def test_the_crowded_zone_first() -> None:
    owner = group(0)
    for subnet in ("subnet-c", "subnet-a", "subnet-a"):
        member(owner, subnet)
    assert _victims(owner)[0] in (1, 2)
    assert sorted(_victims(owner, 2)) != [1, 2]


def test_protected_instances_stay() -> None:
    owner = group(0)
    for found in fill(owner, 3)[:2]:
        found.protected = True
    assert _victims(owner, 3) == [2]


@pytest.mark.parametrize(
    ("policies", "versions", "first"),
    [
        (["OldestInstance"], [1, 1, 1], 0),
        (["NewestInstance"], [1, 1, 1], 2),
        (["OldestLaunchTemplate"], [2, 1, 3], 1),
        (["Default"], [2, 3, 1], 2),
        (["OldestLaunchTemplate", "NewestInstance"], [1, 1, 2], 1),
    ],
)
def test_termination_policies(policies: list[str], versions: list[int], first: int) -> None:
    owner = group(0, termination=policies)
    for version in versions:
        member(owner, version=version)
    assert _victims(owner) == [first]


def test_one_that_does_not_serve_goes_before_one_that_does() -> None:
    owner = group(0)
    member(owner, version=1)
    member(owner, version=2, state="Pending")
    assert _victims(owner) == [1]


def test_unhealthy_ones_are_not_chosen_twice() -> None:
    owner = group(1)
    bad, *_ = fill(owner, 3)
    bad.health, bad.fault = "Unhealthy", "EC2"
    assert len(decide(owner, ZONES, None, NOW).terminate) == 2


# -- balance


def test_a_group_out_of_balance_launches_before_it_terminates() -> None:
    owner = group(4)
    for _ in range(4):
        member(owner, "subnet-a")
    world = World(owner)
    world.run(40)
    assert sorted(found.zone for found in owner.alive) == ["a", "a", "c", "c"]
    assert (world.fewest, world.most) == (4, 5)


def test_balance_can_be_suspended() -> None:
    owner = group(2, suspended={"AZRebalance": "x"})
    member(owner, "subnet-a")
    member(owner, "subnet-a")
    assert decide(owner, ZONES, None, NOW) == scheduler.Decision()


def test_a_subnet_that_the_group_left_is_emptied() -> None:
    owner = group(2, subnets=["subnet-c"])
    fill(owner, 2)
    (launch,) = decide(owner, {"subnet-c": "c"}, None, NOW).launch
    assert (launch.subnet, launch.balances) == ("subnet-c", True)
