# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ElastiCache knows: groups, nodes, subnet and parameter groups, snapshots, events; no I/O and no clock."""

from __future__ import annotations

import dataclasses
import datetime
import typing as t

from ..cloud import Interface
from .stores import ParameterGroup, SubnetGroup

CREATING, AVAILABLE, MODIFYING, DELETING, SNAPSHOTTING = "creating", "available", "modifying", "deleting", "snapshotting"
REBOOTING = "rebooting cache cluster nodes"
NODE_GROUP = "0001"
"""The only shard of a group without cluster mode."""


@dataclasses.dataclass
class Node:
    """One cache node; in the API a cache cluster of one node. `has_data`: it has been in step with its primary, or is one."""

    id: str
    interface: Interface
    created: datetime.datetime
    status: str = CREATING
    has_data: bool = False
    leaving: bool = False
    restored_from: str | None = None

    @property
    def address(self) -> str:
        return self.interface.private_ip


@dataclasses.dataclass
class Group:
    """A replication group, or, with `standalone`, a cache cluster that belongs to none; its only node has its id then.

    `busy_until` is the moment of the controller's clock before which the status does not become available.
    """

    id: str
    description: str
    engine: str
    engine_version: str
    node_type: str
    port: int
    subnet_group: str
    parameter_group: str
    security_group_ids: list[str]
    maintenance_window: str
    snapshot_window: str
    snapshot_retention: int
    created: datetime.datetime
    secret: str
    standalone: bool = False
    automatic_failover: bool = False
    multi_az: bool = False
    auto_minor_version_upgrade: bool = True
    at_rest: bool = False
    kms_key: str | None = None
    transit: bool = False
    auth_tokens: list[str] = dataclasses.field(default_factory=list)
    auth_token_changed: datetime.datetime | None = None
    status: str = CREATING
    busy_until: float = 0.0
    nodes: list[Node] = dataclasses.field(default_factory=list)
    primary: str = ""
    tags: dict[str, str] = dataclasses.field(default_factory=dict)
    node_tags: dict[str, dict[str, str]] = dataclasses.field(default_factory=dict)
    recovering: set[str] = dataclasses.field(default_factory=set)

    @property
    def replicas(self) -> list[Node]:
        """Nodes that stay and are not the primary."""
        return [node for node in self.nodes if node.id != self.primary and not node.leaving]

    @property
    def staying(self) -> list[Node]:
        return [node for node in self.nodes if not node.leaving]

    def node(self, node_id: str) -> Node:
        """The node of this id; KeyError when there is none."""
        for node in self.nodes:
            if node.id == node_id:
                return node
        raise KeyError(node_id)


@dataclasses.dataclass
class Snapshot:
    """A copy of a node's data; `source` is the API's description of where it came from."""

    name: str
    group_id: str | None
    cluster_id: str
    engine: str
    source: dict[str, t.Any]
    created: datetime.datetime
    kind: str = "manual"
    status: str = CREATING
    size: int = 0
    tags: dict[str, str] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Event:
    """Something that happened to a source; kept for 14 days on AWS, and here as long as the cloud."""

    source: str
    kind: str
    message: str
    date: datetime.datetime


@dataclasses.dataclass
class State:
    """Everything of one cloud; changed by one thread only."""

    region: str
    account_id: str
    groups: dict[str, Group] = dataclasses.field(default_factory=dict)
    subnet_groups: dict[str, SubnetGroup] = dataclasses.field(default_factory=dict)
    parameter_groups: dict[str, ParameterGroup] = dataclasses.field(default_factory=dict)
    snapshots: dict[str, Snapshot] = dataclasses.field(default_factory=dict)
    events: list[Event] = dataclasses.field(default_factory=list)

    def arn(self, kind: str, name: str) -> str:
        """The ARN of a resource; `kind` is replicationgroup, cluster, subnetgroup, parametergroup or snapshot."""
        return f"arn:aws:elasticache:{self.region}:{self.account_id}:{kind}:{name}"

    def replication_groups(self) -> list[Group]:
        return [group for group in self.groups.values() if not group.standalone]

    def clusters(self) -> list[tuple[Group, Node]]:
        """Every node with its group, by the node's id."""
        return sorted(((group, node) for group in self.groups.values() for node in group.nodes), key=lambda pair: pair[1].id)

    def tagged(self) -> t.Iterator[tuple[str, dict[str, str]]]:
        """Every resource's ARN and its tags, which may be changed in place; a node has its group's and its own."""
        for group in self.groups.values():
            if not group.standalone:
                yield self.arn("replicationgroup", group.id), group.tags
            for node in group.nodes:
                yield self.arn("cluster", node.id), group.node_tags.setdefault(node.id, dict(group.tags))
        for subnet_group in self.subnet_groups.values():
            yield self.arn("subnetgroup", subnet_group.name), subnet_group.tags
        for parameter_group in self.parameter_groups.values():
            yield self.arn("parametergroup", parameter_group.name), parameter_group.tags
        for snapshot in self.snapshots.values():
            yield self.arn("snapshot", snapshot.name), snapshot.tags
