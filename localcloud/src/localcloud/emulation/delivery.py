# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How services of ours deliver into MiniStack's S3 and CloudWatch, as AWS's services do on a customer's behalf."""

from __future__ import annotations

import fnmatch
import json
import typing as t

import ministack.app
from ministack.core.responses import request_scope
from ministack.services import s3

Datum = dict[str, t.Any]
"""One MetricDatum as PutMetricData takes it; the timestamp in seconds since the epoch."""

BATCH = 500


class DeliveryError(Exception):
    """S3 or CloudWatch refused."""


class Delivery:
    """Deliveries in one account and region; the coroutines belong to the server's event loop."""

    def __init__(self, account_id: str, region: str) -> None:
        self._scope = account_id, region

    async def metrics(self, namespace: str, data: list[Datum]) -> None:
        """Record metrics, also in a namespace of AWS. Raises DeliveryError."""
        headers = {"x-amz-target": "GraniteServiceVersion20100801.PutMetricData", "content-type": "application/x-amz-json-1.0"}
        for start in range(0, len(data), BATCH):
            body = json.dumps({"Namespace": namespace, "MetricData": data[start : start + BATCH]}).encode()
            with request_scope(*self._scope):
                status, _, answer = await ministack.app._get_module("cloudwatch").handle_request("POST", "/", headers, body, {})
            if status != 200:
                raise DeliveryError(answer.decode(errors="replace"))

    async def object(self, bucket: str, key: str, body: bytes) -> None:
        """Write an object. Raises DeliveryError."""
        headers = {"content-type": "application/octet-stream", "content-length": str(len(body))}
        with request_scope(*self._scope):
            status, _, answer = await s3.handle_request("PUT", f"/{bucket}/{key}", headers, body, {}, internal=True)
        if status != 200:
            raise DeliveryError(answer.decode(errors="replace"))

    def may_write(self, bucket: str, key: str, principals: t.Collection[str]) -> bool:
        """Whether the bucket exists and its policy lets one of these principals put this object; safe for threads."""
        with request_scope(*self._scope):
            if bucket not in s3._buckets:
                return False
            policy = s3._bucket_policies.get(bucket) or ""
        try:
            statements = json.loads(policy or "{}").get("Statement", [])
        except ValueError:
            return False
        statements = [statements] if isinstance(statements, dict) else statements
        target = f"arn:aws:s3:::{bucket}/{key}"
        return any(_allows(statement, target, principals) for statement in statements)


def _allows(statement: dict[str, t.Any], target: str, principals: t.Collection[str]) -> bool:
    who = statement.get("Principal", {})
    named = [who] if isinstance(who, str) else [name for names in who.values() for name in _list(names)]
    return (
        statement.get("Effect") == "Allow"
        and any(name == "*" or name in principals for name in named)
        and any(fnmatch.fnmatchcase("s3:PutObject", action) for action in _list(statement.get("Action", [])))
        and any(fnmatch.fnmatchcase(target, resource) for resource in _list(statement.get("Resource", [])))
    )


def _list(value: t.Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)
