# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""What a cache replication group is to be, and which calls in which order make it so without losing data; no I/O and no clock."""

from __future__ import annotations

import dataclasses

MOST_REPLICAS = 5


class ReplicationGroupError(Exception):
    """What is asked for cannot be; the message says what to do instead."""


@dataclasses.dataclass(frozen=True)
class Group:
    """A replication group's configuration. As a wish, None means: leave it as it is, or AWS's default for a new group."""

    name: str
    description: str | None = None
    engine: str | None = None
    engine_version: str | None = None
    node_type: str | None = None
    port: int | None = None
    replicas: int | None = None
    automatic_failover: bool | None = None
    multi_az: bool | None = None
    subnet_group: str | None = None
    security_group_ids: tuple | None = None
    parameter_group: str | None = None
    at_rest_encryption: bool | None = None
    kms_key_id: str | None = None
    transit_encryption: bool | None = None
    snapshot_retention: int | None = None
    snapshot_window: str | None = None
    maintenance_window: str | None = None
    auto_minor_version_upgrade: bool | None = None
    auth_token: bool | None = None
    tags: dict | None = None


@dataclasses.dataclass(frozen=True)
class Step:
    """One call. `action` is create, tag, untag, increase, modify, decrease or delete; `arguments` are the API's own."""

    action: str
    arguments: dict


@dataclasses.dataclass(frozen=True)
class Plan:
    """Calls in their order, and the configuration afterwards (None: the group is gone)."""

    steps: tuple
    after: Group | None


# option -> argument of ModifyReplicationGroup, and of CreateReplicationGroup where it has the same name
_MODIFIABLE = {
    "description": "ReplicationGroupDescription",
    "engine_version": "EngineVersion",
    "node_type": "CacheNodeType",
    "automatic_failover": "AutomaticFailoverEnabled",
    "multi_az": "MultiAZEnabled",
    "parameter_group": "CacheParameterGroupName",
    "snapshot_retention": "SnapshotRetentionLimit",
    "snapshot_window": "SnapshotWindow",
    "maintenance_window": "PreferredMaintenanceWindow",
    "auto_minor_version_upgrade": "AutoMinorVersionUpgrade",
}
_AT_CREATION = {
    "port": "Port",
    "subnet_group": "CacheSubnetGroupName",
    "at_rest_encryption": "AtRestEncryptionEnabled",
    "kms_key_id": "KmsKeyId",
    "transit_encryption": "TransitEncryptionEnabled",
}


def completed(wanted, before):
    """The wish with what follows from its parts. Raises ReplicationGroupError when they contradict each other.

    Multi-AZ needs automatic failover, which needs a replica; a group that is to have none can have neither.
    """
    automatic, multi_az, replicas = wanted.automatic_failover, wanted.multi_az, wanted.replicas
    if multi_az and automatic is False:
        raise ReplicationGroupError(
            f"Failed to plan replication group {wanted.name}: multi_az needs automatic_failover. "
            "Set automatic_failover to true, or leave it out."
        )
    if replicas is not None and not 0 <= replicas <= MOST_REPLICAS:
        raise ReplicationGroupError(
            f"Failed to plan replication group {wanted.name}: replicas is {replicas}. "
            f"Use 0 to {MOST_REPLICAS}; AWS allows no more in a shard."
        )
    if replicas == 0 and (multi_az or automatic):
        raise ReplicationGroupError(
            f"Failed to plan replication group {wanted.name}: multi_az and automatic_failover need a replica, and replicas is 0. "
            "Set replicas to 1 or more, or both to false."
        )
    if multi_az:
        automatic = True
    if replicas == 0:
        automatic = multi_az = False
    if automatic is False and multi_az is None and before is not None and before.multi_az:
        multi_az = False
    if replicas is None and automatic:
        replicas = max(1, before.replicas if before is not None else 0)
    return dataclasses.replace(wanted, automatic_failover=automatic, multi_az=multi_az, replicas=replicas)


def same_version(wanted, actual):
    """Whether a full version is the wanted one: ``7.1`` and ``7.1.0`` are, ``6.x`` is every ``6``."""
    parts = wanted.removesuffix(".x").split(".") if wanted else []
    return (actual or "").split(".")[: len(parts)] == parts


def same_parameter_group(wanted, actual):
    """Names of parameter groups are the same in any case."""
    return wanted.lower() == (actual or "").lower()


_SAME = {
    "engine_version": same_version,
    "parameter_group": same_parameter_group,
    "maintenance_window": lambda wanted, actual: wanted.lower() == (actual or "").lower(),
    "subnet_group": lambda wanted, actual: wanted.lower() == (actual or "").lower(),
}


def differs(name, wanted, before):
    """Whether the wish for one option is not met."""
    value = getattr(wanted, name)
    if value is None:
        return False
    actual = getattr(before, name)
    return not _SAME[name](value, actual) if name in _SAME else value != actual


def _check_unchangeable(wanted, before):
    """Raises ReplicationGroupError for the first option that AWS cannot change on a group that exists."""
    for name in _AT_CREATION:
        if getattr(before, name) is not None and differs(name, wanted, before):
            raise ReplicationGroupError(
                f"Failed to change {name} of replication group {before.name} from {getattr(before, name)} to {getattr(wanted, name)}: "
                "AWS fixes it when a group is created. "
                "Create a group of another name from a snapshot of this one, and move the application."
            )
    if wanted.engine is not None and wanted.engine != before.engine and (before.engine, wanted.engine) != ("redis", "valkey"):
        raise ReplicationGroupError(
            f"Failed to change replication group {before.name} from {before.engine} to {wanted.engine}: AWS only changes redis to valkey. "
            "Create a group of another name, and move the application."
        )


def creation(wanted, auth_token=None):
    """Arguments of CreateReplicationGroup. Raises ReplicationGroupError when something that AWS needs is missing."""
    if not wanted.node_type:
        raise ReplicationGroupError(
            f"Failed to plan replication group {wanted.name}: it does not exist, and node_type is missing. Set node_type, for example "
            "cache.t4g.micro."
        )
    arguments = {
        "ReplicationGroupDescription": wanted.name,
        "Engine": wanted.engine or "valkey",
        "NumCacheClusters": 1 + (wanted.replicas or 0),
    }
    for name, argument in {**_MODIFIABLE, **_AT_CREATION}.items():
        if getattr(wanted, name) is not None:
            arguments[argument] = getattr(wanted, name)
    if wanted.security_group_ids:
        arguments["SecurityGroupIds"] = list(wanted.security_group_ids)
    if wanted.tags:
        arguments["Tags"] = tag_list(wanted.tags)
    if auth_token is not None:
        arguments["AuthToken"] = auth_token
    return arguments


def tag_list(tags):
    """Tags as the API takes them."""
    return [{"Key": key, "Value": str(value)} for key, value in sorted(tags.items())]


def decide(before, wanted, *, purge_tags=True, auth_token=None, auth_token_update=None):
    """The plan from what is there (None: nothing) to what is wanted. Raises ReplicationGroupError.

    A replica is added before failover is switched on, and removed after it is switched off: in both directions the group takes
    writes all the time and the primary keeps its data. Tags come first, because AWS refuses to tag a group that is being changed.
    """
    wanted = completed(wanted, before)
    if before is None:
        arguments = creation(wanted, auth_token)
        after = dataclasses.replace(
            wanted,
            description=arguments["ReplicationGroupDescription"],
            engine=arguments["Engine"],
            replicas=arguments["NumCacheClusters"] - 1,
            tags=wanted.tags or {},
            auth_token=auth_token is not None,
        )
        return Plan((Step("create", arguments),), after)
    _check_unchangeable(wanted, before)
    steps = [*_tag_steps(before, wanted, purge_tags)]
    after = dataclasses.replace(before, tags=_tags_after(before, wanted, purge_tags))
    if wanted.replicas is not None and wanted.replicas > before.replicas:
        steps.append(Step("increase", {"NewReplicaCount": wanted.replicas}))
    changed = {name: getattr(wanted, name) for name in _MODIFIABLE if differs(name, wanted, before)}
    arguments = {_MODIFIABLE[name]: value for name, value in changed.items()}
    if wanted.engine is not None and wanted.engine != before.engine:
        arguments["Engine"] = changed["engine"] = wanted.engine
    if wanted.security_group_ids is not None and set(wanted.security_group_ids) != set(before.security_group_ids):
        arguments["SecurityGroupIds"] = list(wanted.security_group_ids)
        changed["security_group_ids"] = wanted.security_group_ids
    if auth_token_update is not None:
        strategy = auth_token_update.upper()
        arguments["AuthTokenUpdateStrategy"] = strategy
        changed["auth_token"] = strategy != "DELETE"
        if strategy != "DELETE":
            arguments["AuthToken"] = auth_token
    if arguments:
        steps.append(Step("modify", arguments))
        after = dataclasses.replace(after, **changed)
    if wanted.replicas is not None and wanted.replicas < before.replicas:
        steps.append(Step("decrease", {"NewReplicaCount": wanted.replicas}))
    if wanted.replicas is not None:
        after = dataclasses.replace(after, replicas=wanted.replicas)
    return Plan(tuple(steps), after)


def _tags_after(before, wanted, purge_tags):
    if wanted.tags is None:
        return before.tags
    kept = {} if purge_tags else before.tags
    reserved = {key: value for key, value in before.tags.items() if key.startswith("aws:")}
    return {**kept, **reserved, **{key: str(value) for key, value in wanted.tags.items()}}


def _tag_steps(before, wanted, purge_tags):
    after = _tags_after(before, wanted, purge_tags)
    gone = sorted(before.tags.keys() - after.keys())
    added = {key: value for key, value in after.items() if before.tags.get(key) != value}
    if gone:
        yield Step("untag", {"TagKeys": gone})
    if added:
        yield Step("tag", {"Tags": tag_list(added)})


def removal(before, final_snapshot=None):
    """The plan that removes a group."""
    if before is None:
        return Plan((), None)
    return Plan((Step("delete", {"FinalSnapshotIdentifier": final_snapshot} if final_snapshot else {}),), None)


# -- from and to the API's shapes


def from_api(group, clusters, tags):
    """A Group from a ReplicationGroup, its CacheClusters and its tags."""
    first = clusters[0] if clusters else {}
    node_groups = group.get("NodeGroups") or [{}]
    port = (node_groups[0].get("PrimaryEndpoint") or {}).get("Port")
    return Group(
        name=group["ReplicationGroupId"],
        description=group.get("Description", ""),
        engine=first.get("Engine") or group.get("Engine", "redis"),
        engine_version=first.get("EngineVersion", ""),
        node_type=group.get("CacheNodeType", ""),
        port=port,
        replicas=max(0, len(group.get("MemberClusters", [])) - 1),
        automatic_failover=group.get("AutomaticFailover", "disabled") in ("enabled", "enabling"),
        multi_az=group.get("MultiAZ") == "enabled",
        subnet_group=first.get("CacheSubnetGroupName", ""),
        security_group_ids=tuple(sorted(item["SecurityGroupId"] for item in first.get("SecurityGroups", []))),
        parameter_group=first.get("CacheParameterGroup", {}).get("CacheParameterGroupName", ""),
        at_rest_encryption=group.get("AtRestEncryptionEnabled", False),
        kms_key_id=group.get("KmsKeyId", ""),
        transit_encryption=group.get("TransitEncryptionEnabled", False),
        snapshot_retention=group.get("SnapshotRetentionLimit", 0),
        snapshot_window=group.get("SnapshotWindow", ""),
        maintenance_window=first.get("PreferredMaintenanceWindow", ""),
        auto_minor_version_upgrade=group.get("AutoMinorVersionUpgrade", True),
        auth_token=group.get("AuthTokenEnabled", False),
        tags=dict(tags),
    )


def configuration(group):
    """The configuration as a dictionary, for results and diffs; what is not known is left out."""
    if group is None:
        return {}
    shown = {name: value for name, value in dataclasses.asdict(group).items() if value is not None}
    if "security_group_ids" in shown:
        shown["security_group_ids"] = sorted(shown["security_group_ids"])
    return shown


def live(group, clusters):
    """What only a group that exists has: status, endpoints, members, ARN."""
    statuses = {cluster["CacheClusterId"]: cluster.get("CacheClusterStatus", "") for cluster in clusters}
    node_group = (group.get("NodeGroups") or [{}])[0]
    members = [
        {
            "id": member["CacheClusterId"],
            "role": member.get("CurrentRole", ""),
            "status": statuses.get(member["CacheClusterId"], ""),
            "availability_zone": member.get("PreferredAvailabilityZone", ""),
            "endpoint": endpoint(member.get("ReadEndpoint")),
        }
        for member in node_group.get("NodeGroupMembers", [])
    ]
    return {
        "status": group.get("Status", ""),
        "arn": group.get("ARN", ""),
        "primary_endpoint": endpoint(node_group.get("PrimaryEndpoint")),
        "reader_endpoint": endpoint(node_group.get("ReaderEndpoint")),
        "members": sorted(members, key=lambda member: member["id"]),
    }


def endpoint(found):
    """An Endpoint as a dictionary of ``address`` and ``port``; None when there is none yet."""
    return {"address": found["Address"], "port": found["Port"]} if found and found.get("Address") else None
