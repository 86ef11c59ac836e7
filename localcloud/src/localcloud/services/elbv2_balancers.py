# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Operations on load balancers themselves: where they are, which attributes and security groups they have; starts no proxy."""

from __future__ import annotations

import re
import secrets
import typing as t

from ..cloud import Interface
from . import elbv2_attributes as attributes
from .elbv2_common import Operation, Outcome, World, page, tags_of
from .elbv2_state import LoadBalancer, new_id
from .query_protocol import ApiError, Members

ZONE_ID = "ZWKZPGTI48KDX"
"""Route 53's hosted zone of application load balancers in ap-northeast-2."""

DOMAIN = "elb.localcloud.test"
LIMITS = {
    "application-load-balancers": 50, "target-groups": 3000, "targets-per-application-load-balancer": 1000,
    "listeners-per-application-load-balancer": 50, "rules-per-application-load-balancer": 100,
    "certificates-per-application-load-balancer": 25, "targets-per-target-group": 1000,
    "target-groups-per-action-on-application-load-balancer": 5, "target-groups-per-application-load-balancer": 100,
    "condition-values-per-alb-rule": 5, "condition-wildcards-per-alb-rule": 6,
}  # fmt: skip
"""AWS's default quotas; the ones of actions, conditions and weights are enforced."""


class Balancers:
    """The operations; the caller holds the store's lock."""

    def __init__(self, world: World, can_log: t.Callable[[str, str], bool]) -> None:
        self._world = world
        self._store = world.store
        self._can_log = can_log
        """Whether access logs may be written to a bucket under a prefix."""
        self.operations: dict[str, Operation] = {
            "CreateLoadBalancer": self.create,
            "DescribeLoadBalancers": self.describe,
            "DeleteLoadBalancer": self.delete,
            "DescribeLoadBalancerAttributes": self.describe_attributes,
            "ModifyLoadBalancerAttributes": self.modify_attributes,
            "SetSecurityGroups": self.set_security_groups,
            "SetSubnets": self.set_subnets,
            "SetIpAddressType": self.set_ip_address_type,
            "DescribeAccountLimits": self.limits,
        }

    def create(self, members: Members) -> Outcome:
        """CreateLoadBalancer."""
        name = members["Name"]
        if not re.fullmatch(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,30}[A-Za-z0-9])?", name) or name.startswith("internal-"):
            raise ApiError("ValidationError", f"'{name}' is not a name of a load balancer: letters, digits and inner hyphens, at most 32")
        if members.get("Type", "application") != "application":
            raise ApiError("OperationNotPermitted", "The local cloud has application load balancers only")
        if any(balancer.name == name for balancer in self._store.balancers.values()):
            raise ApiError("DuplicateLoadBalancerName", f"A load balancer with the name '{name}' exists already, with different settings")
        if members.get("IpAddressType", "ipv4") != "ipv4":
            raise ApiError("InvalidConfigurationRequest", "The local cloud has no IPv6: use the IP address type ipv4")
        scheme = members.get("Scheme", "internet-facing")
        wanted = self._subnets(members, scheme)
        vpc_id = wanted[0].vpc_id
        groups = self._groups(members.get("SecurityGroups"), vpc_id)
        key = new_id()
        hidden = "internal-" if scheme == "internal" else ""
        balancer = LoadBalancer(
            arn=f"{self._store.prefix}:loadbalancer/app/{name}/{key}",
            name=name,
            dns_name=f"{hidden}{name}-{secrets.randbelow(10**9) + 10**9}.{self._world.cloud.region}.{DOMAIN}".lower(),
            scheme=scheme,
            vpc_id=vpc_id,
            security_groups=groups,
            attributes=attributes.defaults(attributes.BALANCER),
            tags=tags_of(members),
        )
        for subnet in wanted:
            balancer.interfaces[subnet.id] = self._interface(balancer, subnet.id)
        self._store.balancers[balancer.arn] = balancer
        self._name(balancer)
        return Outcome({"LoadBalancers": [_shown(balancer)]}, (balancer.arn,))

    def describe(self, members: Members) -> Outcome:
        """DescribeLoadBalancers."""
        arns, names = members.get("LoadBalancerArns"), members.get("Names")
        if arns and names:
            raise ApiError("ValidationError", "Load balancer names and load balancer ARNs cannot be specified at the same time")
        if arns:
            found = [self._store.balancer(arn) for arn in arns]
        else:
            found = sorted(self._store.balancers.values(), key=lambda balancer: balancer.name)
        if names:
            known = {balancer.name: balancer for balancer in found}
            missing = [name for name in names if name not in known]
            if missing:
                raise ApiError("LoadBalancerNotFound", f"Load balancers '[{', '.join(missing)}]' not found")
            found = [known[name] for name in names]
        chosen, marker = page(found, members, lambda balancer: balancer.arn)
        return Outcome({"LoadBalancers": [_shown(balancer) for balancer in chosen], "NextMarker": marker})

    def delete(self, members: Members) -> Outcome:
        """DeleteLoadBalancer; one that does not exist is no error."""
        arn = members["LoadBalancerArn"]
        try:
            balancer = self._store.balancer(arn)
        except ApiError as problem:
            if problem.code != "LoadBalancerNotFound":
                raise
            return Outcome()
        if balancer.attributes["deletion_protection.enabled"] == "true":
            raise ApiError("OperationNotPermitted", f"Load balancer '{arn}' cannot be deleted because deletion protection is enabled")
        del self._store.balancers[arn]
        self._world.cloud.names.remove(balancer.dns_name)
        return Outcome({}, (arn,))

    def describe_attributes(self, members: Members) -> Outcome:
        """DescribeLoadBalancerAttributes."""
        return Outcome({"Attributes": attributes.listed(self._store.balancer(members["LoadBalancerArn"]).attributes)})

    def modify_attributes(self, members: Members) -> Outcome:
        """ModifyLoadBalancerAttributes; access logs need a bucket that lets them be written, as on AWS."""
        balancer = self._store.balancer(members["LoadBalancerArn"])
        wanted = {**balancer.attributes, **attributes.checked(attributes.BALANCER, members["Attributes"])}
        if wanted["access_logs.s3.enabled"] == "true":
            bucket, prefix = wanted["access_logs.s3.bucket"], wanted["access_logs.s3.prefix"]
            if not bucket:
                raise ApiError("ValidationError", "The attribute 'access_logs.s3.bucket' must be specified to enable access logs")
            if not self._can_log(bucket, prefix):
                raise ApiError("InvalidConfigurationRequest", f"Access Denied for bucket: {bucket}. Please check S3bucket permission")
        balancer.attributes = wanted
        return Outcome({"Attributes": attributes.listed(wanted)}, (balancer.arn,))

    def set_security_groups(self, members: Members) -> Outcome:
        """SetSecurityGroups."""
        balancer = self._store.balancer(members["LoadBalancerArn"])
        balancer.security_groups = self._groups(members["SecurityGroups"], balancer.vpc_id)
        for interface in balancer.interfaces.values():
            self._world.cloud.interfaces.set_groups(interface.id, balancer.security_groups)
        return Outcome({"SecurityGroupIds": balancer.security_groups})

    def set_subnets(self, members: Members) -> Outcome:
        """SetSubnets; a load balancer that loses its first subnet starts anew at another address."""
        balancer = self._store.balancer(members["LoadBalancerArn"])
        wanted = self._subnets(members, balancer.scheme)
        if wanted[0].vpc_id != balancer.vpc_id:
            raise ApiError("InvalidConfigurationRequest", "The subnets must be in the VPC of the load balancer")
        before = balancer.interfaces
        made = {subnet.id: before.get(subnet.id) or self._interface(balancer, subnet.id) for subnet in wanted}
        kept = {subnet_id: made[subnet_id] for subnet_id in before if subnet_id in made}
        balancer.interfaces = {**kept, **made}
        for subnet_id, interface in before.items():
            if subnet_id not in made:
                self._world.cloud.interfaces.delete(interface.id)
        self._name(balancer)
        return Outcome({"AvailabilityZones": _zones(balancer), "IpAddressType": balancer.ip_address_type}, (balancer.arn,))

    def set_ip_address_type(self, members: Members) -> Outcome:
        """SetIpAddressType."""
        balancer = self._store.balancer(members["LoadBalancerArn"])
        if members["IpAddressType"] != "ipv4":
            raise ApiError("InvalidConfigurationRequest", "The local cloud has no IPv6: use the IP address type ipv4")
        return Outcome({"IpAddressType": balancer.ip_address_type})

    def limits(self, members: Members) -> Outcome:
        """DescribeAccountLimits."""
        chosen, marker = page(list(LIMITS), members, str)
        return Outcome({"Limits": [{"Name": name, "Max": str(LIMITS[name])} for name in chosen], "NextMarker": marker})

    def _subnets(self, members: Members, scheme: str) -> list[t.Any]:
        ids = members.get("Subnets") or [mapping.get("SubnetId", "") for mapping in members.get("SubnetMappings", [])]
        if members.get("Subnets") and members.get("SubnetMappings"):
            raise ApiError("ValidationError", "You must specify either subnets or subnet mappings, but not both")
        found = []
        for subnet_id in ids:
            subnet = self._world.vpcs.subnet(subnet_id)
            if subnet is None:
                raise ApiError("SubnetNotFound", f"The subnet ID '{subnet_id}' does not exist")
            found.append(subnet)
        if len({subnet.vpc_id for subnet in found}) > 1:
            raise ApiError("InvalidConfigurationRequest", "All subnets must be in one VPC")
        if len({subnet.zone for subnet in found}) < len(found):
            raise ApiError(
                "InvalidConfigurationRequest", "A load balancer cannot be attached to multiple subnets in the same Availability Zone"
            )
        if len(found) < 2:
            raise ApiError("ValidationError", "At least two subnets in two different Availability Zones must be specified")
        if scheme == "internet-facing" and not found[0].has_gateway:
            raise ApiError("InvalidSubnet", f"VPC {found[0].vpc_id} has no internet gateway")
        return found

    def _groups(self, ids: list[str] | None, vpc_id: str) -> list[str]:
        if not ids:
            default = self._world.vpcs.default_group(vpc_id)
            return [default] if default else []
        for group_id in ids:
            owner = self._world.vpcs.group_vpc(group_id)
            if owner is None:
                raise ApiError("InvalidSecurityGroup", f"Security group '{group_id}' does not exist")
            if owner != vpc_id:
                raise ApiError("InvalidConfigurationRequest", f"One or more security groups are invalid: {group_id} is not in {vpc_id}")
        return list(ids)

    def _interface(self, balancer: LoadBalancer, subnet_id: str) -> Interface:
        public = balancer.scheme == "internet-facing"
        description = f"ELB {balancer.suffix}"
        return self._world.cloud.interfaces.create(subnet_id, group_ids=balancer.security_groups, description=description, public=public)

    def _name(self, balancer: LoadBalancer) -> None:
        found = list(balancer.interfaces.values())
        public = [interface.public_ip for interface in found if interface.public_ip]
        self._world.cloud.names.set(balancer.dns_name, private=[interface.private_ip for interface in found], public=public)


def _zones(balancer: LoadBalancer) -> list[Members]:
    return [{"ZoneName": found.availability_zone, "SubnetId": subnet_id} for subnet_id, found in balancer.interfaces.items()]


def _shown(balancer: LoadBalancer) -> Members:
    return {
        "LoadBalancerArn": balancer.arn,
        "DNSName": balancer.dns_name,
        "CanonicalHostedZoneId": ZONE_ID,
        "CreatedTime": balancer.created,
        "LoadBalancerName": balancer.name,
        "Scheme": balancer.scheme,
        "VpcId": balancer.vpc_id,
        "State": {"Code": balancer.state, "Reason": balancer.reason},
        "Type": "application",
        "AvailabilityZones": _zones(balancer),
        "SecurityGroups": balancer.security_groups,
        "IpAddressType": balancer.ip_address_type,
    }
