# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How groups, nodes and the rest look in the API's answers; pure."""

from __future__ import annotations

import typing as t

from . import elasticache_catalogue as catalogue
from .elasticache_names import EndpointNames
from .elasticache_state import AVAILABLE, CREATING, NODE_GROUP, Group, Node, Snapshot, State
from .stores import ParameterGroup, SubnetGroup

View = dict[str, t.Any]
NODE_ID = "0001"


class Views:
    """Views of one cloud's state."""

    def __init__(self, state: State, names: EndpointNames) -> None:
        self._state = state
        self._names = names

    def group(self, group: Group) -> View:
        """A ReplicationGroup. Its node groups are not there before it has been made, as on AWS."""
        automatic = "enabled" if group.automatic_failover else "disabled"
        return {
            "ReplicationGroupId": group.id,
            "Description": group.description,
            "GlobalReplicationGroupInfo": {},
            "Status": group.status,
            "PendingModifiedValues": {},
            "MemberClusters": [node.id for node in group.nodes],
            "NodeGroups": [] if group.status == CREATING else [self._node_group(group)],
            "SnapshottingClusterId": self._snapshotting(group),
            "AutomaticFailover": automatic,
            "MultiAZ": "enabled" if group.multi_az else "disabled",
            "SnapshotRetentionLimit": group.snapshot_retention,
            "SnapshotWindow": group.snapshot_window,
            "ClusterEnabled": False,
            "CacheNodeType": group.node_type,
            "AuthTokenEnabled": bool(group.auth_tokens),
            "AuthTokenLastModifiedDate": group.auth_token_changed,
            "TransitEncryptionEnabled": group.transit,
            "TransitEncryptionMode": "required" if group.transit else None,
            "AtRestEncryptionEnabled": group.at_rest,
            "KmsKeyId": group.kms_key,
            "ARN": self._state.arn("replicationgroup", group.id),
            "UserGroupIds": [],
            "LogDeliveryConfigurations": [],
            "ReplicationGroupCreateTime": group.created,
            "DataTiering": "disabled",
            "AutoMinorVersionUpgrade": group.auto_minor_version_upgrade,
            "NetworkType": "ipv4",
            "IpDiscovery": "ipv4",
            "ClusterMode": "disabled",
            "Engine": group.engine,
        }

    def _snapshotting(self, group: Group) -> str | None:
        if not group.snapshot_retention or not group.nodes:
            return None
        return (group.replicas or group.nodes)[0].id

    def _node_group(self, group: Group) -> View:
        return {
            "NodeGroupId": NODE_GROUP,
            "Status": group.status,
            "PrimaryEndpoint": self._endpoint(group, self._names.primary(group)),
            "ReaderEndpoint": self._endpoint(group, self._names.reader(group)),
            "NodeGroupMembers": [
                {
                    "CacheClusterId": node.id,
                    "CacheNodeId": NODE_ID,
                    "ReadEndpoint": self._endpoint(group, self._names.node(group, node)),
                    "PreferredAvailabilityZone": node.interface.availability_zone,
                    "CurrentRole": "primary" if node.id == group.primary else "replica",
                }
                for node in group.nodes
            ],
        }

    def _endpoint(self, group: Group, name: str) -> View:
        return {"Address": name, "Port": group.port}

    def cluster(self, group: Group, node: Node, *, with_nodes: bool) -> View:
        """A CacheCluster, which has one node here."""
        view = {
            "CacheClusterId": node.id,
            "ClientDownloadLandingPage": "https://console.aws.amazon.com/elasticache/home#client-download:",
            "CacheNodeType": group.node_type,
            "Engine": group.engine,
            "EngineVersion": group.engine_version,
            "CacheClusterStatus": node.status,
            "NumCacheNodes": 1,
            "PreferredAvailabilityZone": node.interface.availability_zone,
            "CacheClusterCreateTime": node.created,
            "PreferredMaintenanceWindow": group.maintenance_window,
            "PendingModifiedValues": {},
            "CacheSecurityGroups": [],
            "CacheParameterGroup": {
                "CacheParameterGroupName": group.parameter_group,
                "ParameterApplyStatus": "in-sync",
                "CacheNodeIdsToReboot": [],
            },
            "CacheSubnetGroupName": group.subnet_group,
            "AutoMinorVersionUpgrade": group.auto_minor_version_upgrade,
            "SecurityGroups": [{"SecurityGroupId": group_id, "Status": "active"} for group_id in group.security_group_ids],
            "ReplicationGroupId": None if group.standalone else group.id,
            "SnapshotRetentionLimit": group.snapshot_retention if group.standalone or self._snapshotting(group) == node.id else 0,
            "SnapshotWindow": group.snapshot_window,
            "AuthTokenEnabled": bool(group.auth_tokens),
            "AuthTokenLastModifiedDate": group.auth_token_changed,
            "TransitEncryptionEnabled": group.transit,
            "TransitEncryptionMode": "required" if group.transit else None,
            "AtRestEncryptionEnabled": group.at_rest,
            "ARN": self._state.arn("cluster", node.id),
            "ReplicationGroupLogDeliveryEnabled": False,
            "LogDeliveryConfigurations": [],
            "NetworkType": "ipv4",
            "IpDiscovery": "ipv4",
        }
        if with_nodes:
            view["CacheNodes"] = [
                {
                    "CacheNodeId": NODE_ID,
                    "CacheNodeStatus": node.status,
                    "CacheNodeCreateTime": node.created,
                    "Endpoint": self._endpoint(group, self._names.node(group, node)) if node.status == AVAILABLE else None,
                    "ParameterGroupStatus": "in-sync",
                    "CustomerAvailabilityZone": node.interface.availability_zone,
                }
            ]
        return view

    def subnet_group(self, group: SubnetGroup) -> View:
        """A CacheSubnetGroup."""
        return {
            "CacheSubnetGroupName": group.name,
            "CacheSubnetGroupDescription": group.description,
            "VpcId": group.subnets[0].vpc_id,
            "Subnets": [
                {
                    "SubnetIdentifier": subnet.id,
                    "SubnetAvailabilityZone": {"Name": subnet.availability_zone},
                    "SupportedNetworkTypes": ["ipv4"],
                }
                for subnet in group.subnets
            ],
            "ARN": self._state.arn("subnetgroup", group.name),
            "SupportedNetworkTypes": ["ipv4"],
        }

    def parameter_group(self, group: ParameterGroup) -> View:
        """A CacheParameterGroup."""
        return {
            "CacheParameterGroupName": group.name,
            "CacheParameterGroupFamily": group.family,
            "Description": group.description,
            "IsGlobal": False,
            "ARN": self._state.arn("parametergroup", group.name),
        }

    def snapshot(self, snapshot: Snapshot) -> View:
        """A Snapshot, with the description of what it was made of."""
        return {
            **snapshot.source,
            "SnapshotName": snapshot.name,
            "ReplicationGroupId": snapshot.group_id,
            "CacheClusterId": snapshot.cluster_id if snapshot.group_id is None else None,
            "SnapshotStatus": snapshot.status,
            "SnapshotSource": snapshot.kind,
            "Engine": snapshot.engine,
            "NodeSnapshots": [
                {
                    "CacheClusterId": snapshot.cluster_id,
                    "CacheNodeId": NODE_ID,
                    "CacheSize": f"{snapshot.size // 2**20} MB",
                    "SnapshotCreateTime": snapshot.created,
                }
            ],
            "ARN": self._state.arn("snapshot", snapshot.name),
            "DataTiering": "disabled",
        }

    def source_of(self, group: Group) -> View:
        """What a snapshot remembers of its group."""
        return {
            "ReplicationGroupDescription": None if group.standalone else group.description,
            "CacheNodeType": group.node_type,
            "EngineVersion": group.engine_version,
            "NumCacheNodes": 1,
            "NumNodeGroups": 1,
            "Port": group.port,
            "CacheParameterGroupName": group.parameter_group,
            "CacheSubnetGroupName": group.subnet_group,
            "VpcId": group.nodes[0].interface.vpc_id,
            "AutoMinorVersionUpgrade": group.auto_minor_version_upgrade,
            "SnapshotRetentionLimit": group.snapshot_retention,
            "SnapshotWindow": group.snapshot_window,
            "PreferredMaintenanceWindow": group.maintenance_window,
            "CacheClusterCreateTime": group.created,
            "AutomaticFailover": "enabled" if group.automatic_failover else "disabled",
        }


def engine_version(engine: str, version: str) -> View:
    """A CacheEngineVersion."""
    return {
        "Engine": engine,
        "EngineVersion": version,
        "CacheParameterGroupFamily": catalogue.family_of(engine, version),
        "CacheEngineDescription": engine.capitalize(),
        "CacheEngineVersionDescription": f"{engine} version {version}",
    }
