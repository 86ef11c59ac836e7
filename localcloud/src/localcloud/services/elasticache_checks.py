# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ElastiCache refuses, in its error codes, with a sentence that says what would be taken; pure."""

from __future__ import annotations

import re
import typing as t

from . import elasticache_catalogue as catalogue
from .elasticache_state import AVAILABLE, Group, Node, ParameterGroup, Snapshot, State, SubnetGroup
from .query_protocol import ApiError, Members

MOST_NODES = 6
_IDENTIFIER = re.compile(r"[a-z](?:-?[a-z0-9])*")
_TOKEN = re.compile(r"[!-~]{16,128}")
_DAYS = "mon|tue|wed|thu|fri|sat|sun"
_MAINTENANCE = re.compile(rf"(?:{_DAYS}):[0-2]\d:[0-5]\d-(?:{_DAYS}):[0-2]\d:[0-5]\d")
_SNAPSHOT = re.compile(r"[0-2]\d:[0-5]\d-[0-2]\d:[0-5]\d")


def invalid(message: str) -> ApiError:
    """A value that cannot be."""
    return ApiError("InvalidParameterValue", message)


def combination(message: str) -> ApiError:
    """Values that cannot be together."""
    return ApiError("InvalidParameterCombination", message)


def identifier(text: str, what: str, longest: int) -> str:
    """An id in lower case, as AWS keeps it."""
    text = text.lower()
    if not _IDENTIFIER.fullmatch(text) or len(text) > longest:
        raise invalid(
            f"The parameter {what} is not a valid identifier: it must begin with a letter, contain only ASCII letters, digits and "
            f"hyphens, not end with a hyphen nor contain two in a row, and have at most {longest} characters."
        )
    return text


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
    maintenance, snapshots = members.get("PreferredMaintenanceWindow"), members.get("SnapshotWindow")
    if maintenance and not _MAINTENANCE.fullmatch(maintenance.lower()):
        raise invalid(f"Invalid maintenance window {maintenance}: the form is ddd:hh24:mi-ddd:hh24:mi.")
    if snapshots and not _SNAPSHOT.fullmatch(snapshots):
        raise invalid(f"Invalid snapshot window {snapshots}: the form is hh24:mi-hh24:mi.")
    retention = members.get("SnapshotRetentionLimit")
    if retention is not None and not 0 <= retention <= 35:
        raise invalid(f"Invalid SnapshotRetentionLimit {retention}: 0 to 35 days.")


def tags_of(members: Members) -> dict[str, str]:
    """The tags of a request."""
    tags = {tag["Key"]: tag.get("Value", "") for tag in members.get("Tags") or []}
    for key in tags:
        if key.lower().startswith("aws:"):
            raise invalid(f"The tag key {key} begins with the reserved prefix aws:.")
    if len(tags) > 50:
        raise ApiError("TagQuotaPerResourceExceeded", "A resource can have at most 50 tags.")
    return tags


def refuse(members: Members, names: t.Iterable[str]) -> None:
    """Members that ask for what this cloud has not."""
    for name in names:
        if members.get(name):
            raise combination(f"This cloud's ElastiCache does not provide {name}.")
