# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Adds to moto's Auto Scaling the switching of group metrics, off and on; collects no metric."""

from __future__ import annotations

import typing as t

from moto.autoscaling.exceptions import ValidationError
from moto.autoscaling.responses import AutoScalingResponse
from moto.core.responses import EmptyResult

ALL = (
    "GroupMinSize", "GroupMaxSize", "GroupDesiredCapacity", "GroupInServiceInstances", "GroupPendingInstances", "GroupStandbyInstances",
    "GroupTerminatingInstances", "GroupTotalInstances", "GroupInServiceCapacity", "GroupPendingCapacity", "GroupStandbyCapacity",
    "GroupTerminatingCapacity", "GroupTotalCapacity", "WarmPoolDesiredCapacity", "WarmPoolWarmedCapacity", "WarmPoolPendingCapacity",
    "WarmPoolTerminatingCapacity", "WarmPoolTotalCapacity", "GroupAndWarmPoolDesiredCapacity", "GroupAndWarmPoolTotalCapacity",
)  # fmt: skip
"""What EnableMetricsCollection means when it names no metric."""


def install() -> None:
    """Add the operations; once per process."""
    AutoScalingResponse.enable_metrics_collection = _enable  # type: ignore[method-assign]
    AutoScalingResponse.disable_metrics_collection = _disable  # type: ignore[attr-defined]


def _enable(request: AutoScalingResponse) -> EmptyResult:
    group, named = _subject(request)
    wanted = set(group.metrics) | set(named or ALL)
    group.metrics = [metric for metric in ALL if metric in wanted]
    return EmptyResult()


def _disable(request: AutoScalingResponse) -> EmptyResult:
    group, named = _subject(request)
    group.metrics = [metric for metric in group.metrics if named and metric not in named]
    return EmptyResult()


def _subject(request: AutoScalingResponse) -> tuple[t.Any, list[str]]:
    name = request._get_param("AutoScalingGroupName")
    groups = request.autoscaling_backend.describe_auto_scaling_groups([name])
    if not groups:
        raise ValidationError(f"AutoScalingGroup name not found - AutoScalingGroup {name} not found")
    named = request._get_param("Metrics") or []
    unknown = sorted(set(named) - set(ALL))
    if unknown:
        raise ValidationError(f"Metrics collection for {', '.join(unknown)} does not exist")
    return groups[0], named
