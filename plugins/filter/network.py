# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters that find a VPC and its subnets: those of the role network by their tags, somebody else's by their ids; pure."""

from __future__ import annotations

from ansible.errors import AnsibleFilterError

from ansible_collections.bluegreen.aws.plugins.filter.tags import tag_filters


def vpc_filters(existing, tags, name):
    """EC2's filters for the VPC: ``existing`` is {} or {"vpc": "vpc-…", "subnets": {"private-a": "subnet-…"}}."""
    return {"vpc-id": _known(existing)["vpc"]} if existing else tag_filters({**tags, "Name": name})


def subnet_filters(existing, tags, vpc_name, names):
    """EC2's filters for the subnets with these names below the VPC's; AnsibleFilterError when somebody else's has no id."""
    if existing:
        return {"vpc-id": _known(existing)["vpc"], "subnet-id": [_id(existing, name) for name in names]}
    return {**tag_filters(tags), "tag:Name": [f"{vpc_name}-{name}" for name in names]}


def subnet_ids(found, existing):
    """{name: id} of what amazon.aws.ec2_vpc_subnet_info found; a name is the tag, or our own name of somebody else's subnet."""
    if existing:
        ids = {one["id"] for one in found}
        return {name: value for name, value in _known(existing)["subnets"].items() if value in ids}
    return {one["tags"]["Name"]: one["id"] for one in found}


def full_names(names, existing, vpc_name):
    """Names as subnet_ids has them."""
    return list(names) if existing else [f"{vpc_name}-{name}" for name in names]


def _known(existing):
    if not isinstance(existing, dict) or not {"vpc", "subnets"} <= set(existing) or not isinstance(existing["subnets"], dict):
        raise AnsibleFilterError(
            'network_existing needs the id of the VPC and those of its subnets, {"vpc": "vpc-…", "subnets": {"private-a": "subnet-…"}}.'
        )
    return existing


def _id(existing, name):
    subnets = _known(existing)["subnets"]
    if name not in subnets:
        raise AnsibleFilterError(f"network_existing.subnets has no {name}; it has {', '.join(sorted(subnets)) or 'none'}. Add its id.")
    return subnets[name]


class FilterModule:
    def filters(self):
        return {"full_names": full_names, "subnet_filters": subnet_filters, "subnet_ids": subnet_ids, "vpc_filters": vpc_filters}
