# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""RDS's operations on DB instances: creating, restoring, showing and changing them."""

from __future__ import annotations

import time
import typing as t

from . import rds_catalogue as catalogue
from . import rds_changes as changes
from . import rds_checks as checks
from .query_protocol import ApiError, Members
from .rds_context import Context, matching
from .rds_state import AVAILABLE, MODIFYING, Instance
from .stores import page

_FILTERS: dict[str, t.Callable[[Instance], str]] = {
    "db-instance-id": lambda instance: instance.id,
    "dbi-resource-id": lambda instance: instance.resource_id,
    "engine": lambda instance: catalogue.ENGINE,
    "db-cluster-id": lambda instance: "",
    "domain": lambda instance: "",
}


async def create_db_instance(context: Context, members: Members) -> Members:
    """https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstance.html"""
    instance_id = checks.identifier(members["DBInstanceIdentifier"], "DBInstanceIdentifier", 63)
    checks.engine(members["Engine"])
    master = checks.master_username(members.get("MasterUsername"))
    password = checks.password(members.get("MasterUserPassword"))
    instance = context.new_instance(instance_id, members, master=master, password=password)
    await context.begin(instance, members.get("AvailabilityZone"))
    shown = context.views.instance(instance)
    shown["PendingModifiedValues"] = {"MasterUserPassword": "****"}
    return {"DBInstance": shown}


async def restore_db_instance_from_db_snapshot(context: Context, members: Members) -> Members:
    """https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_RestoreDBInstanceFromDBSnapshot.html"""
    instance_id = checks.identifier(members["DBInstanceIdentifier"], "DBInstanceIdentifier", 63)
    if not members.get("DBSnapshotIdentifier"):
        raise checks.combination("DBSnapshotIdentifier must be given.")
    snapshot = checks.snapshot(context.state, members["DBSnapshotIdentifier"])
    if snapshot.status != AVAILABLE:
        raise ApiError("InvalidDBSnapshotState", f"DBSnapshot {snapshot.name} is {snapshot.status}; it must be available.")
    source = snapshot.source
    if (members.get("Engine") or catalogue.ENGINE) != catalogue.ENGINE:
        raise checks.combination(f"A snapshot of {catalogue.ENGINE} cannot be restored as {members['Engine']}.")
    if members.get("DBName"):
        raise checks.combination("DBName is not applicable when restoring to PostgreSQL.")
    kept = {
        "EngineVersion": source.engine_version, "DBInstanceClass": source.instance_class, "AllocatedStorage": source.storage,
        "StorageType": source.storage_type, "Iops": source.iops, "StorageThroughput": source.throughput, "Port": source.port,
        "StorageEncrypted": source.encrypted, "KmsKeyId": source.kms_key, "BackupRetentionPeriod": source.backup_retention,
        "PreferredBackupWindow": source.backup_window,
    }  # fmt: skip
    given = {name: value for name, value in members.items() if value is not None}
    if (given.get("AllocatedStorage") or source.storage) < source.storage:
        raise checks.combination(f"AllocatedStorage must be at least the snapshot's {source.storage} GiB.")
    instance = context.new_instance(instance_id, {**kept, **given}, master=source.master_username, password=None)
    instance.db_name, instance.secret, instance.restored_from = source.db_name, source.secret, snapshot.name
    if members.get("Tags") is None and source.copy_tags:
        instance.tags = dict(snapshot.tags)
    await context.begin(instance, members.get("AvailabilityZone"))
    return {"DBInstance": context.views.instance(instance)}


async def describe_db_instances(context: Context, members: Members) -> Members:
    """https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DescribeDBInstances.html"""
    instances = sorted(context.state.instances.values(), key=lambda instance: instance.id)
    if members.get("DBInstanceIdentifier"):
        instances = [checks.instance(context.state, members["DBInstanceIdentifier"])]
    found, marker = page(matching(instances, members, _FILTERS), members)
    return {"DBInstances": [context.views.instance(instance) for instance in found], "Marker": marker}


async def modify_db_instance(context: Context, members: Members) -> Members:
    """https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBInstance.html"""
    instance = checks.in_state(checks.instance(context.state, members["DBInstanceIdentifier"]))
    checks.refuse(members, [*context_fixed(instance, members), "NewDBInstanceIdentifier", "CloudwatchLogsExportConfiguration"])
    checks.windows(members)
    changes.withdraw(instance, members)
    wanted = changes.later(instance, members)
    version = wanted.get("EngineVersion", instance.engine_version)
    group = changes.parameter_group(context.state, instance, members, version)
    if wanted.get("MultiAZ") and len(checks.subnet_group(context.state, instance.subnet_group).zones) < 2:
        raise ApiError("InvalidVPCNetworkStateFault", f"The DB subnet group {instance.subnet_group} has subnets in one zone only.")
    if members.get("VpcSecurityGroupIds"):
        await context.placement.set_security_groups(instance, members["VpcSecurityGroupIds"])
    changes.take_over(instance, members)
    if "EngineVersion" in wanted:
        instance.next_parameter_group = group.name
    elif group.name != instance.parameter_group:
        instance.parameter_group, instance.restart_due = group.name, True
        await context.controller.configure(instance)
    changes.postpone(instance, wanted, immediately=bool(members.get("ApplyImmediately")))
    shown = context.views.instance(instance)
    if instance.due:
        instance.status, instance.busy_until = MODIFYING, time.monotonic() + context.pace.seconds / 2
    context.controller.keep(instance)
    return {"DBInstance": shown}


def context_fixed(instance: Instance, members: Members) -> list[str]:
    """What cannot be changed here, as far as a request wants it otherwise."""
    present = {"PubliclyAccessible": instance.publicly_accessible, "DBSubnetGroupName": instance.subnet_group}
    changed = [name for name, value in present.items() if members.get(name) not in (None, value)]
    if members.get("PubliclyAccessible") is False and instance.publicly_accessible:
        raise checks.combination("This cloud cannot change PubliclyAccessible of a DB instance that exists.")
    return changed
