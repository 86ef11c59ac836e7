# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ElastiCache's operations on cache clusters: the nodes of replication groups, and single nodes that belong to none."""

from __future__ import annotations

import asyncio

from . import elasticache_checks as checks
from .elasticache_context import Context
from .elasticache_groups import apply_windows
from .elasticache_state import AVAILABLE, REBOOTING
from .query_protocol import ApiError, Members
from .stores import page


async def create_cache_cluster(context: Context, members: Members) -> Members:
    """https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_CreateCacheCluster.html"""
    cluster_id = checks.identifier(members["CacheClusterId"], "CacheClusterId", 50)
    if cluster_id in context.state.groups or cluster_id in [node.id for _, node in context.state.clusters()]:
        raise ApiError("CacheClusterAlreadyExists", f"Cache cluster {cluster_id} already exists.")
    if (members.get("Engine") or "memcached").lower() == "memcached":
        raise checks.invalid("This cloud does not provide Memcached: Engine must be redis or valkey.")
    if members.get("NumCacheNodes", 1) != 1:
        raise checks.invalid("NumCacheNodes must be 1 for redis and valkey; use a replication group for more.")
    checks.refuse(members, ["ReplicationGroupId", "PreferredAvailabilityZones", "SnapshotName"])
    group = context.new_group(cluster_id, members, node_type=members.get("CacheNodeType"), standalone=True)
    await context.add(group, [cluster_id], [members.get("PreferredAvailabilityZone")])
    return {"CacheCluster": context.views.cluster(group, group.nodes[0], with_nodes=False)}


async def describe_cache_clusters(context: Context, members: Members) -> Members:
    """https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_DescribeCacheClusters.html"""
    clusters = context.state.clusters()
    if members.get("CacheClusterId"):
        clusters = [checks.cluster(context.state, members["CacheClusterId"])]
    if members.get("ShowCacheClustersNotInReplicationGroups"):
        clusters = [(group, node) for group, node in clusters if group.standalone]
    found, marker = page(clusters, members)
    with_nodes = bool(members.get("ShowCacheNodeInfo"))
    return {"CacheClusters": [context.views.cluster(group, node, with_nodes=with_nodes) for group, node in found], "Marker": marker}


async def modify_cache_cluster(context: Context, members: Members) -> Members:
    """https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_ModifyCacheCluster.html"""
    group, node = checks.cluster(context.state, members["CacheClusterId"])
    if not group.standalone:
        raise ApiError("InvalidCacheClusterState", f"{node.id} belongs to replication group {group.id}: modify that one.")
    checks.available(group)
    if members.get("NumCacheNodes", 1) != 1:
        raise checks.invalid("NumCacheNodes must be 1 for redis and valkey.")
    checks.refuse(
        members, ["CacheSecurityGroupNames", "CacheNodeIdsToRemove", "NewAvailabilityZones", "LogDeliveryConfigurations", "AuthToken"]
    )
    checks.windows(members)
    _, version = checks.engine({"Engine": group.engine, "EngineVersion": members.get("EngineVersion") or group.engine_version})
    wanted = members.get("CacheParameterGroupName") or group.parameter_group
    parameters = checks.matching_parameter_group(context.state, wanted, group.engine, version)
    node_type = checks.node_type(members.get("CacheNodeType") or group.node_type)
    if members.get("SecurityGroupIds"):
        await context.set_security_groups(group, members["SecurityGroupIds"])
    group.engine_version, group.parameter_group, group.node_type = version, parameters.name, node_type
    apply_windows(group, members)
    await context.controller.configure(group)
    context.modifying(group)
    return {"CacheCluster": context.views.cluster(group, node, with_nodes=False)}


async def delete_cache_cluster(context: Context, members: Members) -> Members:
    """https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_DeleteCacheCluster.html"""
    group, node = checks.cluster(context.state, members["CacheClusterId"])
    if not group.standalone:
        raise ApiError("InvalidCacheClusterState", f"{node.id} belongs to replication group {group.id}: use DecreaseReplicaCount.")
    checks.available(group)
    checks.refuse(members, ["FinalSnapshotIdentifier"])
    context.delete(group)
    return {"CacheCluster": context.views.cluster(group, node, with_nodes=False)}


async def reboot_cache_cluster(context: Context, members: Members) -> Members:
    """https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_RebootCacheCluster.html"""
    group, node = checks.cluster(context.state, members["CacheClusterId"])
    if node.status != AVAILABLE or group.status != AVAILABLE:
        raise ApiError("InvalidCacheClusterState", f"Cache cluster {node.id} is {node.status}; it must be available.")
    node.status = REBOOTING
    view = context.views.cluster(group, node, with_nodes=True)
    await asyncio.to_thread(context.nodes.restart, node)
    context.controller.record(node.id, "cache-cluster", f"Cache node 0001 of {node.id} restarted")
    context.modifying(group)
    return {"CacheCluster": view}
