# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What RDS's operations share: the state, the controller, how long things take, and beginning new DB instances."""

from __future__ import annotations

import asyncio
import dataclasses
import datetime
import secrets
import time
import typing as t

from ..emulation.kms_keys import key_arn
from . import rds_catalogue as catalogue
from . import rds_checks as checks
from .query_protocol import ApiError, Members
from .rds_controller import Controller, Job
from .rds_placement import Placement
from .rds_state import CREATING, Instance, State
from .rds_views import Views

if t.TYPE_CHECKING:
    from ..cloud import Cloud
    from .pace import Pace
    from .rds_servers import Servers

NOT_HERE = [
    "DBSecurityGroups", "DBClusterIdentifier", "Domain", "DomainFqdn", "TdeCredentialArn", "ManageMasterUserPassword", "MultiTenant",
    "CustomIamInstanceProfile", "DedicatedLogVolume", "AdditionalStorageVolumes", "ProcessorFeatures", "EnableCloudwatchLogsExports",
]  # fmt: skip


@dataclasses.dataclass
class Context:
    """One cloud's RDS. `pace.seconds`: the least time that a creation is seen as such; a change takes half of it."""

    cloud: Cloud
    state: State
    servers: Servers
    placement: Placement
    controller: Controller
    views: Views
    pace: Pace

    def new_instance(self, instance_id: str, members: Members, *, master: str, password: str | None) -> Instance:
        """An instance of a request to create or restore one, without servers yet and not in the state. Raises ApiError."""
        if instance_id in self.state.instances:
            raise ApiError("DBInstanceAlreadyExists", f"DB instance already exists: {instance_id}")
        checks.refuse(members, NOT_HERE)
        checks.windows(members)
        version = checks.engine_version(members.get("EngineVersion"))
        parameters = checks.matching_parameter_group(self.state, members.get("DBParameterGroupName"), version)
        subnets = checks.subnet_group(self.state, members.get("DBSubnetGroupName"))
        checks.zones(subnets, members.get("AvailabilityZone"), multi_az=bool(members.get("MultiAZ")))
        storage_type = members.get("StorageType") or ("io1" if members.get("Iops") else "gp2")
        size = checks.storage(members.get("AllocatedStorage"), storage_type)
        iops, throughput = catalogue.performance(storage_type, size, members.get("Iops"), members.get("StorageThroughput"))
        encrypted = bool(members.get("StorageEncrypted"))
        given = members.get("KmsKeyId") or "alias/aws/rds"
        key = key_arn(given, self.state.region, self.state.account_id)
        if encrypted and key is None:
            raise ApiError(
                "KMSKeyNotAccessibleFault",
                f"The specified KMS key [{given}] does not exist, is not enabled or you do not have permissions to access it.",
            )
        return Instance(
            id=instance_id,
            resource_id=f"db-{secrets.token_hex(13).upper()}",
            created=datetime.datetime.now(datetime.UTC),
            secret=secrets.token_hex(16),
            engine_version=version,
            instance_class=checks.instance_class(members.get("DBInstanceClass") or ""),
            storage=size,
            storage_type=storage_type,
            iops=iops,
            throughput=throughput,
            master_username=master,
            password=password,
            db_name=checks.database_name(members.get("DBName")),
            port=checks.port(members.get("Port")),
            subnet_group=subnets.name,
            parameter_group=parameters.name,
            security_group_ids=self.placement.security_groups(subnets.name, members.get("VpcSecurityGroupIds") or []),
            maintenance_window=(members.get("PreferredMaintenanceWindow") or "sun:18:00-sun:18:30").lower(),
            backup_window=members.get("PreferredBackupWindow") or "16:00-16:30",
            backup_retention=members.get("BackupRetentionPeriod", 1),
            multi_az=bool(members.get("MultiAZ")),
            publicly_accessible=bool(members.get("PubliclyAccessible")),
            deletion_protection=bool(members.get("DeletionProtection")),
            copy_tags=bool(members.get("CopyTagsToSnapshot")),
            auto_minor_version_upgrade=members.get("AutoMinorVersionUpgrade") is not False,
            encrypted=encrypted,
            kms_key=key if encrypted else None,
            ca_certificate=members.get("CACertificateIdentifier") or catalogue.CA_CERTIFICATES[0],
            max_storage=members.get("MaxAllocatedStorage"),
            iam_authentication=bool(members.get("EnableIAMDatabaseAuthentication")),
            monitoring_interval=members.get("MonitoringInterval") or 0,
            monitoring_role=members.get("MonitoringRoleArn"),
            performance_insights=bool(members.get("EnablePerformanceInsights")),
            tags=checks.tags_of(members),
        )

    async def begin(self, instance: Instance, zone: str | None) -> None:
        """Place the servers of a new instance and let the controller make them; nothing is left when one cannot be placed."""
        self.state.instances[instance.id] = instance
        try:
            instance.primary = (await self.placement.add(instance, zone)).id
            if instance.multi_az:
                await self.placement.add(instance)
        except ApiError:
            del self.state.instances[instance.id]
            await self.placement.remove(instance)
            raise
        self.busy(instance, CREATING, self.pace.seconds)

    def busy(self, instance: Instance, status: str, seconds: float | None = None, job: Job | None = None) -> None:
        """The instance is in this status until all is as wanted and the time has passed; `job` is done first."""
        instance.status = status
        instance.busy_until = time.monotonic() + (self.pace.seconds / 2 if seconds is None else seconds)
        self.controller.keep(instance, job)

    async def pause(self) -> None:
        """What a change takes at least."""
        await asyncio.sleep(self.pace.seconds / 2)


def matching(items: list[t.Any], members: Members, known: dict[str, t.Callable[[t.Any], str]]) -> list[t.Any]:
    """The items that a request's Filters let through; `known` says what of an item a filter's name is about."""
    for given in members.get("Filters") or []:
        if given["Name"] not in known:
            raise checks.invalid(f"Unrecognized filter name: {given['Name']}")
        items = [item for item in items if known[given["Name"]](item) in given["Values"]]
    return items
