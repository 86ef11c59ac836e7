# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Corrects what moto makes of launch templates: their own tags, the data of later versions, versions that go; launches nothing."""

from __future__ import annotations

import copy
import typing as t

from moto.core.responses import ActionResult
from moto.core.types import Base64EncodedString
from moto.ec2.models.launch_templates import LaunchTemplate, LaunchTemplateBackend
from moto.ec2.responses.launch_templates import LaunchTemplates
from moto.ec2.utils import parse_user_data

_create_template = LaunchTemplateBackend.create_launch_template
_create_version = LaunchTemplate.create_version
_answer_create_version = LaunchTemplates.create_launch_template_version


class Versions(list):  # type: ignore[type-arg]
    """Versions by number less one, as moto asks for them; one that was deleted is not there, and its number is not given again."""

    def __init__(self, versions: t.Iterable[t.Any]) -> None:
        super().__init__(versions)
        self.deleted: set[int] = set()

    def __getitem__(self, place: t.Any) -> t.Any:
        if isinstance(place, slice):
            return [one for one in super().__getitem__(place) if one.number not in self.deleted]
        if place == -1:
            return max(self, key=lambda one: one.number)
        found = super().__getitem__(place)
        if place < 0 or found.number in self.deleted:
            raise IndexError(place)
        return found

    def __iter__(self) -> t.Iterator[t.Any]:
        return (one for one in super().__iter__() if one.number not in self.deleted)


def install() -> None:
    """Correct moto; once per process."""
    LaunchTemplateBackend.create_launch_template = _create_template_without_own_tags  # type: ignore[method-assign]
    LaunchTemplate.create_version = _create_version_with_user_data  # type: ignore[method-assign]
    LaunchTemplates.create_launch_template_version = _create_version_from_source  # type: ignore[method-assign]
    LaunchTemplates.delete_launch_template_versions = _delete_versions  # type: ignore[attr-defined]


def _create_template_without_own_tags(
    backend: LaunchTemplateBackend, name: str, description: str, template_data: dict[str, t.Any], tag_spec: dict[str, t.Any]
) -> LaunchTemplate:
    """The template's own tags are not among those that its instances get, where moto puts them too."""
    specifications = [found for found in template_data.pop("TagSpecifications", []) if found["ResourceType"] != "launch-template"]
    if specifications:
        template_data["TagSpecifications"] = specifications
    return _create_template(backend, name, description, template_data, tag_spec)


def _create_version_with_user_data(template: LaunchTemplate, data: dict[str, t.Any], description: str) -> t.Any:
    """In every version user data is what moto makes of it in the first: else it fails when an instance starts from the version."""
    if not isinstance(template.versions, Versions):
        template.versions = Versions(template.versions)
    if data.get("UserData") is not None and not isinstance(data["UserData"], Base64EncodedString):
        data["UserData"] = parse_user_data(data["UserData"])
    return _create_version(template, data, description)


def _create_version_from_source(request: LaunchTemplates) -> t.Any:
    """A version made from another one has what that one had, unless the request says otherwise."""
    source = request._get_param("SourceVersion")
    if not source:
        return _answer_create_version(request)
    name, template_id = request._get_param("LaunchTemplateName"), request._get_param("LaunchTemplateId")
    backend = request.ec2_backend
    template = backend.get_launch_template_by_name(name) if name else backend.get_launch_template(template_id)
    inherited = copy.deepcopy(template.get_version(source).data)
    create = template.create_version
    template.create_version = lambda data, description: create({**inherited, **data}, description)  # type: ignore[method-assign]
    try:
        return _answer_create_version(request)
    finally:
        del template.create_version


def _delete_versions(request: LaunchTemplates) -> ActionResult:
    """DeleteLaunchTemplateVersions, which moto lacks: it answers for each number whether it is gone now."""
    name, template_id = request._get_param("LaunchTemplateName"), request._get_param("LaunchTemplateId")
    backend = request.ec2_backend
    template = backend.get_launch_template_by_name(name) if name else backend.get_launch_template(template_id)
    answer: dict[str, list[dict[str, t.Any]]] = {
        "SuccessfullyDeletedLaunchTemplateVersions": [],
        "UnsuccessfullyDeletedLaunchTemplateVersions": [],
    }
    there = {one.number for one in template.versions}
    for number in map(int, request._get_param("Versions", [])):
        item: dict[str, t.Any] = {"LaunchTemplateId": template.id, "LaunchTemplateName": template.name, "VersionNumber": number}
        if number in there and number != template.default_version_number:
            template.versions.deleted.add(number)
            answer["SuccessfullyDeletedLaunchTemplateVersions"].append(item)
        else:
            code, why = "launchTemplateVersionDoesNotExist", "does not exist"
            if number in there:
                code, why = "unexpectedError", "is the default version"
            item["ResponseError"] = {"Code": code, "Message": f"Version {number} of launch template {template.id} {why}."}
            answer["UnsuccessfullyDeletedLaunchTemplateVersions"].append(item)
    return ActionResult(answer)
