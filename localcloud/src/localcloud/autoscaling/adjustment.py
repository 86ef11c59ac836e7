# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a scaling policy makes of a group's desired capacity; pure.

After "Simple and step scaling policies for Amazon EC2 Auto Scaling" and "Target tracking scaling policies" in the user guide.
"""

from __future__ import annotations

import dataclasses
import math

from ..scaling import tracking
from .state import Group, Members, Policy

OUT_MINUTES, IN_MINUTES = tracking.OUT_MINUTES, tracking.IN_MINUTES


@dataclasses.dataclass(frozen=True)
class Outcome:
    """The new desired capacity, and why it stays as it is when it does (empty when it does not)."""

    desired: int
    held: str = ""


def executed(group: Group, policy: Policy, now: float, *, value: float | None, threshold: float | None, honor_cooldown: bool) -> Outcome:
    """Execute a policy. `value` is what the alarm saw (or the metric's value), `threshold` the alarm's (or the breach threshold)."""
    if policy.kind == "SimpleScaling":
        cooldown = policy.members.get("Cooldown", group.cooldown)
        if honor_cooldown and now - group.cooled_at < cooldown:
            return Outcome(group.desired, "cooldown")
        wanted = adjusted(group.desired, policy.members, policy.members["ScalingAdjustment"])
        return Outcome(_within(group, wanted))
    warming = sum(member.counts_warm > now for member in group.alive)
    if policy.kind == "TargetTrackingScaling":
        return _tracked(group, policy.members["TargetTrackingConfiguration"], value, warming)
    return _stepped(group, policy.members, (value or 0.0) - (threshold or 0.0), warming)


def adjusted(current: int, members: Members, by: int) -> int:
    """The capacity after an adjustment of the policy's type; percentages are rounded as the user guide says, at least to one."""
    match members.get("AdjustmentType"):
        case "ExactCapacity":
            return by
        case "PercentChangeInCapacity":
            change = current * by / 100
            whole = math.trunc(change) if abs(change) > 1 else (math.ceil(change) if change > 0 else math.floor(change))
            least = members.get("MinAdjustmentMagnitude") or members.get("MinAdjustmentStep") or 0
            if by and abs(whole) < least:
                whole = math.copysign(least, by)
            return current + int(whole)
        case _:
            return current + by


def step_of(steps: list[Members], breach: float) -> Members | None:
    """The step for a difference between metric and threshold; lower bounds are inclusive above the threshold, upper ones below it."""
    for found in steps:
        low = found.get("MetricIntervalLowerBound")
        high = found.get("MetricIntervalUpperBound")
        low = -math.inf if low is None else low
        high = math.inf if high is None else high
        inside = low <= breach < high if low >= 0 else low < breach <= high
        if inside:
            return found
    return None


def _stepped(group: Group, members: Members, breach: float, warming: int) -> Outcome:
    """A step: instances that warm up do not count where it begins, so a breach that lasts adds nothing; and nothing goes meanwhile."""
    found = step_of(members["StepAdjustments"], breach)
    if found is None:
        return Outcome(group.desired, "no step")
    settled = max(group.desired - warming, 0)
    wanted = adjusted(settled, members, found["ScalingAdjustment"])
    if wanted > settled:
        return Outcome(_within(group, max(wanted, group.desired)))
    if warming and wanted < group.desired:
        return Outcome(group.desired, "warm-up")
    return Outcome(_within(group, wanted))


def _tracked(group: Group, configuration: Members, value: float | None, warming: int) -> Outcome:
    if value is None:
        return Outcome(group.desired, "no data")
    target = float(configuration["TargetValue"])
    settled = max(group.desired - warming, 0)
    if value > target:
        return Outcome(_within(group, max(tracking.more(max(settled, 1), value, target), group.desired)))
    if configuration.get("DisableScaleIn"):
        return Outcome(group.desired, "scale in is disabled")
    if warming:
        return Outcome(group.desired, "warm-up")
    return Outcome(_within(group, tracking.fewer(group.desired, value, target)))


def _within(group: Group, wanted: int) -> int:
    return max(group.least, min(wanted, group.most))
