# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Instance refresh: what becomes of a group while its instances are replaced, and how many of them are healthy at every moment."""

from __future__ import annotations

import math
import random

import pytest
from asg_world import World, fill, group, launch

from localcloud.autoscaling import refresh, surroundings
from localcloud.autoscaling.state import Group


def _world(count: int = 3, **members: object) -> World:
    owner = group(count, **members)
    fill(owner, count)
    return World(owner)


@pytest.mark.parametrize(
    ("desired", "least", "most", "found"),
    [
        (3, 90, 100, (2, 3)),  # rounded up there is no room: one at a time
        (3, 100, 100, (2, 3)),
        (3, 100, 110, (3, 4)),
        (3, 100, 200, (3, 6)),
        (10, 90, 100, (9, 10)),
        (10, 50, 100, (5, 10)),
        (3, 0, 100, (0, 3)),
        (1, 90, 100, (0, 1)),
        (1, 100, 200, (1, 2)),
        (0, 90, 100, (0, 0)),
    ],
)
def test_limits(desired: int, least: int, most: int, found: tuple[int, int]) -> None:
    assert refresh.limits(desired, least, most) == found


@pytest.mark.parametrize(
    ("preferences", "fewest", "most"),
    [
        ({}, 2, 3),
        ({"MinHealthyPercentage": 100, "MaxHealthyPercentage": 110}, 3, 4),
        ({"MinHealthyPercentage": 100, "MaxHealthyPercentage": 200}, 3, 6),
        ({"MinHealthyPercentage": 0}, 0, 3),
        ({"MinHealthyPercentage": 60}, 2, 3),
    ],
)
def test_every_instance_is_replaced(preferences: dict[str, int], fewest: int, most: int) -> None:
    world = _world()
    made = world.start(2, **preferences)
    assert world.finish(made) == "Successful"
    assert world.versions == [2, 2, 2]
    assert (world.fewest, world.most) == (fewest, most)
    assert (made.percent, made.left, made.reason) == (100, 0, None)
    assert world.group.launch == launch(2)
    assert world.history == ["InProgress", "Successful"]


def test_without_a_desired_configuration_the_instances_are_new_and_the_group_stays() -> None:
    world = _world()
    before = set(world.group.instances)
    assert world.finish(world.start(None)) == "Successful"
    assert not before & set(world.group.instances)
    assert world.group.launch == launch(1)


def test_progress_counts_what_is_healthy_and_warm() -> None:
    world = _world()
    made = world.start(2, InstanceWarmup=10)
    seen = set()
    while made.going:
        world.step()
        seen.add((made.percent, made.left))
    assert seen == {(0, 3), (33, 2), (66, 1), (100, 0)}
    # three times: boot 2 s, healthy 3 s later, 10 s of warm-up
    assert world.now - made.started_at >= 3 * 15


def test_the_reason_says_what_is_waited_for() -> None:
    world = _world()
    made = world.start(2, InstanceWarmup=30)
    world.run(3.5)
    assert made.reason and made.reason.startswith("Waiting for remaining instances to be available. For example: i-")
    world.run(5)
    assert made.reason.startswith("Waiting for instances to warm up before continuing. For example: i-")


def test_skip_matching_leaves_what_is_right() -> None:
    world = _world()
    world.finish(world.start(2))
    before = set(world.group.instances)
    made = world.start(2, SkipMatching=True)
    assert world.finish(made) == "Successful"
    assert (set(world.group.instances), made.percent, made.left) == (before, 100, 0)


def test_checkpoints_hold_it_up() -> None:
    world = _world(4)
    made = world.start(2, CheckpointPercentages=[50, 75, 100], CheckpointDelay=60)
    world.run(40)
    assert (made.percent, world.versions) == (50, [1, 1, 2, 2])
    assert made.reason and made.reason.startswith("Checkpoint at 50 percent reached. The instance refresh continues in ")
    world.run(20)
    assert world.versions == [1, 1, 2, 2]
    world.run(40)
    assert (made.percent, world.versions) == (75, [1, 2, 2, 2])
    assert world.finish(made) == "Successful"
    assert world.now - made.started_at > 120


def test_a_refresh_that_launches_first_stops_at_checkpoints_too() -> None:
    world = _world(4)
    world.start(2, CheckpointPercentages=[25, 100], CheckpointDelay=600, MinHealthyPercentage=100, MaxHealthyPercentage=200)
    world.run(60)
    assert world.versions == [1, 1, 1, 2]


def test_cancelling_waits_for_what_starts_and_leaves_the_rest() -> None:
    world = _world()
    made = world.start(2)
    world.run(1.5)
    assert [member.state for member in world.group.alive].count("Pending") == 1
    made.status = "Cancelling"
    world.step()
    assert made.going
    assert world.finish(made) == "Cancelled"
    assert (made.reason, world.versions, world.group.launch) == ("Cancelled due to user request.", [1, 1, 2], launch(1))


def test_cancelling_without_waiting_ends_at_once() -> None:
    world = _world()
    made = world.start(2)
    world.run(1.5)
    made.status, made.awaits_launches = "Cancelling", False
    world.step()
    assert made.status == "Cancelled"


def test_cancelling_one_that_never_gets_healthy_takes_the_new_ones_out_again() -> None:
    world = _world()
    world.good = lambda member: member.template is not None and member.template.version == "1"
    made = world.start(2, MinHealthyPercentage=100, MaxHealthyPercentage=150)
    world.run(60)
    assert (world.versions, world.fewest) == ([1, 1, 1, 2, 2], 3)
    made.status = "Cancelling"
    assert world.finish(made) == "Cancelled"
    assert (world.versions, world.fewest) == ([1, 1, 1], 3)


@pytest.mark.parametrize("preferences", [{}, {"MinHealthyPercentage": 100, "MaxHealthyPercentage": 150}])
def test_rollback_goes_back_to_what_the_group_had(preferences: dict[str, int]) -> None:
    world = _world()
    made = world.start(2, InstanceWarmup=1, **preferences)
    world.run(600, lambda: made.percent >= 33)
    refresh.begin_rollback(made, world.group, "The user requested a rollback.", world.now)
    assert made.status == "RollbackInProgress"
    assert made.rollback and made.rollback["PercentageCompleteOnRollback"] >= 33
    floor = 3 if preferences else 2
    assert world.finish(made) == "RollbackSuccessful"
    assert (world.versions, world.group.launch, made.percent) == ([1, 1, 1], launch(1), 100)
    assert world.fewest >= floor


def test_rollback_leaves_instances_alone_that_were_never_replaced() -> None:
    world = _world()
    made = world.start(2)
    first = set(world.group.instances)
    world.run(600, lambda: made.percent >= 33)
    refresh.begin_rollback(made, world.group, "x", world.now)
    world.finish(made)
    assert len(first & set(world.group.instances)) >= 1


@pytest.mark.parametrize("automatic", [True, False])
def test_one_that_does_not_get_on_fails(automatic: bool) -> None:
    world = _world()
    world.patience = 60.0
    world.good = lambda member: member.template is not None and member.template.version == "1"
    made = world.start(2, AutoRollback=automatic, InstanceWarmup=5)
    status = world.finish(made)
    if automatic:
        assert (status, world.versions) == ("RollbackSuccessful", [1, 1, 1])
        assert made.rollback and made.rollback["RollbackReason"].startswith("Instances did not become healthy in time. For example: i-")
        assert "RollbackInProgress" in world.history
    else:
        assert status == "Failed"
        assert made.reason and made.reason.startswith("Instances did not become healthy in time.")
        assert world.group.launch == launch(1)
    assert world.fewest == 2


def test_unhealthy_successors_are_replaced_again_and_again_meanwhile() -> None:
    world = _world(health_type="ELB")
    world.patience = 60.0
    world.good = lambda member: member.template is not None and member.template.version == "1"
    made = world.start(2)
    assert world.finish(made) == "Failed"
    assert world.fewest == 2
    assert world.now - made.started_at < 200


def test_one_that_cannot_launch_fails_with_what_ec2_said() -> None:
    world = _world()
    made = world.start(2)
    world.launches = False
    world.run(5)
    plan = refresh.step(made, world.group, world.now + 5000, refused="The image id '[ami-0]' does not exist")
    assert (made.status, plan.wanted) == ("Failed", 3)
    assert made.reason == "Instances could not be launched. The image id '[ami-0]' does not exist"


def test_an_alarm_ends_it() -> None:
    world = _world()
    made = world.start(2)
    world.run(4)
    world.alarms = ["5xx"]
    assert world.finish(made) == "Failed"
    assert made.reason == "CloudWatch alarm 5xx is in the ALARM state."


def test_an_alarm_rolls_it_back_while_it_bakes() -> None:
    world = _world()
    made = world.start(2, AutoRollback=True, BakeTime=120)
    world.run(600, lambda: made.status == "Baking")
    world.run(60)
    assert made.status == "Baking"
    world.alarms = ["5xx"]
    assert world.finish(made) == "RollbackSuccessful"
    assert world.versions == [1, 1, 1]


def test_bake_time() -> None:
    world = _world()
    made = world.start(2, BakeTime=120)
    world.run(600, lambda: made.status == "Baking")
    begun = world.now
    assert world.finish(made) == "Successful"
    assert made.ended_at and made.ended_at - begun >= 119


@pytest.mark.parametrize(
    ("wish", "versions", "status"),
    [("Ignore", [1, 2, 2], "Successful"), ("Refresh", [2, 2, 2], "Successful"), ("Wait", [1, 2, 2], "Failed")],
)
def test_protected_instances(wish: str, versions: list[int], status: str) -> None:
    world = _world()
    world.patience = 60.0
    next(iter(world.group.instances.values())).protected = True
    made = world.start(2, ScaleInProtectedInstances=wish)
    assert world.finish(made) == status
    assert world.versions == versions
    if wish == "Wait":
        assert made.reason and made.reason.startswith("Instances are protected from scale in.")


def test_a_refresh_follows_a_change_of_the_desired_capacity() -> None:
    world = _world()
    made = world.start(2)
    world.run(3)
    world.group.desired = 5
    assert world.finish(made) == "Successful"
    assert world.versions == [2] * 5
    made = world.start(3, MinHealthyPercentage=100, MaxHealthyPercentage=200)
    world.run(3)
    world.group.desired = 2
    assert world.finish(made) == "Successful"
    assert world.versions == [3] * 2


def test_an_instance_that_dies_meanwhile_gets_a_new_successor() -> None:
    world = _world()
    made = world.start(2, InstanceWarmup=20)
    world.run(2)
    victim = next(member for member in world.group.alive if member.id in made.outdated)
    victim.fault, victim.health = "EC2", "Unhealthy"
    assert world.finish(made) == "Successful"
    assert world.versions == [2, 2, 2]


def test_an_empty_group_is_done_at_once() -> None:
    world = World(group(0))
    made = world.start(2)
    world.step()
    assert (made.status, made.percent, world.group.launch) == ("Successful", 100, launch(2))


def test_defaults() -> None:
    owner: Group = group(3, grace=120)
    found = refresh.complete_preferences({}, owner)
    assert (found["MinHealthyPercentage"], found["MaxHealthyPercentage"], found["InstanceWarmup"]) == (90, 100, 120)
    owner.maintenance, owner.warmup = (100, 150), 7
    found = refresh.complete_preferences({"CheckpointPercentages": [50]}, owner)
    assert (found["MinHealthyPercentage"], found["MaxHealthyPercentage"], found["InstanceWarmup"]) == (100, 150, 7)
    assert found["CheckpointDelay"] == 3600
    found = refresh.complete_preferences({"MinHealthyPercentage": 50}, owner)
    assert (found["MinHealthyPercentage"], found["MaxHealthyPercentage"]) == (50, 100)


@pytest.mark.parametrize("seed", range(100))
def test_healthy_capacity_is_never_under_the_minimum(seed: int) -> None:
    """Whatever the sizes, the percentages, how long things take, and whether the new version works, is cancelled, or rolled back."""
    rng = random.Random(seed)
    count = rng.randint(1, 9)
    owner = group(count, health_type=rng.choice(["EC2", "ELB"]), grace=rng.choice([0, 5]), suspended={"AZRebalance": "x"})
    fill(owner, count)
    world = World(owner, boot=rng.uniform(0.5, 8), check=rng.uniform(0, 8), drain=rng.uniform(0, 20))
    world.patience = 90.0
    broken = rng.random() < 0.4
    world.good = lambda member: not broken or member.template is None or member.template.version == "1"
    least = rng.choice([0, 33, 50, 66, 90, 100])
    most = rng.randint(100, min(200, 100 + least)) if least else 100
    points = rng.choice([None, [50, 100], [34, 67]])
    preferences: dict[str, object] = {"MinHealthyPercentage": least, "MaxHealthyPercentage": most, "InstanceWarmup": rng.choice([0, 5, 20])}
    if points:
        preferences |= {"CheckpointPercentages": points, "CheckpointDelay": rng.choice([0, 30])}
    made = world.start(2, AutoRollback=rng.random() < 0.5, SkipMatching=rng.random() < 0.5, **preferences)
    floor, ceiling = refresh.limits(count, least, most)
    world.run(rng.uniform(0, 120))
    turn = rng.random()
    if made.going and turn < 0.25:
        made.status = "Cancelling"
    elif made.going and turn < 0.5 and made.rollback is None:
        refresh.begin_rollback(made, owner, "x", world.now)
    world.finish(made, 3600)
    assert not made.going
    assert world.fewest >= floor, (made.status, preferences)
    assert world.most <= max(ceiling, count), (made.status, preferences)
    assert len(owner.alive) == count
    if made.status == "Successful":
        assert world.versions == [2] * count
    if made.status == "RollbackSuccessful":
        assert world.versions == [1] * count
    assert math.isclose(made.percent, 100) or made.status in ("Failed", "Cancelled", "RollbackFailed")


@pytest.mark.case("C8")
@pytest.mark.case("D3")
def test_instances_come_from_the_first_overrides_own_template() -> None:
    named = {"LaunchTemplateId": "lt-1", "Version": "3"}
    own = {"LaunchTemplateId": "lt-9", "Version": "7"}
    overrides = [{"InstanceType": "t4g.small", "LaunchTemplateSpecification": own}, {"InstanceType": "t3.small"}]
    policy = {"MixedInstancesPolicy": {"LaunchTemplate": {"LaunchTemplateSpecification": named, "Overrides": overrides}}}
    assert surroundings.first_specification(policy) == own
    overrides.reverse()
    assert surroundings.first_specification(policy) == named
    assert surroundings.first_specification({"LaunchTemplate": named}) == named
