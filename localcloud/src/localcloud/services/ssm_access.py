# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which instances' agents may connect: credentials of the instance's own role, its policies, and a way to the service; pure reading."""

from __future__ import annotations

import datetime
import typing as t

from ministack.core import iam_evaluator
from ministack.core.responses import request_scope
from moto.ec2.models import ec2_backends

from ..emulation import moto
from ..session.gateway import Refused
from .ssm_signature import Signature, SignatureError

if t.TYPE_CHECKING:
    from ..cloud import Cloud, Instance
    from ..session.http import Request

REQUIRED = {
    "ssmmessages:CreateControlChannel": ("ssmmessages:CreateControlChannel", "ssm:UpdateInstanceInformation"),
    "ssmmessages:CreateDataChannel": ("ssmmessages:CreateDataChannel",),
}
"""What an agent does at the gateway → the actions its role must allow."""

_ENDPOINTS = ("ssm", "ssmmessages")


class Access:
    """Decides about agents of one cloud; safe to call from any thread."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def check(self, instance_id: str, action: str, request: Request) -> None:
        """Raises Refused with the reason."""
        instance = self._cloud.instances.get(instance_id)
        if instance is None or instance.state not in ("pending", "running"):
            raise Refused(f"{instance_id} is not a running instance")
        if not self.reaches_service(instance):
            raise Refused(f"{instance_id} has no way to Systems Manager: neither the internet nor the endpoints ssm and ssmmessages")
        if instance.role_name is None:
            raise Refused(f"{instance_id} has no role")
        with request_scope(self._cloud.account_id, self._cloud.region):
            self._check_credentials(instance, request)
            for wanted in REQUIRED[action]:
                self._check_policies(instance, wanted)

    def cut_off(self, instance_id: str) -> bool:
        """Whether a connected agent would have lost its connection: the instance is not running, or its way to the service is gone."""
        instance = self._cloud.instances.get(instance_id)
        return instance is None or instance.state not in ("pending", "running") or not self.reaches_service(instance)

    def reaches_service(self, instance: Instance) -> bool:
        """Over the internet, or through interface endpoints of its VPC."""
        if instance.reaches_internet:
            return True
        with moto.LOCK:
            found = {
                endpoint.service_name.rpartition(".")[2]
                for endpoint in ec2_backends[self._cloud.account_id][self._cloud.region].vpc_end_points.values()
                if endpoint.vpc_id == instance.vpc_id
                and endpoint.state.lower() == "available"
                and endpoint.vpc_endpoint_type == "Interface"
            }
        return found.issuperset(_ENDPOINTS)

    def _check_credentials(self, instance: Instance, request: Request) -> None:
        try:
            signature = Signature(request)
            token = request.headers.get("x-amz-security-token", "")
            found = iam_evaluator.resolve_credential(signature.access_key_id, self._cloud.account_id, token)
            if isinstance(found, iam_evaluator.CredentialResolutionError):
                raise Refused(found.message)
            signature.verify(found.secret_access_key, datetime.datetime.now(datetime.UTC))
        except SignatureError as error:
            raise Refused(str(error)) from error
        if f":assumed-role/{instance.role_name}/" not in found.principal_arn:
            raise Refused(f"{found.principal_arn} is not the role of {instance.id}")

    def _check_policies(self, instance: Instance, action: str) -> None:
        role = instance.role_name or ""
        principal = f"arn:aws:sts::{self._cloud.account_id}:assumed-role/{role}/{instance.id}"
        context = iam_evaluator.EvalContext(
            principal_arn=principal,
            principal_type="AssumedRole",
            principal_account=self._cloud.account_id,
            action=action,
            resource_arn="*",
            region=self._cloud.region,
        )
        result = iam_evaluator.evaluate(context, iam_evaluator._gather_role_policies(role, self._cloud.account_id))
        if result.decision != "Allow":
            raise Refused(f"User: {principal} is not authorized to perform: {action} because no identity-based policy allows it")
