# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When an instance refresh is taken back, when it is not, and how it ends; tables and a fake clock."""

from __future__ import annotations

import random

import pytest

from ansible_collections.bluegreen.aws.plugins.module_utils._refresh import (
    Finish,
    GoBack,
    Limits,
    Refresh,
    RefreshError,
    desired,
    needed,
    running,
    template,
    wanted,
)


def status(name, percentage=0, left=3, **more):
    return {"Status": name, "PercentageComplete": percentage, "InstancesToUpdate": left, **more}


def test_a_refresh_that_goes_through():
    state = Refresh(Limits(), 0.0)
    for now, found in enumerate([status("Pending"), status("InProgress"), status("InProgress", 33, 2), status("InProgress", 100, 0)]):
        assert state.on_status(float(now), found) == []
    assert state.on_status(9.0, status("Successful", 100, 0)) == [Finish("done", "Successful")]
    assert [entry["percentage"] for entry in state.timeline][-2:] == [100, 100]
    assert state.on_status(10.0, status("Failed")) == [], "what is over is over"


@pytest.mark.parametrize(
    ("name", "outcome"),
    [("Failed", "failed"), ("Cancelled", "failed"), ("RollbackSuccessful", "rolled_back"), ("RollbackFailed", "stuck")],
)
def test_how_aws_ends_it(name, outcome):
    state = Refresh(Limits(), 0.0)
    assert state.on_status(1.0, status(name, StatusReason="because")) == [Finish(outcome, "because")]


def test_aws_takes_it_back_by_itself():
    state = Refresh(Limits(), 0.0)
    assert state.on_status(1.0, status("RollbackInProgress", RollbackDetails={"RollbackReason": "alarm a fires"})) == []
    assert state.on_status(9.0, status("RollbackSuccessful")) == [Finish("rolled_back", "alarm a fires")]


def test_new_instances_that_fail():
    state = Refresh(Limits(failed_launches=1), 0.0)
    assert state.on_launch_failed(1.0, "a", "boot failed") == []
    assert state.on_launch_failed(2.0, "a", "boot failed") == [], "the same activity counts once"
    (back,) = state.on_launch_failed(3.0, "b", "boot failed")
    assert back == GoBack("2 new instances failed, the last one: boot failed")
    assert state.on_launch_failed(4.0, "c", "boot failed") == []
    state.on_status(5.0, status("RollbackInProgress"))
    assert state.on_status(9.0, status("RollbackSuccessful")) == [Finish("rolled_back", back.why)]


def test_nothing_goes_on():
    state = Refresh(Limits(stall_s=60), 0.0)
    state.on_status(10.0, status("InProgress", 33))
    assert state.on_status(69.0, status("InProgress", 33)) == []
    assert state.on_status(70.0, status("InProgress", 33)) == [GoBack("nothing went on for 60 s, 33 % are done")]


def test_it_takes_too_long():
    state = Refresh(Limits(timeout_s=100), 50.0)
    assert state.on_status(149.0, status("InProgress", 33)) == []
    assert state.on_status(150.0, status("InProgress", 66)) == [GoBack("it was not through after 100 s")]


def test_failing_probes_take_it_back_within_a_hundred_requests_and_few_do_not():
    state = Refresh(Limits(), 0.0)
    for now in range(1000):
        assert state.on_probes(float(now), 200, 1) == []
    asked = 0
    while not state.going_back:
        asked += 20
        actions = state.on_probes(1000.0, 20, 4)
        assert asked <= 200
    assert "is tolerated" in actions[0].why


def test_the_tolerated_rate_takes_at_most_one_refresh_in_a_hundred_back():
    chance = random.Random(7)
    false = 0
    for _refresh in range(400):
        state = Refresh(Limits(), 0.0)
        for now in range(100):
            state.on_probes(float(now), 10, sum(chance.random() < 0.01 for _probe in range(10)))
        false += state.going_back
    assert false <= 8  # expected: at most 4


def test_an_interrupt_leads_back_once():
    state = Refresh(Limits(), 0.0)
    assert state.on_interrupt(1.0, "SIGINT") == [GoBack("SIGINT")]
    assert state.on_interrupt(2.0, "SIGINT") == []


def test_a_refused_way_back_is_tried_three_times():
    state = Refresh(Limits(), 0.0)
    state.on_interrupt(1.0, "SIGINT")
    assert state.on_refused(2.0, "no") == [GoBack("SIGINT")]
    assert state.on_refused(3.0, "no") == [GoBack("SIGINT")]
    assert state.on_refused(4.0, "no") == [Finish("stuck", "SIGINT; AWS refuses the way back: no")]


def test_it_was_through_before_the_wish_to_go_back_arrived():
    state = Refresh(Limits(), 0.0)
    state.on_interrupt(1.0, "SIGINT")
    (finish,) = state.on_status(2.0, status("Successful", 100, 0))
    assert finish.outcome == "failed"
    assert "before it could be taken back" in finish.why


def test_the_way_back_has_a_limit():
    state = Refresh(Limits(give_up_s=50), 0.0)
    state.on_interrupt(1.0, "SIGINT")
    assert state.on_status(50.0, status("RollbackInProgress")) == []
    (finish,) = state.on_status(51.0, status("RollbackInProgress"))
    assert finish.outcome == "stuck"


def group(version="3", *instances, **more):
    listed = [{"LaunchTemplate": {"Version": item}} for item in instances]
    return {"AutoScalingGroupName": "g", "LaunchTemplate": {"LaunchTemplateId": "lt-1", "Version": version}, "Instances": listed, **more}


def test_whether_a_refresh_is_needed():
    assert not needed(group("3", "3", "3"), 3)
    assert needed(group("3", "3", "2"), 3), "an instance of an earlier version is left"
    assert needed(group("2", "3", "3"), 3), "the group would launch the earlier version"


def test_a_group_without_a_way_back_is_refused():
    with pytest.raises(RefreshError, match=r"launches version \$Latest of its template, so nobody could say what to go back to"):
        needed(group("$Latest"), 3)
    with pytest.raises(RefreshError, match="has no launch template"):
        template({"AutoScalingGroupName": "g"})


def test_the_template_of_a_mixed_group():
    found = {"MixedInstancesPolicy": {"LaunchTemplate": {"LaunchTemplateSpecification": {"LaunchTemplateId": "lt-2", "Version": "4"}}}}
    assert template(found) == ("lt-2", "4")


def test_what_is_under_way_and_where_it_goes():
    first = {"Status": "InProgress", "DesiredConfiguration": {"LaunchTemplate": {"LaunchTemplateId": "lt-1", "Version": "4"}}}
    assert running([first, {"Status": "Successful"}]) is first
    assert running([{"Status": "Successful"}, {"Status": "Failed"}]) is None
    assert wanted(first) == "4"
    assert wanted({}) == ""


def mixed(*overrides, version="3"):
    """As DescribeAutoScalingGroups has it: with the template's id and its name."""
    specification = {"LaunchTemplateId": "lt-1", "LaunchTemplateName": "app", "Version": version}
    policy = {
        "LaunchTemplate": {"LaunchTemplateSpecification": specification, "Overrides": list(overrides)},
        "InstancesDistribution": {"OnDemandPercentageAboveBaseCapacity": 20, "SpotAllocationStrategy": "price-capacity-optimized"},
    }
    return {"AutoScalingGroupName": "g", "MixedInstancesPolicy": policy, "Instances": []}


ARM = {
    "InstanceType": "t4g.small",
    "LaunchTemplateSpecification": {"LaunchTemplateId": "lt-9", "LaunchTemplateName": "arm", "Version": "7"},
}


@pytest.mark.case("C8")
def test_a_refresh_of_a_mixed_group_keeps_its_policy():
    found = mixed({"InstanceType": "t3.small"}, ARM)
    assert desired(found, 4) == {
        "MixedInstancesPolicy": {
            "LaunchTemplate": {
                "LaunchTemplateSpecification": {"LaunchTemplateId": "lt-1", "Version": "4"},
                "Overrides": [
                    {"InstanceType": "t3.small"},
                    {"InstanceType": "t4g.small", "LaunchTemplateSpecification": {"LaunchTemplateId": "lt-9", "Version": "7"}},
                ],
            },
            "InstancesDistribution": found["MixedInstancesPolicy"]["InstancesDistribution"],
        }
    }
    assert template(found) == ("lt-1", "3"), "what AWS described is left as it was"
    assert desired(group("3"), 4) == {"LaunchTemplate": {"LaunchTemplateId": "lt-1", "Version": "4"}}


@pytest.mark.case("C8")
@pytest.mark.parametrize(
    ("override", "instance", "outdated"),
    [
        (ARM, ("lt-9", "7"), False),
        (ARM, ("lt-9", "6"), True),
        ({**ARM, "LaunchTemplateSpecification": {"LaunchTemplateId": "lt-9", "Version": "$Latest"}}, ("lt-9", "6"), False),
        (ARM, ("lt-1", "3"), False),
        (ARM, ("lt-1", "2"), True),
    ],
)
def test_an_instance_of_an_overrides_own_template_is_not_outdated_for_ever(override, instance, outdated):
    found = mixed({"InstanceType": "t3.small"}, override)
    found["Instances"] = [{"LaunchTemplate": {"LaunchTemplateId": instance[0], "Version": instance[1]}}]
    assert needed(found, 3) is outdated
