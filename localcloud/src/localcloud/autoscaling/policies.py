# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Operations on scaling policies, what an alarm does with them, and the alarms of target tracking."""

from __future__ import annotations

import itertools
import logging
import typing as t
import uuid

from ..scaling import tracking
from . import activities, adjustment
from .errors import busy, invalid
from .shapes import Operation, World, page, policy_of
from .state import Group, Members, Policy

KINDS = ("SimpleScaling", "StepScaling", "TargetTrackingScaling")
ADJUSTMENTS = ("ChangeInCapacity", "ExactCapacity", "PercentChangeInCapacity")
PREDEFINED = {
    "ASGAverageCPUUtilization": "CPUUtilization",
    "ASGAverageNetworkIn": "NetworkIn",
    "ASGAverageNetworkOut": "NetworkOut",
}
OWN = frozenset({"AutoScalingGroupName", "PolicyName", "PolicyType"})

_log = logging.getLogger("localcloud.autoscaling")


class Policies:
    """The operations."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._state = world.state
        self.operations: dict[str, Operation] = {
            "PutScalingPolicy": self.put,
            "DeletePolicy": self.delete,
            "DescribePolicies": self.describe,
            "ExecutePolicy": self.execute,
        }

    async def put(self, members: Members) -> Members:
        """PutScalingPolicy; target tracking makes its two alarms."""
        group, name = self._state.group(members["AutoScalingGroupName"]), members["PolicyName"]
        kind = members.get("PolicyType") or "SimpleScaling"
        if kind not in KINDS:
            raise invalid(f"The local cloud has no scaling policies of the type {kind}.")
        _check(kind, members)
        known = group.policies.get(name)
        kept = {key: value for key, value in members.items() if key not in OWN and value is not None}
        if kind == "StepScaling":
            kept.setdefault("MetricAggregationType", "Average")
        if kind == "SimpleScaling" and "StepAdjustments" in kept:
            raise invalid("StepAdjustments are for step scaling policies alone.")
        if known is None:
            arn = self._state.arn("scalingPolicy", f"autoScalingGroupName/{group.name}:policyName/{name}")
            known = Policy(name, arn, kind, kept)
            group.policies[name] = known
        known.kind, known.members = kind, kept
        await self._world.around.delete_alarms(list(known.alarms))
        known.alarms = {}
        if kind == "TargetTrackingScaling":
            for alarm in tracking_alarms(group, known):
                known.alarms[alarm["AlarmName"]] = await self._world.around.put_alarm(alarm)
        return {"PolicyARN": known.arn, "Alarms": [{"AlarmName": name, "AlarmARN": arn} for name, arn in known.alarms.items()]}

    async def delete(self, members: Members) -> Members:
        """DeletePolicy."""
        group, policy = self._find(members)
        del group.policies[policy.name]
        await self._world.around.delete_alarms(list(policy.alarms))
        return {}

    async def describe(self, members: Members) -> Members:
        """DescribePolicies."""
        name, names, types = members.get("AutoScalingGroupName"), members.get("PolicyNames"), members.get("PolicyTypes")
        groups = [self._state.group(name)] if name else list(self._state.groups.values())
        found = [
            policy_of(group, policy, self._world.around.alarms_of(policy.arn))
            for group in groups
            for policy in group.policies.values()
            if (not names or policy.name in names or policy.arn in names) and (not types or policy.kind in types)
        ]
        return page(found, members, "ScalingPolicies")

    async def execute(self, members: Members) -> Members:
        """ExecutePolicy."""
        group, policy = self._find(members)
        if policy.kind == "TargetTrackingScaling":
            raise invalid("A target tracking policy cannot be executed by a request.")
        if policy.kind == "StepScaling" and (members.get("MetricValue") is None or members.get("BreachThreshold") is None):
            raise invalid("Both MetricValue and BreachThreshold are required to execute a step scaling policy.")
        outcome = adjustment.executed(
            group, policy, self._world.clock(), value=members.get("MetricValue"), threshold=members.get("BreachThreshold"),
            honor_cooldown=bool(members.get("HonorCooldown")),
        )  # fmt: skip
        if outcome.held == "cooldown":
            raise busy("A scaling activity was not started: the group is in its cooldown period.")
        self._scale(group, policy, outcome.desired, f"a user request executed policy {policy.name}")
        return {}

    def alarm(self, alarm: Members, arn: str, value: float | None) -> None:
        """An alarm's action: execute the policy of this ARN. Nothing happens when it is gone, switched off, or must wait."""
        found = next(
            ((group, policy) for group in self._state.groups.values() for policy in group.policies.values() if policy.arn == arn), None
        )
        if found is None:
            return
        group, policy = found
        if not group.runs("AlarmNotification") or not policy.members.get("Enabled", True) or group.status is not None:
            return
        now, threshold = self._world.clock(), float(alarm.get("Threshold", 0))
        seen = threshold if value is None else value
        outcome = adjustment.executed(group, policy, now, value=seen, threshold=threshold, honor_cooldown=True)
        if outcome.held or outcome.desired == group.desired:
            _log.info("%s: alarm %s changes nothing (%s)", policy.name, alarm["AlarmName"], outcome.held or "the capacity is right")
            return
        why = f"a monitor alarm {alarm['AlarmName']} in state {alarm['StateValue']} triggered policy {policy.name}"
        self._scale(group, policy, outcome.desired, why)

    def _scale(self, group: Group, policy: Policy, desired: int, why: str) -> None:
        now = self._world.clock()
        if desired == group.desired:
            return
        _log.info("%s: %d instances instead of %d (policy %s)", group.name, desired, group.desired, policy.name)
        group.set_desired(desired, activities.at(now, why))
        group.cooled_at = now
        self._world.changed()

    def _find(self, members: Members) -> tuple[Group, Policy]:
        name, group_name = members["PolicyName"], members.get("AutoScalingGroupName")
        groups = [self._state.group(group_name)] if group_name else list(self._state.groups.values())
        for group in groups:
            for policy in group.policies.values():
                if name == policy.arn or (group_name and name == policy.name):
                    return group, policy
        if not group_name and not name.startswith("arn:"):
            raise invalid("AutoScalingGroupName is required unless PolicyName is an ARN.")
        raise invalid(f"PolicyName not found - No policy found with name {name}")


def tracking_alarms(group: Group, policy: Policy) -> list[Members]:
    """The alarms of a target tracking policy: high after three minutes above the target, low after fifteen below nine tenths of it."""
    configuration = policy.members["TargetTrackingConfiguration"]
    target = float(configuration["TargetValue"])
    metric = _metric(group, configuration)
    statistic = metric.pop("Statistics")[0]
    common = {**metric, "Statistic": statistic, "Period": 60, "AlarmActions": [policy.arn], "ActionsEnabled": True}
    sides = [("AlarmHigh", "GreaterThanThreshold", target, adjustment.OUT_MINUTES)]
    if not configuration.get("DisableScaleIn"):
        sides.append(("AlarmLow", "LessThanThreshold", target * tracking.IN_BELOW, adjustment.IN_MINUTES))
    return [
        {
            **common,
            "AlarmName": f"TargetTracking-{group.name}-{side}-{uuid.uuid4()}",
            "AlarmDescription": f"DO NOT EDIT OR DELETE. For TargetTrackingScaling policy {policy.arn}.",
            "ComparisonOperator": comparison,
            "Threshold": threshold,
            "EvaluationPeriods": minutes,
        }
        for side, comparison, threshold, minutes in sides
    ]


def _metric(group: Group, configuration: Members) -> Members:
    """The members of an alarm that name the metric of a target tracking configuration."""
    custom = configuration.get("CustomizedMetricSpecification")
    if custom:
        found = {name: custom[name] for name in ("Namespace", "MetricName", "Dimensions", "Unit") if custom.get(name)}
        return {"Dimensions": [], **found, "Statistics": [custom["Statistic"]]}
    predefined = configuration["PredefinedMetricSpecification"]
    if predefined["PredefinedMetricType"] == "ALBRequestCountPerTarget":
        return tracking.requests_per_target(predefined["ResourceLabel"])
    of_group = [{"Name": "AutoScalingGroupName", "Value": group.name}]
    return {
        "Namespace": "AWS/EC2",
        "MetricName": PREDEFINED[predefined["PredefinedMetricType"]],
        "Dimensions": of_group,
        "Statistics": ["Average"],
    }


def _check(kind: str, members: Members) -> None:
    """Raises ApiError for a policy that lacks what its type needs."""
    if kind == "TargetTrackingScaling":
        _check_tracking(members.get("TargetTrackingConfiguration") or {})
        return
    if members.get("AdjustmentType") not in ADJUSTMENTS:
        raise invalid(f"AdjustmentType must be one of {', '.join(ADJUSTMENTS)}.")
    if kind == "SimpleScaling" and members.get("ScalingAdjustment") is None:
        raise invalid("ScalingAdjustment is required for simple scaling policies.")
    if kind == "StepScaling":
        if not members.get("StepAdjustments"):
            raise invalid("StepAdjustments are required for step scaling policies.")
        if members.get("Cooldown") is not None or members.get("ScalingAdjustment") is not None:
            raise invalid("Cooldown and ScalingAdjustment are for simple scaling policies alone.")
        _check_steps(members["StepAdjustments"])


def _check_steps(steps: t.Sequence[Members]) -> None:
    low = [step for step in steps if step.get("MetricIntervalLowerBound") is None]
    high = [step for step in steps if step.get("MetricIntervalUpperBound") is None]
    if len(low) > 1 or len(high) > 1:
        raise invalid("At most one step adjustment may have an unspecified lower bound, and at most one an unspecified upper bound.")
    inner = sorted(
        (step.get("MetricIntervalLowerBound", float("-inf")), step.get("MetricIntervalUpperBound", float("inf"))) for step in steps
    )
    for (start, end), (following, _) in itertools.pairwise(inner):
        if end > following:
            raise invalid("Step adjustments must not overlap.")
        if end < following and start != float("-inf"):
            raise invalid("Step adjustments must not have gaps between them.")
    if any(start >= end for start, end in inner):
        raise invalid("The lower bound of a step adjustment must be less than its upper bound.")


def _check_tracking(configuration: Members) -> None:
    predefined, custom = configuration.get("PredefinedMetricSpecification"), configuration.get("CustomizedMetricSpecification")
    if bool(predefined) is bool(custom):
        raise invalid("TargetTrackingConfiguration must have either a PredefinedMetricSpecification or a CustomizedMetricSpecification.")
    if configuration["TargetValue"] <= 0:
        raise invalid("TargetValue must be greater than 0.")
    label = (predefined or {}).get("ResourceLabel")
    if predefined and predefined["PredefinedMetricType"] == "ALBRequestCountPerTarget":
        if not label or "/targetgroup/" not in label:
            raise invalid("A ResourceLabel of the form app/<name>/<id>/targetgroup/<name>/<id> is required for ALBRequestCountPerTarget.")
    elif label:
        raise invalid("ResourceLabel is for ALBRequestCountPerTarget alone.")
    if custom and not (custom.get("MetricName") and custom.get("Namespace") and custom.get("Statistic")):
        raise invalid("The local cloud tracks one metric: MetricName, Namespace and Statistic are required.")
