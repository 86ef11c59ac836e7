# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Decides the state of a CloudWatch alarm on one metric from the metric's periods; pure.

After "Using Amazon CloudWatch alarms": M out of N datapoints, missing data, and alarms that are not raised prematurely.
"""

from __future__ import annotations

import dataclasses
import operator
import typing as t

RESERVE_PERIODS = 3
"""Periods before the evaluated ones whose datapoints stand in for missing ones."""

SETTLE_SECONDS = 5.0
"""How long after its end a period is evaluated: its data arrive when it is over."""

_OPERATORS: dict[str, tuple[t.Callable[[float, float], bool], str]] = {
    "GreaterThanOrEqualToThreshold": (operator.ge, "greater than or equal to"),
    "GreaterThanThreshold": (operator.gt, "greater than"),
    "LessThanThreshold": (operator.lt, "less than"),
    "LessThanOrEqualToThreshold": (operator.le, "less than or equal to"),
}


@dataclasses.dataclass(frozen=True)
class Verdict:
    """The state, AWS's sentence about it, and the datapoint that it is about (None without one)."""

    state: str
    reason: str
    value: float | None = None


def windows(period: int, count: int, now: float) -> list[tuple[float, float]]:
    """The last `count` periods that are over, the latest last, with those in reserve before them."""
    pace = min(period, 60)
    end = (now - SETTLE_SECONDS) // pace * pace
    return [(end - period * number, end - period * (number - 1)) for number in range(count + RESERVE_PERIODS, 0, -1)]


def evaluate(alarm: dict[str, t.Any], values: list[float | None]) -> Verdict | None:
    """The state that these values (as `windows` has them, None where there is no datapoint) lead to; None to keep the present one."""
    compare, words = _OPERATORS.get(alarm.get("ComparisonOperator", ""), (None, ""))
    if compare is None:
        return None
    threshold = float(alarm.get("Threshold", 0))
    count = int(alarm.get("EvaluationPeriods") or 1)
    needed = int(alarm.get("DatapointsToAlarm") or count)
    missing = alarm.get("TreatMissingData") or "missing"
    real = [(len(values) - index, value) for index, value in enumerate(values) if value is not None]
    recent = real[-count:] if missing in ("missing", "ignore") else [found for found in real if found[0] <= count]
    filled = count - len(recent)
    breaches = sum(compare(value, threshold) for _, value in recent) + (filled if missing == "breaching" else 0)
    if not recent:
        return _without_data(missing, count)
    shown = ", ".join(str(float(value)) for _, value in reversed(recent))
    latest = recent[-1][1]
    all_breach = all(compare(value, threshold) for _, value in recent)
    premature = missing == "missing" and filled > 0 and all_breach and breaches < needed
    if breaches >= needed or (premature and recent[0][0] >= needed):
        number = min(breaches, needed)
        text = (
            f"Threshold Crossed: {number} out of the last {count} datapoints [{shown}] {_were(number)} {words} the threshold ({threshold})"
        )
        return Verdict("ALARM", f"{text} (minimum {needed} datapoints for OK -> ALARM transition).", latest)
    if premature or (missing == "ignore" and filled):
        return None
    text = f"Threshold Crossed: {len(recent)} datapoints [{shown}] were not {words} the threshold ({threshold})."
    return Verdict("OK", text, latest)


def _without_data(missing: str, count: int) -> Verdict | None:
    match missing:
        case "ignore":
            return None
        case "breaching":
            return Verdict("ALARM", f"Threshold Crossed: no datapoints were received for {count} periods and missing data is breaching.")
        case "notBreaching":
            return Verdict("OK", f"Threshold Crossed: no datapoints were received for {count} periods and missing data is not breaching.")
        case _:
            return Verdict("INSUFFICIENT_DATA", f"Insufficient Data: {count} datapoints were unknown.")


def _were(count: int) -> str:
    return "was" if count == 1 else "were"
