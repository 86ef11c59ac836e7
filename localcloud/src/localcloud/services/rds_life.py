# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""RDS's operations on the life of a DB instance: rebooting, failing over, stopping, starting and deleting it."""

from __future__ import annotations

from . import rds_checks as checks
from .query_protocol import ApiError, Members
from .rds_context import Context
from .rds_snapshots import begin_snapshot, copy
from .rds_state import AVAILABLE, DELETING, REBOOTING, STARTING, STOPPED, STOPPING, Instance


async def reboot_db_instance(context: Context, members: Members) -> Members:
    """https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_RebootDBInstance.html"""
    instance = checks.in_state(checks.instance(context.state, members["DBInstanceIdentifier"]))

    async def restart() -> None:
        await context.controller.restart(instance)

    async def fail_over() -> None:
        standby = instance.standby
        if standby is not None and standby.in_sync:
            await context.controller.fail_over(instance, standby)

    if members.get("ForceFailover"):
        if not instance.multi_az:
            raise checks.combination(f"ForceFailover cannot be specified since the instance {instance.id} is not configured for Multi-AZ.")
        if instance.standby is None or not instance.standby.in_sync:
            raise ApiError("InvalidDBInstanceState", f"The standby of DB instance {instance.id} does not have all data yet.")
    context.busy(instance, REBOOTING, job=fail_over if members.get("ForceFailover") else restart)
    return {"DBInstance": context.views.instance(instance)}


async def stop_db_instance(context: Context, members: Members) -> Members:
    """https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_StopDBInstance.html"""
    instance = checks.in_state(checks.instance(context.state, members["DBInstanceIdentifier"]))
    job = None
    if members.get("DBSnapshotIdentifier"):
        snapshot = begin_snapshot(context, instance, members["DBSnapshotIdentifier"], {})

        async def job() -> None:
            await copy(context, instance, snapshot)
            instance.running = False
    else:
        instance.running = False
    context.busy(instance, STOPPING, job=job)
    return {"DBInstance": context.views.instance(instance)}


async def start_db_instance(context: Context, members: Members) -> Members:
    """https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_StartDBInstance.html"""
    instance = checks.in_state(checks.instance(context.state, members["DBInstanceIdentifier"]), STOPPED)
    instance.running = True
    context.busy(instance, STARTING)
    context.controller.record(instance.id, "notification", "DB instance started")
    return {"DBInstance": context.views.instance(instance)}


async def delete_db_instance(context: Context, members: Members) -> Members:
    """https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DeleteDBInstance.html"""
    instance = checks.instance(context.state, members["DBInstanceIdentifier"])
    skip, name = bool(members.get("SkipFinalSnapshot")), members.get("FinalDBSnapshotIdentifier")
    if skip and name:
        raise checks.combination("FinalDBSnapshotIdentifier can not be specified when deleting an instance with SkipFinalSnapshot.")
    if not skip and not name:
        raise checks.combination("FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified.")
    if instance.deletion_protection:
        raise checks.combination("Cannot delete protected DB Instance, please disable deletion protection and try again.")
    if instance.status == DELETING:
        raise ApiError("InvalidDBInstanceState", f"Instance {instance.id} is already being deleted.")
    if name:
        checks.in_state(instance)
        await _delete_after_snapshot(context, instance, str(name))
    else:

        async def end() -> None:
            await context.controller.end(instance)

        context.busy(instance, DELETING, job=end)
    return {"DBInstance": context.views.instance(instance)}


async def _delete_after_snapshot(context: Context, instance: Instance, name: str) -> None:
    snapshot = begin_snapshot(context, instance, name, {})

    async def copy_and_end() -> None:
        if await copy(context, instance, snapshot):
            await context.controller.end(instance)
        else:
            instance.status = AVAILABLE  # what could not be saved is not deleted

    context.busy(instance, DELETING, job=copy_and_end)
