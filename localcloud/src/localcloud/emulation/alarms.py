# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lets MiniStack's CloudWatch alarms follow their metric's dimensions and periods, and act on scaling policies; decides no state itself."""

from __future__ import annotations

import json
import time
import typing as t

from ministack.core.responses import request_scope
from ministack.services import cloudwatch

from ..scaling import alarms

Alarm = dict[str, t.Any]
Receiver = t.Callable[[Alarm, str, float | None], None]
"""Gets an alarm, the ARN of its action, and the datapoint that it is about; on the event loop."""

ACTIONS = {"ALARM": "AlarmActions", "OK": "OKActions", "INSUFFICIENT_DATA": "InsufficientDataActions"}
REPEAT_SECONDS = 60.0

_receivers: dict[str, Receiver] = {}
_values: dict[str, float | None] = {}
_told: dict[str, float] = {}
_dispatch = cloudwatch._dispatch_alarm_actions


def receive(prefix: str, receiver: Receiver) -> None:
    """Let actions whose ARN begins so come here."""
    _receivers[prefix] = receiver


def install() -> None:
    """Replace MiniStack's evaluation, which knows neither dimensions nor periods; once per process."""
    cloudwatch._evaluate_alarm = evaluate
    cloudwatch._dispatch_alarm_actions = _dispatch_all


def evaluate(alarm: Alarm) -> None:
    """Look at one alarm of the current account and region, and let it act when its state changes."""
    if not alarm.get("Namespace") or not alarm.get("MetricName"):
        return
    period, count = int(alarm.get("Period") or 60), int(alarm.get("EvaluationPeriods") or 1)
    key = (alarm["Namespace"], alarm["MetricName"], cloudwatch._dims_key(cloudwatch._dims_from_list(alarm.get("Dimensions") or [])))
    points = cloudwatch._metrics.get(key) or []
    values = [_value(alarm, points, start, end) for start, end in alarms.windows(period, count, time.time())]
    found = alarms.evaluate(alarm, values)
    if found is None:
        return
    _values[alarm["AlarmArn"]] = found.value
    before = alarm["StateValue"]
    if before == found.state:
        return
    alarm["StateValue"], alarm["StateReason"], alarm["StateUpdatedTimestamp"] = found.state, found.reason, int(time.time())
    cloudwatch._record_history(alarm["AlarmName"], before, found.state, found.reason)
    cloudwatch._dispatch_alarm_actions(alarm, before, found.state, found.reason)
    cloudwatch._evaluate_parent_alarms(alarm)


def look(account_id: str, region: str) -> None:
    """Evaluate every alarm, and repeat the scaling actions of those that have been in their state for another minute."""
    now = time.time()
    with request_scope(account_id, region):
        for alarm in list(cloudwatch._alarms.values()):
            evaluate(alarm)
            if _told.get(alarm["AlarmArn"], now) <= now - REPEAT_SECONDS:
                _tell(alarm)


def in_alarm(account_id: str, region: str, names: t.Iterable[str]) -> list[str]:
    """Those of the named alarms that are in ALARM."""
    with request_scope(account_id, region):
        found = [(name, cloudwatch._alarms.get(name) or cloudwatch._composite_alarms.get(name)) for name in names]
    return [name for name, alarm in found if alarm is not None and alarm["StateValue"] == "ALARM"]


def acting_on(account_id: str, region: str, arn: str) -> list[tuple[str, str]]:
    """Name and ARN of every alarm that has this action."""
    with request_scope(account_id, region):
        alarms_of = list(cloudwatch._alarms.values())
    return [
        (alarm["AlarmName"], alarm["AlarmArn"]) for alarm in alarms_of if any(arn in (alarm.get(kind) or []) for kind in ACTIONS.values())
    ]


def _value(alarm: Alarm, points: list[dict[str, t.Any]], start: float, end: float) -> float | None:
    unit = alarm.get("Unit")
    inside = [point for point in points if start <= point["Timestamp"] < end and unit in (None, "", point.get("Unit"))]
    if not inside:
        return None
    statistic = alarm.get("ExtendedStatistic") or alarm.get("Statistic") or "Average"
    value = cloudwatch._stat_value(cloudwatch._calc_stats(inside), statistic, inside)
    return None if value is None else float(value)


def _dispatch_all(alarm: Alarm, old_state: str, new_state: str, reason: str) -> None:
    _dispatch(alarm, old_state, new_state, reason)
    _told.pop(alarm["AlarmArn"], None)
    _tell(alarm)


def _tell(alarm: Alarm) -> None:
    """Tell those whose scaling policies an alarm acts on, now and every minute that it stays in its state."""
    if not alarm.get("ActionsEnabled", True):
        return
    for arn in alarm.get(ACTIONS[alarm["StateValue"]]) or []:
        for prefix, receiver in _receivers.items():
            if arn.startswith(prefix):
                _told[alarm["AlarmArn"]] = time.time()
                receiver(alarm, arn, _datapoint(alarm))


def _datapoint(alarm: Alarm) -> float | None:
    """The latest datapoint: what SetAlarmState said of it, else what the evaluation saw."""
    try:
        return float(json.loads(alarm["StateReasonData"])["recentDatapoints"][-1])
    except (KeyError, TypeError, ValueError, IndexError):
        return _values.get(alarm["AlarmArn"])
