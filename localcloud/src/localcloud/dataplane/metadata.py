# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tree of instance metadata: which text is at which path; pure, without tokens and credentials' issue."""

from __future__ import annotations

import json
import typing as t

if t.TYPE_CHECKING:
    from ..emulation.directory import Metadata

Tree = dict[str, t.Any]
CREDENTIALS = "meta-data/iam/security-credentials/"


def lookup(tree: Tree, path: str) -> str | None:
    """The text at a path below `/latest/`: a leaf, or the listing of a folder; None when there is nothing."""
    node: t.Any = tree
    for part in [part for part in path.split("/") if part]:
        if not isinstance(node, dict) or part not in node:
            return None
        node = node[part]
    if isinstance(node, dict):
        return "\n".join(f"{name}/" if isinstance(child, dict) else name for name, child in sorted(node.items()))
    return None if node is None else str(node)


def build(data: Metadata) -> Tree:
    """Everything but user data and credentials."""
    instance = data.instance
    interface: Tree = {
        "device-number": "0",
        "interface-id": data.interface_id,
        "local-hostname": data.hostname,
        "local-ipv4s": instance.private_ip,
        "mac": data.mac,
        "owner-id": data.account_id,
        "security-group-ids": "\n".join(data.security_group_ids),
        "security-groups": "\n".join(data.security_groups),
        "subnet-id": instance.subnet_id,
        "subnet-ipv4-cidr-block": data.subnet_cidr,
        "vpc-id": instance.vpc_id,
        "vpc-ipv4-cidr-block": data.vpc_cidr,
        "vpc-ipv4-cidr-blocks": data.vpc_cidr,
    }
    meta: Tree = {
        "ami-id": instance.image_id,
        "ami-launch-index": str(data.launch_index),
        "hostname": data.hostname,
        "instance-action": "none",
        "instance-id": instance.id,
        "instance-life-cycle": "on-demand",
        "instance-type": data.instance_type,
        "local-hostname": data.hostname,
        "local-ipv4": instance.private_ip,
        "mac": data.mac,
        "network": {"interfaces": {"macs": {data.mac: interface}}},
        "placement": {
            "availability-zone": instance.availability_zone,
            "availability-zone-id": data.zone_id,
            "region": data.region,
        },
        "security-groups": "\n".join(data.security_groups),
        "services": {"domain": "amazonaws.com", "partition": "aws"},
    }
    if instance.public_ip:
        meta["public-ipv4"] = meta["public-hostname"] = instance.public_ip
        interface["public-ipv4s"] = interface["public-hostname"] = instance.public_ip
    if data.key_name:
        meta["public-keys"] = {"0": {"openssh-key": ""}}
    if data.tags_enabled:
        meta["tags"] = {"instance": dict(instance.tags)}
    if instance.profile_arn:
        info = {
            "Code": "Success",
            "LastUpdated": _time(instance.launch_time),
            "InstanceProfileArn": instance.profile_arn,
            "InstanceProfileId": data.profile_id,
        }
        meta["iam"] = {"info": json.dumps(info, indent=2)}
        if instance.role_name:
            meta["iam"]["security-credentials"] = {instance.role_name: ""}
    document = {
        "accountId": data.account_id,
        "architecture": "x86_64",
        "availabilityZone": instance.availability_zone,
        "billingProducts": None,
        "imageId": instance.image_id,
        "instanceId": instance.id,
        "instanceType": data.instance_type,
        "pendingTime": _time(instance.launch_time),
        "privateIp": instance.private_ip,
        "region": data.region,
        "version": "2017-09-30",
    }
    return {"meta-data": meta, "dynamic": {"instance-identity": {"document": json.dumps(document, indent=2)}}}


def _time(when: t.Any) -> str:
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")
