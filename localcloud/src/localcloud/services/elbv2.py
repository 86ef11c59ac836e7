# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Elastic Load Balancing v2: application load balancers, each a real HAProxy; the table of operations and the service's controls."""

from __future__ import annotations

import asyncio
import datetime
import json
import logging
import typing as t

from ..balancer.collector import Collector
from ..balancer.container import forget_all
from ..emulation import tags
from ..emulation.delivery import Delivery
from ..emulation.vpcs import Vpcs
from ..input_model import BadMember, InputModel
from . import query_protocol
from .ec2 import action_of, form_of
from .elbv2_balancers import Balancers
from .elbv2_certificates import Certificates
from .elbv2_common import Operation, Outcome, World
from .elbv2_fleet import Fleet
from .elbv2_groups import Groups
from .elbv2_listeners import Listeners
from .elbv2_recorder import Recorder
from .elbv2_state import Store
from .elbv2_targets import Targets
from .faults import Faults
from .query_protocol import ApiError

if t.TYPE_CHECKING:
    from ..cloud import Cloud
    from . import Response

LOG_PRINCIPALS = frozenset({
    # who writes access logs: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/enable-access-logging.html
    "logdelivery.elasticloadbalancing.amazonaws.com", "arn:aws:iam::600734575887:root", "600734575887", "delivery.logs.amazonaws.com",
})  # fmt: skip

_log = logging.getLogger("localcloud.elbv2")


class LoadBalancing:
    """The service `elasticloadbalancing`; also what other services of this process register targets with."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self.delivery = Delivery(cloud.account_id, cloud.region)
        self.store = Store(cloud.region, cloud.account_id)
        self._input = InputModel("elbv2")
        self.model = self._input.model
        self.certificates = Certificates(cloud.certificates)
        self.recorder = Recorder(cloud, self.store, lambda: self.fleet, self.delivery)
        self.collector = Collector(self.recorder.take)
        self.fleet = Fleet(cloud, self.store, self.certificates, self.collector.listen)
        world = World(cloud, self.store, Vpcs(cloud.region))
        self._targets = Targets(world, self.fleet.health)
        self.operations: dict[str, Operation] = {
            **Balancers(world, self._can_log).operations,
            **Listeners(world, self.certificates.exists).operations,
            **Groups(world).operations,
            **self._targets.operations,
        }
        self.faults = Faults(self.operations)
        tags.provide("elasticloadbalancing", self._tagged, self._tags_of)

    async def handle_request(
        self, method: str, path: str, headers: dict[str, str], body: bytes, query_params: dict[str, list[str]]
    ) -> Response:
        """Answer one request."""
        form = form_of(body, query_params)
        action = action_of(form)
        namespace = self.model.metadata["xmlNamespace"]
        try:
            if action not in self.operations:
                raise ApiError("InvalidAction", f"The local cloud does not provide the operation {action or '(none)'} of load balancing")
            fault = self.faults.take(action)
            if fault is not None:
                await asyncio.sleep(fault.latency_ms / 1000)
                if fault.code:
                    raise ApiError(fault.code, fault.message, fault.status)
            operation = self.model.operation_model(action)
            members = query_protocol.parse(operation, {name: values[0] for name, values in form.items()}, required=False)
            self._check(action, members)
            answer = await asyncio.to_thread(self._do, action, members)
            return query_protocol.render(operation, answer)
        except ApiError as problem:
            return query_protocol.render_error(problem, namespace)
        except Exception:  # a bug of ours must not look like a hang
            _log.exception("%s failed", action)
            failure = ApiError("InternalFailure", "An internal error has occurred in the local cloud; its log has the traceback.", 500)
            return query_protocol.render_error(failure, namespace)

    def _check(self, action: str, members: query_protocol.Members) -> None:
        try:
            self._input.check(action, members)
        except BadMember as bad:
            found = "null" if bad.value is None else f"'{bad.value}'"
            where = bad.path[:1].lower() + bad.path[1:]
            text = f"1 validation error detected: Value {found} at '{where}' failed to satisfy constraint: {bad.constraint}"
            raise ApiError("ValidationError", text) from None

    def _do(self, action: str, members: query_protocol.Members) -> query_protocol.Members:
        with self.store.lock:
            outcome = self.operations[action](members)
        return self._settle(outcome)

    def _settle(self, outcome: Outcome) -> query_protocol.Members:
        for arn in outcome.touched:
            self.fleet.refresh(arn)
        return outcome.members

    async def start(self) -> None:
        """Begin to publish metrics and access logs."""
        await asyncio.to_thread(forget_all, self._cloud)
        self.recorder.start()

    async def stop(self) -> None:
        """Remove the proxies."""
        await self.recorder.stop()
        await asyncio.to_thread(self.fleet.end)
        self.collector.close()

    async def admin(self, method: str, path: str, body: bytes) -> Response:
        """The service's controls.

        `faults`: which operations fail or take longer. `flush` (POST): publish metrics and access logs now, not at their time.
        """
        if path == "faults":
            return self.faults.admin(method, body)
        if (method, path) == ("POST", "flush"):
            await asyncio.to_thread(self.recorder.sample)
            await self.recorder.flush()
            return 200, {"Content-Type": "application/json"}, b"{}"
        return 404, {"Content-Type": "application/json"}, json.dumps({"message": f"there is no control {path}"}).encode()

    # -- for the other services of this process; see cloud.TargetGroups

    def register_targets(self, target_group_arn: str, targets: list[tuple[str, int]]) -> None:
        """Register addresses or instances."""
        self._call(self._targets.register, target_group_arn, targets)

    def deregister_targets(self, target_group_arn: str, targets: list[tuple[str, int]]) -> None:
        """Take them out; those that are not registered do not matter."""
        with self.store.lock:
            known = self.store.groups[target_group_arn].targets
            found = [target for target in targets if target in known]
        self._call(self._targets.deregister, target_group_arn, found)

    def target_health(self, target_group_arn: str) -> dict[tuple[str, int], str]:
        """The state of each target."""
        with self.store.lock:
            if target_group_arn not in self.store.groups:
                raise KeyError(target_group_arn)
            return {key: health.state for key, health in self.fleet.health(target_group_arn).items()}

    def exists(self, target_group_arn: str) -> bool:
        """Whether there is a target group with this ARN."""
        with self.store.lock:
            return target_group_arn in self.store.groups

    def _call(self, operation: Operation, arn: str, targets: list[tuple[str, int]]) -> None:
        with self.store.lock:
            if arn not in self.store.groups:
                raise KeyError(arn)
            given = [{"Id": target_id, "Port": port} for target_id, port in targets]
            outcome = operation({"TargetGroupArn": arn, "Targets": given})
        self._settle(outcome)

    def _tagged(self) -> list[tuple[str, dict[str, str]]]:
        with self.store.lock:
            return [(arn, dict(found)) for arn, found in self.store.tagged()]

    def _tags_of(self, arn: str) -> dict[str, str]:
        with self.store.lock:
            try:
                return self.store.tags_of(arn)
            except ApiError:
                raise KeyError(arn) from None

    def _can_log(self, bucket: str, prefix: str) -> bool:
        """Whether access logs can be written; if so, a file says that they will be, as on AWS."""
        folder = f"{prefix}/" if prefix else ""
        key = f"{folder}AWSLogs/{self._cloud.account_id}/ELBAccessLogTestFile"
        allowed = self.delivery.may_write(bucket, key, LOG_PRINCIPALS)
        if allowed:
            self.recorder.deliver(bucket, key, f"Enable AccessLog for ELB at {datetime.datetime.now(datetime.UTC).isoformat()}".encode())
        return allowed


def create(cloud: Cloud) -> LoadBalancing:
    """The service of this cloud, which other services find as `cloud.target_groups`."""
    service = LoadBalancing(cloud)
    cloud.target_groups = service
    return service
