# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Places servers of DB instances in the subnets of their group, behind their security groups."""

from __future__ import annotations

import asyncio
import typing as t

from ..emulation.vpcs import Vpcs
from ..errors import LocalCloudError
from . import rds_checks as checks
from .query_protocol import ApiError
from .rds_state import Instance, Server, State
from .stores import SubnetGroup

if t.TYPE_CHECKING:
    from ..cloud import Cloud


class Placement:
    """The network interfaces of one cloud's servers."""

    def __init__(self, cloud: Cloud, state: State) -> None:
        self._cloud = cloud
        self._state = state
        self._vpcs = Vpcs(cloud.region)

    def security_groups(self, group_name: str, wanted: list[str]) -> list[str]:
        """The security groups of a new instance in this subnet group: those, or the VPC's default one. Raises ApiError."""
        vpc_id = checks.subnet_group(self._state, group_name).subnets[0].vpc_id
        for group_id in wanted:
            found = self._vpcs.group_vpc(group_id)
            if found is None:
                raise checks.invalid(f"Invalid security group , groupId= {group_id}, groupName=.")
            if found != vpc_id:
                raise checks.combination(
                    "The DB instance and EC2 security group are in different VPCs. "
                    f"The DB instance is in {vpc_id} and the EC2 security group {group_id} is in {found}"
                )
        default = self._vpcs.default_group(vpc_id)
        return list(wanted) or ([default] if default else [])

    async def add(self, instance: Instance, zone: str | None = None) -> Server:
        """One more server: in this zone, or in one where the instance has none. Raises ApiError."""
        group = checks.subnet_group(self._state, instance.subnet_group)
        chosen = zone or _emptiest_zone(instance, group)
        subnet = next(subnet for subnet in group.subnets if subnet.availability_zone == chosen)
        try:
            interface = await asyncio.to_thread(
                self._cloud.interfaces.create, subnet.id, group_ids=instance.security_group_ids, description="RDSNetworkInterface",
                public=instance.publicly_accessible, guard=f"rds {instance.id}",
            )  # fmt: skip
        except KeyError as error:
            raise checks.invalid(f"Failed to place {instance.id}: {error.args[0]} does not exist.") from error
        except LocalCloudError as error:
            raise ApiError("InsufficientDBInstanceCapacity", str(error)) from error
        server = Server(instance.free_server_id(), interface)
        instance.servers.append(server)
        return server

    async def remove(self, instance: Instance) -> None:
        """Give back what was placed for an instance that is not made after all."""
        for server in instance.servers:
            await asyncio.to_thread(self._cloud.interfaces.delete, server.interface.id)

    async def set_security_groups(self, instance: Instance, group_ids: list[str]) -> None:
        """Put every server behind other security groups. Raises ApiError."""
        instance.security_group_ids = self.security_groups(instance.subnet_group, group_ids)
        for server in instance.servers:
            await asyncio.to_thread(self._cloud.interfaces.set_groups, server.interface.id, group_ids)


def _emptiest_zone(instance: Instance, group: SubnetGroup) -> str:
    used = [server.interface.availability_zone for server in instance.servers if not server.leaving]
    return min(group.zones, key=used.count)
