# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether something may be put into subnets with security groups, in ECS's words; reads moto's EC2 and changes nothing."""

from __future__ import annotations

from moto.ec2.models import ec2_backends

from .moto import LOCK


class Placement:
    """The networks of one account and region; safe for threads."""

    def __init__(self, account_id: str, region: str) -> None:
        self._account_id = account_id
        self._region = region

    def problem(self, subnet_ids: list[str], group_ids: list[str]) -> str | None:
        """What is wrong with putting an interface into one of these subnets with these groups; None when nothing is."""
        with LOCK:
            backend = ec2_backends[self._account_id][self._region]
            subnets = {subnet.id: subnet for by_zone in backend.subnets.values() for subnet in by_zone.values()}
            for subnet_id in subnet_ids:
                if subnet_id not in subnets:
                    return (
                        f"Error retrieving subnet information for [{', '.join(subnet_ids)}]: The subnet ID '{subnet_id}' does not exist "
                        "(ErrorCode: InvalidSubnetID.NotFound)"
                    )
            vpcs = {subnets[subnet_id].vpc_id for subnet_id in subnet_ids}
            for group_id in group_ids:
                group = backend.get_security_group_from_id(group_id)
                if group is None:
                    return (
                        f"Error retrieving security group information for [{', '.join(group_ids)}]: The security group '{group_id}' does "
                        "not exist (ErrorCode: InvalidGroup.NotFound)"
                    )
                vpcs.add(group.vpc_id)
        return None if len(vpcs) == 1 else "Security groups and subnets must belong to the same VPC."
