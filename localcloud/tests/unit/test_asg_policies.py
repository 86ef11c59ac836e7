# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What scaling policies make of a capacity, and when CloudWatch's alarms execute them."""

from __future__ import annotations

import typing as t

import pytest
from asg_world import fill, group

from localcloud.autoscaling import adjustment
from localcloud.autoscaling.policies import tracking_alarms
from localcloud.autoscaling.state import Policy
from localcloud.scaling import alarms

NOW = 1000.0


def _policy(kind: str, **members: t.Any) -> Policy:
    return Policy("p", "arn:p", kind, members)


@pytest.mark.parametrize(
    ("kind", "current", "by", "least", "after"),
    [
        ("ChangeInCapacity", 3, 2, 0, 5),
        ("ChangeInCapacity", 3, -2, 0, 1),
        ("ExactCapacity", 3, 7, 0, 7),
        # the user guide: 12.7 becomes 12, 0.67 becomes 1, -0.58 becomes -1, -6.67 becomes -6
        ("PercentChangeInCapacity", 127, 10, 0, 139),
        ("PercentChangeInCapacity", 67, 1, 0, 68),
        ("PercentChangeInCapacity", 58, -1, 0, 57),
        ("PercentChangeInCapacity", 667, -1, 0, 661),
        ("PercentChangeInCapacity", 10, 10, 2, 12),
        ("PercentChangeInCapacity", 10, -10, 3, 7),
        ("PercentChangeInCapacity", 10, 50, 2, 15),
    ],
)
def test_adjustments(kind: str, current: int, by: int, least: int, after: int) -> None:
    assert adjustment.adjusted(current, {"AdjustmentType": kind, "MinAdjustmentMagnitude": least}, by) == after


STEPS = [
    {"MetricIntervalLowerBound": 0.0, "MetricIntervalUpperBound": 10.0, "ScalingAdjustment": 1},
    {"MetricIntervalLowerBound": 10.0, "MetricIntervalUpperBound": 20.0, "ScalingAdjustment": 2},
    {"MetricIntervalLowerBound": 20.0, "ScalingAdjustment": 4},
]
IN_STEPS = [
    {"MetricIntervalUpperBound": -20.0, "ScalingAdjustment": -3},
    {"MetricIntervalLowerBound": -20.0, "MetricIntervalUpperBound": 0.0, "ScalingAdjustment": -1},
]


@pytest.mark.parametrize(("value", "after"), [(60.0, 4), (69.9, 4), (70.0, 5), (80.0, 7), (500.0, 7), (59.9, 3)])
def test_steps_out(value: float, after: int) -> None:
    policy = _policy("StepScaling", AdjustmentType="ChangeInCapacity", StepAdjustments=STEPS)
    assert adjustment.executed(group(3), policy, NOW, value=value, threshold=60.0, honor_cooldown=True).desired == after


@pytest.mark.parametrize(("value", "after"), [(40.0, 4), (20.1, 4), (20.0, 2), (1.0, 2)])
def test_steps_in(value: float, after: int) -> None:
    policy = _policy("StepScaling", AdjustmentType="ChangeInCapacity", StepAdjustments=IN_STEPS)
    assert adjustment.executed(group(5), policy, NOW, value=value, threshold=40.0, honor_cooldown=True).desired == after


def test_a_breach_that_lasts_adds_only_what_a_higher_step_adds() -> None:
    policy = _policy("StepScaling", AdjustmentType="ChangeInCapacity", StepAdjustments=STEPS)
    owner = group(4)
    fill(owner, 4)[0].counts_warm = NOW + 60  # one of them was added and warms up
    assert adjustment.executed(owner, policy, NOW, value=65.0, threshold=60.0, honor_cooldown=True).desired == 4
    assert adjustment.executed(owner, policy, NOW, value=75.0, threshold=60.0, honor_cooldown=True).desired == 5
    policy.members["StepAdjustments"] = IN_STEPS
    assert adjustment.executed(owner, policy, NOW, value=30.0, threshold=40.0, honor_cooldown=True).held == "warm-up"


@pytest.mark.parametrize(("since", "honor", "after"), [(299.0, True, 3), (300.0, True, 4), (1.0, False, 4)])
def test_simple_scaling_waits_for_its_cooldown(since: float, honor: bool, after: int) -> None:
    owner = group(3, cooled_at=NOW - since)
    policy = _policy("SimpleScaling", AdjustmentType="ChangeInCapacity", ScalingAdjustment=1)
    assert adjustment.executed(owner, policy, NOW, value=None, threshold=None, honor_cooldown=honor).desired == after


def test_the_bounds_of_the_group_hold() -> None:
    owner = group(3, least=2, most=4)
    out = _policy("SimpleScaling", AdjustmentType="ChangeInCapacity", ScalingAdjustment=5)
    back = _policy("SimpleScaling", AdjustmentType="ExactCapacity", ScalingAdjustment=0)
    assert adjustment.executed(owner, out, NOW, value=None, threshold=None, honor_cooldown=False).desired == 4
    assert adjustment.executed(owner, back, NOW, value=None, threshold=None, honor_cooldown=False).desired == 2


@pytest.mark.parametrize(("value", "after"), [(100.0, 6), (51.0, 4), (50.0, 3), (20.0, 2), (1.0, 1)])
def test_target_tracking(value: float, after: int) -> None:
    policy = _policy("TargetTrackingScaling", TargetTrackingConfiguration={"TargetValue": 50.0})
    owner = group(3, least=1)
    assert adjustment.executed(owner, policy, NOW, value=value, threshold=50.0, honor_cooldown=True).desired == after


def test_target_tracking_without_scale_in() -> None:
    configuration = {
        "TargetValue": 50.0,
        "DisableScaleIn": True,
        "PredefinedMetricSpecification": {"PredefinedMetricType": "ASGAverageCPUUtilization"},
    }
    policy = _policy("TargetTrackingScaling", TargetTrackingConfiguration=configuration)
    assert adjustment.executed(group(3), policy, NOW, value=10.0, threshold=45.0, honor_cooldown=True).desired == 3
    assert len(tracking_alarms(group(3), policy)) == 1


def test_target_tracking_makes_two_alarms() -> None:
    label = "app/lb/1/targetgroup/web/2"
    specification = {"PredefinedMetricType": "ALBRequestCountPerTarget", "ResourceLabel": label}
    configuration = {"TargetValue": 100.0, "PredefinedMetricSpecification": specification}
    high, low = tracking_alarms(group(3), _policy("TargetTrackingScaling", TargetTrackingConfiguration=configuration))
    assert high["AlarmName"].startswith("TargetTracking-g-AlarmHigh-")
    assert (high["ComparisonOperator"], high["Threshold"], high["EvaluationPeriods"]) == ("GreaterThanThreshold", 100.0, 3)
    assert (low["ComparisonOperator"], low["Threshold"], low["EvaluationPeriods"]) == ("LessThanThreshold", 90.0, 15)
    assert high["Dimensions"] == [{"Name": "TargetGroup", "Value": "targetgroup/web/2"}, {"Name": "LoadBalancer", "Value": "app/lb/1"}]
    assert (high["Namespace"], high["MetricName"], high["Statistic"]) == ("AWS/ApplicationELB", "RequestCountPerTarget", "Sum")
    assert high["AlarmActions"] == ["arn:p"]


# -- alarms

ABOVE: dict[str, t.Any] = {"ComparisonOperator": "GreaterThanThreshold", "Threshold": 5.0, "EvaluationPeriods": 3}
NONE = None


def test_windows_are_periods_that_are_over() -> None:
    found = alarms.windows(60, 2, 600.0 + alarms.SETTLE_SECONDS + 59)
    assert found[-2:] == [(480.0, 540.0), (540.0, 600.0)]
    assert len(found) == 2 + alarms.RESERVE_PERIODS
    assert alarms.windows(10, 1, 600.0 + alarms.SETTLE_SECONDS + 9)[-1] == (590.0, 600.0)
    assert alarms.windows(300, 1, 600.0 + alarms.SETTLE_SECONDS + 61)[-1] == (360.0, 660.0)


@pytest.mark.parametrize(
    ("members", "values", "state"),
    [
        ({}, [0, 0, 0, 9, 9, 9], "ALARM"),
        ({}, [9, 9, 9, 9, 9, 5], "OK"),
        ({"DatapointsToAlarm": 2}, [0, 0, 0, 9, 1, 9], "ALARM"),
        ({"DatapointsToAlarm": 2}, [0, 0, 0, 1, 1, 9], "OK"),
        ({}, [NONE] * 6, "INSUFFICIENT_DATA"),
        ({}, [NONE, NONE, 9, 9, NONE, 9], "ALARM"),  # a datapoint in reserve stands in for a missing one
        ({}, [NONE, NONE, NONE, 9, NONE, NONE], "ALARM"),  # old enough, and nothing speaks against it
        ({}, [NONE, NONE, NONE, NONE, NONE, 9], None),  # too young: not raised prematurely
        ({}, [NONE, NONE, NONE, NONE, 1, 9], "OK"),
        ({"TreatMissingData": "notBreaching"}, [9, 9, 9, NONE, NONE, NONE], "OK"),
        ({"TreatMissingData": "notBreaching"}, [9, 9, 9, NONE, 9, 9], "OK"),
        ({"TreatMissingData": "breaching"}, [NONE] * 6, "ALARM"),
        ({"TreatMissingData": "breaching"}, [NONE, NONE, NONE, NONE, NONE, 9], "ALARM"),
        ({"TreatMissingData": "breaching"}, [NONE, NONE, NONE, NONE, NONE, 1], "OK"),
        ({"TreatMissingData": "ignore"}, [NONE] * 6, None),
        ({"TreatMissingData": "ignore"}, [NONE, NONE, NONE, NONE, NONE, 1], None),
        ({"ComparisonOperator": "GreaterThanOrEqualToThreshold"}, [5] * 6, "ALARM"),
        ({"ComparisonOperator": "LessThanThreshold"}, [5] * 6, "OK"),
        ({"ComparisonOperator": "LessThanOrEqualToThreshold"}, [5] * 6, "ALARM"),
        ({"ComparisonOperator": "GreaterThanUpperThreshold"}, [9] * 6, None),  # anomaly detection: not here
    ],
)
def test_alarms(members: dict[str, t.Any], values: list[float | None], state: str | None) -> None:
    found = alarms.evaluate({**ABOVE, **members}, values)
    assert (found.state if found else None) == state


def test_the_reason_names_the_datapoints() -> None:
    found = alarms.evaluate(ABOVE, [0, 0, 0, 7, 8, 9.5])
    assert found and found.value == 9.5
    assert found.reason == (
        "Threshold Crossed: 3 out of the last 3 datapoints [9.5, 8.0, 7.0] were greater than the threshold (5.0) "
        "(minimum 3 datapoints for OK -> ALARM transition)."
    )
