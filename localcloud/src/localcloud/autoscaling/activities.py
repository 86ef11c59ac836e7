# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sentences of scaling activities: what happened to which instance, and why; pure.

The causes are AWS's, as DescribeScalingActivities shows them; see "Verify a scaling activity" in the user guide.
"""

from __future__ import annotations

import datetime
import json

from .state import Activity, Group, new_activity_id

DIFFERENCE = "a difference between desired and actual capacity"
UNHEALTHY = {
    "EC2": "an EC2 health check indicating it has been terminated or stopped",
    "ELB": "an ELB system health check failure",
    "user": "a user health-check",
}
"""A member's fault -> what its replacement is in response to."""


def moment(now: float) -> str:
    """A time as causes have it."""
    return datetime.datetime.fromtimestamp(now, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def at(now: float, sentence: str) -> str:
    """A sentence with its time in front."""
    return f"At {moment(now)} {sentence}"


def grown(group: Group, before: int, now: float) -> str:
    """The cause of a launch that fills up the group."""
    changes = f"increasing the capacity from {before} to {before + 1}"
    return "  ".join([*group.why, at(now, f"an instance was started in response to {DIFFERENCE}, {changes}.")])


def shrunk(group: Group, before: int, instance_id: str, now: float) -> str:
    """The cause of a termination that is due because there are too many."""
    changes = f"shrinking the capacity from {before} to {before - 1}"
    taken = at(now, f"an instance was taken out of service in response to {DIFFERENCE}, {changes}.")
    return "  ".join([*group.why, taken, at(now, f"instance {instance_id} was selected for termination.")])


def taken_out(response_to: str, now: float) -> str:
    """The cause of a termination for another reason."""
    return at(now, f"an instance was taken out of service in response to {response_to}.")


def launching(group: Group, instance_id: str | None, cause: str, subnet: str, zone: str, now: float) -> Activity:
    """An instance is being launched, or (without an id) could not be."""
    details = json.dumps({"Subnet ID": subnet, "Availability Zone": zone})
    what = f"Launching a new EC2 instance: {instance_id}" if instance_id else "Launching a new EC2 instance"
    status = "PreInService" if instance_id else "InProgress"
    return group.note(Activity(new_activity_id(), group.name, what, cause, now, status, details, progress=30 if instance_id else 0))


def terminating(group: Group, instance_id: str, cause: str, subnet: str | None, zone: str, now: float) -> Activity:
    """An instance is being terminated."""
    details = json.dumps({"Subnet ID": subnet, "Availability Zone": zone})
    what = f"Terminating EC2 instance: {instance_id}"
    return group.note(Activity(new_activity_id(), group.name, what, cause, now, "InProgress", details))


def moving(group: Group, what: str, cause: str, subnet: str | None, zone: str, now: float) -> Activity:
    """An instance is attached, detached, or goes to or comes from standby."""
    details = json.dumps({"Subnet ID": subnet, "Availability Zone": zone})
    return group.note(Activity(new_activity_id(), group.name, what, cause, now, "InProgress", details, progress=50))
