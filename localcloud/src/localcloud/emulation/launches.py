# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Launches and terminates EC2 instances on behalf of Auto Scaling through EC2's own API, and reads launch templates; decides nothing."""

from __future__ import annotations

import asyncio
import dataclasses
import re
import typing as t
import urllib.parse

import ministack.app
from ministack.core.responses import request_scope
from moto.ec2.models import ec2_backends

from .moto import LOCK

Form = dict[str, str]

_CODE = re.compile(r"<Code>([^<]+)</Code>")
_MESSAGE = re.compile(r"<Message>([^<]*)</Message>")
_INSTANCE = re.compile(r"<instanceId>(i-[0-9a-f]+)</instanceId>")
_TYPE = re.compile(r"<instanceType>([^<]+)</instanceType>")
_IMAGE = re.compile(r"<imageId>([^<]+)</imageId>")


class Refused(Exception):
    """EC2 answered with an error."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


@dataclasses.dataclass(frozen=True)
class TemplateVersion:
    """One version of a launch template."""

    id: str
    name: str
    number: int


@dataclasses.dataclass(frozen=True)
class Launched:
    """An instance that EC2 has begun to launch."""

    id: str
    type: str
    image_id: str


def template_version(account_id: str, region: str, template_id: str | None, name: str | None, version: str) -> TemplateVersion | None:
    """The version of a launch template that `version` ($Latest, $Default, a number) stands for now; None when there is none."""
    with LOCK:
        backend = ec2_backends[account_id][region]
        key = template_id or backend.launch_template_name_to_ids.get(name)
        template = backend.launch_templates.get(key)
        if template is None or (name and template.name != name):
            return None
        wanted = {"$latest": template.versions[-1].number, "$default": template.default_version_number}.get(version.lower())
        number = wanted if wanted is not None else int(version) if version.isdigit() else 0
        if not 1 <= number <= len(template.versions):
            return None
        return TemplateVersion(template.id, template.name, number)


def image_exists(account_id: str, region: str, image_id: str) -> bool:
    """Whether EC2 has this machine image."""
    with LOCK:
        return image_id in ec2_backends[account_id][region].amis


class Ec2Calls:
    """EC2's API, called inside the process; on the event loop. Every method raises Refused."""

    def __init__(self, account_id: str, region: str) -> None:
        self._account_id = account_id
        self._region = region

    async def run(self, form: Form, tags: dict[str, str]) -> Launched:
        """RunInstances of one instance; `form` has the flat members that differ."""
        members: Form = {"MinCount": "1", "MaxCount": "1", **form}
        if tags:
            members["TagSpecification.1.ResourceType"] = "instance"
        for number, (key, value) in enumerate(tags.items(), 1):
            members[f"TagSpecification.1.Tag.{number}.Key"] = key
            members[f"TagSpecification.1.Tag.{number}.Value"] = value
        text = await self._call("RunInstances", members)
        return Launched(*(_first(pattern, text) for pattern in (_INSTANCE, _TYPE, _IMAGE)))

    async def terminate(self, instance_id: str) -> None:
        """TerminateInstances of one instance."""
        await self._call("TerminateInstances", {"InstanceId.1": instance_id})

    async def tag(self, instance_id: str, tags: dict[str, str]) -> None:
        """CreateTags; nothing happens without tags."""
        members = {"ResourceId.1": instance_id}
        for number, (key, value) in enumerate(tags.items(), 1):
            members |= {f"Tag.{number}.Key": key, f"Tag.{number}.Value": value}
        if tags:
            await self._call("CreateTags", members)

    async def untag(self, instance_id: str, keys: list[str]) -> None:
        """DeleteTags."""
        await self._call("DeleteTags", {"ResourceId.1": instance_id} | {f"Tag.{number}.Key": key for number, key in enumerate(keys, 1)})

    async def _call(self, action: str, members: Form) -> str:
        body = urllib.parse.urlencode({"Action": action, "Version": "2016-11-15", **members}).encode()
        headers = {
            "content-type": "application/x-www-form-urlencoded",
            "authorization": f"AWS4-HMAC-SHA256 Credential=autoscaling/20260101/{self._region}/ec2/aws4_request",
        }
        handler = ministack.app.SERVICE_HANDLERS.get("ec2")
        with request_scope(self._account_id, self._region):
            status, _, answer = await handler("POST", "/", headers, body, {})
        text = answer.decode()
        if status >= 300:
            raise Refused(_first(_CODE, text), _first(_MESSAGE, text))
        return text


def _first(pattern: re.Pattern[str], text: str) -> str:
    match = pattern.search(text)
    return match[1] if match else ""


async def gather_states(directory: t.Any, ids: t.Iterable[str]) -> dict[str, str]:
    """Instance id -> EC2's state of it; those that EC2 has forgotten are left out."""
    wanted = set(ids)
    if not wanted:
        return {}
    found = await asyncio.to_thread(directory.all)
    return {instance.id: instance.state for instance in found if instance.id in wanted}
