# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ElastiCache's operations on snapshots, which are real copies of a node's data, and on tags and events."""

from __future__ import annotations

import asyncio
import datetime
import logging

import docker.errors

from . import elasticache_checks as checks
from .elasticache_context import Context
from .elasticache_nodes import NodeError
from .elasticache_state import AVAILABLE, DELETING, SNAPSHOTTING, Group, Node, Snapshot
from .query_protocol import ApiError, Members
from .stores import events_asked_for, page

_log = logging.getLogger("localcloud.elasticache")
_tasks: set[asyncio.Task[None]] = set()


async def create_snapshot(context: Context, members: Members) -> Members:
    """https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_CreateSnapshot.html"""
    group_id, cluster_id = members.get("ReplicationGroupId"), members.get("CacheClusterId")
    if bool(group_id) == bool(cluster_id):
        raise checks.combination("Exactly one of ReplicationGroupId and CacheClusterId must be given.")
    if group_id:
        group = checks.replication_group(context.state, group_id)
        node = (group.replicas or group.nodes)[0]
    else:
        group, node = checks.cluster(context.state, str(cluster_id))
    checks.available(group)
    snapshot = await begin_snapshot(context, group, node, members["SnapshotName"], tags=checks.tags_of(members), of_group=bool(group_id))
    return {"Snapshot": context.views.snapshot(snapshot)}


async def begin_snapshot(
    context: Context,
    group: Group,
    node: Node,
    name: str,
    *,
    tags: dict[str, str] | None = None,
    of_group: bool = True,
    then_delete: bool = False,
) -> Snapshot:
    """Copy a node's data in the background; the group is snapshotting until then, and goes afterwards when that is wanted."""
    name = checks.identifier(name, "SnapshotName", 255)
    if name in context.state.snapshots:
        raise ApiError("SnapshotAlreadyExistsFault", f"Snapshot {name} already exists.")
    now = datetime.datetime.now(datetime.UTC)
    owner = group.id if of_group and not group.standalone else None
    snapshot = Snapshot(name, owner, node.id, group.engine, context.views.source_of(group), now, tags=dict(tags or {}))
    context.state.snapshots[name] = snapshot
    group.status = SNAPSHOTTING
    task = asyncio.create_task(_copy(context, group, node, snapshot, then_delete), name=f"snapshot {name}")
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)
    return snapshot


async def _copy(context: Context, group: Group, node: Node, snapshot: Snapshot, then_delete: bool) -> None:
    path = context.controller.snapshot_file(snapshot.name)
    try:
        data = await asyncio.to_thread(context.nodes.copy_data, group, node)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        await asyncio.sleep(context.pace.seconds / 2)
        snapshot.size, snapshot.status = len(data), AVAILABLE
        context.controller.record(node.id, "cache-cluster", f"Snapshot succeeded for snapshot with ID '{snapshot.name}' of {node.id}")
    except (*NodeError, docker.errors.DockerException) as error:
        _log.warning("snapshot %s of %s failed: %s", snapshot.name, node.id, error)
        context.state.snapshots.pop(snapshot.name, None)
        context.controller.record(node.id, "cache-cluster", f"Snapshot failed for snapshot with ID '{snapshot.name}': {error}")
        then_delete = False
    if then_delete:
        context.delete(group)
    else:
        context.modifying(group)


async def describe_snapshots(context: Context, members: Members) -> Members:
    """https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_DescribeSnapshots.html"""
    snapshots = list(context.state.snapshots.values())
    if members.get("SnapshotName"):
        snapshots = [checks.snapshot(context.state, members["SnapshotName"])]
    if members.get("ReplicationGroupId"):
        snapshots = [snapshot for snapshot in snapshots if snapshot.group_id == members["ReplicationGroupId"].lower()]
    if members.get("CacheClusterId"):
        snapshots = [snapshot for snapshot in snapshots if snapshot.cluster_id == members["CacheClusterId"].lower()]
    if members.get("SnapshotSource"):
        kinds = {"user": "manual", "system": "automated"}
        snapshots = [snapshot for snapshot in snapshots if snapshot.kind == kinds.get(members["SnapshotSource"])]
    found, marker = page(snapshots, {**members, "MaxRecords": members.get("MaxRecords") or 50})
    return {"Snapshots": [context.views.snapshot(snapshot) for snapshot in found], "Marker": marker}


async def delete_snapshot(context: Context, members: Members) -> Members:
    """https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_DeleteSnapshot.html"""
    snapshot = checks.snapshot(context.state, members["SnapshotName"])
    if snapshot.status != AVAILABLE:
        raise ApiError("InvalidSnapshotState", f"Snapshot {snapshot.name} is {snapshot.status}; it must be available.")
    del context.state.snapshots[snapshot.name]
    context.controller.snapshot_file(snapshot.name).unlink(missing_ok=True)
    snapshot.status = DELETING
    return {"Snapshot": context.views.snapshot(snapshot)}


# -- tags


def _tags(context: Context, arn: str) -> dict[str, str]:
    """The tags of a resource, to be changed in place."""
    kind, _, name = arn.removeprefix(context.state.arn("", "").rstrip(":")).strip(":").partition(":")
    for known, tags in context.state.tagged():
        if known == arn:
            return tags
    codes = {
        "replicationgroup": "ReplicationGroupNotFoundFault", "cluster": "CacheClusterNotFound", "snapshot": "SnapshotNotFoundFault",
        "subnetgroup": "CacheSubnetGroupNotFoundFault", "parametergroup": "CacheParameterGroupNotFound",
    }  # fmt: skip
    if kind not in codes:
        raise ApiError("InvalidARN", f"The resource name {arn} is not one of ElastiCache in this region.")
    raise ApiError(codes[kind], f"{name} was not found.", 404)


def _touched(context: Context, arn: str) -> list[dict[str, str]]:
    """The tags that a change of one resource's tags changes: those of a replication group are also its nodes'."""
    for group in context.state.replication_groups():
        if context.state.arn("replicationgroup", group.id) == arn:
            return [group.tags, *(group.node_tags.setdefault(node.id, dict(group.tags)) for node in group.nodes)]
    return [_tags(context, arn)]


def change_tags(context: Context, arn: str, added: dict[str, str], removed: list[str]) -> dict[str, str]:
    """Add and remove tags of a resource; its tags afterwards. Raises ApiError."""
    for tags in _touched(context, arn):
        tags.update(added)
        for key in removed:
            tags.pop(key, None)
    return _tags(context, arn)


def _tag_list(tags: dict[str, str]) -> Members:
    return {"TagList": [{"Key": key, "Value": value} for key, value in sorted(tags.items())]}


async def add_tags_to_resource(context: Context, members: Members) -> Members:
    """https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_AddTagsToResource.html"""
    return _tag_list(change_tags(context, members["ResourceName"], checks.tags_of(members), []))


async def remove_tags_from_resource(context: Context, members: Members) -> Members:
    """https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_RemoveTagsFromResource.html"""
    present = _tags(context, members["ResourceName"])
    for key in members["TagKeys"]:
        if key not in present:
            raise ApiError("TagNotFound", f"The tag {key} is not on {members['ResourceName']}.", 404)
    return _tag_list(change_tags(context, members["ResourceName"], {}, members["TagKeys"]))


async def list_tags_for_resource(context: Context, members: Members) -> Members:
    """https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_ListTagsForResource.html"""
    return _tag_list(_tags(context, members["ResourceName"]))


# -- events


async def describe_events(context: Context, members: Members) -> Members:
    """https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_DescribeEvents.html: of the last hour when nothing is said."""
    events = events_asked_for(context.state.events, members, datetime.datetime.now(datetime.UTC))
    found, marker = page(events, members)
    views = [{"SourceIdentifier": event.source, "SourceType": event.kind, "Message": event.message, "Date": event.date} for event in found]
    return {"Events": views, "Marker": marker}
