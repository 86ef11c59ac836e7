# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Reads how instances booted, and waits until those of Auto Scaling groups are in service; ../_boots.py decides."""

from __future__ import annotations

import time

from .. import _boots
from . import autoscaling, logs, wait
from .errors import BluegreenAWSError, error_code


def of_log_group(client, group, max_age, *, clock=time.time):
    """Boots that ended in the last ``max_age`` seconds, the newest first; none where there is no log group. ``client``: of Logs."""
    now = clock()
    try:
        events = logs.lines(client, group, _boots.MESSAGE, int((now - max_age) * 1000))
    except BluegreenAWSError as exc:
        if error_code(exc.exception) == "ResourceNotFoundException":
            return []
        raise
    return _boots.boots(events, now)


def until_in_service(clients, params, *, check=False, clock=time.time, sleep=time.sleep):
    """(Wait, seconds) for the options of autoscaling_ready; looks once with ``check``. ``clients(service)`` makes a client."""
    groups, logged = clients("autoscaling"), None
    waited = _boots.Wait(params["names"], params["failed_boots"])
    began = clock()
    while True:
        waited.on_groups(autoscaling.groups(groups, params["names"]))
        elapsed = clock() - began
        if waited.ready:
            return waited, elapsed
        logged = logged or clients("logs")
        for name in waited.lacking:
            if name in params["log_groups"]:
                waited.on_boots(name, of_log_group(logged, params["log_groups"][name], elapsed, clock=clock))
        if check or waited.hopeless or elapsed >= params["wait_timeout"]:
            return waited, elapsed
        sleep(min(wait.interval(elapsed), params["wait_timeout"] - elapsed))
