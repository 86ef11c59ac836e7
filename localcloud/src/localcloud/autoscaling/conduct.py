# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carries out the steps of an instance's life, with activities, events and notifications; decides none of them."""

from __future__ import annotations

import typing as t

from . import activities, lifecycle
from .activities import moment
from .state import Activity, Group, Member, Members, Refresh
from .surroundings import Surroundings

KINDS = {
    # what happened -> the kind of the event, and of the notification
    "launch": ("EC2 Instance Launch Successful", "autoscaling:EC2_INSTANCE_LAUNCH"),
    "launch-failed": ("EC2 Instance Launch Unsuccessful", "autoscaling:EC2_INSTANCE_LAUNCH_ERROR"),
    "terminate": ("EC2 Instance Terminate Successful", "autoscaling:EC2_INSTANCE_TERMINATE"),
}
ACTIONS = {lifecycle.LAUNCHING: "EC2 Instance-launch Lifecycle Action", lifecycle.TERMINATING: "EC2 Instance-terminate Lifecycle Action"}
REFRESHED = {
    "Successful": "EC2 Auto Scaling Instance Refresh Succeeded",
    "RollbackSuccessful": "EC2 Auto Scaling Instance Refresh Rollback Succeeded",
    "Failed": "EC2 Auto Scaling Instance Refresh Failed",
    "RollbackFailed": "EC2 Auto Scaling Instance Refresh Rollback Failed",
    "Cancelled": "EC2 Auto Scaling Instance Refresh Cancelled",
}


class Conduct:
    """Of all groups of one region; on the event loop."""

    def __init__(self, around: Surroundings, clock: t.Callable[[], float]) -> None:
        self._around = around
        self._clock = clock

    def begin_termination(self, group: Group, member: Member, cause: str) -> Activity:
        """It is going: from now on it counts no more."""
        now = self._clock()
        if member.activity is not None:
            member.activity.end("Cancelled", now, "The instance is being terminated.")
        member.state, member.ready_since, member.waits = "Terminating", None, []
        member.activity = activities.terminating(group, member.id, cause, member.subnet, member.zone, now)
        return member.activity

    def wait(self, group: Group, member: Member, transition: str, state: str) -> None:
        """Run the hooks: it waits until each is answered or times out."""
        now = self._clock()
        member.state, member.waits = state, lifecycle.new_waits(group.hooks.values(), transition, now)
        if member.activity is not None:
            member.activity.at("MidLifecycleAction", 60)
        for wait in member.waits:
            hook = group.hooks[wait.hook]
            detail: Members = {
                "LifecycleActionToken": wait.token,
                "AutoScalingGroupName": group.name,
                "LifecycleHookName": hook.name,
                "EC2InstanceId": member.id,
                "LifecycleTransition": transition,
                "Origin": "EC2" if transition == lifecycle.LAUNCHING else "AutoScalingGroup",
                "Destination": "AutoScalingGroup" if transition == lifecycle.LAUNCHING else "EC2",
            }
            if hook.metadata:
                detail["NotificationMetadata"] = hook.metadata
            self._around.tell(ACTIONS[transition], detail, [group.arn])
            if hook.target_arn:
                subject = (
                    f"Auto Scaling:  Lifecycle action '{transition.partition('EC2_INSTANCE_')[2]}' for instance {member.id} in progress."
                )
                self._around.notify(hook.target_arn, subject, {**detail, "Service": "AWS Auto Scaling", "Time": moment(now)})

    async def enter_service(self, group: Group, member: Member) -> None:
        """Register it where the group is attached, and let it serve."""
        member.state = "Pending:Proceed"
        if group.runs("AddToLoadBalancer"):
            for arn in group.target_groups:
                if await self._around.register(arn, member.id):
                    member.targets.add(arn)
        now = self._clock()
        if member.state != "Pending:Proceed":
            return  # it was told to go meanwhile
        member.state, member.in_service_at, member.waits = "InService", now, []
        member.health_of = dict.fromkeys(member.targets, "initial")
        member.counts_warm = now + (group.warmup if group.warmup is not None else 0)
        lifecycle.note_readiness(member, now)
        if member.activity is not None:
            self._end(group, member.activity, "launch", member.id)
            member.activity = None

    async def keep_targets(self, group: Group, member: Member) -> None:
        """Register it with target groups that were attached after it came, deregister it from those that were detached."""
        for arn in [arn for arn in member.targets if arn not in group.target_groups]:
            member.targets.discard(arn)
            await self._around.deregister(arn, member.id)
        if group.runs("AddToLoadBalancer"):
            for arn in [arn for arn in group.target_groups if arn not in member.targets]:
                if await self._around.register(arn, member.id):
                    member.targets.add(arn)

    async def leave_targets(self, group: Group, member: Member) -> None:
        """Deregister it everywhere; it drains from now on."""
        places, member.targets = list(member.targets), set()
        for arn in places:
            await self._around.deregister(arn, member.id)
        if places and member.activity is not None:
            member.activity.at("WaitingForELBConnectionDraining", 20, "Waiting for ELB Connection Draining.")

    def give_up(self, group: Group, member: Member, message: str, status: str = "Failed") -> None:
        """It never served, and goes."""
        now = self._clock()
        activity, member.activity = member.activity, None
        if activity is not None:
            activity.end(status, now, message)
            self.launch_failed(group, activity, member.id)
        group.failures += 1
        group.not_before = now + min(1.0 * group.failures, 60.0)
        self.begin_termination(group, member, activities.taken_out("a launch that failed", now))
        member.in_a_hurry = True

    async def terminate(self, group: Group, member: Member) -> None:
        """Let EC2 terminate it."""
        member.state, member.waits = "Terminating:Proceed", []
        if member.activity is not None:
            member.activity.at("InProgress", 80)
        await self._around.terminate(member.id)

    def forget(self, group: Group, member: Member) -> None:
        """It is gone."""
        group.instances.pop(member.id, None)
        if member.activity is not None:
            self._end(group, member.activity, "terminate", member.id)

    def launch_failed(self, group: Group, activity: Activity, instance_id: str = "") -> None:
        """Tell that an instance could not be launched; its activity has ended."""
        self._announce(group, activity, "launch-failed", instance_id)

    def refresh_ended(self, group: Group, refresh: Refresh) -> None:
        """Tell how a refresh ended."""
        detail = {"InstanceRefreshId": refresh.id, "AutoScalingGroupName": group.name}
        self._around.tell(REFRESHED[refresh.status], detail, [group.arn])

    def _end(self, group: Group, activity: Activity, what: str, instance_id: str) -> None:
        activity.end("Successful", self._clock())
        self._announce(group, activity, what, instance_id)

    def _announce(self, group: Group, activity: Activity, what: str, instance_id: str) -> None:
        kind, notification = KINDS[what]
        detail = {
            "ActivityId": activity.id,
            "AutoScalingGroupName": group.name,
            "EC2InstanceId": instance_id,
            "Description": activity.description,
            "Cause": activity.cause,
            "StartTime": moment(activity.started_at),
            "EndTime": moment(activity.ended_at or activity.started_at),
            "StatusCode": activity.status,
            "StatusMessage": activity.message or "",
            "Details": {},
        }
        self._around.tell(kind, detail, [group.arn])
        for topic, kinds in group.notifications.items():
            if notification in kinds:
                verb = "launch" if what != "terminate" else "termination"
                outcome = "for" if activity.status == "Successful" else "FAILED for"
                message = {**detail, "Service": "AWS Auto Scaling", "Event": notification, "AutoScalingGroupARN": group.arn}
                self._around.notify(topic, f'Auto Scaling: {verb} {outcome} group "{group.name}"', message)
