# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""RDS: the API's envelope and the life of what is behind it; the operations are in rds_instances and its siblings."""

from __future__ import annotations

import logging
import typing as t

from ministack.services import tagging

from ..input_model import service_model
from . import query_protocol, rds_instances, rds_life, rds_settings, rds_snapshots, rds_tags
from .pace import Pace
from .query_protocol import ApiError, Members
from .rds_context import Context
from .rds_controller import Controller
from .rds_names import EndpointNames
from .rds_placement import Placement
from .rds_servers import Servers
from .rds_state import State
from .rds_views import Views

if t.TYPE_CHECKING:
    from ..cloud import Cloud
    from . import Response

_log = logging.getLogger("localcloud.rds")

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


class Rds:
    """The service `rds`."""

    def __init__(self, cloud: Cloud) -> None:
        state = State(cloud.region, cloud.account_id)
        rds_settings.add_default_parameter_groups(state)
        names, servers, placement = EndpointNames(cloud.name, cloud.region), Servers(cloud), Placement(cloud, state)
        controller = Controller(cloud, state, servers, placement, names)
        self._context = Context(cloud, state, servers, placement, controller, Views(state, names), Pace("rds", 2.0))
        self._model = service_model("rds")
        _install_tags(self._context)

    async def stop(self) -> None:
        """Stop keeping instances; what exists is left for the clean-up."""
        await self._context.controller.stop()

    async def handle_request(
        self, method: str, path: str, headers: dict[str, str], body: bytes, query_params: dict[str, list[str]]
    ) -> Response:
        """Answer one request."""
        form = query_protocol.form_of(body, query_params)
        name = form.get("Action", "")
        try:
            if name not in OPERATIONS:
                raise ApiError("InvalidAction", f"This cloud's RDS does not provide {name}.")
            operation = self._model.operation_model(name)
            members = query_protocol.parse(operation, form)
            return query_protocol.render(operation, await OPERATIONS[name](self._context, members))
        except ApiError as error:
            return query_protocol.render_error(error, self._model.metadata["xmlNamespace"])
        except Exception:  # a client must get an answer that it understands
            _log.exception("%s failed", name)
            error = ApiError("InternalFailure", "An internal error has occurred in the local cloud; its log has the traceback.", 500)
            return query_protocol.render_error(error, self._model.metadata["xmlNamespace"])

    async def admin(self, method: str, path: str, body: bytes) -> Response:
        """`seconds`: how long a creation is seen at least."""
        return self._context.pace.admin(method, path, body)


def _install_tags(context: Context) -> None:
    """Put our resources in the place of MiniStack's own in the Resource Groups Tagging API."""

    def collect() -> t.Iterator[tuple[str, list[dict[str, str]]]]:
        for arn, tags in list(context.state.tagged()):
            if tags:
                yield arn, [{"Key": key, "Value": value} for key, value in tags.items()]

    def change(arn: str, added: dict[str, str], removed: list[str]) -> None:
        try:
            rds_tags.change_tags(context, arn, added, removed)
        except ApiError as error:
            raise tagging._ResourceNotFound(arn) from error

    tagging._COLLECTORS["rds"] = collect
    tagging._WRITERS["rds"] = lambda _spec, arn, tags: change(arn, dict(tags), [])
    tagging._REMOVERS["rds"] = lambda _spec, arn, keys: change(arn, {}, list(keys))


def create(cloud: Cloud) -> Rds:
    """The service of this cloud."""
    return Rds(cloud)
