# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ElastiCache refuses, in its error codes, with a sentence that says what would be taken; pure."""

from __future__ import annotations

import re
import typing as t

from . import elasticache_catalogue as catalogue
from . import stores
from .elasticache_state import AVAILABLE, Group, Node, Snapshot, State
from .query_protocol import ApiError, Members
from .stores import ParameterGroup, SubnetGroup, Tags, combination, identifier, invalid

__all__ = ["combination", "identifier", "invalid"]

MOST_NODES = 6
_TOKEN = re.compile(r"[!-~]{16,128}")


# -- what exists


def replication_group(state: State, group_id: str) -> Group:
    """The replication group of this id."""
    group = state.groups.get(group_id.lower())
    if group is None or group.standalone:
        raise ApiError("ReplicationGroupNotFoundFault", f"ReplicationGroup {group_id} not found.", 404)
    return group


def available(group: Group) -> Group:
    """The same group, when it can be changed now."""
    if group.status != AVAILABLE:
        code = "InvalidCacheClusterState" if group.standalone else "InvalidReplicationGroupState"
        noun = "Cache cluster" if group.standalone else "Replication group"
        raise ApiError(code, f"{noun} {group.id} is {group.status}; it must be available.")
    return group


def cluster(state: State, cluster_id: str) -> tuple[Group, Node]:
    """The node of this id and its group."""
    for group, node in state.clusters():
        if node.id == cluster_id.lower():
            return group, node
    raise ApiError("CacheClusterNotFound", f"CacheCluster not found: {cluster_id}", 404)


def subnet_group(state: State, name: str | None) -> SubnetGroup:
    """The subnet group of this name; the default one, which AWS makes with a default VPC, does not exist here."""
    found = state.subnet_groups.get((name or "default").lower())
    if found is None:
        raise ApiError("CacheSubnetGroupNotFoundFault", f"Cache Subnet Group {name or 'default'} does not exist.")
    return found


def parameter_group(state: State, name: str) -> ParameterGroup:
    """The parameter group of this name, given or AWS's own default."""
    found = state.parameter_groups.get(name.lower())
    if found is None:
        raise ApiError("CacheParameterGroupNotFound", f"CacheParameterGroup {name} not found.", 404)
    return found


def snapshot(state: State, name: str) -> Snapshot:
    """The snapshot of this name."""
    found = state.snapshots.get(name.lower())
    if found is None:
        raise ApiError("SnapshotNotFoundFault", f"Snapshot {name} not found.", 404)
    return found


# -- what is asked for


def engine(members: Members) -> tuple[str, str]:
    """Engine and full version of a request."""
    name = (members.get("Engine") or "redis").lower()
    if name not in catalogue.VERSIONS:
        raise invalid(f"The engine {name} is not provided by this cloud: Engine must be redis or valkey.")
    version = catalogue.full_version(name, members.get("EngineVersion"))
    if version is None:
        known = ", ".join(catalogue.VERSIONS[name])
        raise combination(f"Cannot find version {members['EngineVersion']} for {name}: the versions are {known}.")
    return name, version


def node_type(name: str | None) -> str:
    """A node type that AWS has, of the kinds that this cloud knows."""
    if name not in catalogue.NODE_MEMORY:
        raise invalid(f"Invalid Cache Node Type: {name}. Known here are {', '.join(sorted(catalogue.NODE_MEMORY))}.")
    return str(name)


def matching_parameter_group(state: State, name: str | None, engine_name: str, version: str) -> ParameterGroup:
    """The group of this name, or the default one; its family must be that of the version."""
    family = catalogue.family_of(engine_name, version)
    found = parameter_group(state, name or catalogue.default_group(family))
    if found.family != family:
        raise combination(f"Expected a parameter group of family {family} but found one of family {found.family}")
    return found


def failover(*, automatic: bool, multi_az: bool, nodes: int) -> None:
    """The rules between automatic failover, Multi-AZ and the number of nodes."""
    if automatic and nodes < 2:
        raise combination(
            "Automatic failover is not supported for a replication group without replicas: it needs at least 2 cache clusters."
        )
    if multi_az and not automatic:
        raise combination("Multi-AZ needs AutomaticFailoverEnabled to be true.")


def number_of_nodes(members: Members) -> int:
    """How many nodes a request for a group without cluster mode means."""
    if (members.get("NumNodeGroups") or 1) != 1 or members.get("ClusterMode", "disabled") != "disabled":
        raise invalid("This cloud does not provide cluster mode: NumNodeGroups must be 1 and ClusterMode disabled.")
    if members.get("NumCacheClusters") is not None and members.get("ReplicasPerNodeGroup") is not None:
        raise combination("NumCacheClusters cannot be used with ReplicasPerNodeGroup.")
    number = members.get("NumCacheClusters")
    if number is None:
        replicas = members.get("ReplicasPerNodeGroup")
        number = 1 + replicas if replicas is not None else max(1, len(members.get("PreferredCacheClusterAZs") or []))
    if not 1 <= number <= MOST_NODES:
        raise invalid(f"The number of cache clusters must be from 1 to {MOST_NODES}, not {number}.")
    return int(number)


def auth_token(token: str, *, transit: bool) -> str:
    """A token that AWS takes: 16 to 128 printable characters, without some."""
    if not transit:
        raise combination("AuthToken needs TransitEncryptionEnabled to be true.")
    if not _TOKEN.fullmatch(token) or set(token) & set('/"@'):
        raise invalid('Invalid AuthToken: 16 to 128 printable ASCII characters without spaces and without /, " and @.')
    return token


def windows(members: Members) -> None:
    """Maintenance and snapshot windows of a request."""
    stores.windows(members.get("PreferredMaintenanceWindow"), members.get("SnapshotWindow"), "snapshot")
    retention = members.get("SnapshotRetentionLimit")
    if retention is not None and not 0 <= retention <= 35:
        raise invalid(f"Invalid SnapshotRetentionLimit {retention}: 0 to 35 days.")


def tags_of(members: Members) -> Tags:
    """The tags of a request."""
    tags = stores.tags_of(members, "aws:")
    if len(tags) > 50:
        raise ApiError("TagQuotaPerResourceExceeded", "A resource can have at most 50 tags.")
    return tags


def refuse(members: Members, names: t.Iterable[str]) -> None:
    """Members that ask for what this cloud has not."""
    stores.refuse(members, "ElastiCache", names)
