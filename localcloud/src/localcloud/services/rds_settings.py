# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""RDS's operations on subnet groups and parameter groups."""

from __future__ import annotations

from ..cloud import Subnet
from . import rds_catalogue as catalogue
from . import rds_checks as checks
from . import rds_parameters as parameters
from . import rds_views as views
from .query_protocol import ApiError, Members
from .rds_context import Context
from .rds_state import State
from .stores import ParameterGroup, SubnetGroup, page, subnets_of_one_vpc


def add_default_parameter_groups(state: State) -> None:
    """AWS's own groups, which nobody can change."""
    for family in catalogue.families():
        name = catalogue.default_group(family)
        state.parameter_groups[name] = ParameterGroup(name, family, f"Default parameter group for {family}")


# -- subnet groups


def _subnets(context: Context, ids: list[str]) -> list[Subnet]:
    found = subnets_of_one_vpc(ids, context.cloud.interfaces.subnet)
    zones = {subnet.availability_zone for subnet in found}
    if len(zones) < 2:
        raise ApiError(
            "DBSubnetGroupDoesNotCoverEnoughAZs",
            "The DB subnet group doesn't meet Availability Zone (AZ) coverage requirement. Current AZ coverage: "
            f"{', '.join(sorted(zones)) or 'none'}. Add subnets to cover at least 2 AZs.",
        )
    return found


async def create_db_subnet_group(context: Context, members: Members) -> Members:
    """https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBSubnetGroup.html"""
    name = members["DBSubnetGroupName"].lower()
    if name == "default" or not 1 <= len(name) <= 255:
        raise checks.invalid("DBSubnetGroupName must be 1 to 255 characters and not be default.")
    if name in context.state.subnet_groups:
        raise ApiError("DBSubnetGroupAlreadyExists", f"The DB subnet group '{name}' already exists.")
    group = SubnetGroup(name, members["DBSubnetGroupDescription"], _subnets(context, members["SubnetIds"]), checks.tags_of(members))
    context.state.subnet_groups[name] = group
    return {"DBSubnetGroup": context.views.subnet_group(group)}


async def describe_db_subnet_groups(context: Context, members: Members) -> Members:
    """https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DescribeDBSubnetGroups.html"""
    groups = sorted(context.state.subnet_groups.values(), key=lambda group: group.name)
    if members.get("DBSubnetGroupName"):
        groups = [checks.subnet_group(context.state, members["DBSubnetGroupName"])]
    found, marker = page(groups, members)
    return {"DBSubnetGroups": [context.views.subnet_group(group) for group in found], "Marker": marker}


async def modify_db_subnet_group(context: Context, members: Members) -> Members:
    """https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBSubnetGroup.html"""
    group = checks.subnet_group(context.state, members["DBSubnetGroupName"])
    subnets = _subnets(context, members["SubnetIds"])
    users = [instance for instance in context.state.instances.values() if instance.subnet_group == group.name]
    used = {server.interface.subnet_id for instance in users for server in instance.servers}
    missing = used - {subnet.id for subnet in subnets}
    if missing:
        raise ApiError(
            "SubnetAlreadyInUse", f"The subnets {', '.join(sorted(missing))} are in use by {', '.join(user.id for user in users)}."
        )
    group.subnets = subnets
    group.description = members.get("DBSubnetGroupDescription") or group.description
    return {"DBSubnetGroup": context.views.subnet_group(group)}


async def delete_db_subnet_group(context: Context, members: Members) -> Members:
    """https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DeleteDBSubnetGroup.html"""
    group = checks.subnet_group(context.state, members["DBSubnetGroupName"])
    users = [instance.id for instance in context.state.instances.values() if instance.subnet_group == group.name]
    if users:
        raise ApiError(
            "InvalidDBSubnetGroupStateFault", f"Cannot delete the subnet group '{group.name}' because it is in use by {', '.join(users)}."
        )
    del context.state.subnet_groups[group.name]
    return {}


# -- parameter groups


def _own_group(context: Context, name: str) -> ParameterGroup:
    """A parameter group that may be changed."""
    group = checks.parameter_group(context.state, name)
    if group.name.startswith("default."):
        raise ApiError("InvalidDBParameterGroupState", f"Default DBParameterGroup cannot be modified: {group.name}")
    return group


async def create_db_parameter_group(context: Context, members: Members) -> Members:
    """https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBParameterGroup.html"""
    name = checks.identifier(members["DBParameterGroupName"], "DBParameterGroupName", 255)
    if name in context.state.parameter_groups:
        raise ApiError("DBParameterGroupAlreadyExists", f"Parameter group {name} already exists")
    family = members["DBParameterGroupFamily"]
    if family not in catalogue.families():
        raise checks.invalid(f"ParameterGroupFamily {family} is not a valid parameter group family: {', '.join(catalogue.families())}.")
    group = ParameterGroup(name, family, members["Description"], tags=checks.tags_of(members))
    context.state.parameter_groups[name] = group
    return {"DBParameterGroup": context.views.parameter_group(group)}


async def describe_db_parameter_groups(context: Context, members: Members) -> Members:
    """https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DescribeDBParameterGroups.html"""
    groups = sorted(context.state.parameter_groups.values(), key=lambda group: group.name)
    if members.get("DBParameterGroupName"):
        groups = [checks.parameter_group(context.state, members["DBParameterGroupName"])]
    found, marker = page(groups, members)
    return {"DBParameterGroups": [context.views.parameter_group(group) for group in found], "Marker": marker}


async def describe_db_parameters(context: Context, members: Members) -> Members:
    """https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DescribeDBParameters.html"""
    group = checks.parameter_group(context.state, members["DBParameterGroupName"])
    rows = [views.parameter(group, name) for name in sorted(parameters.defaults(group.family))]
    if members.get("Source"):
        rows = [row for row in rows if row["Source"] == members["Source"]]
    found, marker = page(rows, members)
    return {"Parameters": found, "Marker": marker}


async def modify_db_parameter_group(context: Context, members: Members) -> Members:
    """https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBParameterGroup.html"""
    group = _own_group(context, members["DBParameterGroupName"])
    wanted = {}
    for item in members["Parameters"]:
        name, value = _known(group, item), item.get("ParameterValue")
        parameter = parameters.defaults(group.family)[name]
        if value is None or not parameter.takes(value):
            raise checks.invalid(f"Invalid parameter value: {value} for: {name} allowed values are: {parameter.allowed}")
        if parameter.static and item.get("ApplyMethod") == "immediate":
            raise checks.combination(f"cannot use immediate apply method for static parameter {name}")
        wanted[name] = value
    changed = {name for name, value in wanted.items() if parameters.value(group.family, group.values, name) != value}
    group.values.update(wanted)
    await _apply(context, group, changed)
    return {"DBParameterGroupName": group.name}


def _known(group: ParameterGroup, item: Members) -> str:
    name = str(item.get("ParameterName"))
    if name not in parameters.defaults(group.family):
        raise checks.invalid(f"Could not find parameter with name: {name} among those of {group.family} that this cloud has.")
    return name


async def reset_db_parameter_group(context: Context, members: Members) -> Members:
    """https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ResetDBParameterGroup.html"""
    group = _own_group(context, members["DBParameterGroupName"])
    names = [_known(group, item) for item in members.get("Parameters") or []]
    if not names and not members.get("ResetAllParameters"):
        raise checks.combination("Either ResetAllParameters or Parameters must be given.")
    changed = {name for name in names or list(group.values) if group.values.pop(name, None) is not None}
    await _apply(context, group, changed)
    return {"DBParameterGroupName": group.name}


async def _apply(context: Context, group: ParameterGroup, changed: set[str]) -> None:
    static = any(parameters.defaults(group.family)[name].static for name in changed)
    for instance in list(context.state.instances.values()):
        if instance.parameter_group == group.name and changed:
            instance.restart_due |= static
            await context.controller.configure(instance)
    context.controller.record(group.name, "configuration change", "Updated parameters", "db-parameter-group")


async def delete_db_parameter_group(context: Context, members: Members) -> Members:
    """https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DeleteDBParameterGroup.html"""
    group = _own_group(context, members["DBParameterGroupName"])
    users = [instance.id for instance in context.state.instances.values() if instance.parameter_group == group.name]
    if users:
        raise ApiError("InvalidDBParameterGroupState", f"One or more database instances are still members of this parameter group: {users}")
    del context.state.parameter_groups[group.name]
    return {}
