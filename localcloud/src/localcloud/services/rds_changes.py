# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a ModifyDBInstance changes at once, what waits for the maintenance window, and what a change makes of an instance; pure.

https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ModifyInstance.Settings.html
"""

from __future__ import annotations

import datetime
import typing as t

from . import rds_catalogue as catalogue
from . import rds_checks as checks
from .query_protocol import Members
from .rds_state import Instance, State
from .stores import ParameterGroup

PROMPT = frozenset({"MasterUserPassword", "Port"})
"""Changes that wait for nothing, whatever ApplyImmediately says."""

RESTARTS = frozenset({"DBInstanceClass", "EngineVersion", "Port"})
"""Changes after which servers start again."""

_DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
_FIELDS = {
    "DBInstanceClass": "instance_class", "AllocatedStorage": "storage", "Port": "port", "BackupRetentionPeriod": "backup_retention",
    "MultiAZ": "multi_az", "EngineVersion": "engine_version", "Iops": "iops", "StorageThroughput": "throughput",
    "StorageType": "storage_type",
}  # fmt: skip
_AT_ONCE = {
    "CopyTagsToSnapshot": "copy_tags", "AutoMinorVersionUpgrade": "auto_minor_version_upgrade",
    "DeletionProtection": "deletion_protection", "MaxAllocatedStorage": "max_storage",
    "EnableIAMDatabaseAuthentication": "iam_authentication", "MonitoringInterval": "monitoring_interval",
    "MonitoringRoleArn": "monitoring_role", "EnablePerformanceInsights": "performance_insights",
    "CACertificateIdentifier": "ca_certificate",
    "PreferredBackupWindow": "backup_window",
}  # fmt: skip


def later(instance: Instance, members: Members) -> dict[str, t.Any]:
    """The changes of a request that become PendingModifiedValues, by their names there. Raises ApiError."""
    storage_type = members.get("StorageType") or instance.storage_type
    wanted: dict[str, t.Any] = {}
    if members.get("DBInstanceClass"):
        wanted["DBInstanceClass"] = checks.instance_class(members["DBInstanceClass"])
    if members.get("AllocatedStorage") is not None or members.get("StorageType"):
        size = checks.larger_storage(instance, members.get("AllocatedStorage") or instance.storage, storage_type)
        wanted["AllocatedStorage"], wanted["StorageType"] = size, storage_type
    if {"AllocatedStorage", "StorageType", "Iops", "StorageThroughput"} & set(members):
        size = wanted.get("AllocatedStorage", instance.storage)
        asked = (members.get("Iops"), members.get("StorageThroughput"))
        if storage_type == instance.storage_type and size == instance.storage:
            asked = (asked[0] or instance.iops, asked[1] or instance.throughput)
        wanted["Iops"], wanted["StorageThroughput"] = catalogue.performance(storage_type, size, *asked)
    if members.get("EngineVersion"):
        wanted["EngineVersion"] = _version(instance, members)
    if members.get("MasterUserPassword"):
        wanted["MasterUserPassword"] = checks.password(members["MasterUserPassword"])
    if members.get("DBPortNumber"):
        wanted["Port"] = checks.port(members["DBPortNumber"])
    for name in ("MultiAZ", "BackupRetentionPeriod"):
        if members.get(name) is not None:
            wanted[name] = members[name]
    return {name: value for name, value in wanted.items() if name not in _FIELDS or value != current(instance, name)}


def _version(instance: Instance, members: Members) -> str:
    wanted = checks.engine_version(members["EngineVersion"])
    if wanted != instance.engine_version and wanted not in catalogue.upgrade_targets(instance.engine_version):
        raise checks.combination(f"Cannot upgrade postgres from {instance.engine_version} to {wanted}: downgrades are not possible.")
    if catalogue.major(wanted) != catalogue.major(instance.engine_version) and not members.get("AllowMajorVersionUpgrade"):
        raise checks.combination("The AllowMajorVersionUpgrade flag must be present when upgrading to a new major version.")
    return wanted


def parameter_group(state: State, instance: Instance, members: Members, version: str) -> ParameterGroup:
    """The group that the instance has after a request with this version. Raises ApiError."""
    wanted = members.get("DBParameterGroupName")
    if not wanted and catalogue.family_of(version) == catalogue.family_of(instance.engine_version):
        wanted = instance.parameter_group
    return checks.matching_parameter_group(state, wanted, version)


def current(instance: Instance, name: str) -> t.Any:
    """The present value of a change's field."""
    return getattr(instance, _FIELDS[name])


def take_over(instance: Instance, members: Members) -> None:
    """Make the changes of a request that never wait."""
    for name, field in _AT_ONCE.items():
        if members.get(name) is not None:
            setattr(instance, field, members[name])
    if members.get("PreferredMaintenanceWindow"):
        instance.maintenance_window = members["PreferredMaintenanceWindow"].lower()


def postpone(instance: Instance, wanted: dict[str, t.Any], *, immediately: bool) -> None:
    """Note changes to be made: now, or in the maintenance window. One back to the present value ends the waiting of another."""
    for name, value in wanted.items():
        instance.pending[name] = value
        if immediately or name in PROMPT:
            instance.due.add(name)
    if immediately:
        instance.due |= set(instance.pending)


def withdraw(instance: Instance, members: Members) -> None:
    """Forget waiting changes whose field a request sets to what it is already."""
    for name in list(instance.pending):
        asked = "DBPortNumber" if name == "Port" else name
        if name in _FIELDS and members.get(asked) is not None and members[asked] == current(instance, name):
            del instance.pending[name]
            instance.due.discard(name)


def due(instance: Instance, now: datetime.datetime) -> list[str]:
    """The changes whose time has come."""
    if in_window(instance.maintenance_window, now):
        return list(instance.pending)
    return [name for name in instance.pending if name in instance.due]


def apply(instance: Instance, name: str) -> t.Any:
    """Make a change that was waiting, as far as the record goes; its value."""
    value = instance.pending.pop(name)
    instance.due.discard(name)
    if name in _FIELDS:
        setattr(instance, _FIELDS[name], value)
    return value


def in_window(window: str, now: datetime.datetime) -> bool:
    """Whether a moment (UTC) is inside a weekly window `sun:18:00-sun:19:00`."""
    first, last = (_minutes(part) for part in window.split("-"))
    moment = now.weekday() * 1440 + now.hour * 60 + now.minute
    return first <= moment < last if first <= last else moment >= first or moment < last


def _minutes(text: str) -> int:
    day, hour, minute = text.split(":")
    return _DAYS.index(day) * 1440 + int(hour) * 60 + int(minute)
