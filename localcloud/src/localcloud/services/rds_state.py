# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What RDS knows: DB instances, their servers, subnet and parameter groups, snapshots, events; no I/O and no clock."""

from __future__ import annotations

import dataclasses
import datetime
import typing as t

from ..cloud import Interface
from .stores import ParameterGroup, SubnetGroup, Tags

CREATING, AVAILABLE, MODIFYING, DELETING, REBOOTING = "creating", "available", "modifying", "deleting", "rebooting"
BACKING_UP, STOPPING, STOPPED, STARTING = "backing-up", "stopping", "stopped", "starting"
RESETTING = "resetting-master-credentials"


@dataclasses.dataclass
class Server:
    """One PostgreSQL server of a DB instance: the primary or the standby.

    `in_sync`: commits wait for it, so that nothing is lost when it takes over. `stale`: its data is no copy of the present primary's.
    """

    id: str
    interface: Interface
    in_sync: bool = False
    stale: bool = False
    leaving: bool = False

    @property
    def address(self) -> str:
        return self.interface.private_ip


@dataclasses.dataclass
class Instance:
    """A DB instance.

    `busy_until` is the moment of the controller's clock before which the status does not become available. `password` is kept until the
    server has it. `restart_due`: a static parameter has changed since the servers started. `secret` is the password of RDS's own user.
    `next_parameter_group` comes with the engine version that is waiting. `restored_from` is the snapshot that its first server begins with.
    """

    id: str
    resource_id: str
    created: datetime.datetime
    secret: str
    engine_version: str
    instance_class: str
    storage: int
    storage_type: str
    iops: int | None
    throughput: int | None
    master_username: str
    password: str | None
    db_name: str | None
    port: int
    subnet_group: str
    parameter_group: str
    security_group_ids: list[str]
    maintenance_window: str
    backup_window: str
    backup_retention: int
    multi_az: bool = False
    publicly_accessible: bool = False
    deletion_protection: bool = False
    copy_tags: bool = False
    auto_minor_version_upgrade: bool = True
    encrypted: bool = False
    kms_key: str | None = None
    ca_certificate: str = "rds-ca-rsa2048-g1"
    max_storage: int | None = None
    iam_authentication: bool = False
    monitoring_interval: int = 0
    monitoring_role: str | None = None
    performance_insights: bool = False
    status: str = CREATING
    busy_until: float = 0.0
    running: bool = True
    prepared: bool = False
    restart_due: bool = False
    synchronous: bool = False
    restored_from: str | None = None
    next_parameter_group: str = ""
    servers: list[Server] = dataclasses.field(default_factory=list)
    primary: str = ""
    pending: dict[str, t.Any] = dataclasses.field(default_factory=dict)
    """Changes that wait, by the API's names in PendingModifiedValues."""
    due: set[str] = dataclasses.field(default_factory=set)
    """Those of them that do not wait for the maintenance window."""
    tags: Tags = dataclasses.field(default_factory=dict)

    def server(self, server_id: str) -> Server:
        """The server of this id; KeyError when there is none."""
        for server in self.servers:
            if server.id == server_id:
                return server
        raise KeyError(server_id)

    @property
    def standby(self) -> Server | None:
        """The server that stays and is not the primary."""
        return next((server for server in self.servers if server.id != self.primary and not server.leaving), None)

    def free_server_id(self) -> str:
        """An id for one more server."""
        used = {server.id for server in self.servers}
        return next(name for name in (f"{self.id}-{number}" for number in range(1, 99)) if name not in used)


@dataclasses.dataclass
class Snapshot:
    """A copy of a DB instance's data. `source` has its instance as it was; `secret` opens the copy."""

    name: str
    source: Instance
    zone: str
    vpc_id: str
    created: datetime.datetime
    status: str = CREATING
    progress: int = 0
    size: int = 0
    tags: Tags = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Event:
    """Something that happened to a source."""

    source: str
    kind: str
    category: str
    message: str
    date: datetime.datetime


@dataclasses.dataclass
class State:
    """Everything of one cloud; changed by one thread only."""

    region: str
    account_id: str
    instances: dict[str, Instance] = dataclasses.field(default_factory=dict)
    subnet_groups: dict[str, SubnetGroup] = dataclasses.field(default_factory=dict)
    parameter_groups: dict[str, ParameterGroup] = dataclasses.field(default_factory=dict)
    snapshots: dict[str, Snapshot] = dataclasses.field(default_factory=dict)
    events: list[Event] = dataclasses.field(default_factory=list)

    def arn(self, kind: str, name: str) -> str:
        """The ARN of a resource; `kind` is db, subgrp, pg or snapshot."""
        return f"arn:aws:rds:{self.region}:{self.account_id}:{kind}:{name}"

    def tagged(self) -> t.Iterator[tuple[str, Tags]]:
        """Every resource's ARN and its tags, which may be changed in place."""
        for instance in self.instances.values():
            yield self.arn("db", instance.id), instance.tags
        for subnet_group in self.subnet_groups.values():
            yield self.arn("subgrp", subnet_group.name), subnet_group.tags
        for parameter_group in self.parameter_groups.values():
            yield self.arn("pg", parameter_group.name), parameter_group.tags
        for snapshot in self.snapshots.values():
            yield self.arn("snapshot", snapshot.name), snapshot.tags
