# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether something may be put into subnets with security groups, and what ECS says when it may not; changes nothing."""

from __future__ import annotations

from .vpcs import Vpcs


class Placement:
    """Placement in one region; safe for threads."""

    def __init__(self, region: str) -> None:
        self._vpcs = Vpcs(region)

    def problem(self, subnet_ids: list[str], group_ids: list[str]) -> str | None:
        """What is wrong with putting an interface into one of these subnets with these groups; None when nothing is."""
        vpcs = set()
        for subnet_id in subnet_ids:
            subnet = self._vpcs.subnet(subnet_id)
            if subnet is None:
                return (
                    f"Error retrieving subnet information for [{', '.join(subnet_ids)}]: The subnet ID '{subnet_id}' does not exist "
                    "(ErrorCode: InvalidSubnetID.NotFound)"
                )
            vpcs.add(subnet.vpc_id)
        for group_id in group_ids:
            vpc_id = self._vpcs.group_vpc(group_id)
            if vpc_id is None:
                return (
                    f"Error retrieving security group information for [{', '.join(group_ids)}]: The security group '{group_id}' does not "
                    "exist (ErrorCode: InvalidGroup.NotFound)"
                )
            vpcs.add(vpc_id)
        return None if len(vpcs) == 1 else "Security groups and subnets must belong to the same VPC."
