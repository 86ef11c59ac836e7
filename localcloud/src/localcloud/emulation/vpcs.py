# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Subnets, VPCs and security groups as services in a VPC need to see them, read from moto's EC2; changes nothing."""

from __future__ import annotations

import dataclasses
import ipaddress
import typing as t

from .instances import backends
from .moto import LOCK


@dataclasses.dataclass(frozen=True)
class Subnet:
    """A subnet and its place; `has_gateway` says whether an internet gateway is attached to its VPC."""

    id: str
    vpc_id: str
    zone: str
    has_gateway: bool


class Vpcs:
    """The VPCs of one region; safe for threads."""

    def __init__(self, region: str) -> None:
        self._region = region

    def subnet(self, subnet_id: str) -> Subnet | None:
        """The subnet with this id, or None."""
        with LOCK:
            for backend in self._backends():
                for by_zone in backend.subnets.values():
                    if subnet_id in by_zone:
                        found = by_zone[subnet_id]
                        gateways = (gateway.vpc.id for gateway in backend.internet_gateways.values() if gateway.vpc)
                        return Subnet(found.id, found.vpc_id, found.availability_zone, found.vpc_id in gateways)
        return None

    def exists(self, vpc_id: str) -> bool:
        """Whether there is a VPC with this id."""
        with LOCK:
            return any(vpc_id in backend.vpcs for backend in self._backends())

    def group_vpc(self, group_id: str) -> str | None:
        """The VPC of a security group, or None when there is no such group."""
        with LOCK:
            for backend in self._backends():
                group = backend.get_security_group_from_id(group_id)
                if group is not None:
                    return str(group.vpc_id)
        return None

    def default_group(self, vpc_id: str) -> str | None:
        """The id of the VPC's default security group."""
        with LOCK:
            for backend in self._backends():
                for group in backend.groups.get(vpc_id, {}).values():
                    if group.name == "default":
                        return str(group.id)
        return None

    def zone_of(self, vpc_id: str, address: str) -> str | None:
        """The Availability Zone of an address in a VPC: that of the interface that has it, else that of its subnet; None outside."""
        with LOCK:
            for backend in self._backends():
                for nic in backend.enis.values():
                    if nic.private_ip_address == address and nic.subnet.vpc_id == vpc_id:
                        return str(nic.subnet.availability_zone)
                for by_zone in backend.subnets.values():
                    for subnet in by_zone.values():
                        if subnet.vpc_id == vpc_id and ipaddress.ip_address(address) in ipaddress.ip_network(subnet.cidr_block):
                            return str(subnet.availability_zone)
        return None

    def _backends(self) -> list[t.Any]:
        return [backend for backend in backends() if backend.region_name == self._region]
