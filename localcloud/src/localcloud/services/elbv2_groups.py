# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Operations on target groups and their health checks; targets are in elbv2_targets."""

from __future__ import annotations

import re
import typing as t

from . import elbv2_attributes as attributes
from .elbv2_common import Operation, Outcome, World, page, tags_of
from .elbv2_state import TargetGroup, groups_of, new_id
from .query_protocol import ApiError, Members

CHECKED = (
    "HealthCheckProtocol", "HealthCheckPort", "HealthCheckEnabled", "HealthCheckIntervalSeconds", "HealthCheckTimeoutSeconds",
    "HealthyThresholdCount", "UnhealthyThresholdCount", "HealthCheckPath", "Matcher",
)  # fmt: skip
"""Members of a target group that can be modified."""

_DEFAULTS = {
    "HealthCheckPort": "traffic-port", "HealthCheckEnabled": True, "HealthCheckIntervalSeconds": 30, "HealthCheckTimeoutSeconds": 5,
    "HealthyThresholdCount": 5, "UnhealthyThresholdCount": 2, "HealthCheckPath": "/", "Matcher": {"HttpCode": "200"},
}  # fmt: skip
_CODES = re.compile(r"\d{3}(?:-\d{3})?(?:,\d{3}(?:-\d{3})?)*")


class Groups:
    """The operations; the caller holds the store's lock."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._store = world.store
        self.operations: dict[str, Operation] = {
            "CreateTargetGroup": self.create,
            "DescribeTargetGroups": self.describe,
            "ModifyTargetGroup": self.modify,
            "DeleteTargetGroup": self.delete,
            "DescribeTargetGroupAttributes": self.describe_attributes,
            "ModifyTargetGroupAttributes": self.modify_attributes,
        }

    def create(self, members: Members) -> Outcome:
        """CreateTargetGroup; the same request again answers with the group that is there."""
        name = members["Name"]
        if not re.fullmatch(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,30}[A-Za-z0-9])?", name):
            raise ApiError("ValidationError", f"'{name}' is not a name of a target group: letters, digits and inner hyphens, at most 32")
        kind = members.get("TargetType", "instance")
        if kind not in ("instance", "ip"):
            raise ApiError("InvalidConfigurationRequest", f"The local cloud has no target groups of type '{kind}'")
        for member, words in (("Protocol", "protocol"), ("Port", "port"), ("VpcId", "VPC ID")):
            if member not in members:
                raise ApiError("ValidationError", f"A {words} must be specified")
        if members["Protocol"] not in ("HTTP", "HTTPS"):
            raise ApiError("InvalidConfigurationRequest", f"The local cloud has no target groups with protocol '{members['Protocol']}'")
        version = members.get("ProtocolVersion", "HTTP1")
        if version not in ("HTTP1", "HTTP2"):
            raise ApiError("InvalidConfigurationRequest", f"The local cloud has no target groups with protocol version '{version}'")
        if not self._world.vpcs.exists(members["VpcId"]):
            raise ApiError("ValidationError", f"The VPC ID '{members['VpcId']}' is not found")
        group = TargetGroup(
            arn=f"{self._store.prefix}:targetgroup/{name}/{new_id()}",
            name=name,
            protocol=members["Protocol"],
            version=version,
            port=members["Port"],
            vpc_id=members["VpcId"],
            target_type=kind,
            check=_check({**_DEFAULTS, "HealthCheckProtocol": members["Protocol"]}, members),
            attributes=attributes.defaults(attributes.GROUP),
            tags=tags_of(members),
        )
        same = next((other for other in self._store.groups.values() if other.name == name), None)
        if same is not None and _identity(same) != _identity(group):
            raise ApiError("DuplicateTargetGroupName", "A target group with the same name exists, but with different settings")
        if same is None:
            self._store.groups[group.arn] = group
        return Outcome({"TargetGroups": [self._shown(same or group)]})

    def describe(self, members: Members) -> Outcome:
        """DescribeTargetGroups."""
        arns, names, balancer = members.get("TargetGroupArns"), members.get("Names"), members.get("LoadBalancerArn")
        if sum(bool(given) for given in (arns, names, balancer)) > 1:
            message = "Target group names, target group ARNs, and a load balancer ARN cannot be specified at the same time"
            raise ApiError("ValidationError", message)
        found = sorted(self._store.groups.values(), key=lambda group: group.name)
        if arns:
            found = [self._store.group(arn) for arn in arns]
        if balancer:
            used = self._store.balancer(balancer).group_arns()
            found = [group for group in found if group.arn in used]
        if names:
            known = {group.name: group for group in found}
            if any(name not in known for name in names):
                raise ApiError("TargetGroupNotFound", "One or more target groups not found")
            found = [known[name] for name in names]
        chosen, marker = page(found, members, lambda group: group.arn)
        return Outcome({"TargetGroups": [self._shown(group) for group in chosen], "NextMarker": marker})

    def modify(self, members: Members) -> Outcome:
        """ModifyTargetGroup: the health check."""
        group = self._store.group(members["TargetGroupArn"])
        group.check = _check(group.check, members)
        return Outcome({"TargetGroups": [self._shown(group)]}, self._users(group))

    def delete(self, members: Members) -> Outcome:
        """DeleteTargetGroup; one that does not exist is no error."""
        arn = members["TargetGroupArn"]
        if any(arn in groups_of(rule.actions) for balancer in self._store.balancers.values() for rule in balancer.rules()):
            raise ApiError("ResourceInUse", f"Target group '{arn}' is currently in use by a listener or a rule")
        self._store.groups.pop(arn, None)
        return Outcome()

    def describe_attributes(self, members: Members) -> Outcome:
        """DescribeTargetGroupAttributes."""
        return Outcome({"Attributes": attributes.listed(self._store.group(members["TargetGroupArn"]).attributes)})

    def modify_attributes(self, members: Members) -> Outcome:
        """ModifyTargetGroupAttributes."""
        group = self._store.group(members["TargetGroupArn"])
        wanted = {**group.attributes, **attributes.checked(attributes.GROUP, members["Attributes"])}
        if wanted["stickiness.type"] == "app_cookie" and not wanted["stickiness.app_cookie.cookie_name"]:
            message = "You must set an application cookie name to enable stickiness of type 'app_cookie'"
            raise ApiError("InvalidConfigurationRequest", message)
        if wanted["slow_start.duration_seconds"] != "0" and wanted["load_balancing.algorithm.type"] != "round_robin":
            message = "Slow start mode is available with the round robin routing algorithm only"
            raise ApiError("InvalidConfigurationRequest", message)
        group.attributes = wanted
        return Outcome({"Attributes": attributes.listed(wanted)}, self._users(group))

    def _users(self, group: TargetGroup) -> tuple[str, ...]:
        user = self._store.user_of(group.arn)
        return (user.arn,) if user is not None else ()

    def _shown(self, group: TargetGroup) -> Members:
        return {
            "TargetGroupArn": group.arn,
            "TargetGroupName": group.name,
            "Protocol": group.protocol,
            "Port": group.port,
            "VpcId": group.vpc_id,
            **group.check,
            "LoadBalancerArns": list(self._users(group)),
            "TargetType": group.target_type,
            "ProtocolVersion": group.version,
            "IpAddressType": "ipv4",
        }


def _check(before: Members, members: Members) -> Members:
    """The health check that a request makes of the one before; ApiError when it is none."""
    check = {**before, **{name: members[name] for name in CHECKED if name in members}}
    if check["HealthCheckProtocol"] not in ("HTTP", "HTTPS"):
        raise ApiError(
            "InvalidConfigurationRequest", f"Health check protocol '{check['HealthCheckProtocol']}' must be one of 'HTTP, HTTPS'"
        )
    if not check["HealthCheckEnabled"]:
        raise ApiError("InvalidConfigurationRequest", "Health checks cannot be disabled for target groups with this target type")
    port = check["HealthCheckPort"]
    if port != "traffic-port" and not (port.isdigit() and 1 <= int(port) <= 65535):
        raise ApiError("ValidationError", f"Health check port '{port}' must be in the range 1-65535 or traffic-port")
    if check["HealthCheckTimeoutSeconds"] >= check["HealthCheckIntervalSeconds"]:
        raise ApiError(
            "ValidationError",
            f"Health check interval must be greater than the timeout: {check['HealthCheckIntervalSeconds']} s, "
            f"{check['HealthCheckTimeoutSeconds']} s",
        )
    codes = check["Matcher"].get("HttpCode", "")
    if not _CODES.fullmatch(codes) or any(not 200 <= int(code) <= 499 for code in re.findall(r"\d+", codes)):
        raise ApiError("ValidationError", f"Health check matcher HTTP code '{codes}' must be within '200-499' inclusive")
    if not re.fullmatch(r"/[!-~]*", check["HealthCheckPath"]):
        raise ApiError("ValidationError", f"Health check path '{check['HealthCheckPath']}' must start with '/' and have no spaces")
    return check


def _identity(group: TargetGroup) -> tuple[t.Any, ...]:
    return group.protocol, group.version, group.port, group.vpc_id, group.target_type, sorted(group.check.items(), key=str)
