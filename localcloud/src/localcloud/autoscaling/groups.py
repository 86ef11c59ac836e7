# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Operations on Auto Scaling groups: create, update, delete, describe, capacity, processes and metrics; launches nothing itself."""

from __future__ import annotations

import typing as t

from . import activities
from .errors import busy, exists_already, in_use, invalid
from .hooks import hook_from
from .placing import POLICIES
from .shapes import Operation, World, group_of, named_launch, page
from .state import Group, Members
from .surroundings import check_launchable
from .tagging import changed_tags

LAUNCH = ("LaunchTemplate", "LaunchConfigurationName", "MixedInstancesPolicy")
HEALTH_TYPES = frozenset({"EC2", "ELB", "EBS", "VPC_LATTICE"})
SHOWN = ("CapacityRebalance", "MaxInstanceLifetime", "Context", "DesiredCapacityType", "PlacementGroup", "ServiceLinkedRoleARN")
PROCESSES = (
    "AddToLoadBalancer", "AlarmNotification", "AZRebalance", "HealthCheck", "InstanceRefresh", "Launch", "ReplaceUnhealthy",
    "ScheduledActions", "Terminate",
)  # fmt: skip
METRICS = (
    "GroupMinSize", "GroupMaxSize", "GroupDesiredCapacity", "GroupInServiceInstances", "GroupPendingInstances", "GroupStandbyInstances",
    "GroupTerminatingInstances", "GroupTotalInstances", "GroupInServiceCapacity", "GroupPendingCapacity", "GroupStandbyCapacity",
    "GroupTerminatingCapacity", "GroupTotalCapacity", "WarmPoolDesiredCapacity", "WarmPoolWarmedCapacity", "WarmPoolPendingCapacity",
    "WarmPoolTerminatingCapacity", "WarmPoolTotalCapacity", "GroupAndWarmPoolDesiredCapacity", "GroupAndWarmPoolTotalCapacity",
)  # fmt: skip
"""What EnableMetricsCollection means when it names no metric."""


class Groups:
    """The operations; one method each."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._state = world.state
        self.operations: dict[str, Operation] = {
            "CreateAutoScalingGroup": self.create,
            "UpdateAutoScalingGroup": self.update,
            "DeleteAutoScalingGroup": self.delete,
            "DescribeAutoScalingGroups": self.describe,
            "SetDesiredCapacity": self.set_desired,
            "SuspendProcesses": self.suspend,
            "ResumeProcesses": self.resume,
            "EnableMetricsCollection": self.enable_metrics,
            "DisableMetricsCollection": self.disable_metrics,
        }

    async def create(self, members: Members) -> Members:
        """CreateAutoScalingGroup."""
        name = members["AutoScalingGroupName"]
        if name in self._state.groups:
            message = f"AutoScalingGroup by this name already exists - A group with the name {name} already exists"
            raise exists_already(message)
        if ":" in name:
            raise invalid("AutoScalingGroupName must not contain the character ':'.")
        launch = self._launch(members)
        if launch is None:
            raise invalid(
                "Valid requests must contain either LaunchTemplate, LaunchConfigurationName, InstanceId or MixedInstancesPolicy parameter."
            )
        if members.get("InstanceId"):
            raise invalid("The local cloud makes no group from an instance: name a launch template.")
        now = self._world.clock()
        desired = members.get("DesiredCapacity", members["MinSize"])
        group = Group(
            name=name, arn=self._state.arn("autoScalingGroup", f"autoScalingGroupName/{name}"), launch=launch, least=members["MinSize"],
            most=members["MaxSize"], desired=0, subnets=[], zones=[], created_at=now,
        )  # fmt: skip
        self._apply(group, members)
        if not group.subnets:
            raise invalid("At least one Availability Zone or VPC Subnet is required.")
        self._attach(group, members)
        _check_bounds(group, desired)
        group.tags = changed_tags({}, members.get("Tags") or [])
        group.hooks = {hook["LifecycleHookName"]: hook_from(hook, None) for hook in members.get("LifecycleHookSpecificationList") or []}
        group.set_desired(desired, activities.at(now, "a user request created an AutoScalingGroup"))
        self._state.groups[name] = group
        self._world.changed()
        return {}

    async def update(self, members: Members) -> Members:
        """UpdateAutoScalingGroup."""
        group = self._own(members)
        launch = self._launch(members)
        least, most = members.get("MinSize", group.least), members.get("MaxSize", group.most)
        desired = members.get("DesiredCapacity", min(max(group.desired, least), most))
        trial = Group(**{**vars(group), "least": least, "most": most})
        self._apply(trial, members)
        _check_bounds(trial, desired)
        now = self._world.clock()
        sentence = f"a user request update of AutoScalingGroup constraints to min: {least}, max: {most}, desired: {desired}"
        self._apply(group, members)
        group.least, group.most, group.launch = least, most, launch or group.launch
        group.set_desired(desired, activities.at(now, sentence))
        self._world.changed()
        return {}

    async def delete(self, members: Members) -> Members:
        """DeleteAutoScalingGroup; with ForceDelete its instances are terminated, and no hook is waited for."""
        group = self._own(members)
        if group.instances and not members.get("ForceDelete"):
            if all(not member.alive for member in group.instances.values()):
                raise busy("You cannot delete an AutoScalingGroup while there are scaling activities in progress for that group.")
            raise in_use(
                "You cannot delete an AutoScalingGroup while there are instances or pending Spot instance request(s) still in the group."
            )
        now = self._world.clock()
        refresh = group.refresh
        if refresh is not None:
            refresh.status, refresh.reason, refresh.ended_at = "Cancelled", "The Auto Scaling group was deleted.", now
        for policy in group.policies.values():
            await self._world.around.delete_alarms(list(policy.alarms))
        if not group.instances:
            self._state.gone[:0] = group.activities
            del self._state.groups[group.name]
            return {}
        group.status, group.least = "Delete in progress", 0
        group.suspended.clear()
        group.set_desired(0, activities.at(now, "a user request force deleted the AutoScalingGroup"))
        for member in group.instances.values():
            member.in_a_hurry, member.protected = True, False
            if member.state == "Standby":
                member.state = "InService"
        self._world.changed()
        return {}

    async def describe(self, members: Members) -> Members:
        """DescribeAutoScalingGroups."""
        names = members.get("AutoScalingGroupNames") or []
        found = [group for name, group in sorted(self._state.groups.items()) if not names or name in names or group.arn in names]
        found = [group for group in found if all(_matches(group, item) for item in members.get("Filters") or [])]
        answer = page(found, members, "AutoScalingGroups")
        instances = members.get("IncludeInstances", True)
        answer["AutoScalingGroups"] = [
            {**shown, "Instances": shown["Instances"] if instances else []} for shown in map(group_of, answer["AutoScalingGroups"])
        ]
        return answer

    async def set_desired(self, members: Members) -> Members:
        """SetDesiredCapacity."""
        group, count = self._own(members), members["DesiredCapacity"]
        now = self._world.clock()
        if members.get("HonorCooldown") and now - group.cooled_at < group.cooldown:
            raise busy(
                f"AutoScalingGroup {group.name} is in cooldown: there was a scaling activity less than {group.cooldown} seconds ago."
            )
        if not group.least <= count <= group.most:
            side, limit = ("below min value", group.least) if count < group.least else ("above max value", group.most)
            raise invalid(f"New SetDesiredCapacity value {count} is {side} {limit} for the AutoScalingGroup.")
        group.set_desired(count, activities.at(now, "a user request explicitly set group desired capacity"))
        self._world.changed()
        return {}

    async def suspend(self, members: Members) -> Members:
        """SuspendProcesses."""
        group = self._own(members)
        since = activities.moment(self._world.clock())
        group.suspended |= dict.fromkeys(_processes(members), f"User suspended at {since}")
        return {}

    async def resume(self, members: Members) -> Members:
        """ResumeProcesses."""
        group = self._own(members)
        for name in _processes(members):
            group.suspended.pop(name, None)
        self._world.changed()
        return {}

    async def enable_metrics(self, members: Members) -> Members:
        """EnableMetricsCollection."""
        group = self._own(members)
        wanted = set(group.metrics) | set(_metrics(members) or METRICS)
        group.metrics = [metric for metric in METRICS if metric in wanted]
        return {}

    async def disable_metrics(self, members: Members) -> Members:
        """DisableMetricsCollection."""
        group = self._own(members)
        named = _metrics(members)
        group.metrics = [metric for metric in group.metrics if named and metric not in named]
        return {}

    # -- parts

    def _own(self, members: Members) -> Group:
        group = self._state.group(members["AutoScalingGroupName"])
        if group.status is not None:
            raise invalid(f"AutoScalingGroup {group.name} is being deleted.")
        return group

    def _launch(self, members: Members) -> Members | None:
        """What the request launches instances from; None when it says nothing of it."""
        given = {name: members[name] for name in LAUNCH if members.get(name)}
        if not given:
            return None
        if len(given) > 1:
            raise invalid("Valid requests must contain only one of LaunchTemplate, LaunchConfigurationName and MixedInstancesPolicy.")
        configuration = given.get("LaunchConfigurationName")
        if configuration is not None and configuration not in self._state.configurations:
            raise invalid(f"Launch configuration name not found - Launch configuration {configuration} not found")
        check_launchable(self._world.around, given)
        return named_launch(self._world.around, given)

    def _apply(self, group: Group, members: Members) -> None:
        """What CreateAutoScalingGroup and UpdateAutoScalingGroup have in common."""
        if "VPCZoneIdentifier" in members:
            subnets = [name.strip() for name in members["VPCZoneIdentifier"].split(",") if name.strip()]
            zones = self._world.around.zones(subnets)
            missing = [name for name in subnets if name not in zones]
            if missing:
                raise invalid(f"The subnet ID '{missing[0]}' does not exist")
            group.subnets, group.zones = subnets, sorted(set(zones.values()))
        given = members.get("AvailabilityZones")
        if given and not group.subnets:
            raise invalid("The local cloud launches into subnets alone: name them in VPCZoneIdentifier.")
        if given and set(given) != set(group.zones):
            raise invalid("The availability zones of the specified subnets and the Auto Scaling group do not match")
        if members.get("HealthCheckType"):
            unknown = set(members["HealthCheckType"].split(",")) - HEALTH_TYPES
            if unknown:
                raise invalid(f"Invalid health check type: {', '.join(sorted(unknown))}")
            group.health_type = members["HealthCheckType"]
        policies = members.get("TerminationPolicies")
        if policies and set(policies) - set(POLICIES):
            raise invalid(f"Invalid termination policy: {', '.join(sorted(set(policies) - set(POLICIES)))}")
        group.termination = list(policies) if policies else group.termination
        group.cooldown = members.get("DefaultCooldown", group.cooldown)
        group.grace = members.get("HealthCheckGracePeriod", group.grace)
        group.protect_new = members.get("NewInstancesProtectedFromScaleIn", group.protect_new)
        if "DefaultInstanceWarmup" in members:
            group.warmup = None if members["DefaultInstanceWarmup"] < 0 else members["DefaultInstanceWarmup"]
        if "InstanceMaintenancePolicy" in members:
            group.maintenance = _maintenance(members["InstanceMaintenancePolicy"])
        group.other = {**group.other, **{name: members[name] for name in SHOWN if members.get(name) is not None}}

    def _attach(self, group: Group, members: Members) -> None:
        if members.get("LoadBalancerNames"):
            raise invalid("The local cloud has no Classic Load Balancers: attach target groups.")
        sources = [source["Identifier"] for source in members.get("TrafficSources") or []]
        for arn in dict.fromkeys([*(members.get("TargetGroupARNs") or []), *sources]):
            if not self._world.around.is_target_group(arn):
                raise invalid(f"Provided Target Groups may not be valid. Please ensure they exist and try again: {arn}")
            group.target_groups.append(arn)


def _check_bounds(group: Group, desired: int) -> None:
    if group.least < 0:
        raise invalid("Min bound, must be zero or greater.")
    if group.least > group.most:
        raise invalid("Max bound, must be greater than or equal to min bound.")
    if not group.least <= desired <= group.most:
        raise invalid(f"Desired capacity:{desired} must be between the specified min size:{group.least} and max size:{group.most}")


def _maintenance(given: Members) -> tuple[int, int] | None:
    least, most = given.get("MinHealthyPercentage"), given.get("MaxHealthyPercentage")
    if least == -1 or most == -1:
        return None
    check_percentages(least, most)
    return least, most


def check_percentages(least: int | None, most: int | None) -> None:
    """Raises ApiError for percentages that do not go together."""
    if least is None or most is None:
        raise invalid("MinHealthyPercentage and MaxHealthyPercentage must both be specified.")
    if not 0 <= least <= 100 or not 100 <= most <= 200:
        raise invalid("MinHealthyPercentage must be between 0 and 100, MaxHealthyPercentage between 100 and 200.")
    if most - least > 100:
        raise invalid("The difference between MinHealthyPercentage and MaxHealthyPercentage cannot be greater than 100.")


def _processes(members: Members) -> t.Sequence[str]:
    named = members.get("ScalingProcesses") or PROCESSES
    unknown = sorted(set(named) - set(PROCESSES))
    if unknown:
        raise invalid(f"Scaling process {unknown[0]} does not exist")
    return named


def _metrics(members: Members) -> list[str]:
    named = members.get("Metrics") or []
    unknown = sorted(set(named) - set(METRICS))
    if unknown:
        raise invalid(f"Metrics collection for {', '.join(unknown)} does not exist")
    return named


def _matches(group: Group, item: Members) -> bool:
    """One filter: tag-key, tag-value, or tag:<key>."""
    values = item.get("Values") or []
    name = item.get("Name", "")
    if name == "tag-key":
        return any(key in values for key in group.tags)
    if name == "tag-value":
        return any(value in values for value, _ in group.tags.values())
    if name.startswith("tag:"):
        value = group.tags.get(name.removeprefix("tag:"))
        return value is not None and value[0] in values
    raise invalid(f"Filter type {name} is not correct. Allowed filter types are: tag-key tag-value tag:")
