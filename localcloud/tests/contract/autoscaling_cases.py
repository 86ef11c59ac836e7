# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Auto Scaling answers on groups and their instances, good and bad: a table of cases, run by test_autoscaling_contract."""

from __future__ import annotations

import typing as t

from .autoscaling_rest_cases import CASES as REST
from .cases import Case
from .ec2_world import World

ABSENT = "there-is-none"
NOBODY = "i-0123456789abcdef0"
NO_TARGETS = "arn:aws:elasticloadbalancing:ap-northeast-2:123456789012:targetgroup/none/0123456789abcdef"


def _case(operation: str, name: str, error: str | None = None, **members: t.Any) -> Case:
    return Case(operation, name, lambda w: w.scale(operation, **members), error)


def _absent(operation: str, **members: t.Any) -> Case:
    """A call on a group that does not exist."""
    return _case(operation, "absent", "ValidationError", AutoScalingGroupName=ABSENT, **members)


def _on_group(operation: str, name: str, error: str | None = None, **members: t.Any) -> Case:
    """A call on a group of the case's own, which has no instances."""
    return Case(operation, name, lambda w: w.scale(operation, AutoScalingGroupName=w.scaling_group(), **members), error)


def _on_instance(operation: str, name: str, error: str | None = None, **members: t.Any) -> Case:
    """A call on the one instance of a group of the case's own."""
    return Case(operation, name, lambda w: w.scale(operation, InstanceId=w.serving()[0], **members), error)


def _on_instances(operation: str, name: str, error: str | None = None, **members: t.Any) -> Case:
    """The same, for operations that name the group and its instances."""
    return Case(operation, name, lambda w: w.scale(operation, InstanceIds=w.serving(), AutoScalingGroupName=w.name, **members), error)


def _create(name: str, error: str | None, **members: t.Any) -> Case:
    return Case("CreateAutoScalingGroup", name, lambda w: w.scaling_group(**members), error)


def _tag(w: World, resource: str | None = None) -> list[dict[str, t.Any]]:
    group = resource or w.scaling_group()
    return [{"ResourceId": group, "ResourceType": "auto-scaling-group", "Key": "a", "Value": "b", "PropagateAtLaunch": True}]


def _again(w: World) -> None:
    w.asg.create_auto_scaling_group(
        AutoScalingGroupName=w.name,
        LaunchTemplate={"LaunchTemplateName": w.name, "Version": "1"},
        MinSize=0,
        MaxSize=1,
        VPCZoneIdentifier=w.vpc.private_subnet,
    )


def _standby(w: World) -> None:
    ids = w.serving()
    w.asg.enter_standby(AutoScalingGroupName=w.name, InstanceIds=ids, ShouldDecrementDesiredCapacity=True)
    w.asg.exit_standby(AutoScalingGroupName=w.name, InstanceIds=ids)


def _attach(w: World) -> None:
    w.scaling_group(VPCZoneIdentifier=w.vpc.public_subnet)
    w.asg.attach_instances(AutoScalingGroupName=w.name, InstanceIds=[w.running()])


_PAGE = {"NextToken": "%%%"}

GROUPS: list[Case] = [
    Case("CreateAutoScalingGroup", "empty", World.scaling_group),
    Case("CreateAutoScalingGroup", "twice", lambda w: [w.scaling_group(), _again(w)], "AlreadyExists"),
    _create("with everything", None, HealthCheckType="ELB", HealthCheckGracePeriod=30, DefaultCooldown=60, DefaultInstanceWarmup=10,
            TerminationPolicies=["OldestInstance"], NewInstancesProtectedFromScaleIn=True,
            InstanceMaintenancePolicy={"MinHealthyPercentage": 100, "MaxHealthyPercentage": 150},
            Tags=[{"Key": "a", "Value": "b", "PropagateAtLaunch": True}],
            LifecycleHookSpecificationList=[{"LifecycleHookName": "h", "LifecycleTransition": "autoscaling:EC2_INSTANCE_LAUNCHING"}]),
    _create("with a subnet that is none", "ValidationError", VPCZoneIdentifier="subnet-0123456789abcdef0"),
    _create("with bounds the wrong way round", "ValidationError", MinSize=2, MaxSize=1),
    _create("with a desired capacity out of bounds", "ValidationError", DesiredCapacity=2),
    _create("with a target group that is none", "ValidationError", TargetGroupARNs=[NO_TARGETS]),
    _create("with a policy that is none", "ValidationError", TerminationPolicies=["Nobody"]),
    _create("with a health check that is none", "ValidationError", HealthCheckType="LOOKS"),
    _create("with a negative size", "ValidationError", MinSize=-1),
    _create("without subnets", "ValidationError", VPCZoneIdentifier=","),
    _case("CreateAutoScalingGroup", "with a template that is none", "ValidationError", AutoScalingGroupName=ABSENT, MinSize=0, MaxSize=1,
          LaunchTemplate={"LaunchTemplateName": "nobody"}),
    _case("CreateAutoScalingGroup", "with nothing to launch", "ValidationError", AutoScalingGroupName=ABSENT, MinSize=0, MaxSize=1),
    _case("DescribeAutoScalingGroups", "all"),
    Case("DescribeAutoScalingGroups", "one", lambda w: w.asg.describe_auto_scaling_groups(AutoScalingGroupNames=[w.scaling_group()])),
    Case("DescribeAutoScalingGroups", "by tag", lambda w: [
        w.scaling_group(Tags=[{"Key": "only", "Value": w.name}]),
        [group["AutoScalingGroupName"] == w.name for group in
         w.asg.describe_auto_scaling_groups(Filters=[{"Name": "tag:only", "Values": [w.name]}])["AutoScalingGroups"]],
    ][1], None, [True]),
    Case("DescribeAutoScalingGroups", "with an instance", lambda w: [
        w.serving(),
        w.asg.describe_auto_scaling_groups(AutoScalingGroupNames=[w.name])["AutoScalingGroups"][0]["Instances"][0]["LifecycleState"],
    ][1], None, "InService"),
    Case("DescribeAutoScalingGroups", "absent",
         lambda w: w.asg.describe_auto_scaling_groups(AutoScalingGroupNames=[ABSENT])["AutoScalingGroups"], None, []),
    _case("DescribeAutoScalingGroups", "a page that is none", "InvalidNextToken", **_PAGE),
    _on_group("UpdateAutoScalingGroup", "larger", MaxSize=2),
    _on_group("UpdateAutoScalingGroup", "out of bounds", "ValidationError", MinSize=5),
    _absent("UpdateAutoScalingGroup", MaxSize=2),
    _on_group("SetDesiredCapacity", "none", DesiredCapacity=0),
    _on_group("SetDesiredCapacity", "too many", "ValidationError", DesiredCapacity=9),
    _absent("SetDesiredCapacity", DesiredCapacity=0),
    _on_group("EnableMetricsCollection", "all", Granularity="1Minute"),
    _on_group("EnableMetricsCollection", "one that is none", "ValidationError", Granularity="1Minute", Metrics=["Nothing"]),
    _absent("EnableMetricsCollection", Granularity="1Minute"),
    _on_group("DisableMetricsCollection", "all"),
    _absent("DisableMetricsCollection"),
    _on_group("SuspendProcesses", "launch", ScalingProcesses=["Launch"]),
    _on_group("SuspendProcesses", "one that is none", "ValidationError", ScalingProcesses=["Nothing"]),
    _absent("SuspendProcesses", ScalingProcesses=["Launch"]),
    _on_group("ResumeProcesses", "launch", ScalingProcesses=["Launch"]),
    _absent("ResumeProcesses", ScalingProcesses=["Launch"]),
    Case("CreateOrUpdateTags", "one", lambda w: w.asg.create_or_update_tags(Tags=_tag(w))),
    Case("CreateOrUpdateTags", "absent", lambda w: w.asg.create_or_update_tags(Tags=_tag(w, ABSENT)), "ValidationError"),
    Case("DeleteTags", "one", lambda w: w.asg.delete_tags(Tags=_tag(w))),
    Case("DeleteTags", "absent", lambda w: w.asg.delete_tags(Tags=_tag(w, ABSENT)), "ValidationError"),
    Case("DescribeTags", "one", lambda w: [
        w.scaling_group(Tags=_tag(w, w.name)),
        w.asg.describe_tags(Filters=[{"Name": "auto-scaling-group", "Values": [w.name]}])["Tags"][0]["Value"],
    ][1], None, "b"),
    _case("DescribeTags", "a filter that is none", "ValidationError", Filters=[{"Name": "colour", "Values": ["b"]}]),
    _on_group("DeleteAutoScalingGroup", "empty"),
    Case("DeleteAutoScalingGroup", "in use", lambda w: [
        w.serving(), w.asg.delete_auto_scaling_group(AutoScalingGroupName=w.name),
    ], "ResourceInUse"),
    _absent("DeleteAutoScalingGroup"),
]  # fmt: skip

INSTANCES: list[Case] = [
    _case("DescribeAutoScalingInstances", "all"),
    Case("DescribeAutoScalingInstances", "one", lambda w: w.asg.describe_auto_scaling_instances(InstanceIds=w.serving())),
    _case("DescribeAutoScalingInstances", "a page that is none", "InvalidNextToken", **_PAGE),
    Case("DescribeScalingActivities", "of a group", lambda w: [
        w.serving(), w.asg.describe_scaling_activities(AutoScalingGroupName=w.name)["Activities"][0]["StatusCode"],
    ][1], None, "Successful"),
    _absent("DescribeScalingActivities"),
    _on_instance("TerminateInstanceInAutoScalingGroup", "one", ShouldDecrementDesiredCapacity=True),
    _case("TerminateInstanceInAutoScalingGroup", "absent", "ValidationError", InstanceId=NOBODY, ShouldDecrementDesiredCapacity=True),
    _on_instance("SetInstanceHealth", "one", HealthStatus="Healthy"),
    _on_instance("SetInstanceHealth", "a word that is none", "ValidationError", HealthStatus="Fine"),
    _case("SetInstanceHealth", "absent", "ValidationError", InstanceId=NOBODY, HealthStatus="Healthy"),
    _on_instances("SetInstanceProtection", "one", ProtectedFromScaleIn=True),
    _on_group("SetInstanceProtection", "absent", "ValidationError", InstanceIds=[NOBODY], ProtectedFromScaleIn=True),
    Case("AttachInstances", "one", _attach),
    _on_group("AttachInstances", "absent", "ValidationError", InstanceIds=[NOBODY]),
    _on_instances("DetachInstances", "one", ShouldDecrementDesiredCapacity=True),
    _on_group("DetachInstances", "absent", "ValidationError", InstanceIds=[NOBODY], ShouldDecrementDesiredCapacity=True),
    _on_instances("EnterStandby", "one", ShouldDecrementDesiredCapacity=True),
    _on_group("EnterStandby", "absent", "ValidationError", InstanceIds=[NOBODY], ShouldDecrementDesiredCapacity=True),
    Case("ExitStandby", "one", _standby),
    _on_instances("ExitStandby", "in service", "ValidationError"),
]  # fmt: skip

CASES: list[Case] = [*GROUPS, *INSTANCES, *REST]
CANNOT_FAIL = frozenset({
    "DescribeAccountLimits", "DescribeAdjustmentTypes", "DescribeAutoScalingNotificationTypes", "DescribeLifecycleHookTypes",
    "DescribeMetricCollectionTypes", "DescribeScalingProcessTypes", "DescribeTerminationPolicyTypes",
})  # fmt: skip
