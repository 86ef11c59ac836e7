# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Watches an instance refresh of an Auto Scaling group and decides when it goes back; gets what happened and when, makes no call.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/instance-refresh-overview.html has the meaning of each status.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass

from ._canary.sequential import Hypotheses, Sequential

RUNNING = ("Pending", "InProgress", "Baking")
GOING_BACK = ("Cancelling", "RollbackInProgress")
# Status of AWS -> how the run ends.
ENDED = {
    "Successful": "done",
    "Failed": "failed",
    "Cancelled": "failed",
    "RollbackSuccessful": "rolled_back",
    "RollbackFailed": "stuck",
}
FINISHED = ("done", "rolled_back", "failed", "stuck")


@dataclass(frozen=True)
class Limits:
    """``timeout_s``: longest time of the whole refresh. ``stall_s``: longest time without progress. ``failed_launches``: new instances
    that may end by themselves. ``error_rate``: share of the probes that may fail. ``give_up_s``: how long the way back is watched."""

    timeout_s: float = 3600.0
    stall_s: float = 900.0
    failed_launches: int = 2
    error_rate: float = 0.01
    give_up_s: float = 3600.0


@dataclass(frozen=True)
class GoBack:
    """Ask AWS to roll the refresh back."""

    why: str


@dataclass(frozen=True)
class Finish:
    """The run is over; ``outcome`` is one of FINISHED."""

    outcome: str
    why: str


class Refresh:
    """One refresh from its start, or from where an earlier run left it, to its end. Times are seconds of a clock that goes forward."""

    def __init__(self, limits: Limits, now: float):
        self.limits = limits
        self.started = now
        self.status = "Pending"
        self.percentage = 0
        self.to_update: int | None = None
        self.why = ""
        self.back_at: float | None = None
        self.outcome = ""
        self.timeline: list = []
        self._progress_at = now
        self._refused = 0
        self._failed_launches: dict = {}
        self.probes = [0, 0]  # all, failed
        self._test = Sequential(Hypotheses("probes", limits.error_rate))
        self._test.begin_step()

    @property
    def finished(self) -> bool:
        return bool(self.outcome)

    @property
    def going_back(self) -> bool:
        return self.back_at is not None

    def on_status(self, now: float, found: dict) -> list:
        """The refresh as autoscaling:DescribeInstanceRefreshes has it."""
        if self.finished:
            return []
        status, percentage = found["Status"], found.get("PercentageComplete") or 0
        left = found.get("InstancesToUpdate")
        if (status, percentage, left) != (self.status, self.percentage, self.to_update):
            self._progress_at = now
            reason = found.get("StatusReason") or ""
            self._note(now, f"{status}, {percentage} %" + (f", {left} to go" if left else "") + (f": {reason}" if reason else ""))
        self.status, self.percentage, self.to_update = status, percentage, left
        if status in GOING_BACK and not self.going_back:
            self.back_at = now
            self.why = self.why or (found.get("RollbackDetails") or {}).get("RollbackReason") or found.get("StatusReason") or status
        if status in ENDED:
            return self._end(now, status, found.get("StatusReason") or "")
        return self.on_tick(now)

    def on_launch_failed(self, now: float, activity: str, message: str) -> list:
        """A scaling activity since the start in which a new instance ended by itself, or did not come up."""
        if self.finished or self.going_back or activity in self._failed_launches:
            return []
        self._failed_launches[activity] = message
        self._note(now, f"a new instance failed: {message}")
        if len(self._failed_launches) > self.limits.failed_launches:
            return self._go_back(now, f"{len(self._failed_launches)} new instances failed, the last one: {message}")
        return []

    def on_probes(self, now: float, requests: int, errors: int) -> list:
        """Answers from outside since the last call. A sequential test (see _canary/sequential.py) may look at them at any time: less than
        one refresh in a hundred that fails no more than ``error_rate`` of them is taken back for that."""
        self.probes[0] += requests
        self.probes[1] += errors
        if self.finished or self.going_back:
            return []
        self._test.observe(requests, errors, self.limits.error_rate)
        if self._test.guilty:
            return self._go_back(now, f"{self.probes[1]} of {self.probes[0]} probes failed; {self.limits.error_rate:.0%} is tolerated")
        return []

    def on_tick(self, now: float) -> list:
        """Time passed."""
        if self.finished:
            return []
        if self.going_back:
            if now - self.back_at >= self.limits.give_up_s:
                return self._finish(now, "stuck", f"{self.why}; the way back was not through after {self.limits.give_up_s:g} s")
            return []
        if now - self.started >= self.limits.timeout_s:
            return self._go_back(now, f"it was not through after {self.limits.timeout_s:g} s")
        if now - self._progress_at >= self.limits.stall_s:
            return self._go_back(now, f"nothing went on for {self.limits.stall_s:g} s, {self.percentage} % are done")
        return []

    def on_interrupt(self, now: float, reason: str) -> list:
        """A signal or an exception: back."""
        return [] if self.finished or self.going_back else self._go_back(now, reason)

    def on_refused(self, now: float, message: str) -> list:
        """AWS did not take the wish to go back; it may have ended meanwhile, which the next status says. Three times are final."""
        self._refused += 1
        self._note(now, f"the way back was refused: {message}")
        if self._refused >= 3:
            return self._finish(now, "stuck", f"{self.why}; AWS refuses the way back: {message}")
        return [GoBack(self.why)]

    def _end(self, now: float, status: str, reason: str) -> list:
        outcome = ENDED[status]
        if outcome == "done" and self.going_back:
            # It was through before the wish to go back arrived.
            return self._finish(now, "failed", f"{self.why}; but the refresh had ended before it could be taken back")
        why = self.why if outcome == "rolled_back" and self.why else reason or status
        return self._finish(now, outcome, why)

    def _go_back(self, now: float, why: str) -> list:
        self.why, self.back_at = why, now
        self._note(now, f"back: {why}")
        return [GoBack(why)]

    def _finish(self, now: float, outcome: str, why: str) -> list:
        self.outcome, self.why = outcome, why
        self._note(now, f"{outcome.replace('_', ' ')}: {why}")
        return [Finish(outcome, why)]

    def _note(self, now: float, text: str) -> None:
        self.timeline.append({"at": round(now - self.started, 1), "status": self.status, "percentage": self.percentage, "text": text})


class RefreshError(ValueError):
    """The wish cannot be fulfilled; a sentence that says why and what to do. Nothing was changed."""


def launch_template(described: dict) -> dict:
    """The launch template of a group or of a wish for one, as the API of Auto Scaling has them, mixed or not; {} when it has none."""
    mixed = described.get("MixedInstancesPolicy", {}).get("LaunchTemplate", {}).get("LaunchTemplateSpecification", {})
    return described.get("LaunchTemplate") or mixed


def template(group: dict) -> tuple:
    """(id, version) of the launch template that a group, as autoscaling:DescribeAutoScalingGroups has it, launches from."""
    found = launch_template(group)
    if not found:
        raise RefreshError(
            f"Auto Scaling group {group['AutoScalingGroupName']} has no launch template, so there is no version to go to; "
            "give it one first."
        )
    return found["LaunchTemplateId"], found["Version"]


def needed(group: dict, version: int) -> bool:
    """Whether the group, or one of its instances, does not run this version yet. RefreshError when there would be no way back."""
    _template_id, before = template(group)
    if not str(before).isdigit():
        raise RefreshError(
            f"Auto Scaling group {group['AutoScalingGroupName']} launches version {before} of its template, so nobody could say what to go "
            "back to; set the number of the version that it runs (role fleet does) and run again."
        )
    own = _overrides(group)
    outdated = [item for item in group.get("Instances", []) if not _is_current(item.get("LaunchTemplate", {}), str(version), own)]
    return str(before) != str(version) or bool(outdated)


def _overrides(group: dict) -> dict:
    """{template id: version} of the overrides of a mixed instances policy that have a launch template of their own."""
    listed = group.get("MixedInstancesPolicy", {}).get("LaunchTemplate", {}).get("Overrides", [])
    found = [item["LaunchTemplateSpecification"] for item in listed if "LaunchTemplateSpecification" in item]
    return {item.get("LaunchTemplateId"): item.get("Version") for item in found}


def _is_current(template_of: dict, version: str, own: dict) -> bool:
    """Whether an instance's template is as a refresh would have it: the refresh's version, or that of an override's own template."""
    template_id = template_of.get("LaunchTemplateId")
    if template_id is None or template_id not in own:
        return template_of.get("Version") == version
    return not str(own[template_id]).isdigit() or template_of.get("Version") == str(own[template_id])


def desired(group: dict, version: int) -> dict:
    """DesiredConfiguration of autoscaling:StartInstanceRefresh: what the group launches, with another version of its template.

    A group with a mixed instances policy gets the whole policy: with a launch template alone AWS would replace it, and its overrides and
    its share of Spot Instances would be gone. Of a template's id and name AWS takes one.
    """
    if not group.get("MixedInstancesPolicy"):
        return {"LaunchTemplate": {"LaunchTemplateId": template(group)[0], "Version": str(version)}}
    policy = copy.deepcopy(group["MixedInstancesPolicy"])
    specification = policy["LaunchTemplate"]["LaunchTemplateSpecification"]
    specification["Version"] = str(version)
    named = [specification, *(item.get("LaunchTemplateSpecification", {}) for item in policy["LaunchTemplate"].get("Overrides", []))]
    for item in named:
        if "LaunchTemplateId" in item:
            item.pop("LaunchTemplateName", None)
    return {"MixedInstancesPolicy": policy}


def running(refreshes: list):
    """The refresh that is under way, or None; ``refreshes`` as autoscaling:DescribeInstanceRefreshes has them, the newest first."""
    return next((found for found in refreshes if found["Status"] in RUNNING + GOING_BACK), None)


def wanted(refresh: dict) -> str:
    """The version of the launch template that a refresh goes to; empty when it has no wish of its own."""
    return launch_template(refresh.get("DesiredConfiguration", {})).get("Version", "")
