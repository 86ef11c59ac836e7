# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ElastiCache's operations on replication groups."""

from __future__ import annotations

import datetime
import typing as t

from . import elasticache_catalogue as catalogue
from . import elasticache_checks as checks
from .elasticache_context import Context
from .elasticache_snapshots import begin_snapshot
from .elasticache_state import DELETING, NODE_GROUP, Group
from .query_protocol import ApiError, Members
from .stores import page

_FIXED = ["NodeGroupId", "Durability", "IpDiscovery", "UserGroupIdsToAdd", "UserGroupIdsToRemove", "LogDeliveryConfigurations"]


async def create_replication_group(context: Context, members: Members) -> Members:
    """https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_CreateReplicationGroup.html"""
    group_id = checks.identifier(members["ReplicationGroupId"], "ReplicationGroupId", 40)
    if group_id in context.state.groups:
        raise ApiError("ReplicationGroupAlreadyExists", f"Replication group {group_id} already exists.")
    checks.refuse(members, ["GlobalReplicationGroupId", "PrimaryClusterId", "ServerlessCacheSnapshotName"])
    configuration = (members.get("NodeGroupConfiguration") or [{}])[0]
    if configuration.get("ReplicaCount") is not None:
        members = {"ReplicasPerNodeGroup": configuration["ReplicaCount"], **members}
    number = checks.number_of_nodes(members)
    group = context.new_group(group_id, members, node_type=members.get("CacheNodeType"), standalone=False)
    checks.failover(automatic=group.automatic_failover, multi_az=group.multi_az, nodes=number)
    zones: list[str | None] = list(members.get("PreferredCacheClusterAZs") or [])
    if not zones and configuration.get("PrimaryAvailabilityZone"):
        zones = [configuration["PrimaryAvailabilityZone"], *(configuration.get("ReplicaAvailabilityZones") or [])]
    if zones and len(zones) != number:
        raise checks.combination(f"PreferredCacheClusterAZs names {len(zones)} zones for {number} cache clusters.")
    restored = _restored(context, group, members.get("SnapshotName"))
    await context.add(group, [f"{group_id}-{index:03}" for index in range(1, number + 1)], zones or [None] * number)
    group.nodes[0].restored_from = restored
    return {"ReplicationGroup": context.views.group(group)}


def _restored(context: Context, group: Group, name: str | None) -> str | None:
    if not name:
        return None
    snapshot = context.state.snapshots.get(name.lower())
    if snapshot is None:
        raise checks.invalid(f"Snapshot {name} not found.")
    if snapshot.engine != group.engine:
        raise checks.combination(f"Snapshot {snapshot.name} is one of {snapshot.engine}; this cloud's {group.engine} cannot read it.")
    return snapshot.name


async def describe_replication_groups(context: Context, members: Members) -> Members:
    """https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_DescribeReplicationGroups.html"""
    groups = context.state.replication_groups()
    if members.get("ReplicationGroupId"):
        groups = [checks.replication_group(context.state, members["ReplicationGroupId"])]
    found, marker = page(sorted(groups, key=lambda group: group.id), members)
    return {"ReplicationGroups": [context.views.group(group) for group in found], "Marker": marker}


async def modify_replication_group(context: Context, members: Members) -> Members:
    """https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_ModifyReplicationGroup.html

    Every change is made at once: nothing waits for the maintenance window here.
    """
    group = checks.available(checks.replication_group(context.state, members["ReplicationGroupId"]))
    checks.refuse(members, _FIXED)
    if members.get("TransitEncryptionEnabled", group.transit) != group.transit or members.get("ClusterMode", "disabled") != "disabled":
        raise checks.combination("This cloud cannot change TransitEncryptionEnabled or ClusterMode of a group that exists.")
    checks.windows(members)
    automatic = members.get("AutomaticFailoverEnabled", group.automatic_failover)
    multi_az = members.get("MultiAZEnabled", group.multi_az)
    checks.failover(automatic=automatic, multi_az=multi_az, nodes=len(group.staying))
    engine_version = _new_version(group, members)
    parameters = group.parameter_group
    if members.get("CacheParameterGroupName") or engine_version != group.engine_version:
        wanted = members.get("CacheParameterGroupName") or catalogue.default_group(catalogue.family_of(group.engine, engine_version))
        parameters = checks.matching_parameter_group(context.state, wanted, group.engine, engine_version).name
    node_type = checks.node_type(members.get("CacheNodeType", group.node_type))
    tokens = _new_tokens(group, members)
    primary = _new_primary(group, members)
    if members.get("SecurityGroupIds"):
        await context.set_security_groups(group, members["SecurityGroupIds"])
    group.automatic_failover, group.multi_az = automatic, multi_az
    group.engine_version, group.parameter_group, group.node_type = engine_version, parameters, node_type
    if tokens != group.auth_tokens:
        group.auth_tokens, group.auth_token_changed = tokens, datetime.datetime.now(datetime.UTC)
    group.description = members.get("ReplicationGroupDescription", group.description)
    group.primary = primary
    apply_windows(group, members)
    await context.controller.configure(group)
    context.modifying(group)
    return {"ReplicationGroup": context.views.group(group)}


def apply_windows(group: Group, members: Members) -> None:
    """Take over windows, retention and minor upgrades of a request that was checked."""
    group.snapshot_retention = members.get("SnapshotRetentionLimit", group.snapshot_retention)
    group.snapshot_window = members.get("SnapshotWindow") or group.snapshot_window
    group.maintenance_window = (members.get("PreferredMaintenanceWindow") or group.maintenance_window).lower()
    group.auto_minor_version_upgrade = members.get("AutoMinorVersionUpgrade", group.auto_minor_version_upgrade)


def _new_version(group: Group, members: Members) -> str:
    if members.get("Engine") and members["Engine"].lower() != group.engine:
        raise checks.combination(f"This cloud cannot turn {group.engine} into {members['Engine']}: neither reads the other's data here.")
    if not members.get("EngineVersion"):
        return group.engine_version
    versions = list(catalogue.VERSIONS[group.engine])
    _, wanted = checks.engine({"Engine": group.engine, "EngineVersion": members["EngineVersion"]})
    if versions.index(wanted) < versions.index(group.engine_version):
        raise checks.combination(f"Cannot change version {group.engine_version} to {wanted}: downgrades are not possible.")
    return wanted


def _new_tokens(group: Group, members: Members) -> list[str]:
    """The tokens that open the group afterwards: ROTATE lets the last one in beside the new one."""
    strategy = members.get("AuthTokenUpdateStrategy", "ROTATE")
    if strategy == "DELETE":
        return []
    token = members.get("AuthToken")
    if not token:
        return group.auth_tokens
    checks.auth_token(token, transit=group.transit)
    return [token] if strategy == "SET" else [*group.auth_tokens, token][-2:]


def _new_primary(group: Group, members: Members) -> str:
    wanted = (members.get("PrimaryClusterId") or group.primary).lower()
    if wanted == group.primary:
        return wanted
    if group.automatic_failover:
        raise checks.combination("PrimaryClusterId can be changed only while AutomaticFailoverEnabled is false.")
    if wanted not in [node.id for node in group.replicas]:
        raise ApiError("CacheClusterNotFound", f"{wanted} is not a replica of replication group {group.id}.", 404)
    return wanted


async def delete_replication_group(context: Context, members: Members) -> Members:
    """https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_DeleteReplicationGroup.html"""
    group = checks.available(checks.replication_group(context.state, members["ReplicationGroupId"]))
    checks.refuse(members, ["RetainPrimaryCluster"])
    if members.get("FinalSnapshotIdentifier"):
        await begin_snapshot(context, group, group.node(group.primary), members["FinalSnapshotIdentifier"], then_delete=True)
    else:
        context.delete(group)
    return {"ReplicationGroup": context.views.group(group)}


async def increase_replica_count(context: Context, members: Members) -> Members:
    """https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_IncreaseReplicaCount.html"""
    group, number = _resized(context, members)
    if number <= len(group.replicas):
        raise checks.invalid(f"NewReplicaCount {number} must be more than the {len(group.replicas)} replicas that there are.")
    if number + 1 > checks.MOST_NODES:
        raise checks.invalid(f"NewReplicaCount {number} is too many: a node group can have at most {checks.MOST_NODES} nodes.")
    used = {node.id for node in group.nodes}
    free = [name for name in (f"{group.id}-{index:03}" for index in range(1, 100)) if name not in used]
    context.modifying(group)
    for name in free[: number - len(group.replicas)]:
        await context.add_node(group, name)
    context.controller.keep(group)
    return {"ReplicationGroup": context.views.group(group)}


async def decrease_replica_count(context: Context, members: Members) -> Members:
    """https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_DecreaseReplicaCount.html"""
    group, number = _resized(context, members)
    going = [name.lower() for name in members.get("ReplicasToRemove") or []]
    for name in going:
        if name not in [node.id for node in group.replicas]:
            raise checks.invalid(f"{name} is not a replica of replication group {group.id}.")
    if going and members.get("NewReplicaCount") is None:
        number = len(group.replicas) - len(going)
    if not 0 <= number < len(group.replicas):
        raise checks.invalid(f"NewReplicaCount {number} must be less than the {len(group.replicas)} replicas that there are.")
    checks.failover(automatic=group.automatic_failover, multi_az=group.multi_az, nodes=number + 1)
    if not going:
        going = sorted(node.id for node in group.replicas)[number:]
    for name in going:
        group.node(name).leaving, group.node(name).status = True, DELETING
    context.modifying(group)
    return {"ReplicationGroup": context.views.group(group)}


def _resized(context: Context, members: Members) -> tuple[Group, int]:
    group = checks.available(checks.replication_group(context.state, members["ReplicationGroupId"]))
    if not members["ApplyImmediately"]:
        raise checks.invalid("ApplyImmediately must be true.")
    checks.refuse(members, ["ReplicaConfiguration"])
    return group, t.cast(int, members.get("NewReplicaCount", len(group.replicas)))


async def test_failover(context: Context, members: Members) -> Members:
    """https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_TestFailover.html"""
    group = checks.available(checks.replication_group(context.state, members["ReplicationGroupId"]))
    if members["NodeGroupId"] != NODE_GROUP:
        raise ApiError(
            "NodeGroupNotFoundFault", f"Node group {members['NodeGroupId']} of {group.id} not found: there is {NODE_GROUP}.", 404
        )
    if not group.automatic_failover:
        raise ApiError("InvalidReplicationGroupState", f"Automatic failover of replication group {group.id} must be enabled.")
    await context.controller.test_failover(group)
    return {"ReplicationGroup": context.views.group(group)}
