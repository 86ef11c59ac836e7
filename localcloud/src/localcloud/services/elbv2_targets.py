# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Operations on targets, and the same for the services of this process that run them; tags of everything are here too."""

from __future__ import annotations

import dataclasses
import ipaddress
import time
import typing as t

from .elbv2_common import Operation, Outcome, World, tags_from
from .elbv2_state import Target, TargetGroup
from .query_protocol import ApiError, Members


@dataclasses.dataclass(frozen=True)
class Health:
    """The state of one target as the API names it, with its reason and description (None when there is none)."""

    state: str
    reason: str | None = None
    description: str | None = None


NOT_REGISTERED = Health("unused", "Target.NotRegistered", "Target is not registered to the target group")

HealthOf = t.Callable[[str], dict[tuple[str, int], Health]]
"""The health of every target of a target group, by id and port."""


class Targets:
    """The operations; the caller holds the store's lock."""

    def __init__(self, world: World, health: HealthOf) -> None:
        self._world = world
        self._store = world.store
        self._health = health
        self.operations: dict[str, Operation] = {
            "RegisterTargets": self.register,
            "DeregisterTargets": self.deregister,
            "DescribeTargetHealth": self.describe,
            "AddTags": self.add_tags,
            "RemoveTags": self.remove_tags,
            "DescribeTags": self.describe_tags,
        }

    def register(self, members: Members) -> Outcome:
        """RegisterTargets; a target that drains is registered anew."""
        group = self._store.group(members["TargetGroupArn"])
        wanted = [
            Target(given["Id"], given.get("Port", group.port), given.get("AvailabilityZone") or self._zone(group, given["Id"]))
            for given in members["Targets"]
        ]
        for target in wanted:
            self._check(group, target)
        for target in wanted:
            known = group.targets.get((target.id, target.port))
            if known is None or known.draining_until is not None:
                group.targets[target.id, target.port] = target
        return Outcome({}, self._users(group))

    def deregister(self, members: Members) -> Outcome:
        """DeregisterTargets: they drain for the delay when a load balancer uses the group, and are gone at once when none does."""
        group = self._store.group(members["TargetGroupArn"])
        users = self._users(group)
        found: list[Target] = []
        for given in members["Targets"]:
            same = [
                target for target in group.targets.values() if target.id == given["Id"] and given.get("Port", target.port) == target.port
            ]
            if not same:
                shown = f"{given['Id']}:{given['Port']}" if "Port" in given else given["Id"]
                raise ApiError("InvalidTarget", f"The following targets are not registered to the target group: '{shown}'")
            found.extend(same)
        delay = int(group.attributes["deregistration_delay.timeout_seconds"])
        for target in found:
            if not users:
                group.targets.pop((target.id, target.port), None)
            elif target.draining_until is None:
                target.draining_until = time.monotonic() + delay
        return Outcome({}, users)

    def describe(self, members: Members) -> Outcome:
        """DescribeTargetHealth."""
        group = self._store.group(members["TargetGroupArn"])
        health = self._health(group.arn)
        wanted = [(given["Id"], given.get("Port")) for given in members.get("Targets", [])] or list(group.targets)
        shown = []
        for target_id, port in wanted:
            keys = [key for key in group.targets if key[0] == target_id and port in (None, key[1])]
            for key in keys or [(target_id, port or group.port)]:
                found = health.get(key, NOT_REGISTERED)
                target = group.targets.get(key)
                shown.append(
                    {
                        "Target": {
                            "Id": key[0],
                            "Port": key[1],
                            "AvailabilityZone": target.zone if target and group.target_type == "ip" else None,
                        },
                        "HealthCheckPort": str(key[1])
                        if group.check["HealthCheckPort"] == "traffic-port"
                        else group.check["HealthCheckPort"],
                        "TargetHealth": {"State": found.state, "Reason": found.reason, "Description": found.description},
                        "AdministrativeOverride": {
                            "State": "no_override",
                            "Reason": "AdministrativeOverride.NoOverride",
                            "Description": "No override is currently active on target",
                        },
                    }
                )
        return Outcome({"TargetHealthDescriptions": shown})

    def add_tags(self, members: Members) -> Outcome:
        """AddTags."""
        added = tags_from(members["Tags"])
        for arn in members["ResourceArns"]:
            tags_from([{"Key": key} for key in {**self._store.tags_of(arn), **added}])
        for arn in members["ResourceArns"]:
            self._store.tags_of(arn).update(added)
        return Outcome()

    def remove_tags(self, members: Members) -> Outcome:
        """RemoveTags."""
        found = [self._store.tags_of(arn) for arn in members["ResourceArns"]]
        for tags in found:
            for key in members["TagKeys"]:
                tags.pop(key, None)
        return Outcome()

    def describe_tags(self, members: Members) -> Outcome:
        """DescribeTags."""
        shown = []
        for arn in members["ResourceArns"]:
            tags = [{"Key": key, "Value": value} for key, value in self._store.tags_of(arn).items()]
            shown.append({"ResourceArn": arn, "Tags": tags})
        return Outcome({"TagDescriptions": shown})

    def _users(self, group: TargetGroup) -> tuple[str, ...]:
        user = self._store.user_of(group.arn)
        return (user.arn,) if user is not None else ()

    def _zone(self, group: TargetGroup, target_id: str) -> str | None:
        if group.target_type == "instance":
            instance = self._world.cloud.instances.get(target_id)
            return instance.availability_zone if instance is not None else None
        try:
            return self._world.vpcs.zone_of(group.vpc_id, target_id)
        except ValueError:
            return None  # not an address: refused below

    def _check(self, group: TargetGroup, target: Target) -> None:
        if group.target_type == "instance":
            instance = self._world.cloud.instances.get(target.id)
            if instance is None or instance.state == "terminated":
                raise ApiError("InvalidTarget", f"Instance ID '{target.id}' is not valid")
            if instance.state != "running":
                raise ApiError("InvalidTarget", f"The following targets are not in a running state and cannot be registered: '{target.id}'")
            if instance.vpc_id != group.vpc_id:
                raise ApiError("InvalidTarget", f"The following targets are not in the target group VPC '{group.vpc_id}': '{target.id}'")
            return
        try:
            address = ipaddress.IPv4Address(target.id)
        except ValueError:
            raise ApiError("ValidationError", f"The IP address '{target.id}' is not a valid IPv4 address") from None
        if not address.is_private or address.is_loopback or address.is_link_local or address.is_unspecified:
            raise ApiError("ValidationError", f"The IP address '{target.id}' is not within the VPC or a private range")
