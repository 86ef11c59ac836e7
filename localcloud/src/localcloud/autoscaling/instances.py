# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Operations on the instances of a group: terminate, health, protection, attach, detach, standby; and their description."""

from __future__ import annotations

from . import activities
from .conduct import Conduct
from .errors import busy, invalid
from .shapes import Operation, World, activity_of, instance_of, page
from .state import Group, Member, Members


class Instances:
    """The operations."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._state = world.state
        self._conduct = Conduct(world.around, world.clock)
        self.operations: dict[str, Operation] = {
            "TerminateInstanceInAutoScalingGroup": self.terminate,
            "SetInstanceHealth": self.set_health,
            "SetInstanceProtection": self.set_protection,
            "AttachInstances": self.attach,
            "DetachInstances": self.detach,
            "EnterStandby": self.enter_standby,
            "ExitStandby": self.exit_standby,
            "DescribeAutoScalingInstances": self.describe,
            "DescribeScalingActivities": self.describe_activities,
        }

    async def terminate(self, members: Members) -> Members:
        """TerminateInstanceInAutoScalingGroup; it is replaced unless the desired capacity shrinks with it."""
        group, member = self._owned(members["InstanceId"])
        if not member.alive and member.state != "Standby":
            raise busy(f"Instance {member.id} is being terminated already.")
        shrink = members["ShouldDecrementDesiredCapacity"]
        if shrink and member.alive and group.desired - 1 < group.least:
            raise invalid(
                f"Currently, desiredSize equals minSize ({group.least}). Terminating instance without replacement will violate group's min "
                "size constraint. Either set shouldDecrementDesiredCapacity flag to false or lower group's min size."
            )
        now = self._world.clock()
        cause = activities.at(now, f"instance {member.id} was taken out of service in response to a user request.")
        if shrink and member.alive:
            cause = cause.removesuffix(".") + f", shrinking the capacity from {group.desired} to {group.desired - 1}."
            group.desired -= 1
        activity = self._conduct.begin_termination(group, member, cause)
        self._world.changed()
        return {"Activity": activity_of(activity)}

    async def set_health(self, members: Members) -> Members:
        """SetInstanceHealth."""
        group, member = self._owned(members["InstanceId"])
        status = members["HealthStatus"].capitalize()
        if status not in ("Healthy", "Unhealthy"):
            raise invalid("The health status must be Healthy or Unhealthy.")
        now = self._world.clock()
        young = member.in_service_at is None or now - member.in_service_at < group.grace
        if status == "Unhealthy" and members.get("ShouldRespectGracePeriod", True) and young and group.grace:
            return {}
        member.health, member.fault = status, "user" if status == "Unhealthy" else ""
        self._world.changed()
        return {}

    async def set_protection(self, members: Members) -> Members:
        """SetInstanceProtection."""
        group = self._state.group(members["AutoScalingGroupName"])
        chosen = _named(group, members["InstanceIds"])
        for member in chosen:
            if member.state != "InService":
                raise invalid(f"The instance {member.id} is not in InService.")
        for member in chosen:
            member.protected = members["ProtectedFromScaleIn"]
        self._world.changed()
        return {}

    async def attach(self, members: Members) -> Members:
        """AttachInstances; the desired capacity grows with them."""
        group = self._state.group(members["AutoScalingGroupName"])
        ids = members.get("InstanceIds") or []
        if group.desired + len(ids) > group.most:
            raise invalid(
                f"AutoScalingGroup {group.name} has max-size={group.most} and desired-size={group.desired}: {len(ids)} more are too many."
            )
        found = []
        for instance_id in ids:
            instance = self._world.around.instance(instance_id)
            if instance is None or instance.state != "running":
                raise invalid(f"Invalid Instance ID(s): [{instance_id}]; an instance must be running to be attached.")
            if self._state.owner(instance_id) is not None:
                raise invalid(f"The instance {instance_id} is already part of an Auto Scaling group.")
            if instance.availability_zone not in group.zones:
                raise invalid(f"The instance {instance_id} is not in an Availability Zone of the group.")
            found.append(instance)
        now = self._world.clock()
        for instance in found:
            group.desired += 1
            cause = activities.at(
                now, f"an instance was attached in response to a user request, increasing the capacity to {group.desired}."
            )
            what = f"Attaching an existing EC2 instance: {instance.id}"
            member = Member(
                id=instance.id, zone=instance.availability_zone, subnet=instance.subnet_id, type="", image=instance.image_id,
                launched_at=instance.launch_time.timestamp(),
            )  # fmt: skip
            member.activity = activities.moving(group, what, cause, member.subnet, member.zone, now)
            group.instances[member.id] = member
            propagated = {key: value for key, (value, propagates) in group.tags.items() if propagates}
            await self._world.around.tag(member.id, {**propagated, "aws:autoscaling:groupName": group.name})
        self._world.changed()
        return {}

    async def detach(self, members: Members) -> Members:
        """DetachInstances; they run on, and are replaced unless the desired capacity shrinks with them."""
        group = self._state.group(members["AutoScalingGroupName"])
        chosen = self._leaving(group, members)
        now = self._world.clock()
        shown = []
        for member in chosen:
            cause = activities.at(now, f"instance {member.id} was detached in response to a user request.")
            what = f"Detaching EC2 instance: {member.id}"
            activity = activities.moving(group, what, cause, member.subnet, member.zone, now)
            shown.append(activity_of(activity))
            group.instances.pop(member.id)
            for arn in list(member.targets):
                await self._world.around.deregister(arn, member.id)
            await self._world.around.untag(member.id, ["aws:autoscaling:groupName"])
            activity.end("Successful", self._world.clock())
        self._world.changed()
        return {"Activities": shown}

    async def enter_standby(self, members: Members) -> Members:
        """EnterStandby."""
        group = self._state.group(members["AutoScalingGroupName"])
        chosen = self._leaving(group, members)
        if any(member.state != "InService" for member in chosen):
            raise invalid("Only instances that are InService can enter standby.")
        now = self._world.clock()
        shown = []
        for member in chosen:
            cause = activities.at(now, f"instance {member.id} was moved to standby in response to a user request.")
            what = f"Moving EC2 instance to Standby: {member.id}"
            activity = activities.moving(group, what, cause, member.subnet, member.zone, now)
            shown.append(activity_of(activity))
            member.state, member.ready_since = "Standby", None
            places, member.targets = list(member.targets), set()
            for arn in places:
                await self._world.around.deregister(arn, member.id)
            activity.end("Successful", self._world.clock())
        self._world.changed()
        return {"Activities": shown}

    async def exit_standby(self, members: Members) -> Members:
        """ExitStandby; the desired capacity grows with them."""
        group = self._state.group(members["AutoScalingGroupName"])
        chosen = _named(group, members.get("InstanceIds") or [])
        if any(member.state != "Standby" for member in chosen):
            raise invalid("The instances are not in Standby.")
        if group.desired + len(chosen) > group.most:
            raise invalid(f"AutoScalingGroup {group.name} has max-size={group.most} and desired-size={group.desired}.")
        now = self._world.clock()
        shown = []
        for member in chosen:
            group.desired += 1
            cause = activities.at(
                now, f"instance {member.id} was moved out of standby in response to a user request, increasing the capacity."
            )
            what = f"Moving EC2 instance out of Standby: {member.id}"
            member.activity = activities.moving(group, what, cause, member.subnet, member.zone, now)
            shown.append(activity_of(member.activity))
            member.state = "Pending:Proceed"
        self._world.changed()
        return {"Activities": shown}

    async def describe(self, members: Members) -> Members:
        """DescribeAutoScalingInstances."""
        ids = members.get("InstanceIds")
        found = [
            {**instance_of(member), "AutoScalingGroupName": group.name, "HealthStatus": member.health.upper()}
            for _, group in sorted(self._state.groups.items())
            for member in group.instances.values()
            if not ids or member.id in ids
        ]
        return page(found, members, "AutoScalingInstances", most=50)

    async def describe_activities(self, members: Members) -> Members:
        """DescribeScalingActivities; those under way first, then the newest."""
        name, ids = members.get("AutoScalingGroupName"), members.get("ActivityIds")
        if name is not None and not members.get("IncludeDeletedGroups"):
            found = list(self._state.group(name).activities)
        else:
            found = [activity for group in self._state.groups.values() for activity in group.activities]
            found += self._state.gone if members.get("IncludeDeletedGroups") else []
            found = [activity for activity in found if name in (None, activity.group)]
        if ids:
            found = [activity for activity in found if activity.id in ids]
        found.sort(key=lambda activity: (activity.ended_at is not None, -activity.started_at))
        answer = page(found, {"MaxRecords": 100, **members}, "Activities")
        return {**answer, "Activities": [activity_of(activity) for activity in answer["Activities"]]}

    def _owned(self, instance_id: str) -> tuple[Group, Member]:
        found = self._state.owner(instance_id)
        if found is None:
            raise invalid(f"Instance Id not found - No managed instance found for instance ID: {instance_id}")
        return found

    def _leaving(self, group: Group, members: Members) -> list[Member]:
        """The instances that leave; takes them off the desired capacity when the request says so."""
        chosen = _named(group, members.get("InstanceIds") or [])
        if members["ShouldDecrementDesiredCapacity"]:
            counted = sum(member.alive for member in chosen)
            if group.desired - counted < group.least:
                raise invalid(
                    f"AutoScalingGroup {group.name} has min-size={group.least} and desired-size={group.desired}: too few would be left."
                )
            group.desired -= counted
        return chosen


def _named(group: Group, ids: list[str]) -> list[Member]:
    if not ids:
        raise invalid("At least one instance ID must be specified.")
    for instance_id in ids:
        if instance_id not in group.instances:
            raise invalid(f"The instance {instance_id} is not part of Auto Scaling group {group.name}.")
    return [group.instances[instance_id] for instance_id in ids]
