# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""How instances of Auto Scaling groups booted, and whether waiting for the others makes sense; makes no call and reads no clock."""

from __future__ import annotations

import json

from ._refresh import launch_template

MESSAGE = "boot_outcome"  # written by roles/fleet/files/begin.py
FAILED = "failed"


def boots(events, now):
    """What boot_log_info's RETURN says of log events, the newest first. A line that only quotes the word is none.

    ``events``: of logs:FilterLogEvents. ``now``: seconds since the epoch.
    """
    found = []
    for event in sorted(events, key=lambda item: item["timestamp"], reverse=True):
        try:
            line = json.loads(event["message"])
        except ValueError:
            continue
        if isinstance(line, dict) and line.get("message") == MESSAGE:
            outcome, why = line.get("outcome", ""), line.get("why", "")
            age = max(0, int(now - event["timestamp"] / 1000))
            found.append({"instance": event["logStreamName"], "outcome": outcome, "why": why, "age": age})
    return found


def sentence(found, log_groups):
    """Why something is not in service, as boots say it. ``found``: as `boots` returns them; ``log_groups``: where they are written."""
    failed = [boot for boot in found if boot["outcome"] == FAILED]
    said = "No boot has ended yet."
    if failed:
        said = f"Instance {failed[0]['instance']} said: {failed[0]['why'].rstrip('.')}."
    elif found:
        said = f"Instance {found[0]['instance']} booted without an error: look at its health checks, and at its target group."
    return f"{said} The log of each boot is in {' and '.join(sorted(log_groups))}, one stream for each instance."


class Wait:
    """Until every instance of the groups is in service: tell it what was seen, and read `ready` and `hopeless`.

    A group of which ``most_failed`` instances failed to boot while it was waited for is hopeless; 0 never gives up.
    """

    def __init__(self, names, most_failed):
        self._names = list(names)
        self._most_failed = most_failed
        self._groups = {}
        self._boots = {}

    def on_groups(self, groups):
        """``groups``: as autoscaling:DescribeAutoScalingGroups has them, in any order; one that is missing has no instance."""
        self._groups = {group["AutoScalingGroupName"]: group for group in groups}

    def on_boots(self, name, found):
        """``found``: the boots of a group since it is waited for, as `boots` returns them."""
        self._boots[name] = list(found)

    @property
    def lacking(self):
        """Names of groups that are not there, or have fewer healthy instances in service than they want."""
        return [name for name in self._names if name not in self._groups or _serving(self._groups[name]) < _wanted(self._groups[name])]

    @property
    def ready(self):
        return not self.lacking

    @property
    def hopeless(self):
        """Names of groups that it makes no sense to wait for."""
        return [name for name in self.lacking if 0 < self._most_failed <= len(self._failed(name))]

    def state(self):
        """{name: {"version", "instances", "limits": [least, most]}} of the groups that are there."""
        return {name: _state(self._groups[name]) for name in self._names if name in self._groups}

    def failed(self):
        """Boots of lacking groups that failed, the newest first."""
        return [boot for boot in self._ended() if boot["outcome"] == FAILED]

    def sentence(self, seconds, log_groups):
        """Why not everything is in service after so many seconds. ``log_groups``: {name: where its boots are written}."""
        if self.hopeless:
            name = self.hopeless[0]
            said = [f"{len(self._failed(name))} instances of {name} failed to boot in {seconds:.0f} s, so it is not waited for any longer."]
        else:
            said = [f"After {seconds:.0f} s {', '.join(map(self._standing, self.lacking))}."]
        if where := {log_groups[name] for name in self.lacking if name in log_groups}:
            said.append(sentence(self._ended(), where))
        return " ".join(said)

    def _ended(self):
        """Boots of lacking groups, the newest first."""
        return sorted((boot for name in self.lacking for boot in self._boots.get(name, [])), key=lambda boot: boot["age"])

    def _failed(self, name):
        return [boot for boot in self._boots.get(name, []) if boot["outcome"] == FAILED]

    def _standing(self, name):
        if name not in self._groups:
            return f"there is no group {name}"
        return f"{name} has {_serving(self._groups[name])} of {_wanted(self._groups[name])} instances in service"


def _wanted(group):
    return group["DesiredCapacity"]


def _serving(group):
    return sum(1 for one in group.get("Instances", []) if one["LifecycleState"] == "InService" and one["HealthStatus"] == "Healthy")


def _state(group):
    version = launch_template(group).get("Version", "")
    return {"version": version, "instances": len(group.get("Instances", [])), "limits": [group["MinSize"], group["MaxSize"]]}
