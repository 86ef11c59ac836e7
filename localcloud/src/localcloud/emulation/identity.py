# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Instance profiles and role credentials from MiniStack's IAM and STS, for the services that moto provides."""

from __future__ import annotations

import dataclasses
import urllib.parse
import xml.etree.ElementTree as ElementTree

from ministack.services import iam, sts
from moto.ec2.exceptions import EC2ClientError


@dataclasses.dataclass(frozen=True)
class Profile:
    """An instance profile as moto wants to see one; `role_name` is None while the profile has no role."""

    name: str
    arn: str
    id: str
    role_name: str | None


@dataclasses.dataclass(frozen=True)
class Credentials:
    """Session credentials; `expiration` in ISO 8601."""

    access_key_id: str
    secret_access_key: str = dataclasses.field(repr=False)
    session_token: str = dataclasses.field(repr=False)
    expiration: str


class InvalidProfileError(EC2ClientError):
    """RunInstances with a profile that IAM does not have."""

    def __init__(self, kind: str, value: str) -> None:
        noun = "ARN" if kind.endswith("arn") else "name"
        super().__init__("InvalidParameterValue", f"Value ({value}) for parameter {kind} is invalid. Invalid IAM Instance Profile {noun}")


def find_profile(name: str | None = None, arn: str | None = None) -> Profile | None:
    """The instance profile with this name or ARN, or None."""
    found = iam._lookup_instance_profile(name or "", arn or "")
    if not found:
        return None
    roles = found.get("Roles") or []
    role = roles[0] if roles else None
    return Profile(
        name=found["InstanceProfileName"],
        arn=found["Arn"],
        id=found["InstanceProfileId"],
        role_name=role["RoleName"] if isinstance(role, dict) else role,
    )


def filter_iam_instance_profiles(
    account_id: str, partition: str, iam_instance_profile_arn: str | None, iam_instance_profile_name: str | None
) -> Profile:
    """Stands in for moto's function of the same name, which asks moto's own IAM."""
    found = find_profile(iam_instance_profile_name, iam_instance_profile_arn)
    if found is None:
        kind = "iamInstanceProfile.arn" if iam_instance_profile_arn else "iamInstanceProfile.name"
        raise InvalidProfileError(kind, str(iam_instance_profile_arn or iam_instance_profile_name))
    return found


def role_arn(role_name: str) -> str | None:
    """The ARN of a role, or None when it does not exist."""
    role = iam._roles.get(role_name)
    return role["Arn"] if role else None


async def assume_role(role_arn: str, session_name: str, seconds: int = 6 * 3600) -> Credentials:
    """Session credentials of a role, issued by STS.

    Raises RuntimeError with STS's answer when it refuses.
    """
    form = {"Action": "AssumeRole", "Version": "2011-06-15", "RoleArn": role_arn, "RoleSessionName": session_name}
    body = urllib.parse.urlencode({**form, "DurationSeconds": str(seconds)})
    headers = {"content-type": "application/x-www-form-urlencoded"}
    status, _, answer = await sts.handle_request("POST", "/", headers, body.encode(), {})
    if status != 200:
        raise RuntimeError(answer.decode(errors="replace"))
    found = {element.tag.rpartition("}")[2]: element.text or "" for element in ElementTree.fromstring(answer).iter()}  # noqa: S314 - our own STS
    return Credentials(
        access_key_id=found["AccessKeyId"],
        secret_access_key=found["SecretAccessKey"],
        session_token=found["SessionToken"],
        expiration=found["Expiration"],
    )
