# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Corrects what moto makes of launch templates: their own tags, the data of later versions; launches nothing."""

from __future__ import annotations

import copy
import typing as t

from moto.core.types import Base64EncodedString
from moto.ec2.models.launch_templates import LaunchTemplate, LaunchTemplateBackend
from moto.ec2.responses.launch_templates import LaunchTemplates
from moto.ec2.utils import parse_user_data

_create_template = LaunchTemplateBackend.create_launch_template
_create_version = LaunchTemplate.create_version
_answer_create_version = LaunchTemplates.create_launch_template_version


def install() -> None:
    """Correct moto; once per process."""
    LaunchTemplateBackend.create_launch_template = _create_template_without_own_tags  # type: ignore[method-assign]
    LaunchTemplate.create_version = _create_version_with_user_data  # type: ignore[method-assign]
    LaunchTemplates.create_launch_template_version = _create_version_from_source  # type: ignore[method-assign]


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
