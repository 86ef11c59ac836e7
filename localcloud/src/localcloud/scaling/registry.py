# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Operations of Application Auto Scaling on scalable targets and policies; changes records and nothing else."""

from __future__ import annotations

import base64
import binascii
import dataclasses
import re
import time
import typing as t
import uuid

from ..input_model import BadMember, InputModel

Members = dict[str, t.Any]
DIMENSION = "ecs:service:DesiredCount"
ACTIVITIES_KEPT = 100
_RESOURCE = re.compile(r"service/([A-Za-z0-9_-]+)/([A-Za-z0-9_-]+)")


class ApiError(Exception):
    """An error answer of the API."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclasses.dataclass(eq=False)
class Target:
    """A scalable target: one ECS service."""

    resource: str
    arn: str
    least: int
    most: int
    role_arn: str
    created_at: float
    suspended: Members
    tags: dict[str, str]

    @property
    def service(self) -> tuple[str, str]:
        """Names of cluster and service."""
        _, cluster, name = self.resource.split("/")
        return cluster, name


@dataclasses.dataclass(eq=False)
class Policy:
    """A scaling policy. `scaled_out` and `scaled_in` are when it last did so."""

    name: str
    arn: str
    resource: str
    kind: str
    configuration: Members
    created_at: float
    scaled_out: float = 0.0
    scaled_in: float = 0.0


class Registry:
    """The operations; one method each, named as in boto3. `exists(cluster, service)` tells whether ECS has such a service."""

    input = InputModel("application-autoscaling")

    def __init__(
        self, account_id: str, region: str, exists: t.Callable[[str, str], t.Awaitable[bool]], clock: t.Callable[[], float] = time.time
    ) -> None:
        self._account_id = account_id
        self._region = region
        self._exists = exists
        self._clock = clock
        self.targets: dict[str, Target] = {}
        self.policies: dict[tuple[str, str], Policy] = {}
        self.activities: list[Members] = []

    def check(self, operation: str, members: Members) -> None:
        """Raises ApiError(ValidationException) for the first member that the model does not allow, and for what is not ECS's."""
        try:
            self.input.check(operation, members)
        except BadMember as error:
            text = f"1 validation error detected: Value at '{error.path}' failed to satisfy constraint: {error.constraint}"
            raise ApiError("ValidationException", text) from error
        ecs = members.get("ServiceNamespace") in (None, "ecs") and members.get("ScalableDimension") in (None, DIMENSION)
        resources = [members["ResourceId"]] if members.get("ResourceId") else members.get("ResourceIds") or []
        if not ecs or not all(_RESOURCE.fullmatch(resource) for resource in resources):
            raise ApiError("ValidationException", "Unsupported service namespace, resource type or scalable dimension")

    async def register_scalable_target(self, members: Members) -> Members:
        """A new target, or other limits of a known one."""
        resource = members["ResourceId"]
        known = self.targets.get(resource)
        _, cluster, service = resource.split("/")
        if not await self._exists(cluster, service):
            raise ApiError("ValidationException", f"ECS service doesn't exist: {resource}")
        least = members.get("MinCapacity", known.least if known else None)
        most = members.get("MaxCapacity", known.most if known else None)
        if least is None or most is None:
            raise ApiError(
                "ValidationException", "You must specify both MinCapacity and MaxCapacity when registering a new scalable target"
            )
        if least > most:
            raise ApiError("ValidationException", "Maximum capacity cannot be less than minimum capacity")
        if known is None:
            linked = "ecs.application-autoscaling.amazonaws.com/AWSServiceRoleForApplicationAutoScaling_ECSService"
            known = Target(
                resource=resource,
                arn=f"arn:aws:application-autoscaling:{self._region}:{self._account_id}:scalable-target/{uuid.uuid4().hex}",
                least=least,
                most=most,
                role_arn=f"arn:aws:iam::{self._account_id}:role/aws-service-role/{linked}",
                created_at=self._clock(),
                suspended={},
                tags=dict(members.get("Tags") or {}),
            )
            self.targets[resource] = known
        known.least, known.most = least, most
        known.suspended |= members.get("SuspendedState") or {}
        return {"ScalableTargetARN": known.arn}

    async def deregister_scalable_target(self, members: Members) -> Members:
        """A target with its policies."""
        resource = members["ResourceId"]
        self._target(resource)
        del self.targets[resource]
        self.policies = {key: policy for key, policy in self.policies.items() if policy.resource != resource}
        return {}

    async def describe_scalable_targets(self, members: Members) -> Members:
        """Those that are asked for; unknown ones are left out."""
        wanted = members.get("ResourceIds")
        found = [target for target in self.targets.values() if not wanted or target.resource in wanted]
        page, more = _page(found, members)
        return {"ScalableTargets": [_target(target) for target in page], **more}

    async def put_scaling_policy(self, members: Members) -> Members:
        """A new policy, or another configuration of a known one."""
        resource, name = members["ResourceId"], members["PolicyName"]
        self._target(resource)
        known = self.policies.get((resource, name))
        kind = members.get("PolicyType") or (known.kind if known else "StepScaling")
        if kind == "PredictiveScaling":
            raise ApiError("ValidationException", "Predictive scaling is not available here")
        configuration = members.get(f"{kind}PolicyConfiguration")
        if not configuration:
            raise ApiError("ValidationException", f"{kind}PolicyConfiguration is required for policy type {kind}")
        if kind == "TargetTrackingScaling":
            _check_tracking(configuration)
        if known is None:
            where = f"arn:aws:autoscaling:{self._region}:{self._account_id}:scalingPolicy:{uuid.uuid4()}"
            arn = f"{where}:resource/ecs/{resource}:policyName/{name}"
            known = Policy(name, arn, resource, kind, configuration, self._clock())
            self.policies[(resource, name)] = known
        known.kind, known.configuration = kind, configuration
        return {"PolicyARN": known.arn, "Alarms": []}

    async def delete_scaling_policy(self, members: Members) -> Members:
        """One policy."""
        if self.policies.pop((members["ResourceId"], members["PolicyName"]), None) is None:
            raise ApiError(
                "ObjectNotFoundException",
                f"No scaling policy found for service namespace: ecs, resource ID: {members['ResourceId']}, "
                f"scalable dimension: {DIMENSION}, policy name: {members['PolicyName']}",
            )
        return {}

    async def describe_scaling_policies(self, members: Members) -> Members:
        """Those that are asked for."""
        resource, names = members.get("ResourceId"), members.get("PolicyNames")
        found = [policy for policy in self.policies.values() if resource in (None, policy.resource) and (not names or policy.name in names)]
        page, more = _page(found, members)
        return {"ScalingPolicies": [_policy(policy) for policy in page], **more}

    async def describe_scaling_activities(self, members: Members) -> Members:
        """What policies did, the newest first."""
        resource = members.get("ResourceId")
        page, more = _page([item for item in self.activities if resource in (None, item["ResourceId"])], members)
        return {"ScalingActivities": page, **more}

    async def list_tags_for_resource(self, members: Members) -> Members:
        """Tags of a target."""
        return {"Tags": self._tagged(members["ResourceARN"]).tags}

    async def tag_resource(self, members: Members) -> Members:
        """Adds tags to a target."""
        self._tagged(members["ResourceARN"]).tags.update(members["Tags"])
        return {}

    async def untag_resource(self, members: Members) -> Members:
        """Takes tags from a target."""
        tags = self._tagged(members["ResourceARN"]).tags
        for key in members["TagKeys"]:
            tags.pop(key, None)
        return {}

    def scaled(self, policy: Policy, before: int, after: int, why: str) -> None:
        """Note that a policy has changed a service's desired count."""
        now = self._clock()
        if after > before:
            policy.scaled_out = now
        else:
            policy.scaled_in = now
        activity = {
            "ActivityId": str(uuid.uuid4()),
            "ServiceNamespace": "ecs",
            "ResourceId": policy.resource,
            "ScalableDimension": DIMENSION,
            "Description": f"Setting desired count to {after}.",
            "Cause": f"monitor alarm TargetTracking-{policy.resource}-{why} in state ALARM triggered policy {policy.name}",
            "StartTime": now,
            "EndTime": now,
            "StatusCode": "Successful",
            "StatusMessage": f"Successfully set desired count to {after}. Change successfully fulfilled by ecs.",
        }
        self.activities.insert(0, activity)
        del self.activities[ACTIVITIES_KEPT:]

    def _target(self, resource: str) -> Target:
        found = self.targets.get(resource)
        if found is None:
            raise ApiError(
                "ObjectNotFoundException",
                f"No scalable target found for service namespace: ecs, resource ID: {resource}, scalable dimension: {DIMENSION}",
            )
        return found

    def _tagged(self, arn: str) -> Target:
        found = next((target for target in self.targets.values() if target.arn == arn), None)
        if found is None:
            raise ApiError("ResourceNotFoundException", f"Resource not found: {arn}")
        return found


def _check_tracking(configuration: Members) -> None:
    predefined, custom = configuration.get("PredefinedMetricSpecification"), configuration.get("CustomizedMetricSpecification")
    if bool(predefined) is bool(custom):
        text = "You must specify either a predefined metric or a customized metric for target tracking scaling policies, and not both."
        raise ApiError("ValidationException", text)
    if predefined and predefined["PredefinedMetricType"] == "ALBRequestCountPerTarget" and not predefined.get("ResourceLabel"):
        raise ApiError(
            "ValidationException", "You must specify a ResourceLabel when the predefined metric type is ALBRequestCountPerTarget"
        )


def _page(items: list[t.Any], members: Members) -> tuple[list[t.Any], Members]:
    start = 0
    if token := members.get("NextToken"):
        try:
            start = int(base64.urlsafe_b64decode(token.encode()).decode())
        except (binascii.Error, ValueError, UnicodeError):
            raise ApiError("InvalidNextTokenException", "The next token supplied was invalid") from None
    end = start + min(members.get("MaxResults") or 50, 50)
    return items[start:end], {"NextToken": base64.urlsafe_b64encode(str(end).encode()).decode()} if end < len(items) else {}


def _target(target: Target) -> Members:
    off = dict.fromkeys(("DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended"), False)
    return {
        "ServiceNamespace": "ecs",
        "ResourceId": target.resource,
        "ScalableDimension": DIMENSION,
        "MinCapacity": target.least,
        "MaxCapacity": target.most,
        "RoleARN": target.role_arn,
        "CreationTime": target.created_at,
        "SuspendedState": {**off, **target.suspended},
        "ScalableTargetARN": target.arn,
    }


def _policy(policy: Policy) -> Members:
    return {
        "PolicyARN": policy.arn,
        "PolicyName": policy.name,
        "ServiceNamespace": "ecs",
        "ResourceId": policy.resource,
        "ScalableDimension": DIMENSION,
        "PolicyType": policy.kind,
        f"{policy.kind}PolicyConfiguration": policy.configuration,
        "Alarms": [],
        "CreationTime": policy.created_at,
    }
