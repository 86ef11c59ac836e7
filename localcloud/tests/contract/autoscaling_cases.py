# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Auto Scaling answers, good and bad: the table of cases, run by test_ec2_contract; groups without instances."""

from __future__ import annotations

import typing as t

from .cases import Case
from .ec2_world import World

ABSENT = "there-is-none"


def _case(operation: str, name: str, error: str | None = None, **members: t.Any) -> Case:
    return Case(operation, name, lambda w: w.scale(operation, **members), error)


def _on_group(operation: str, name: str, error: str | None = None, **members: t.Any) -> Case:
    """A call on a group of the case's own."""
    return Case(operation, name, lambda w: w.scale(operation, AutoScalingGroupName=w.scaling_group(), **members), error)


def _tag(w: World) -> list[dict[str, t.Any]]:
    return [{"ResourceId": w.scaling_group(), "ResourceType": "auto-scaling-group", "Key": "a", "Value": "b", "PropagateAtLaunch": True}]


CASES: list[Case] = [
    Case("CreateAutoScalingGroup", "empty", World.scaling_group),
    Case("CreateAutoScalingGroup", "twice", lambda w: [w.scaling_group(), _again(w)], "AlreadyExists"),
    _case("DescribeAutoScalingGroups", "all"),
    Case("DescribeAutoScalingGroups", "one", lambda w: w.asg.describe_auto_scaling_groups(AutoScalingGroupNames=[w.scaling_group()])),
    Case(
        "DescribeAutoScalingGroups",
        "absent",
        lambda w: w.asg.describe_auto_scaling_groups(AutoScalingGroupNames=[ABSENT])["AutoScalingGroups"],
        None,
        [],
    ),
    _case("DescribeAutoScalingInstances", "all"),
    _on_group("UpdateAutoScalingGroup", "larger", MaxSize=2),
    _case("UpdateAutoScalingGroup", "absent", "ValidationError", AutoScalingGroupName=ABSENT, MaxSize=2),
    _on_group("SetDesiredCapacity", "none", DesiredCapacity=0),
    _case("SetDesiredCapacity", "absent", "ValidationError", AutoScalingGroupName=ABSENT, DesiredCapacity=0),
    _on_group("EnableMetricsCollection", "all", Granularity="1Minute"),
    _case("EnableMetricsCollection", "absent", "ValidationError", AutoScalingGroupName=ABSENT, Granularity="1Minute"),
    _on_group("DisableMetricsCollection", "all"),
    _case("DisableMetricsCollection", "absent", "ValidationError", AutoScalingGroupName=ABSENT),
    _on_group("SuspendProcesses", "launch", ScalingProcesses=["Launch"]),
    _case("SuspendProcesses", "absent", "ValidationError", AutoScalingGroupName=ABSENT, ScalingProcesses=["Launch"]),
    _on_group("ResumeProcesses", "launch", ScalingProcesses=["Launch"]),
    _case("ResumeProcesses", "absent", "ValidationError", AutoScalingGroupName=ABSENT, ScalingProcesses=["Launch"]),
    Case("CreateOrUpdateTags", "one", lambda w: w.asg.create_or_update_tags(Tags=_tag(w))),
    Case("DeleteTags", "one", lambda w: w.asg.delete_tags(Tags=_tag(w))),
    _case("DescribeTags", "all"),
    _case("DescribeLifecycleHooks", "absent", "ValidationError", AutoScalingGroupName=ABSENT),
    _on_group("DescribeLifecycleHooks", "none"),
    _on_group("DeleteAutoScalingGroup", "empty"),
    _case("DeleteAutoScalingGroup", "absent", "ValidationError", AutoScalingGroupName=ABSENT),
]
CANNOT_FAIL = frozenset({"DescribeAutoScalingGroups", "DescribeAutoScalingInstances", "DescribeTags", "CreateOrUpdateTags", "DeleteTags"})


def _again(w: World) -> None:
    w.asg.create_auto_scaling_group(
        AutoScalingGroupName=w.name,
        LaunchTemplate={"LaunchTemplateName": w.name, "Version": "1"},
        MinSize=0,
        MaxSize=1,
        VPCZoneIdentifier=w.vpc.private_subnet,
    )
