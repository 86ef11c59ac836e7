# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Auto Scaling: the API's envelope, and what runs beside it: the groups' controller, and metrics of groups and instances."""

from __future__ import annotations

import asyncio
import json
import logging
import time
import typing as t

import docker.errors

from ..autoscaling.attachments import Attachments
from ..autoscaling.configurations import Configurations
from ..autoscaling.controller import Controller
from ..autoscaling.groups import Groups
from ..autoscaling.hooks import Hooks
from ..autoscaling.instances import Instances
from ..autoscaling.metrics import Metrics
from ..autoscaling.policies import Policies
from ..autoscaling.refreshes import Refreshes
from ..autoscaling.shapes import Operation, World
from ..autoscaling.state import State
from ..autoscaling.surroundings import POLICY_PREFIX, Surroundings
from ..autoscaling.tagging import Tagging
from ..ecs.usage import seconds_of_trees
from ..emulation import alarms
from ..input_model import BadMember, InputModel
from . import query_protocol
from .faults import Faults
from .query_protocol import ApiError

if t.TYPE_CHECKING:
    from ..cloud import Cloud
    from . import Response

_log = logging.getLogger("localcloud.autoscaling")


class AutoScaling:
    """The service `autoscaling`; see `Service` in this package for the interface."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._input = InputModel("autoscaling")
        self._model = self._input.model
        self.state = State(cloud.account_id, cloud.region)
        around = Surroundings(cloud, self.state)
        self.controller = Controller(self.state, around)
        world = World(self.state, around, time.time, self.controller.changed)
        policies = Policies(world)
        self.operations: dict[str, Operation] = {
            **Groups(world).operations,
            **Instances(world).operations,
            **Attachments(world).operations,
            **Hooks(world).operations,
            **policies.operations,
            **Refreshes(world).operations,
            **Tagging(world).operations,
            **Configurations(world).operations,
        }
        self._faults = Faults(self.operations)
        self._metrics = Metrics(self.state, around.call, self._measure)
        self._measuring: asyncio.Task[None] | None = None
        alarms.receive(POLICY_PREFIX, policies.alarm)

    async def start(self) -> None:
        """Look after groups from now on."""
        self.controller.start()
        self._measuring = asyncio.create_task(self._metrics.run(), name="autoscaling-metrics")

    async def stop(self) -> None:
        """No longer; instances are left for the clean-up."""
        if self._measuring is not None:
            self._measuring.cancel()
        await self.controller.close()

    async def handle_request(
        self, method: str, path: str, headers: dict[str, str], body: bytes, query_params: dict[str, list[str]]
    ) -> Response:
        """Answer one call of the query protocol."""
        form = query_protocol.form_of(body, query_params)
        name = form.get("Action", "")
        namespace = self._model.metadata["xmlNamespace"]
        try:
            if name not in self.operations:
                raise ApiError("InvalidAction", f"The local cloud does not provide the operation {name or '(none)'} of Auto Scaling.")
            if (fault := self._faults.take(name)) is not None:
                await asyncio.sleep(fault.latency_ms / 1000)
                if fault.code:
                    raise ApiError(fault.code, fault.message, fault.status)
            operation = self._model.operation_model(name)
            members = self._members(operation, form)
            return query_protocol.render(operation, await self.operations[name](members))
        except ApiError as error:
            return query_protocol.render_error(error, namespace)
        except Exception:  # a bug of ours must not look like a hang
            _log.exception("%s failed", name)
            failure = ApiError("InternalFailure", "An internal error has occurred in the local cloud; its log has the traceback.", 500)
            return query_protocol.render_error(failure, namespace)

    async def admin(self, method: str, path: str, body: bytes) -> Response:
        """The service's controls.

        `faults`: which operations fail or take longer. `patience` (PUT, a JSON number): for how many seconds an instance refresh may
        stand still until it fails. `metrics` (POST): record metrics now, not at the full minute.
        """
        headers = {"Content-Type": "application/json"}
        if path == "faults":
            return self._faults.admin(method, body)
        if (method, path) == ("PUT", "patience"):
            try:
                self.controller.patience = float(json.loads(body))
            except (ValueError, TypeError):
                return 400, headers, b'{"message": "patience is a JSON number of seconds"}'
            return 200, headers, b"{}"
        if (method, path) == ("POST", "metrics"):
            await self._metrics.record()
            return 200, headers, b"{}"
        return 404, headers, json.dumps({"message": f"there is no control {path}"}).encode()

    def _members(self, operation: t.Any, form: dict[str, str]) -> dict[str, t.Any]:
        """The members of a request that the model allows. Raises ApiError(ValidationError)."""
        try:
            members = query_protocol.parse(operation, form, required=False)
            self._input.check(operation.name, members)
        except BadMember as bad:
            found = "null" if bad.value is None else f"'{bad.value}'"
            where = bad.path[:1].lower() + bad.path[1:]
            text = f"1 validation error detected: Value {found} at '{where}' failed to satisfy constraint: {bad.constraint}"
            raise ApiError("ValidationError", text) from None
        except ApiError as error:
            raise ApiError("ValidationError", error.message) from None
        return members

    async def _measure(self) -> dict[str, float]:
        """Instance -> processor seconds of everything that runs in it, for the instances that run."""
        return await asyncio.to_thread(self._seconds)

    def _seconds(self) -> dict[str, float]:
        pids: dict[str, int] = {}
        for instance in self._cloud.instances.all():
            if instance.state == "running" and instance.container_id:
                try:
                    pids[instance.id] = self._cloud.docker.api.inspect_container(instance.container_id)["State"]["Pid"]
                except docker.errors.DockerException:
                    continue  # it ends just now
        used = seconds_of_trees([pid for pid in pids.values() if pid])
        return {instance_id: used[pid] for instance_id, pid in pids.items() if pid in used}


def create(cloud: Cloud) -> AutoScaling:
    """The service of this cloud."""
    return AutoScaling(cloud)
