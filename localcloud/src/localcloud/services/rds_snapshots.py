# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""RDS's operations on snapshots, which are real copies of an instance's data."""

from __future__ import annotations

import asyncio
import dataclasses
import datetime
import typing as t

from . import rds_catalogue as catalogue
from . import rds_checks as checks
from .query_protocol import ApiError, Members
from .rds_context import Context, matching
from .rds_controller import Failure
from .rds_state import AVAILABLE, BACKING_UP, Instance, Snapshot
from .stores import page

_FILTERS: dict[str, t.Callable[[Snapshot], str]] = {
    "db-instance-id": lambda snapshot: snapshot.source.id,
    "db-snapshot-id": lambda snapshot: snapshot.name,
    "dbi-resource-id": lambda snapshot: snapshot.source.resource_id,
    "engine": lambda snapshot: catalogue.ENGINE,
    "snapshot-type": lambda snapshot: "manual",
}


def begin_snapshot(context: Context, instance: Instance, name: str, tags: dict[str, str]) -> Snapshot:
    """Note a snapshot that is to be copied. Raises ApiError."""
    name = checks.free_snapshot_name(context.state, name)
    zone = instance.server(instance.primary).interface
    source = dataclasses.replace(instance, servers=[], tags={}, pending={}, due=set())
    inherited = dict(instance.tags) if instance.copy_tags else {}
    snapshot = Snapshot(name, source, zone.availability_zone, zone.vpc_id, datetime.datetime.now(datetime.UTC), tags={**inherited, **tags})
    context.state.snapshots[name] = snapshot
    return snapshot


async def copy(context: Context, instance: Instance, snapshot: Snapshot) -> bool:
    """Copy the primary's data; whether it succeeded."""
    path = context.controller.snapshot_file(snapshot.name)
    path.parent.mkdir(parents=True, exist_ok=True)
    context.controller.record(instance.id, "backup", "Backing up DB instance")
    try:
        primary = instance.server(instance.primary)
        snapshot.size = await asyncio.to_thread(context.servers.copy_data, instance, primary, path)
    except Failure as error:
        snapshot.status = "failed"
        context.controller.record(snapshot.name, "notification", f"Snapshot failed: {error}", "db-snapshot")
        return False
    await context.pause()
    snapshot.status, snapshot.progress = AVAILABLE, 100
    context.controller.record(instance.id, "backup", "Finished DB Instance backup")
    context.controller.record(snapshot.name, "creation", "Manual snapshot created", "db-snapshot")
    return True


async def create_db_snapshot(context: Context, members: Members) -> Members:
    """https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBSnapshot.html"""
    instance = checks.in_state(checks.instance(context.state, members["DBInstanceIdentifier"]))
    snapshot = begin_snapshot(context, instance, members["DBSnapshotIdentifier"], checks.tags_of(members))

    async def job() -> None:
        await copy(context, instance, snapshot)

    context.busy(instance, BACKING_UP, 0.0, job)
    return {"DBSnapshot": context.views.snapshot(snapshot)}


async def describe_db_snapshots(context: Context, members: Members) -> Members:
    """https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DescribeDBSnapshots.html"""
    snapshots = list(context.state.snapshots.values())
    if members.get("DBSnapshotIdentifier"):
        snapshots = [checks.snapshot(context.state, members["DBSnapshotIdentifier"])]
    if members.get("DBInstanceIdentifier"):
        snapshots = [snapshot for snapshot in snapshots if snapshot.source.id == members["DBInstanceIdentifier"].lower()]
    if members.get("DbiResourceId"):
        snapshots = [snapshot for snapshot in snapshots if snapshot.source.resource_id == members["DbiResourceId"]]
    if members.get("SnapshotType") not in (None, "manual"):
        snapshots = []
    found, marker = page(matching(snapshots, members, _FILTERS), members)
    return {"DBSnapshots": [context.views.snapshot(snapshot) for snapshot in found], "Marker": marker}


async def delete_db_snapshot(context: Context, members: Members) -> Members:
    """https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DeleteDBSnapshot.html"""
    snapshot = checks.snapshot(context.state, members["DBSnapshotIdentifier"])
    if snapshot.status not in (AVAILABLE, "failed"):
        raise ApiError("InvalidDBSnapshotState", f"Cannot delete the snapshot {snapshot.name} because it is {snapshot.status}.")
    del context.state.snapshots[snapshot.name]
    context.controller.snapshot_file(snapshot.name).unlink(missing_ok=True)
    snapshot.status = "deleted"
    return {"DBSnapshot": context.views.snapshot(snapshot)}
