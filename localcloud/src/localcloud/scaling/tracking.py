# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Decides how many tasks a target-tracking policy wants; pure.

After "How target tracking scaling for Application Auto Scaling works": out when the metric was above the target for three minutes,
in when it was below nine tenths of it for fifteen; the new count is in proportion to the metric, rounded up.
"""

from __future__ import annotations

import dataclasses
import math
import typing as t

OUT_MINUTES, IN_MINUTES = 3, 15
IN_BELOW = 0.9
COOLDOWN_SECONDS = 300


@dataclasses.dataclass(frozen=True)
class Bounds:
    """What a scalable target allows."""

    least: int
    most: int
    out_suspended: bool = False
    in_suspended: bool = False


def wanted(
    current: int, values: t.Sequence[float], policy: dict[str, t.Any], bounds: Bounds, since_out: float, since_in: float
) -> tuple[int, str]:
    """The count that a policy wants, and why.

    `values` are the metric's minutes, the latest last; `since_out` and `since_in` are seconds since the policy last scaled.
    """
    target = float(policy["TargetValue"])
    if current < bounds.least:
        return bounds.least, "minimum capacity"
    if current > bounds.most:
        return bounds.most, "maximum capacity"
    recent = values[-OUT_MINUTES:]
    cooled = since_out >= policy.get("ScaleOutCooldown", COOLDOWN_SECONDS)
    if len(recent) == OUT_MINUTES and min(recent) > target and cooled and not bounds.out_suspended:
        return min(more(current, recent[-1], target), bounds.most), "AlarmHigh"
    recent = values[-IN_MINUTES:]
    cooled = min(since_in, since_out) >= policy.get("ScaleInCooldown", COOLDOWN_SECONDS)
    below = len(recent) == IN_MINUTES and max(recent) < target * IN_BELOW
    if below and cooled and not bounds.in_suspended and not policy.get("DisableScaleIn"):
        return max(fewer(current, max(recent), target), bounds.least, 0), "AlarmLow"
    return current, ""


def more(current: int, value: float, target: float) -> int:
    """The capacity that brings a metric that is too high to its target, in proportion; at least one more."""
    return max(math.ceil(current * value / target), current + 1)


def fewer(current: int, value: float, target: float) -> int:
    """The capacity that a metric that is too low allows, in proportion; never more than there is."""
    return min(math.ceil(current * value / target), current)


def metric_of(policy: dict[str, t.Any], cluster: str, service: str) -> dict[str, t.Any] | None:
    """The members of GetMetricStatistics that give a policy's metric; None for one that is not known here."""
    custom = policy.get("CustomizedMetricSpecification")
    if custom:
        if not custom.get("MetricName"):
            return None
        return {
            "Namespace": custom["Namespace"],
            "MetricName": custom["MetricName"],
            "Dimensions": custom.get("Dimensions") or [],
            "Statistics": [custom["Statistic"]],
        }
    predefined = policy.get("PredefinedMetricSpecification") or {}
    kind = str(predefined.get("PredefinedMetricType")).removesuffix("HighResolution")
    of_service = [{"Name": "ClusterName", "Value": cluster}, {"Name": "ServiceName", "Value": service}]
    match kind:
        case "ECSServiceAverageCPUUtilization":
            return {"Namespace": "AWS/ECS", "MetricName": "CPUUtilization", "Dimensions": of_service, "Statistics": ["Average"]}
        case "ECSServiceAverageMemoryUtilization":
            return {"Namespace": "AWS/ECS", "MetricName": "MemoryUtilization", "Dimensions": of_service, "Statistics": ["Average"]}
        case "ALBRequestCountPerTarget":
            return requests_per_target(str(predefined.get("ResourceLabel")))
    return None


def requests_per_target(label: str) -> dict[str, t.Any]:
    """The metric ALBRequestCountPerTarget of a label `app/<name>/<id>/targetgroup/<name>/<id>`."""
    balancer, _, group = label.partition("/targetgroup/")
    dimensions = [{"Name": "TargetGroup", "Value": f"targetgroup/{group}"}, {"Name": "LoadBalancer", "Value": balancer}]
    return {"Namespace": "AWS/ApplicationELB", "MetricName": "RequestCountPerTarget", "Dimensions": dimensions, "Statistics": ["Sum"]}
