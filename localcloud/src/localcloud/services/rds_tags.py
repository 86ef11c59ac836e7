# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""RDS's operations on what can be ordered, on tags and on events."""

from __future__ import annotations

import datetime

from . import rds_catalogue as catalogue
from . import rds_checks as checks
from .query_protocol import ApiError, Members
from .rds_context import Context
from .rds_state import Tags
from .rds_views import tag_list
from .stores import events_asked_for, page

_ZONES = "abcd"


async def describe_db_engine_versions(context: Context, members: Members) -> Members:
    """https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DescribeDBEngineVersions.html"""
    asked = members.get("EngineVersion")
    versions = [
        version
        for version in catalogue.VERSIONS
        if members.get("Engine", catalogue.ENGINE) == catalogue.ENGINE
        and (not asked or asked in (version, version.split(".")[0]))
        and members.get("DBParameterGroupFamily", catalogue.family_of(version)) == catalogue.family_of(version)
    ]
    if members.get("DefaultOnly"):
        versions = [version for version in versions if version == catalogue.DEFAULT_VERSION] or versions[-1:]
    found, marker = page(versions, members)
    return {"DBEngineVersions": [context.views.engine_version(version) for version in found], "Marker": marker}


async def describe_orderable_db_instance_options(context: Context, members: Members) -> Members:
    """https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DescribeOrderableDBInstanceOptions.html"""
    checks.engine(members["Engine"])
    zones = [f"{context.state.region}{letter}" for letter in _ZONES]
    rows = [
        (version, instance_class, storage_type)
        for version in catalogue.VERSIONS
        for instance_class in catalogue.CLASS_MEMORY
        for storage_type in catalogue.STORAGE_GIB
        if members.get("EngineVersion", version) == version and members.get("DBInstanceClass", instance_class) == instance_class
    ]
    found, marker = page(rows, members)
    return {"OrderableDBInstanceOptions": [context.views.orderable(*row, zones) for row in found], "Marker": marker}


# -- tags


def _tags(context: Context, arn: str) -> Tags:
    """The tags of a resource, to be changed in place."""
    for known, tags in context.state.tagged():
        if known == arn:
            return tags
    kind, _, name = arn.removeprefix(context.state.arn("", "").rstrip(":")).strip(":").partition(":")
    codes = {"db": "DBInstanceNotFound", "snapshot": "DBSnapshotNotFound"}
    if kind in codes:
        raise ApiError(codes[kind], f"{name} not found.", 404)
    raise checks.invalid(f"The specified resource name does not match an RDS resource in this region: {arn}")


def change_tags(context: Context, arn: str, added: Tags, removed: list[str]) -> None:
    """Add and remove tags of a resource. Raises ApiError."""
    tags = _tags(context, arn)
    tags.update(added)
    for key in removed:
        tags.pop(key, None)


async def add_tags_to_resource(context: Context, members: Members) -> Members:
    """https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_AddTagsToResource.html"""
    change_tags(context, members["ResourceName"], checks.tags_of(members), [])
    return {}


async def remove_tags_from_resource(context: Context, members: Members) -> Members:
    """https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_RemoveTagsFromResource.html"""
    change_tags(context, members["ResourceName"], {}, members["TagKeys"])
    return {}


async def list_tags_for_resource(context: Context, members: Members) -> Members:
    """https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ListTagsForResource.html"""
    return {"TagList": tag_list(_tags(context, members["ResourceName"]))}


# -- events


async def describe_events(context: Context, members: Members) -> Members:
    """https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DescribeEvents.html: of the last hour when nothing is said."""
    events = events_asked_for(context.state.events, members, datetime.datetime.now(datetime.UTC))
    if categories := members.get("EventCategories"):
        events = [event for event in events if event.category in categories]
    found, marker = page(events, members)
    return {"Events": [context.views.event(event) for event in found], "Marker": marker}
