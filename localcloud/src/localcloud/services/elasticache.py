# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ElastiCache: the API's envelope and the life of what is behind it; the operations are in elasticache_groups and its siblings."""

from __future__ import annotations

import logging
import typing as t

from ministack.services import tagging

from ..input_model import service_model
from . import elasticache_clusters, elasticache_groups, elasticache_settings, elasticache_snapshots, query_protocol
from .elasticache_context import Context
from .elasticache_controller import Controller
from .elasticache_names import EndpointNames
from .elasticache_nodes import Nodes
from .elasticache_state import State
from .elasticache_views import Views
from .pace import Pace
from .query_protocol import ApiError, Members

if t.TYPE_CHECKING:
    from ..cloud import Cloud
    from . import Response

_log = logging.getLogger("localcloud.elasticache")

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


class ElastiCache:
    """The service `elasticache`."""

    def __init__(self, cloud: Cloud) -> None:
        state = State(cloud.region, cloud.account_id)
        elasticache_settings.add_default_parameter_groups(state)
        names, nodes = EndpointNames(cloud.name), Nodes(cloud)
        self._context = Context(cloud, state, nodes, Controller(cloud, state, nodes, names), Views(state, names), Pace("elasticache", 2.0))
        self._model = service_model("elasticache")
        _install_tags(self._context)

    async def stop(self) -> None:
        """Stop keeping groups; what exists is left for the clean-up."""
        await self._context.controller.stop()

    async def handle_request(
        self, method: str, path: str, headers: dict[str, str], body: bytes, query_params: dict[str, list[str]]
    ) -> Response:
        """Answer one request."""
        form = query_protocol.form_of(body, query_params)
        name = form.get("Action", "")
        try:
            if name not in OPERATIONS:
                raise ApiError("InvalidAction", f"This cloud's ElastiCache does not provide {name}.")
            operation = self._model.operation_model(name)
            members = query_protocol.parse(operation, form)
            return query_protocol.render(operation, await OPERATIONS[name](self._context, members))
        except ApiError as error:
            return query_protocol.render_error(error, self._model.metadata["xmlNamespace"])
        except Exception:  # a client must get an answer that it understands
            _log.exception("%s failed", name)
            error = ApiError("InternalFailure", "An internal error has occurred in the local cloud; its log has the traceback.", 500)
            return query_protocol.render_error(error, self._model.metadata["xmlNamespace"])

    async def admin(self, method: str, path: str, body: bytes) -> Response:
        """`seconds`: how long a creation is seen at least."""
        return self._context.pace.admin(method, path, body)


def _install_tags(context: Context) -> None:
    """Put our resources in the place of MiniStack's own in the Resource Groups Tagging API."""

    def collect() -> t.Iterator[tuple[str, list[dict[str, str]]]]:
        for arn, tags in list(context.state.tagged()):
            if tags:
                yield arn, [{"Key": key, "Value": value} for key, value in tags.items()]

    def change(arn: str, added: dict[str, str], removed: list[str]) -> None:
        try:
            elasticache_snapshots.change_tags(context, arn, added, removed)
        except ApiError as error:
            raise tagging._ResourceNotFound(arn) from error

    tagging._COLLECTORS["elasticache"] = collect
    tagging._WRITERS["elasticache"] = lambda _spec, arn, tags: change(arn, dict(tags), [])
    tagging._REMOVERS["elasticache"] = lambda _spec, arn, keys: change(arn, {}, list(keys))


def create(cloud: Cloud) -> ElastiCache:
    """The service of this cloud."""
    return ElastiCache(cloud)
