# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""RDS: the API's envelope and the life of what is behind it; the operations are in rds_instances and its siblings."""

from __future__ import annotations

import typing as t

from . import rds_instances, rds_life, rds_settings, rds_snapshots, rds_tags
from .pace import Pace
from .query_protocol import Members
from .query_service import QueryService, install_tags
from .rds_context import Context
from .rds_controller import Controller
from .rds_names import EndpointNames
from .rds_placement import Placement
from .rds_servers import Servers
from .rds_state import State
from .rds_views import Views

if t.TYPE_CHECKING:
    from ..cloud import Cloud

Operation = t.Callable[[Context, Members], t.Awaitable[Members]]

OPERATIONS: dict[str, Operation] = {
    "AddTagsToResource": rds_tags.add_tags_to_resource,
    "CreateDBInstance": rds_instances.create_db_instance,
    "CreateDBParameterGroup": rds_settings.create_db_parameter_group,
    "CreateDBSnapshot": rds_snapshots.create_db_snapshot,
    "CreateDBSubnetGroup": rds_settings.create_db_subnet_group,
    "DeleteDBInstance": rds_life.delete_db_instance,
    "DeleteDBParameterGroup": rds_settings.delete_db_parameter_group,
    "DeleteDBSnapshot": rds_snapshots.delete_db_snapshot,
    "DeleteDBSubnetGroup": rds_settings.delete_db_subnet_group,
    "DescribeDBEngineVersions": rds_tags.describe_db_engine_versions,
    "DescribeDBInstances": rds_instances.describe_db_instances,
    "DescribeDBParameterGroups": rds_settings.describe_db_parameter_groups,
    "DescribeDBParameters": rds_settings.describe_db_parameters,
    "DescribeDBSnapshots": rds_snapshots.describe_db_snapshots,
    "DescribeDBSubnetGroups": rds_settings.describe_db_subnet_groups,
    "DescribeEvents": rds_tags.describe_events,
    "DescribeOrderableDBInstanceOptions": rds_tags.describe_orderable_db_instance_options,
    "ListTagsForResource": rds_tags.list_tags_for_resource,
    "ModifyDBInstance": rds_instances.modify_db_instance,
    "ModifyDBParameterGroup": rds_settings.modify_db_parameter_group,
    "ModifyDBSubnetGroup": rds_settings.modify_db_subnet_group,
    "RebootDBInstance": rds_life.reboot_db_instance,
    "RemoveTagsFromResource": rds_tags.remove_tags_from_resource,
    "ResetDBParameterGroup": rds_settings.reset_db_parameter_group,
    "RestoreDBInstanceFromDBSnapshot": rds_instances.restore_db_instance_from_db_snapshot,
    "StartDBInstance": rds_life.start_db_instance,
    "StopDBInstance": rds_life.stop_db_instance,
}


class Rds(QueryService[Context]):
    """The service `rds`."""

    def __init__(self, cloud: Cloud) -> None:
        state = State(cloud.region, cloud.account_id)
        rds_settings.add_default_parameter_groups(state)
        names, servers, placement = EndpointNames(cloud.name, cloud.region), Servers(cloud), Placement(cloud, state)
        controller = Controller(cloud, state, servers, placement, names)
        context = Context(cloud, state, servers, placement, controller, Views(state, names), Pace("rds", 2.0))
        super().__init__("rds", "RDS", OPERATIONS, context)
        install_tags("rds", context, rds_tags.change_tags)


def create(cloud: Cloud) -> Rds:
    """The service of this cloud."""
    return Rds(cloud)
