# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Refuses what AWS refuses and moto lets pass or calls by another name; reads moto's state and changes nothing."""

from __future__ import annotations

import re

from moto.ec2.models import ec2_backends

from .. import settings
from . import tags
from .moto import LOCK, Response, error

Form = dict[str, list[str]]

_INSTANCE_ID = re.compile(r"i-(?:[0-9a-f]{8}|[0-9a-f]{17})")
_INSTANCE_MEMBER = re.compile(r"InstanceId(?:\.\d+)?")
_ZONE_MEMBER = re.compile(r"ZoneName\.\d+")
_RESOURCE_MEMBER = re.compile(r"ResourceId\.\d+")

_NOT_FOUND = {
    "i": "InvalidInstanceID.NotFound",
    "vpc": "InvalidVpcID.NotFound",
    "subnet": "InvalidSubnetID.NotFound",
    "igw": "InvalidInternetGatewayID.NotFound",
    "rtb": "InvalidRouteTableID.NotFound",
    "sg": "InvalidGroup.NotFound",
    "eni": "InvalidNetworkInterfaceID.NotFound",
    "eipalloc": "InvalidAllocationID.NotFound",
    "vol": "InvalidVolume.NotFound",
    "ami": "InvalidAMIID.NotFound",
    "lt": "InvalidLaunchTemplateId.NotFound",
}
"""Prefix of an id -> the code for a resource that does not exist."""

_CODES = {
    # (operation, moto's code) -> AWS's
    ("CreateRoute", "InvalidInternetGatewayID.NotFound"): "InvalidGatewayID.NotFound",
    ("RunInstances", "InvalidInstanceType.NotFound"): "InvalidParameterValue",
}


def ec2(action: str, form: Form, region: str) -> Response | None:
    """The refusal of a request to EC2, None for one that moto may answer."""
    for instance_id in _values(form, _INSTANCE_MEMBER):
        if action.endswith(("Instances", "InstanceStatus", "InstanceAttribute")) and not _INSTANCE_ID.fullmatch(instance_id):
            return error("ec2", 400, "InvalidInstanceID.Malformed", f'Invalid id: "{instance_id}"')
    if action == "DescribeAvailabilityZones":
        return _zones(form, region)
    if action in ("CreateTags", "DeleteTags"):
        return _tagged(form, region) if action == "CreateTags" else None
    if action == "DeleteLaunchTemplate" and "LaunchTemplateId" in form:
        return _template(form["LaunchTemplateId"][0], region)
    return None


def named_as_aws_does(action: str, answer: Response) -> Response:
    """An answer with AWS's error code where moto has one of its own."""
    status, headers, body = answer
    if status < 300:
        return answer
    match = re.search(rb"<Code>([^<]+)</Code>", body)
    wanted = _CODES.get((action, match[1].decode())) if match else None
    if match is None or wanted is None:
        return answer
    return status, headers, body[: match.start(1)] + wanted.encode() + body[match.end(1) :]


def _values(form: Form, member: re.Pattern[str]) -> list[str]:
    return [value for name, values in form.items() if member.fullmatch(name) for value in values]


def _zones(form: Form, region: str) -> Response | None:
    with LOCK:
        known = {zone.name for zone in ec2_backends[settings.ACCOUNT_ID][region].describe_availability_zones()}
    unknown = [name for name in _values(form, _ZONE_MEMBER) if name not in known]
    return error("ec2", 400, "InvalidParameterValue", f"Invalid availability zone: [{', '.join(unknown)}]") if unknown else None


def _tagged(form: Form, region: str) -> Response | None:
    with LOCK:
        backend = ec2_backends[settings.ACCOUNT_ID][region]
        for resource_id in _values(form, _RESOURCE_MEMBER):
            code = _NOT_FOUND.get(resource_id.rpartition("-")[0])
            if code is not None and not tags.exists(backend, resource_id):
                return error("ec2", 400, code, f"The ID '{resource_id}' does not exist")
    return None


def _template(template_id: str, region: str) -> Response | None:
    with LOCK:
        known = template_id in ec2_backends[settings.ACCOUNT_ID][region].launch_templates
    if known:
        return None
    message = f"The specified launch template, with template ID {template_id}, does not exist."
    return error("ec2", 400, "InvalidLaunchTemplateId.NotFound", message)
