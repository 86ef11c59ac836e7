# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How DB instances, snapshots and the rest look in the API's answers; pure."""

from __future__ import annotations

import typing as t

from . import rds_catalogue as catalogue
from . import rds_parameters as parameters
from .rds_names import EndpointNames
from .rds_state import Event, Instance, Snapshot, State, Tags
from .stores import ParameterGroup, SubnetGroup

View = dict[str, t.Any]


def tag_list(tags: Tags) -> list[dict[str, str]]:
    """Tags as the API writes them."""
    return [{"Key": key, "Value": value} for key, value in sorted(tags.items())]


class Views:
    """Views of one cloud's state."""

    def __init__(self, state: State, names: EndpointNames) -> None:
        self._state = state
        self._names = names

    def instance(self, instance: Instance) -> View:
        """A DBInstance. It has no endpoint before its server answers, as on AWS."""
        zones = {server.id: server.interface.availability_zone for server in instance.servers}
        standby = instance.standby
        shown = dict(instance.pending, **({"MasterUserPassword": "****"} if "MasterUserPassword" in instance.pending else {}))
        endpoint = {"Address": self._names.endpoint(instance), "Port": instance.port, "HostedZoneId": "ZLA2NUCOLGUUR"}
        return {
            "DBInstanceIdentifier": instance.id,
            "DBInstanceClass": instance.instance_class,
            "Engine": catalogue.ENGINE,
            "DBInstanceStatus": instance.status,
            "MasterUsername": instance.master_username,
            "DBName": instance.db_name,
            "Endpoint": endpoint if instance.prepared else None,
            "AllocatedStorage": instance.storage,
            "InstanceCreateTime": instance.created if instance.prepared else None,
            "PreferredBackupWindow": instance.backup_window,
            "BackupRetentionPeriod": instance.backup_retention,
            "DBSecurityGroups": [],
            "VpcSecurityGroups": [{"VpcSecurityGroupId": group_id, "Status": "active"} for group_id in instance.security_group_ids],
            "DBParameterGroups": [
                {
                    "DBParameterGroupName": instance.parameter_group,
                    "ParameterApplyStatus": "pending-reboot" if instance.restart_due else "in-sync",
                }
            ],
            "AvailabilityZone": zones.get(instance.primary),
            "DBSubnetGroup": self.subnet_group(self._state.subnet_groups[instance.subnet_group], inside=True),
            "PreferredMaintenanceWindow": instance.maintenance_window,
            "PendingModifiedValues": shown,
            "MultiAZ": instance.multi_az,
            "EngineVersion": instance.engine_version,
            "AutoMinorVersionUpgrade": instance.auto_minor_version_upgrade,
            "ReadReplicaDBInstanceIdentifiers": [],
            "LicenseModel": "postgresql-license",
            "Iops": instance.iops,
            "StorageThroughput": instance.throughput,
            "OptionGroupMemberships": [{"OptionGroupName": _option_group(instance), "Status": "in-sync"}],
            "SecondaryAvailabilityZone": zones[standby.id] if standby is not None and instance.multi_az else None,
            "PubliclyAccessible": instance.publicly_accessible,
            "StorageType": instance.storage_type,
            "DbInstancePort": 0,
            "StorageEncrypted": instance.encrypted,
            "KmsKeyId": instance.kms_key,
            "DbiResourceId": instance.resource_id,
            "CACertificateIdentifier": instance.ca_certificate,
            "DomainMemberships": [],
            "CopyTagsToSnapshot": instance.copy_tags,
            "MonitoringInterval": instance.monitoring_interval,
            "MonitoringRoleArn": instance.monitoring_role,
            "DBInstanceArn": self._state.arn("db", instance.id),
            "IAMDatabaseAuthenticationEnabled": instance.iam_authentication,
            "PerformanceInsightsEnabled": instance.performance_insights,
            "DeletionProtection": instance.deletion_protection,
            "AssociatedRoles": [],
            "MaxAllocatedStorage": instance.max_storage,
            "TagList": tag_list(instance.tags),
            "CustomerOwnedIpEnabled": False,
            "NetworkType": "IPV4",
            "BackupTarget": "region",
        }

    def subnet_group(self, group: SubnetGroup, *, inside: bool = False) -> View:
        """A DBSubnetGroup; `inside` a DBInstance it has no ARN."""
        return {
            "DBSubnetGroupName": group.name,
            "DBSubnetGroupDescription": group.description,
            "VpcId": group.subnets[0].vpc_id,
            "SubnetGroupStatus": "Complete",
            "Subnets": [
                {
                    "SubnetIdentifier": subnet.id,
                    "SubnetAvailabilityZone": {"Name": subnet.availability_zone},
                    "SubnetOutpost": {},
                    "SubnetStatus": "Active",
                }
                for subnet in group.subnets
            ],
            "DBSubnetGroupArn": None if inside else self._state.arn("subgrp", group.name),
            "SupportedNetworkTypes": None if inside else ["IPV4"],
        }

    def parameter_group(self, group: ParameterGroup) -> View:
        """A DBParameterGroup."""
        return {
            "DBParameterGroupName": group.name,
            "DBParameterGroupFamily": group.family,
            "Description": group.description,
            "DBParameterGroupArn": self._state.arn("pg", group.name),
        }

    def snapshot(self, snapshot: Snapshot) -> View:
        """A DBSnapshot, with the description of what it was made of."""
        source = snapshot.source
        return {
            "DBSnapshotIdentifier": snapshot.name,
            "DBInstanceIdentifier": source.id,
            "SnapshotCreateTime": snapshot.created,
            "OriginalSnapshotCreateTime": snapshot.created,
            "Engine": catalogue.ENGINE,
            "AllocatedStorage": source.storage,
            "Status": snapshot.status,
            "Port": source.port,
            "AvailabilityZone": snapshot.zone,
            "VpcId": snapshot.vpc_id,
            "InstanceCreateTime": source.created,
            "MasterUsername": source.master_username,
            "EngineVersion": source.engine_version,
            "LicenseModel": "postgresql-license",
            "SnapshotType": "manual",
            "Iops": source.iops,
            "StorageThroughput": source.throughput,
            "OptionGroupName": _option_group(source),
            "PercentProgress": snapshot.progress,
            "StorageType": source.storage_type,
            "Encrypted": source.encrypted,
            "KmsKeyId": source.kms_key,
            "DBSnapshotArn": self._state.arn("snapshot", snapshot.name),
            "IAMDatabaseAuthenticationEnabled": source.iam_authentication,
            "ProcessorFeatures": [],
            "DbiResourceId": source.resource_id,
            "TagList": tag_list(snapshot.tags),
            "SnapshotTarget": "region",
        }

    def event(self, event: Event) -> View:
        """An Event."""
        kinds = {"db-instance": "db", "db-snapshot": "snapshot", "db-parameter-group": "pg"}
        return {
            "SourceIdentifier": event.source,
            "SourceType": event.kind,
            "Message": event.message,
            "EventCategories": [event.category],
            "Date": event.date,
            "SourceArn": self._state.arn(kinds[event.kind], event.source),
        }

    def engine_version(self, version: str) -> View:
        """A DBEngineVersion."""
        return {
            "Engine": catalogue.ENGINE,
            "MajorEngineVersion": str(catalogue.major(version)),
            "EngineVersion": version,
            "DBParameterGroupFamily": catalogue.family_of(version),
            "DBEngineDescription": "PostgreSQL",
            "DBEngineVersionDescription": f"PostgreSQL {version}-R1",
            "ValidUpgradeTarget": [
                {
                    "Engine": catalogue.ENGINE,
                    "EngineVersion": target,
                    "Description": f"PostgreSQL {target}-R1",
                    "AutoUpgrade": False,
                    "IsMajorVersionUpgrade": catalogue.major(target) != catalogue.major(version),
                }
                for target in catalogue.upgrade_targets(version)
            ],
            "ExportableLogTypes": ["postgresql", "upgrade"],
            "SupportsLogExportsToCloudwatchLogs": False,
            "SupportsReadReplica": False,
            "SupportedFeatureNames": [],
            "Status": "available",
            "SupportsParallelQuery": False,
            "SupportsGlobalDatabases": False,
            "SupportsBabelfish": False,
            "SupportedCACertificateIdentifiers": catalogue.CA_CERTIFICATES,
            "SupportsCertificateRotationWithoutRestart": True,
            "TagList": [],
        }

    def orderable(self, version: str, instance_class: str, storage_type: str, zones: list[str]) -> View:
        """An OrderableDBInstanceOption."""
        least, most = catalogue.STORAGE_GIB[storage_type]
        return {
            "Engine": catalogue.ENGINE,
            "EngineVersion": version,
            "DBInstanceClass": instance_class,
            "LicenseModel": "postgresql-license",
            "AvailabilityZones": [{"Name": zone} for zone in zones],
            "MultiAZCapable": True,
            "ReadReplicaCapable": False,
            "Vpc": True,
            "SupportsStorageEncryption": True,
            "StorageType": storage_type,
            "SupportsIops": storage_type in ("io1", "io2", "gp3"),
            "SupportsStorageThroughput": storage_type == "gp3",
            "SupportsEnhancedMonitoring": True,
            "SupportsIAMDatabaseAuthentication": True,
            "SupportsPerformanceInsights": True,
            "MinStorageSize": least,
            "MaxStorageSize": most,
            "SupportsStorageAutoscaling": True,
            "OutpostCapable": False,
            "SupportedNetworkTypes": ["IPV4"],
        }


def parameter(group: ParameterGroup, name: str) -> View:
    """A Parameter of a group."""
    known = parameters.defaults(group.family)[name]
    value = parameters.value(group.family, group.values, name)
    return {
        "ParameterName": name,
        "ParameterValue": value or None,
        "Description": known.description,
        "Source": source_of(group, name),
        "ApplyType": "static" if known.static else "dynamic",
        "DataType": known.kind,
        "AllowedValues": known.allowed or None,
        "IsModifiable": True,
        "ApplyMethod": "pending-reboot" if known.static else "immediate",
    }


def source_of(group: ParameterGroup, name: str) -> str:
    """Who has set a parameter: the user, RDS (system), or nobody, so that the engine's default counts."""
    if name in group.values:
        return "user"
    return "system" if parameters.defaults(group.family)[name].default else "engine-default"


def _option_group(instance: Instance) -> str:
    return f"default:postgres-{catalogue.major(instance.engine_version)}"
