# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Application Auto Scaling answers, good and bad; the world is ECS's, with a service that has no task."""

from __future__ import annotations

import typing as t

import botocore

from .cases import Case
from .ecs_api import ABSENT, World

DIMENSION = "ecs:service:DesiredCount"
TRACKING = {"TargetValue": 60.0, "PredefinedMetricSpecification": {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"}}
STEPS = {
    "AdjustmentType": "ChangeInCapacity",
    "StepAdjustments": [{"MetricIntervalLowerBound": 0.0, "ScalingAdjustment": 1}],
    "Cooldown": 60,
}


def _call(w: World, operation: str, **members: t.Any) -> t.Any:
    return getattr(w.boto("application-autoscaling"), botocore.xform_name(operation))(ServiceNamespace="ecs", **members)


def _of(w: World) -> dict[str, str]:
    return {"ResourceId": f"service/{w.name}/{w.name}", "ScalableDimension": DIMENSION}


def _target(w: World, **members: t.Any) -> str:
    w.service()
    return _call(w, "RegisterScalableTarget", **{"MinCapacity": 0, "MaxCapacity": 2, **_of(w), **members})["ScalableTargetARN"]


def _policy(w: World, **members: t.Any) -> t.Any:
    _target(w)
    wanted = {"PolicyName": "p", "PolicyType": "TargetTrackingScaling", "TargetTrackingScalingPolicyConfiguration": TRACKING}
    return _call(w, "PutScalingPolicy", **{**wanted, **_of(w), **members})


def _tags(w: World, arn: str, operation: str, **members: t.Any) -> t.Any:
    return getattr(w.boto("application-autoscaling"), operation)(ResourceARN=arn, **members)


def _tag_round(w: World) -> t.Any:
    arn = _target(w, Tags={"a": "1"})
    _tags(w, arn, "tag_resource", Tags={"b": "2"})
    _tags(w, arn, "untag_resource", TagKeys=["a"])
    return _tags(w, arn, "list_tags_for_resource")["Tags"]


_NONE = {"ResourceId": f"service/{ABSENT}/{ABSENT}", "ScalableDimension": DIMENSION}
_ARN = "arn:aws:application-autoscaling:ap-northeast-2:123456789012:scalable-target/0"

CASES: list[Case] = [
    Case("RegisterScalableTarget", "one", _target),
    Case("RegisterScalableTarget", "other limits", lambda w: [_target(w), _call(w, "RegisterScalableTarget", MaxCapacity=5, **_of(w))]),
    Case("RegisterScalableTarget", "suspended", lambda w: _target(w, SuspendedState={"DynamicScalingInSuspended": True})),
    Case(
        "RegisterScalableTarget",
        "no service",
        lambda w: _call(w, "RegisterScalableTarget", MinCapacity=0, MaxCapacity=1, **_NONE),
        "ValidationException",
    ),
    Case("RegisterScalableTarget", "limits crossed", lambda w: _target(w, MinCapacity=3), "ValidationException"),
    Case(
        "RegisterScalableTarget",
        "another dimension",
        lambda w: _target(w, ScalableDimension="dynamodb:table:ReadCapacityUnits"),
        "ValidationException",
    ),
    Case("DescribeScalableTargets", "one", lambda w: [_target(w), _call(w, "DescribeScalableTargets", ResourceIds=[_of(w)["ResourceId"]])]),
    Case("DescribeScalableTargets", "absent", lambda w: _call(w, "DescribeScalableTargets", ResourceIds=[_NONE["ResourceId"]])),
    Case("DescribeScalableTargets", "bad token", lambda w: _call(w, "DescribeScalableTargets", NextToken="x"), "InvalidNextTokenException"),
    Case("DeregisterScalableTarget", "one", lambda w: [_policy(w), _call(w, "DeregisterScalableTarget", **_of(w))]),
    Case("DeregisterScalableTarget", "absent", lambda w: _call(w, "DeregisterScalableTarget", **_NONE), "ObjectNotFoundException"),
    Case("PutScalingPolicy", "target tracking", _policy),
    Case(
        "PutScalingPolicy",
        "steps",
        lambda w: [
            _target(w),
            _call(w, "PutScalingPolicy", PolicyName="s", PolicyType="StepScaling", StepScalingPolicyConfiguration=STEPS, **_of(w)),
        ],
    ),
    Case("PutScalingPolicy", "twice", lambda w: _policy(w)["PolicyARN"] == _policy_again(w), None, True),
    Case("PutScalingPolicy", "no target", lambda w: _call(w, "PutScalingPolicy", PolicyName="p", **_NONE), "ObjectNotFoundException"),
    Case(
        "PutScalingPolicy",
        "no metric",
        lambda w: _policy(w, TargetTrackingScalingPolicyConfiguration={"TargetValue": 1.0}),
        "ValidationException",
    ),
    Case("DescribeScalingPolicies", "one", lambda w: [_policy(w), _call(w, "DescribeScalingPolicies", PolicyNames=["p"], **_of(w))]),
    Case("DescribeScalingPolicies", "bad token", lambda w: _call(w, "DescribeScalingPolicies", NextToken="x"), "InvalidNextTokenException"),
    Case("DeleteScalingPolicy", "one", lambda w: [_policy(w), _call(w, "DeleteScalingPolicy", PolicyName="p", **_of(w))]),
    Case("DeleteScalingPolicy", "absent", lambda w: _call(w, "DeleteScalingPolicy", PolicyName="p", **_NONE), "ObjectNotFoundException"),
    Case("DescribeScalingActivities", "none", lambda w: _call(w, "DescribeScalingActivities", **_NONE)["ScalingActivities"], None, []),
    Case(
        "DescribeScalingActivities",
        "bad token",
        lambda w: _call(w, "DescribeScalingActivities", NextToken="x"),
        "InvalidNextTokenException",
    ),
    Case("TagResource", "round", _tag_round, None, {"b": "2"}),
    Case("TagResource", "absent", lambda w: _tags(w, _ARN, "tag_resource", Tags={"a": "b"}), "ResourceNotFoundException"),
    Case("UntagResource", "a key that is not there", lambda w: _tags(w, _target(w), "untag_resource", TagKeys=["x"])),
    Case("UntagResource", "absent", lambda w: _tags(w, _ARN, "untag_resource", TagKeys=["x"]), "ResourceNotFoundException"),
    Case("ListTagsForResource", "none", lambda w: _tags(w, _target(w), "list_tags_for_resource")["Tags"], None, {}),
    Case("ListTagsForResource", "absent", lambda w: _tags(w, _ARN, "list_tags_for_resource"), "ResourceNotFoundException"),
]


def _policy_again(w: World) -> str:
    configuration = {**TRACKING, "TargetValue": 50.0}
    members = {"PolicyName": "p", "PolicyType": "TargetTrackingScaling", "TargetTrackingScalingPolicyConfiguration": configuration}
    return _call(w, "PutScalingPolicy", **members, **_of(w))["PolicyARN"]
