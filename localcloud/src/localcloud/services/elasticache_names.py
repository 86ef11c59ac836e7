# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The DNS names of a group and its nodes, in the form of AWS's own; pure.

https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/Endpoints.html: names of groups with encryption in transit have another order.
"""

from __future__ import annotations

import hashlib

from .elasticache_state import Group, Node

DOMAIN = "apn2.cache.localcloud.test"


class EndpointNames:
    """Names of one cloud; two clouds on one machine have different ones."""

    def __init__(self, cloud_name: str) -> None:
        self._mark = hashlib.sha256(cloud_name.encode()).hexdigest()[:6]

    def primary(self, group: Group) -> str:
        """The name that always leads to the node that takes writes."""
        if group.transit:
            return f"master.{group.id}.{self._mark}.{DOMAIN}"
        return f"{group.id}.{self._mark}.ng.0001.{DOMAIN}"

    def reader(self, group: Group) -> str:
        """The name that leads to the replicas."""
        if group.transit:
            return f"replica.{group.id}.{self._mark}.{DOMAIN}"
        return f"{group.id}-ro.{self._mark}.ng.0001.{DOMAIN}"

    def node(self, group: Group, node: Node) -> str:
        """The name of one node."""
        if group.transit:
            return f"{node.id}.{group.id}.{self._mark}.{DOMAIN}"
        return f"{node.id}.{self._mark}.0001.{DOMAIN}"

    def certified(self, group: Group) -> list[str]:
        """The names that a certificate of the group's nodes is for."""
        return [f"*.{group.id}.{self._mark}.{DOMAIN}"]

    def all(self, group: Group) -> dict[str, list[str]]:
        """Every name and the addresses that it stands for now; without replicas the reader's name leads to the primary."""
        primary = group.node(group.primary)
        readers = [node.address for node in group.replicas if node.has_data] or [primary.address]
        names = {self.node(group, node): [node.address] for node in group.nodes}
        if not group.standalone:
            names |= {self.primary(group): [primary.address], self.reader(group): readers}
        return names
