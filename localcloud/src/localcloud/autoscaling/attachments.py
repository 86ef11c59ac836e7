# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Operations that attach target groups to Auto Scaling groups and take them off; the controller registers and deregisters instances."""

from __future__ import annotations

from .errors import invalid
from .shapes import Operation, World, page
from .state import Group, Members


class Attachments:
    """The operations."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._state = world.state
        self.operations: dict[str, Operation] = {
            "AttachLoadBalancerTargetGroups": self.attach,
            "DetachLoadBalancerTargetGroups": self.detach,
            "DescribeLoadBalancerTargetGroups": self.describe,
            "AttachTrafficSources": self.attach_sources,
            "DetachTrafficSources": self.detach_sources,
            "DescribeTrafficSources": self.describe_sources,
            "DescribeLoadBalancers": self.describe_classic,
        }

    async def attach(self, members: Members) -> Members:
        """AttachLoadBalancerTargetGroups."""
        self._attach(self._state.group(members["AutoScalingGroupName"]), members["TargetGroupARNs"])
        return {}

    async def detach(self, members: Members) -> Members:
        """DetachLoadBalancerTargetGroups."""
        self._detach(self._state.group(members["AutoScalingGroupName"]), members["TargetGroupARNs"])
        return {}

    async def describe(self, members: Members) -> Members:
        """DescribeLoadBalancerTargetGroups."""
        group = self._state.group(members["AutoScalingGroupName"])
        found = [{"LoadBalancerTargetGroupARN": arn, "State": state_of(group, arn)} for arn in group.target_groups]
        return page(found, members, "LoadBalancerTargetGroups")

    async def attach_sources(self, members: Members) -> Members:
        """AttachTrafficSources."""
        self._attach(self._state.group(members["AutoScalingGroupName"]), _identifiers(members))
        return {}

    async def detach_sources(self, members: Members) -> Members:
        """DetachTrafficSources."""
        self._detach(self._state.group(members["AutoScalingGroupName"]), _identifiers(members))
        return {}

    async def describe_sources(self, members: Members) -> Members:
        """DescribeTrafficSources."""
        group = self._state.group(members["AutoScalingGroupName"])
        wanted = members.get("TrafficSourceType") in (None, "elbv2")
        found = [
            {"TrafficSource": arn, "Identifier": arn, "Type": "elbv2", "State": state_of(group, arn)}
            for arn in (group.target_groups if wanted else [])
        ]
        return page(found, members, "TrafficSources")

    async def describe_classic(self, members: Members) -> Members:
        """DescribeLoadBalancers: there are no Classic Load Balancers."""
        self._state.group(members["AutoScalingGroupName"])
        return {"LoadBalancers": []}

    def _attach(self, group: Group, arns: list[str]) -> None:
        for arn in arns:
            if not self._world.around.is_target_group(arn):
                raise invalid(f"Provided Target Groups may not be valid. Please ensure they exist and try again: {arn}")
        group.target_groups += [arn for arn in dict.fromkeys(arns) if arn not in group.target_groups]
        self._world.changed()

    def _detach(self, group: Group, arns: list[str]) -> None:
        for arn in arns:
            if arn not in group.target_groups:
                raise invalid(f"Trying to remove Target Groups that are not part of the group: {arn}")
        group.target_groups = [arn for arn in group.target_groups if arn not in arns]
        self._world.changed()


def state_of(group: Group, arn: str) -> str:
    """How far the registration is: Adding, Added (all are registered), InService (and at least one is healthy)."""
    serving = [member for member in group.instances.values() if member.state == "InService"]
    if any(arn not in member.targets for member in serving) or not serving:
        return "Adding" if serving else "Added"
    return "InService" if any(member.health_of.get(arn) == "healthy" for member in serving) else "Added"


def _identifiers(members: Members) -> list[str]:
    for source in members["TrafficSources"]:
        if source.get("Type", "elbv2") != "elbv2":
            raise invalid(f"The local cloud has no traffic sources of the type {source['Type']}.")
    return [source["Identifier"] for source in members["TrafficSources"]]
