# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ElastiCache's operations share: the state, the controller, how long things take, and placing nodes in subnets."""

from __future__ import annotations

import asyncio
import dataclasses
import datetime
import secrets
import time
import typing as t

from ..emulation.kms_keys import key_arn
from ..errors import LocalCloudError
from . import elasticache_checks as checks
from .elasticache_controller import Controller
from .elasticache_nodes import Nodes
from .elasticache_state import AVAILABLE, CREATING, DELETING, MODIFYING, Group, Node, State
from .elasticache_views import Views
from .query_protocol import ApiError, Members
from .stores import SubnetGroup

if t.TYPE_CHECKING:
    from ..cloud import Cloud
    from .pace import Pace

PORT = 6379


@dataclasses.dataclass
class Context:
    """One cloud's ElastiCache. `pace.seconds`: the least time that a creation is seen as such; a change takes half of it."""

    cloud: Cloud
    state: State
    nodes: Nodes
    controller: Controller
    views: Views
    pace: Pace

    def new_group(self, group_id: str, members: Members, *, node_type: str | None, standalone: bool) -> Group:
        """A group of a request, without nodes yet and not in the state. Raises ApiError."""
        engine, version = checks.engine(members)
        parameters = checks.matching_parameter_group(self.state, members.get("CacheParameterGroupName"), engine, version)
        subnets = checks.subnet_group(self.state, members.get("CacheSubnetGroupName"))
        checks.windows(members)
        checks.refuse(
            members, ["CacheSecurityGroupNames", "SnapshotArns", "LogDeliveryConfigurations", "UserGroupIds", "DataTieringEnabled"]
        )
        if members.get("TransitEncryptionMode") == "preferred":
            raise checks.invalid(
                "This cloud serves TLS or plain connections, not both at one port: TransitEncryptionMode must be required."
            )
        transit = bool(members.get("TransitEncryptionEnabled"))
        token = members.get("AuthToken")
        now = datetime.datetime.now(datetime.UTC)
        return Group(
            id=group_id,
            description=members.get("ReplicationGroupDescription", ""),
            engine=engine,
            engine_version=version,
            node_type=checks.node_type(node_type),
            port=members.get("Port") or PORT,
            subnet_group=subnets.name,
            parameter_group=parameters.name,
            security_group_ids=list(members.get("SecurityGroupIds") or []),
            maintenance_window=(members.get("PreferredMaintenanceWindow") or "sun:18:00-sun:19:00").lower(),
            snapshot_window=members.get("SnapshotWindow") or "16:00-17:00",
            snapshot_retention=members.get("SnapshotRetentionLimit") or 0,
            created=now,
            secret=secrets.token_hex(16),
            standalone=standalone,
            automatic_failover=bool(members.get("AutomaticFailoverEnabled")),
            multi_az=bool(members.get("MultiAZEnabled")),
            auto_minor_version_upgrade=members.get("AutoMinorVersionUpgrade") is not False,
            at_rest=bool(members.get("AtRestEncryptionEnabled")),
            kms_key=self._key(members.get("KmsKeyId")),
            transit=transit,
            auth_tokens=[checks.auth_token(token, transit=transit)] if token else [],
            auth_token_changed=now if token else None,
            tags=checks.tags_of(members),
        )

    def _key(self, given: str | None) -> str | None:
        if not given:
            return None
        found = key_arn(given, self.state.region, self.state.account_id)
        if found is None:
            raise ApiError("InvalidKMSKeyFault", f"The KMS key supplied is not valid: {given}")
        return found

    async def add_node(self, group: Group, node_id: str, zone: str | None = None) -> Node:
        """Place a new node: in this zone, or in that with the fewest nodes of the group. Raises ApiError."""
        subnets = checks.subnet_group(self.state, group.subnet_group)
        if zone is None:
            zone = _emptiest_zone(group, subnets)
        matching = [subnet for subnet in subnets.subnets if subnet.availability_zone == zone]
        if not matching:
            raise checks.invalid(f"The cache subnet group {subnets.name} has no subnet in the availability zone {zone}.")
        try:
            interface = await asyncio.to_thread(
                self.cloud.interfaces.create, matching[0].id, group_ids=group.security_group_ids, description=f"ElastiCache {node_id}"
            )
        except KeyError as error:
            raise checks.invalid(f"Failed to place {node_id}: {error.args[0]} does not exist.") from error
        except LocalCloudError as error:
            raise ApiError("InsufficientCacheClusterCapacity", str(error)) from error
        node = Node(node_id, interface, datetime.datetime.now(datetime.UTC))
        group.nodes.append(node)
        return node

    async def add(self, group: Group, node_ids: list[str], zones: list[str | None]) -> None:
        """Begin a new group with these nodes, the first one as primary; nothing is left of it when one cannot be placed."""
        group.status, group.busy_until = CREATING, time.monotonic() + self.pace.seconds
        self.state.groups[group.id] = group
        try:
            for node_id, zone in zip(node_ids, zones, strict=True):
                await self.add_node(group, node_id, zone)
        except ApiError:
            del self.state.groups[group.id]
            for node in group.nodes:
                await asyncio.to_thread(self.cloud.interfaces.delete, node.interface.id)
            raise
        group.primary = node_ids[0]
        self.controller.keep(group)

    def modifying(self, group: Group) -> None:
        """The group is being changed: available again when all is as wanted and the time has passed."""
        group.status, group.busy_until = MODIFYING, time.monotonic() + self.pace.seconds / 2
        if group.standalone and group.nodes[0].status == AVAILABLE:
            group.nodes[0].status = MODIFYING  # it is what the API shows of such a group
        self.controller.keep(group)

    def delete(self, group: Group) -> None:
        """The group and its nodes go; the controller does the rest."""
        group.status, group.busy_until = DELETING, time.monotonic() + self.pace.seconds / 2
        for node in group.nodes:
            node.status = DELETING
        self.controller.keep(group)

    async def set_security_groups(self, group: Group, group_ids: list[str]) -> None:
        """Put every node into other security groups. Raises ApiError."""
        try:
            for node in group.nodes:
                await asyncio.to_thread(self.cloud.interfaces.set_groups, node.interface.id, group_ids)
        except KeyError as error:
            raise checks.invalid(f"The security group {error.args[0]} does not exist.") from error
        group.security_group_ids = list(group_ids)


def _emptiest_zone(group: Group, subnets: SubnetGroup) -> str:
    used = [node.interface.availability_zone for node in group.staying]
    return min(subnets.zones, key=used.count)
