# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Auto Scaling answers on target groups, hooks, policies, refreshes, launch configurations and notifications."""

from __future__ import annotations

import typing as t

from .cases import Case
from .ec2_world import World

ABSENT = "there-is-none"
LAUNCHING = "autoscaling:EC2_INSTANCE_LAUNCHING"
NO_TARGETS = "arn:aws:elasticloadbalancing:ap-northeast-2:123456789012:targetgroup/none/0123456789abcdef"
TOPIC = "arn:aws:sns:ap-northeast-2:123456789012:nobody"
STEP = {"PolicyType": "StepScaling", "AdjustmentType": "ChangeInCapacity"}
SIMPLE = {"PolicyType": "SimpleScaling", "AdjustmentType": "ChangeInCapacity", "ScalingAdjustment": 1}
TRACKING = {
    "PolicyType": "TargetTrackingScaling",
    "TargetTrackingConfiguration": {
        "TargetValue": 50.0,
        "PredefinedMetricSpecification": {"PredefinedMetricType": "ASGAverageCPUUtilization"},
    },
}


def _case(operation: str, name: str, error: str | None = None, **members: t.Any) -> Case:
    return Case(operation, name, lambda w: w.scale(operation, **members), error)


def _absent(operation: str, **members: t.Any) -> Case:
    return _case(operation, "absent", "ValidationError", AutoScalingGroupName=ABSENT, **members)


def _on_group(operation: str, name: str, error: str | None = None, **members: t.Any) -> Case:
    return Case(operation, name, lambda w: w.scale(operation, AutoScalingGroupName=w.scaling_group(), **members), error)


def _attached(operation: str, name: str, members: t.Callable[[str], dict[str, t.Any]] = lambda arn: {}) -> Case:
    """A call on a group that has a target group."""

    def run(w: World) -> t.Any:
        arn = w.targets()
        w.scaling_group(TargetGroupARNs=[arn])
        return w.scale(operation, AutoScalingGroupName=w.name, **members(arn))

    return Case(operation, name, run)


def _hooked(operation: str, name: str, error: str | None = None, **members: t.Any) -> Case:
    """A call on a group with a hook that nothing waits for."""

    def run(w: World) -> t.Any:
        w.scaling_group(LifecycleHookSpecificationList=[{"LifecycleHookName": "h", "LifecycleTransition": LAUNCHING}])
        return w.scale(operation, AutoScalingGroupName=w.name, **members)

    return Case(operation, name, run, error)


def _waiting(operation: str, **members: t.Any) -> Case:
    """A call on an instance that waits for a hook."""

    def run(w: World) -> t.Any:
        hook = {"LifecycleHookName": "h", "LifecycleTransition": LAUNCHING, "DefaultResult": "CONTINUE"}
        (instance,) = w.serving(state="Pending:Wait", LifecycleHookSpecificationList=[hook])
        return w.scale(operation, AutoScalingGroupName=w.name, LifecycleHookName="h", InstanceId=instance, **members)

    return Case(operation, "waiting", run)


def _with_policy(operation: str, name: str, policy: dict[str, t.Any], error: str | None = None, **members: t.Any) -> Case:
    def run(w: World) -> t.Any:
        w.asg.put_scaling_policy(AutoScalingGroupName=w.scaling_group(), PolicyName="p", **policy)
        return w.scale(operation, AutoScalingGroupName=w.name, **members)

    return Case(operation, name, run, error)


def _refreshing(operation: str, name: str, error: str | None = None, *, desired: bool = True, **members: t.Any) -> Case:
    """A call on a group whose refresh is under way."""

    def run(w: World) -> t.Any:
        w.serving(LaunchTemplate={"LaunchTemplateName": w.name, "Version": "1"})
        wanted = {"DesiredConfiguration": {"LaunchTemplate": {"LaunchTemplateName": w.name, "Version": "1"}}} if desired else {}
        w.asg.start_instance_refresh(AutoScalingGroupName=w.name, Preferences={"InstanceWarmup": 300}, **wanted)
        return w.scale(operation, AutoScalingGroupName=w.name, **members)

    return Case(operation, name, run, error)


def _configuration(operation: str, name: str, error: str | None = None, **members: t.Any) -> Case:
    def run(w: World) -> t.Any:
        w.asg.create_launch_configuration(LaunchConfigurationName=w.name, ImageId=w.image, InstanceType="t3.micro")
        return w.scale(operation, **({"LaunchConfigurationName": w.name} if operation.startswith("Delete") else {}), **members)

    return Case(operation, name, run, error)


def _sources(arn: str) -> dict[str, t.Any]:
    return {"TrafficSources": [{"Identifier": arn, "Type": "elbv2"}]}


TARGETS: list[Case] = [
    Case("AttachLoadBalancerTargetGroups", "one", lambda w: w.scale(
        "AttachLoadBalancerTargetGroups", AutoScalingGroupName=w.scaling_group(), TargetGroupARNs=[w.targets()])),
    _on_group("AttachLoadBalancerTargetGroups", "absent", "ValidationError", TargetGroupARNs=[NO_TARGETS]),
    _attached("DetachLoadBalancerTargetGroups", "one", lambda arn: {"TargetGroupARNs": [arn]}),
    _on_group("DetachLoadBalancerTargetGroups", "absent", "ValidationError", TargetGroupARNs=[NO_TARGETS]),
    _attached("DescribeLoadBalancerTargetGroups", "one"),
    _absent("DescribeLoadBalancerTargetGroups"),
    Case("AttachTrafficSources", "one", lambda w: w.scale(
        "AttachTrafficSources", AutoScalingGroupName=w.scaling_group(), **_sources(w.targets()))),
    _on_group("AttachTrafficSources", "absent", "ValidationError", **_sources(NO_TARGETS)),
    _attached("DetachTrafficSources", "one", _sources),
    _on_group("DetachTrafficSources", "absent", "ValidationError", **_sources(NO_TARGETS)),
    _attached("DescribeTrafficSources", "one"),
    _absent("DescribeTrafficSources"),
    _on_group("DescribeLoadBalancers", "none"),
    _absent("DescribeLoadBalancers"),
]  # fmt: skip

HOOKS: list[Case] = [
    _on_group("PutLifecycleHook", "one", LifecycleHookName="h", LifecycleTransition=LAUNCHING, HeartbeatTimeout=60,
              DefaultResult="CONTINUE"),
    _on_group("PutLifecycleHook", "without a transition", "ValidationError", LifecycleHookName="h"),
    _on_group("PutLifecycleHook", "impatient", "ValidationError", LifecycleHookName="h", LifecycleTransition=LAUNCHING, HeartbeatTimeout=5),
    _absent("PutLifecycleHook", LifecycleHookName="h", LifecycleTransition=LAUNCHING),
    _hooked("DescribeLifecycleHooks", "one"),
    _on_group("DescribeLifecycleHooks", "none"),
    _absent("DescribeLifecycleHooks"),
    _hooked("DeleteLifecycleHook", "one", LifecycleHookName="h"),
    _hooked("DeleteLifecycleHook", "absent", "ValidationError", LifecycleHookName="x"),
    _case("DescribeLifecycleHookTypes", "all"),
    _waiting("CompleteLifecycleAction", LifecycleActionResult="CONTINUE"),
    _hooked("CompleteLifecycleAction", "nobody waits", "ValidationError", LifecycleHookName="h", LifecycleActionResult="CONTINUE",
            InstanceId="i-0123456789abcdef0"),
    _waiting("RecordLifecycleActionHeartbeat"),
    _hooked("RecordLifecycleActionHeartbeat", "nobody waits", "ValidationError", LifecycleHookName="h", InstanceId="i-0123456789abcdef0"),
]  # fmt: skip

POLICIES: list[Case] = [
    _on_group("PutScalingPolicy", "simple", PolicyName="p", **SIMPLE),
    _on_group("PutScalingPolicy", "steps", PolicyName="p", **STEP, StepAdjustments=[
        {"MetricIntervalLowerBound": 0, "ScalingAdjustment": 1}]),
    _on_group("PutScalingPolicy", "tracking", PolicyName="p", **TRACKING),
    _on_group("PutScalingPolicy", "no steps", "ValidationError", PolicyName="p", **STEP),
    _on_group("PutScalingPolicy", "steps that overlap", "ValidationError", PolicyName="p", **STEP, StepAdjustments=[
        {"MetricIntervalLowerBound": 0, "MetricIntervalUpperBound": 10, "ScalingAdjustment": 1},
        {"MetricIntervalLowerBound": 5, "ScalingAdjustment": 2}]),
    _on_group("PutScalingPolicy", "tracking nothing", "ValidationError", PolicyName="p", PolicyType="TargetTrackingScaling",
              TargetTrackingConfiguration={"TargetValue": 1.0}),
    _absent("PutScalingPolicy", PolicyName="p", **SIMPLE),
    _with_policy("DescribePolicies", "one", TRACKING),
    _absent("DescribePolicies"),
    _with_policy("ExecutePolicy", "simple", SIMPLE, PolicyName="p"),
    _with_policy("ExecutePolicy", "steps without a value", {**STEP, "StepAdjustments": [{"ScalingAdjustment": 1}]}, "ValidationError",
                 PolicyName="p"),
    _with_policy("ExecutePolicy", "tracking", TRACKING, "ValidationError", PolicyName="p"),
    Case("ExecutePolicy", "in the cooldown", lambda w: [
        w.asg.put_scaling_policy(AutoScalingGroupName=w.scaling_group(), PolicyName="p", **SIMPLE),
        [w.asg.execute_policy(AutoScalingGroupName=w.name, PolicyName="p", HonorCooldown=True) for _ in range(2)],
    ], "ScalingActivityInProgress"),
    _with_policy("DeletePolicy", "one", TRACKING, PolicyName="p"),
    _on_group("DeletePolicy", "absent", "ValidationError", PolicyName="p"),
]  # fmt: skip

REFRESHES: list[Case] = [
    _on_group("StartInstanceRefresh", "of none"),
    _on_group("StartInstanceRefresh", "percentages apart", "ValidationError",
              Preferences={"MinHealthyPercentage": 0, "MaxHealthyPercentage": 150}),
    _on_group("StartInstanceRefresh", "checkpoints in no order", "ValidationError", Preferences={"CheckpointPercentages": [50, 20]}),
    _on_group("StartInstanceRefresh", "no way back", "ValidationError", Preferences={"AutoRollback": True}),
    _on_group("StartInstanceRefresh", "a template that is none", "ValidationError",
              DesiredConfiguration={"LaunchTemplate": {"LaunchTemplateName": "nobody", "Version": "1"}}),
    _refreshing("StartInstanceRefresh", "twice", "InstanceRefreshInProgress"),
    _absent("StartInstanceRefresh"),
    _refreshing("DescribeInstanceRefreshes", "under way"),
    _absent("DescribeInstanceRefreshes"),
    _refreshing("CancelInstanceRefresh", "under way"),
    _on_group("CancelInstanceRefresh", "none", "ActiveInstanceRefreshNotFound"),
    _refreshing("RollbackInstanceRefresh", "under way"),
    _refreshing("RollbackInstanceRefresh", "no way back", "IrreversibleInstanceRefresh", desired=False),
    _on_group("RollbackInstanceRefresh", "none", "ActiveInstanceRefreshNotFound"),
]  # fmt: skip

OTHERS: list[Case] = [
    Case("CreateLaunchConfiguration", "one", lambda w: w.asg.create_launch_configuration(
        LaunchConfigurationName=w.name, ImageId=w.image, InstanceType="t3.micro", UserData="#!/bin/sh\n",
        SecurityGroups=[w.vpc.security_group])),
    _case("CreateLaunchConfiguration", "without an image", "ValidationError", LaunchConfigurationName=ABSENT),
    Case("CreateLaunchConfiguration", "twice", lambda w: [
        w.asg.create_launch_configuration(LaunchConfigurationName=w.name, ImageId=w.image, InstanceType="t3.micro") for _ in range(2)
    ], "AlreadyExists"),
    _configuration("DescribeLaunchConfigurations", "all"),
    _case("DescribeLaunchConfigurations", "a page that is none", "InvalidNextToken", NextToken="%%%"),
    _configuration("DeleteLaunchConfiguration", "one"),
    _case("DeleteLaunchConfiguration", "absent", "ValidationError", LaunchConfigurationName=ABSENT),
    Case("DeleteLaunchConfiguration", "in use", lambda w: [
        w.asg.create_launch_configuration(LaunchConfigurationName=w.name, ImageId=w.image, InstanceType="t3.micro"),
        w.scaling_group(LaunchConfigurationName=w.name),
        w.asg.delete_launch_configuration(LaunchConfigurationName=w.name),
    ], "ResourceInUse"),
    _on_group("PutNotificationConfiguration", "one", TopicARN=TOPIC, NotificationTypes=["autoscaling:EC2_INSTANCE_LAUNCH"]),
    _on_group("PutNotificationConfiguration", "a type that is none", "ValidationError", TopicARN=TOPIC, NotificationTypes=["x"]),
    Case("DescribeNotificationConfigurations", "one", lambda w: [
        w.asg.put_notification_configuration(
            AutoScalingGroupName=w.scaling_group(), TopicARN=TOPIC, NotificationTypes=["autoscaling:EC2_INSTANCE_LAUNCH"]),
        w.asg.describe_notification_configurations(AutoScalingGroupNames=[w.name])["NotificationConfigurations"][0]["TopicARN"],
    ][1], None, TOPIC),
    _case("DescribeNotificationConfigurations", "a page that is none", "InvalidNextToken", NextToken="%%%"),
    Case("DeleteNotificationConfiguration", "one", lambda w: [
        w.asg.put_notification_configuration(
            AutoScalingGroupName=w.scaling_group(), TopicARN=TOPIC, NotificationTypes=["autoscaling:EC2_INSTANCE_LAUNCH"]),
        w.asg.delete_notification_configuration(AutoScalingGroupName=w.name, TopicARN=TOPIC),
    ]),
    _on_group("DeleteNotificationConfiguration", "absent", "ValidationError", TopicARN=TOPIC),
    _case("DescribeAutoScalingNotificationTypes", "all"),
    _case("DescribeAdjustmentTypes", "all"),
    _case("DescribeTerminationPolicyTypes", "all"),
    _case("DescribeScalingProcessTypes", "all"),
    _case("DescribeMetricCollectionTypes", "all"),
    _case("DescribeAccountLimits", "all"),
]  # fmt: skip

CASES: list[Case] = [*TARGETS, *HOOKS, *POLICIES, *REFRESHES, *OTHERS]
