# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many tasks a target-tracking policy wants."""

from __future__ import annotations

import typing as t

import pytest

from localcloud.scaling.tracking import Bounds, metric_of, wanted

POLICY = {"TargetValue": 50.0}
LONG_AGO = 10_000.0


@pytest.mark.parametrize(
    ("current", "values", "count"),
    [
        (2, [90, 90, 90], 4),
        (2, [90, 90], 2),
        (2, [90, 40, 90], 2),
        (2, [51, 51, 51], 3),
        (2, [500, 500, 500], 5),
        (4, [10] * 15, 1),
        (4, [10] * 14, 4),
        (4, [10] * 14 + [46], 4),
        (4, [20] * 14 + [30], 3),
        (0, [], 1),
        (9, [], 5),
    ],
)
def test_wanted(current: int, values: list[float], count: int) -> None:
    assert wanted(current, values, POLICY, Bounds(1, 5), LONG_AGO, LONG_AGO)[0] == count


@pytest.mark.parametrize(
    ("values", "policy", "bounds", "since_out", "since_in"),
    [
        ([90] * 3, POLICY, Bounds(1, 5), 299.0, LONG_AGO),
        ([90] * 3, {**POLICY, "ScaleOutCooldown": 600}, Bounds(1, 5), 599.0, LONG_AGO),
        ([90] * 3, POLICY, Bounds(1, 5, out_suspended=True), LONG_AGO, LONG_AGO),
        ([10] * 15, POLICY, Bounds(1, 5), LONG_AGO, 299.0),
        ([10] * 15, POLICY, Bounds(1, 5), 299.0, LONG_AGO),
        ([10] * 15, {**POLICY, "DisableScaleIn": True}, Bounds(1, 5), LONG_AGO, LONG_AGO),
        ([10] * 15, POLICY, Bounds(1, 5, in_suspended=True), LONG_AGO, LONG_AGO),
    ],
)
def test_what_holds_a_policy_back(values: list[float], policy: dict[str, t.Any], bounds: Bounds, since_out: float, since_in: float) -> None:
    assert wanted(3, values, policy, bounds, since_out, since_in) == (3, "")


def test_metrics() -> None:
    predefined = {"PredefinedMetricSpecification": {"PredefinedMetricType": "ECSServiceAverageMemoryUtilization"}}
    found = metric_of(predefined, "c", "s")
    assert found and (found["MetricName"], found["Dimensions"][1]) == ("MemoryUtilization", {"Name": "ServiceName", "Value": "s"})
    label = "app/lb/1/targetgroup/web/2"
    found = metric_of(
        {"PredefinedMetricSpecification": {"PredefinedMetricType": "ALBRequestCountPerTarget", "ResourceLabel": label}}, "c", "s"
    )
    assert found and [item["Value"] for item in found["Dimensions"]] == ["targetgroup/web/2", "app/lb/1"]
    custom = {"CustomizedMetricSpecification": {"Namespace": "n", "MetricName": "m", "Statistic": "Sum"}}
    assert metric_of(custom, "c", "s") == {"Namespace": "n", "MetricName": "m", "Dimensions": [], "Statistics": ["Sum"]}
    assert metric_of({"PredefinedMetricSpecification": {"PredefinedMetricType": "KafkaBrokerStorageUtilization"}}, "c", "s") is None
