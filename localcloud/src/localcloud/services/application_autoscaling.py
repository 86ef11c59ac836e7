# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Application Auto Scaling for ECS services: the API's HTTP envelope, and the loop that lets policies act."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import time
import typing as t
import uuid

from ministack.core.router import extract_region

from ..emulation.calls import CallFailed, Calls
from ..scaling import tracking
from ..scaling.registry import ApiError, Members, Policy, Registry, Target

if t.TYPE_CHECKING:
    from ..cloud import Cloud
    from . import Response

OPERATIONS = {
    "DeleteScalingPolicy": "delete_scaling_policy",
    "DeregisterScalableTarget": "deregister_scalable_target",
    "DescribeScalableTargets": "describe_scalable_targets",
    "DescribeScalingActivities": "describe_scaling_activities",
    "DescribeScalingPolicies": "describe_scaling_policies",
    "ListTagsForResource": "list_tags_for_resource",
    "PutScalingPolicy": "put_scaling_policy",
    "RegisterScalableTarget": "register_scalable_target",
    "TagResource": "tag_resource",
    "UntagResource": "untag_resource",
}
LOOK_SECONDS = 15.0
MINUTE = 60

_log = logging.getLogger("localcloud.scaling")


class ApplicationAutoScaling:
    """The service; see `Service` in this package for the interface."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._registries: dict[str, Registry] = {}
        self._call = Calls(cloud.account_id, cloud.region)
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Let policies act from now on."""
        self._task = asyncio.create_task(self._run(), name="application-autoscaling")

    async def stop(self) -> None:
        """No longer."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def handle_request(
        self, method: str, path: str, headers: dict[str, str], body: bytes, query_params: dict[str, list[str]]
    ) -> Response:
        """Answer one call of the JSON 1.1 protocol."""
        operation = next((value for name, value in headers.items() if name.lower() == "x-amz-target"), "").rpartition(".")[2]
        registry = self._registry(extract_region(headers, query_params))
        try:
            if operation not in OPERATIONS:
                raise ApiError("UnknownOperationException", f"The local cloud does not provide the operation {operation}.")
            members = json.loads(body or b"{}")
            registry.check(operation, members)
            return _envelope(200, await getattr(registry, OPERATIONS[operation])(members))
        except ValueError:
            return _envelope(400, {"__type": "SerializationException", "message": "The request's body is not valid JSON."})
        except ApiError as error:
            member = "message" if error.code == "UnknownOperationException" else "Message"
            return _envelope(400, {"__type": error.code, member: error.message})

    def _registry(self, region: str) -> Registry:
        if region not in self._registries:
            self._registries[region] = Registry(self._cloud.account_id, region, Services(Calls(self._cloud.account_id, region)).exists)
        return self._registries[region]

    async def _run(self) -> None:
        home = self._registry(self._cloud.region)
        services = Services(self._call)
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            for policy in list(home.policies.values()):
                target = home.targets.get(policy.resource)
                if target is None or policy.kind != "TargetTrackingScaling":
                    continue
                try:
                    await self._look(home, services, target, policy)
                except Exception:  # one policy's trouble must not stop the others
                    _log.exception("policy %s of %s", policy.name, policy.resource)

    async def _look(self, home: Registry, services: Services, target: Target, policy: Policy) -> None:
        current = await services.desired(*target.service)
        metric = tracking.metric_of(policy.configuration, *target.service)
        if current is None or metric is None:
            return
        now = time.time()
        bounds = tracking.Bounds(
            target.least,
            target.most,
            bool(target.suspended.get("DynamicScalingOutSuspended")),
            bool(target.suspended.get("DynamicScalingInSuspended")),
        )
        values = await self._values(metric, now)
        after, why = tracking.wanted(current, values, policy.configuration, bounds, now - policy.scaled_out, now - policy.scaled_in)
        if after != current:
            await services.set_desired(*target.service, after)
            home.scaled(policy, current, after, why)
            _log.info("%s: %d tasks instead of %d (%s)", policy.resource, after, current, why)

    async def _values(self, metric: Members, now: float) -> list[float]:
        """The metric's whole minutes, the latest last."""
        end = now - now % MINUTE
        members = {**metric, "StartTime": end - MINUTE * (tracking.IN_MINUTES + 1), "EndTime": end, "Period": MINUTE}
        answer = await self._call("monitoring", "GetMetricStatistics", members)
        points = sorted(answer.get("Datapoints") or [], key=lambda point: point["Timestamp"])
        return [float(point[metric["Statistics"][0]]) for point in points]


class Services:
    """ECS services, through ECS's own API."""

    def __init__(self, call: Calls) -> None:
        self._call = call

    async def exists(self, cluster: str, service: str) -> bool:
        """Whether there is an active service."""
        return await self.desired(cluster, service) is not None

    async def desired(self, cluster: str, service: str) -> int | None:
        """Its desired count, None when it does not exist."""
        try:
            answer = await self._call("ecs", "DescribeServices", {"cluster": cluster, "services": [service]})
        except CallFailed:
            return None
        found = [item for item in answer["services"] if item["status"] == "ACTIVE"]
        return int(found[0]["desiredCount"]) if found else None

    async def set_desired(self, cluster: str, service: str, count: int) -> None:
        """Another desired count."""
        await self._call("ecs", "UpdateService", {"cluster": cluster, "service": service, "desiredCount": count})


def create(cloud: Cloud) -> ApplicationAutoScaling:
    """The service of this cloud."""
    return ApplicationAutoScaling(cloud)


def _envelope(status: int, members: Members) -> Response:
    headers = {"Content-Type": "application/x-amz-json-1.1", "x-amzn-RequestId": str(uuid.uuid4())}
    return status, headers, json.dumps(members).encode()
