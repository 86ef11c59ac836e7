# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ECS: the API's HTTP envelope, and how its parts are put together; the operations themselves are in the package `ecs`."""

from __future__ import annotations

import asyncio
import base64
import concurrent.futures
import json
import logging
import typing as t
import uuid

from ministack.core.router import extract_region

from ..ecs import metadata, requests
from ..ecs.clusters import Clusters
from ..ecs.controller import Controller
from ..ecs.definitions import Definitions
from ..ecs.engine import Engine
from ..ecs.errors import ApiError
from ..ecs.logs import Logs
from ..ecs.metadata import Metadata
from ..ecs.metrics import Metrics
from ..ecs.parts import Parts
from ..ecs.secrets import Secrets
from ..ecs.services import Services
from ..ecs.state import Members, State
from ..ecs.surroundings import Surroundings
from ..ecs.tags import Tags
from ..ecs.tasks import Tasks
from ..ecs.usage import Usage
from ..emulation import ecs_tags, identity
from ..emulation.calls import CallFailed, Calls
from ..emulation.placement import Placement
from ..emulation.roles import Roles
from .faults import Faults

if t.TYPE_CHECKING:
    from ..cloud import Cloud
    from . import Response

PRINCIPAL = "ecs-tasks.amazonaws.com"
THREADS = 24

OPERATIONS: dict[str, tuple[str, str]] = {
    # operation -> the group that answers it, and the method
    "CreateCluster": ("clusters", "create_cluster"),
    "DeleteAccountSetting": ("clusters", "delete_account_setting"),
    "DeleteCluster": ("clusters", "delete_cluster"),
    "DescribeCapacityProviders": ("clusters", "describe_capacity_providers"),
    "DescribeClusters": ("clusters", "describe_clusters"),
    "DescribeContainerInstances": ("clusters", "describe_container_instances"),
    "ListAccountSettings": ("clusters", "list_account_settings"),
    "ListClusters": ("clusters", "list_clusters"),
    "ListContainerInstances": ("clusters", "list_container_instances"),
    "PutAccountSetting": ("clusters", "put_account_setting"),
    "PutAccountSettingDefault": ("clusters", "put_account_setting_default"),
    "PutClusterCapacityProviders": ("clusters", "put_cluster_capacity_providers"),
    "UpdateCluster": ("clusters", "update_cluster"),
    "UpdateClusterSettings": ("clusters", "update_cluster_settings"),
    "DeleteTaskDefinitions": ("definitions", "delete_task_definitions"),
    "DeregisterTaskDefinition": ("definitions", "deregister_task_definition"),
    "DescribeTaskDefinition": ("definitions", "describe_task_definition"),
    "ListTaskDefinitionFamilies": ("definitions", "list_task_definition_families"),
    "ListTaskDefinitions": ("definitions", "list_task_definitions"),
    "RegisterTaskDefinition": ("definitions", "register_task_definition"),
    "CreateService": ("services", "create_service"),
    "DeleteService": ("services", "delete_service"),
    "DescribeServices": ("services", "describe_services"),
    "ListServices": ("services", "list_services"),
    "UpdateService": ("services", "update_service"),
    "ListTagsForResource": ("tags", "list_tags_for_resource"),
    "TagResource": ("tags", "tag_resource"),
    "UntagResource": ("tags", "untag_resource"),
    "DescribeTasks": ("tasks", "describe_tasks"),
    "ExecuteCommand": ("tasks", "execute_command"),
    "ListTasks": ("tasks", "list_tasks"),
    "RunTask": ("tasks", "run_task"),
    "StartTask": ("tasks", "start_task"),
    "StopTask": ("tasks", "stop_task"),
}

_log = logging.getLogger("localcloud.ecs")


class Region:
    """ECS in one region."""

    def __init__(self, cloud: Cloud, region: str) -> None:
        roles = Roles(cloud.account_id, region)
        self.state = State(cloud.account_id, region)
        self.around = Surroundings(
            network_problem=Placement(region).problem,
            assume_problem=lambda arn: roles.assume_problem(arn, PRINCIPAL),
            groups=lambda: cloud.target_groups,
        )
        self.roles = roles
        self.controller = Controller(self.state, self.around)
        self.groups: dict[str, t.Any] = {
            "clusters": Clusters(self.state),
            "definitions": Definitions(self.state),
            "services": Services(self.state, self.around, self.controller.changed),
            "tags": Tags(self.state),
            "tasks": Tasks(self.state, self.around, self.controller),
        }


class Ecs:
    """The service; see `Service` in this package for the interface."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._regions: dict[str, Region] = {}
        self._faults = Faults(OPERATIONS)
        self._engine = Engine(cloud.docker, cloud.name)
        self._pool = concurrent.futures.ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="ecs")
        self._call = Calls(cloud.account_id, cloud.region)
        self._metadata = Metadata(self.home.state, identity.assume_role, self._stats)
        self._metrics = Metrics(self.home.state, self._call, self._measure)
        self._measuring: asyncio.Task[None] | None = None
        ecs_tags.install(self.home.groups["tags"])

    @property
    def operations(self) -> frozenset[str]:
        """Names of the operations that are answered here."""
        return frozenset(OPERATIONS)

    @property
    def home(self) -> Region:
        """The region in which this cloud has networks, and thus tasks."""
        return self._region(self._cloud.region)

    async def start(self) -> None:
        """Listen for what containers ask, follow Docker, look after services."""
        port = await self._metadata.start()
        self._cloud.link_local(metadata.ADDRESS, port)
        loop = asyncio.get_running_loop()
        controller = self.home.controller

        def tell(task_id: str) -> None:
            loop.call_soon_threadsafe(controller.docker_told, task_id)

        self._engine.follow(tell)
        logs = Logs(self._call, CallFailed, self._engine.log)
        controller.start_with(
            Parts(
                engine=self._engine,
                pool=self._pool,
                interfaces=self._cloud.interfaces,
                around=self.home.around,
                secrets=Secrets(self._call, CallFailed, self._cloud.account_id, self._cloud.region),
                logs=logs,
                denial=self.home.roles.denial,
                token=self._registry_password,
                name_server=self._cloud.dns_server,
                changed=controller.changed,
                api_port=self._cloud.ports.api,
                region=self._cloud.region,
                account_id=self._cloud.account_id,
            )
        )

        self._measuring = asyncio.create_task(self._metrics.run(), name="ecs-metrics")

    async def stop(self) -> None:
        """Stop looking after anything; containers are left for the clean-up."""
        if self._measuring is not None:
            self._measuring.cancel()
        self._engine.close()
        await self.home.controller.close()
        await self._metadata.stop()
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def handle_request(
        self, method: str, path: str, headers: dict[str, str], body: bytes, query_params: dict[str, list[str]]
    ) -> Response:
        """Answer one call of the JSON 1.1 protocol."""
        operation = next((value for name, value in headers.items() if name.lower() == "x-amz-target"), "").rpartition(".")[2]
        try:
            if (fault := self._faults.take(operation)) is not None:
                await asyncio.sleep(fault.latency_ms / 1000)
                if fault.code:
                    raise ApiError(fault.code, fault.message, fault.status)
            return _envelope(200, self._dispatch(operation, extract_region(headers, query_params), body))
        except ApiError as error:
            return _envelope(error.status, {"__type": error.code, "message": error.message})

    async def admin(self, method: str, path: str, body: bytes) -> Response:
        """`faults`: which operations fail or take longer; `metrics`: record the services' metrics now, not at the next full minute."""
        if path == "faults":
            return self._faults.admin(method, body)
        if (method, path) != ("POST", "metrics"):
            return _envelope(404, {"message": f"ECS has no control {method} {path}"})
        await self._metrics.record()
        return _envelope(200, {})

    def _dispatch(self, operation: str, region: str, body: bytes) -> Members:
        if operation not in OPERATIONS:
            raise ApiError("UnknownOperationException", f"The local cloud does not provide the ECS operation {operation}.")
        try:
            members = json.loads(body or b"{}")
        except ValueError as error:
            raise ApiError("SerializationException", "The request's body is not valid JSON.") from error
        requests.check(operation, members)
        group, name = OPERATIONS[operation]
        return getattr(self._region(region).groups[group], name)(members)

    def _region(self, name: str) -> Region:
        if name not in self._regions:
            self._regions[name] = Region(self._cloud, name)
        return self._regions[name]

    async def _stats(self, container_id: str) -> Members:
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._engine.stats, container_id)

    async def _measure(self, container_ids: list[str]) -> dict[str, Usage]:
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._engine.usage, container_ids)

    async def _registry_password(self) -> str:
        """A token of ECR's, as the execution role gets one."""
        answer = await self._call("ecr", "GetAuthorizationToken", {})
        token = answer["authorizationData"][0]["authorizationToken"]
        return base64.b64decode(token).decode().partition(":")[2]


def create(cloud: Cloud) -> Ecs:
    """The service of this cloud; nothing is started yet."""
    return Ecs(cloud)


def _envelope(status: int, members: Members) -> Response:
    headers = {"Content-Type": "application/x-amz-json-1.1", "x-amzn-RequestId": str(uuid.uuid4())}
    return status, headers, json.dumps(members).encode()
