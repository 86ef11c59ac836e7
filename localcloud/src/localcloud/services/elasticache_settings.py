# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ElastiCache's operations on subnet groups, parameter groups and engine versions."""

from __future__ import annotations

from . import elasticache_catalogue as catalogue
from . import elasticache_checks as checks
from . import elasticache_parameters as parameters
from . import elasticache_views as views
from .elasticache_context import Context
from .elasticache_state import State
from .query_protocol import ApiError, Members
from .stores import ParameterGroup, SubnetGroup, page, subnets_of_one_vpc


def add_default_parameter_groups(state: State) -> None:
    """AWS's own groups, which nobody can change; those with cluster mode too, which are only listed."""
    for family in catalogue.FAMILIES:
        name = catalogue.default_group(family)
        state.parameter_groups[name] = ParameterGroup(name, family, f"Default parameter group for {family}")
        clustered = f"{name}.cluster.on"
        state.parameter_groups[clustered] = ParameterGroup(
            clustered, family, f"Customized default parameter group for {family} with cluster mode on", {"cluster-enabled": "yes"}
        )


# -- subnet groups


async def create_cache_subnet_group(context: Context, members: Members) -> Members:
    """https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_CreateCacheSubnetGroup.html"""
    name = members["CacheSubnetGroupName"].lower()
    if name in context.state.subnet_groups:
        raise ApiError("CacheSubnetGroupAlreadyExists", f"Cache subnet group {name} already exists.")
    if not members["SubnetIds"]:
        raise checks.invalid("SubnetIds must name at least one subnet.")
    subnets = subnets_of_one_vpc(members["SubnetIds"], context.cloud.interfaces.subnet)
    group = SubnetGroup(name, members["CacheSubnetGroupDescription"], subnets, checks.tags_of(members))
    context.state.subnet_groups[name] = group
    return {"CacheSubnetGroup": context.views.subnet_group(group)}


async def describe_cache_subnet_groups(context: Context, members: Members) -> Members:
    """https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_DescribeCacheSubnetGroups.html"""
    groups = list(context.state.subnet_groups.values())
    if members.get("CacheSubnetGroupName"):
        groups = [checks.subnet_group(context.state, members["CacheSubnetGroupName"])]
    found, marker = page(groups, members)
    return {"CacheSubnetGroups": [context.views.subnet_group(group) for group in found], "Marker": marker}


async def modify_cache_subnet_group(context: Context, members: Members) -> Members:
    """https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_ModifyCacheSubnetGroup.html"""
    group = checks.subnet_group(context.state, members["CacheSubnetGroupName"])
    if members.get("SubnetIds"):
        subnets = subnets_of_one_vpc(members["SubnetIds"], context.cloud.interfaces.subnet)
        kept = {subnet.id for subnet in subnets}
        used = {node.interface.subnet_id for owner, node in context.state.clusters() if owner.subnet_group == group.name}
        if used - kept:
            raise ApiError("SubnetInUse", f"The subnets {', '.join(sorted(used - kept))} are in use.")
        group.subnets = subnets
    group.description = members.get("CacheSubnetGroupDescription", group.description)
    return {"CacheSubnetGroup": context.views.subnet_group(group)}


async def delete_cache_subnet_group(context: Context, members: Members) -> Members:
    """https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_DeleteCacheSubnetGroup.html"""
    group = checks.subnet_group(context.state, members["CacheSubnetGroupName"])
    users = [owner.id for owner in context.state.groups.values() if owner.subnet_group == group.name]
    if users:
        raise ApiError("CacheSubnetGroupInUse", f"Cache subnet group {group.name} is used by {', '.join(users)}.")
    del context.state.subnet_groups[group.name]
    return {}


# -- parameter groups


def _own_group(context: Context, name: str) -> ParameterGroup:
    """A parameter group that may be changed."""
    group = checks.parameter_group(context.state, name)
    if group.name.startswith("default."):
        raise checks.invalid(f"The parameter group {group.name} is AWS's own and cannot be changed.")
    return group


async def create_cache_parameter_group(context: Context, members: Members) -> Members:
    """https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_CreateCacheParameterGroup.html"""
    name = checks.identifier(members["CacheParameterGroupName"], "CacheParameterGroupName", 255)
    if name in context.state.parameter_groups:
        raise ApiError("CacheParameterGroupAlreadyExists", f"Cache parameter group {name} already exists.")
    family = members["CacheParameterGroupFamily"]
    if family not in catalogue.FAMILIES:
        raise checks.invalid(f"CacheParameterGroupFamily {family} is not a valid parameter group family: {', '.join(catalogue.FAMILIES)}.")
    group = ParameterGroup(name, family, members["Description"], tags=checks.tags_of(members))
    context.state.parameter_groups[name] = group
    return {"CacheParameterGroup": context.views.parameter_group(group)}


async def describe_cache_parameter_groups(context: Context, members: Members) -> Members:
    """https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_DescribeCacheParameterGroups.html"""
    groups = sorted(context.state.parameter_groups.values(), key=lambda group: group.name)
    if members.get("CacheParameterGroupName"):
        groups = [checks.parameter_group(context.state, members["CacheParameterGroupName"])]
    found, marker = page(groups, members)
    return {"CacheParameterGroups": [context.views.parameter_group(group) for group in found], "Marker": marker}


async def describe_cache_parameters(context: Context, members: Members) -> Members:
    """https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_DescribeCacheParameters.html"""
    group = checks.parameter_group(context.state, members["CacheParameterGroupName"])
    rows = [
        {
            "ParameterName": name,
            "ParameterValue": group.values.get(name, parameter.default),
            "Description": parameter.description,
            "Source": "user" if name in group.values else "system",
            "DataType": parameter.kind,
            "AllowedValues": parameter.allowed,
            "IsModifiable": parameter.modifiable,
            "MinimumEngineVersion": next(version for version, family in _versions(group.family) if family == group.family),
            "ChangeType": "requires-reboot" if parameter.reboot else "immediate",
        }
        for name, parameter in sorted(parameters.of_family(group.family).items())
    ]
    if members.get("Source"):
        rows = [row for row in rows if row["Source"] == members["Source"]]
    found, marker = page(rows, members)
    return {"Parameters": found, "CacheNodeTypeSpecificParameters": [], "Marker": marker}


def _versions(family: str) -> list[tuple[str, str]]:
    return list(catalogue.VERSIONS[catalogue.engine_of(family)].items())


async def modify_cache_parameter_group(context: Context, members: Members) -> Members:
    """https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_ModifyCacheParameterGroup.html"""
    group = _own_group(context, members["CacheParameterGroupName"])
    known = parameters.of_family(group.family)
    wanted = {item["ParameterName"]: item.get("ParameterValue", "") for item in members["ParameterNameValues"]}
    for name, value in wanted.items():
        if name not in known or not known[name].modifiable:
            raise checks.invalid(f"Could not modify {name}: it is not a parameter of {group.family} that this cloud can change.")
        if not known[name].takes(value):
            raise checks.invalid(f"The value {value} of {name} is not allowed: {known[name].allowed}.")
    group.values.update(wanted)
    await _apply(context, group)
    return {"CacheParameterGroupName": group.name}


async def reset_cache_parameter_group(context: Context, members: Members) -> Members:
    """https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_ResetCacheParameterGroup.html"""
    group = _own_group(context, members["CacheParameterGroupName"])
    names = [item["ParameterName"] for item in members.get("ParameterNameValues") or []]
    if not names and not members.get("ResetAllParameters"):
        raise checks.combination("Either ResetAllParameters or ParameterNameValues must be given.")
    for name in names or list(group.values):
        group.values.pop(name, None)
    await _apply(context, group)
    return {"CacheParameterGroupName": group.name}


async def _apply(context: Context, group: ParameterGroup) -> None:
    for user in list(context.state.groups.values()):
        if user.parameter_group == group.name:
            await context.controller.configure(user)


async def delete_cache_parameter_group(context: Context, members: Members) -> Members:
    """https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_DeleteCacheParameterGroup.html"""
    group = _own_group(context, members["CacheParameterGroupName"])
    users = [owner.id for owner in context.state.groups.values() if owner.parameter_group == group.name]
    if users:
        raise ApiError("InvalidCacheParameterGroupState", f"Cache parameter group {group.name} is used by {', '.join(users)}.")
    del context.state.parameter_groups[group.name]
    return {}


async def describe_cache_engine_versions(_context: Context, members: Members) -> Members:
    """https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_DescribeCacheEngineVersions.html"""
    rows = [
        views.engine_version(engine, version)
        for engine, versions in catalogue.VERSIONS.items()
        for version, family in versions.items()
        if members.get("Engine", engine) == engine
        and (members.get("EngineVersion") or version) == version
        and (members.get("CacheParameterGroupFamily") or family) == family
    ]
    if members.get("DefaultOnly"):
        rows = rows[-1:]
    found, marker = page(rows, members)
    return {"CacheEngineVersions": found, "Marker": marker}
