# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ElastiCache: the API's envelope and the life of what is behind it; the operations are in elasticache_groups and its siblings."""

from __future__ import annotations

import typing as t

from . import elasticache_clusters, elasticache_groups, elasticache_settings, elasticache_snapshots
from .elasticache_context import Context
from .elasticache_controller import Controller
from .elasticache_names import EndpointNames
from .elasticache_nodes import Nodes
from .elasticache_state import State
from .elasticache_views import Views
from .pace import Pace
from .query_protocol import Members
from .query_service import QueryService, install_tags

if t.TYPE_CHECKING:
    from ..cloud import Cloud

Operation = t.Callable[[Context, Members], t.Awaitable[Members]]

OPERATIONS: dict[str, Operation] = {
    "AddTagsToResource": elasticache_snapshots.add_tags_to_resource,
    "CreateCacheCluster": elasticache_clusters.create_cache_cluster,
    "CreateCacheParameterGroup": elasticache_settings.create_cache_parameter_group,
    "CreateCacheSubnetGroup": elasticache_settings.create_cache_subnet_group,
    "CreateReplicationGroup": elasticache_groups.create_replication_group,
    "CreateSnapshot": elasticache_snapshots.create_snapshot,
    "DecreaseReplicaCount": elasticache_groups.decrease_replica_count,
    "DeleteCacheCluster": elasticache_clusters.delete_cache_cluster,
    "DeleteCacheParameterGroup": elasticache_settings.delete_cache_parameter_group,
    "DeleteCacheSubnetGroup": elasticache_settings.delete_cache_subnet_group,
    "DeleteReplicationGroup": elasticache_groups.delete_replication_group,
    "DeleteSnapshot": elasticache_snapshots.delete_snapshot,
    "DescribeCacheClusters": elasticache_clusters.describe_cache_clusters,
    "DescribeCacheEngineVersions": elasticache_settings.describe_cache_engine_versions,
    "DescribeCacheParameterGroups": elasticache_settings.describe_cache_parameter_groups,
    "DescribeCacheParameters": elasticache_settings.describe_cache_parameters,
    "DescribeCacheSubnetGroups": elasticache_settings.describe_cache_subnet_groups,
    "DescribeEvents": elasticache_snapshots.describe_events,
    "DescribeReplicationGroups": elasticache_groups.describe_replication_groups,
    "DescribeSnapshots": elasticache_snapshots.describe_snapshots,
    "IncreaseReplicaCount": elasticache_groups.increase_replica_count,
    "ListTagsForResource": elasticache_snapshots.list_tags_for_resource,
    "ModifyCacheCluster": elasticache_clusters.modify_cache_cluster,
    "ModifyCacheParameterGroup": elasticache_settings.modify_cache_parameter_group,
    "ModifyCacheSubnetGroup": elasticache_settings.modify_cache_subnet_group,
    "ModifyReplicationGroup": elasticache_groups.modify_replication_group,
    "RebootCacheCluster": elasticache_clusters.reboot_cache_cluster,
    "RemoveTagsFromResource": elasticache_snapshots.remove_tags_from_resource,
    "ResetCacheParameterGroup": elasticache_settings.reset_cache_parameter_group,
    "TestFailover": elasticache_groups.test_failover,
}


class ElastiCache(QueryService[Context]):
    """The service `elasticache`."""

    def __init__(self, cloud: Cloud) -> None:
        state = State(cloud.region, cloud.account_id)
        elasticache_settings.add_default_parameter_groups(state)
        names, nodes = EndpointNames(cloud.name), Nodes(cloud)
        context = Context(cloud, state, nodes, Controller(cloud, state, nodes, names), Views(state, names), Pace("elasticache", 2.0))
        super().__init__("elasticache", "ElastiCache", OPERATIONS, context)
        install_tags("elasticache", context, elasticache_snapshots.change_tags)


def create(cloud: Cloud) -> ElastiCache:
    """The service of this cloud."""
    return ElastiCache(cloud)
