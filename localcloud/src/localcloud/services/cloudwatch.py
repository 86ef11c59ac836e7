# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CloudWatch: MiniStack's metrics; its alarms, evaluated here; dashboards of our own, validated, tagged and compared by their text."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import json
import logging
import re
import typing as t
import uuid

import ministack.app

from ..emulation import alarms
from ..input_model import service_model
from . import query_protocol
from .cloudwatch_dashboards import Dashboards, InvalidBody
from .query_protocol import ApiError, Members

if t.TYPE_CHECKING:
    from ..cloud import Cloud
    from . import Response

OPERATIONS = frozenset({
    "DeleteDashboards", "GetDashboard", "ListDashboards", "ListTagsForResource", "PutDashboard", "TagResource", "UntagResource",
})  # fmt: skip
"""What is answered here; tags only of dashboards."""

ALARM_SECONDS = 10.0
"""How often alarms are evaluated, beside every time that metrics arrive."""

_log = logging.getLogger("localcloud.cloudwatch")


class CloudWatch:
    """The service `monitoring`, over the JSON and the query protocol; requests in CBOR are MiniStack's."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._watching: asyncio.Task[None] | None = None
        self._dashboards = Dashboards(cloud.account_id)
        self._dashboards.install_tags()
        self._model = service_model("cloudwatch")
        self._handlers: dict[str, t.Callable[[Members], Members]] = {
            "PutDashboard": self._dashboards.put,
            "GetDashboard": self._dashboards.get,
            "ListDashboards": self._dashboards.list,
            "DeleteDashboards": self._dashboards.delete,
            "TagResource": self._dashboards.tag,
            "UntagResource": self._dashboards.untag,
            "ListTagsForResource": self._dashboards.list_tags,
        }

    async def start(self) -> None:
        """Watch alarms from now on."""
        self._watching = asyncio.create_task(self._watch(), name="alarms")

    async def stop(self) -> None:
        """No longer."""
        if self._watching is not None:
            self._watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watching

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(ALARM_SECONDS)
            try:
                alarms.look(self._cloud.account_id, self._cloud.region)
            except Exception:  # one bad look must not end them all
                _log.exception("alarms could not be evaluated")

    async def handle_request(
        self, method: str, path: str, headers: dict[str, str], body: bytes, query_params: dict[str, list[str]]
    ) -> Response:
        """Answer one request."""
        names = {name.lower(): value for name, value in headers.items()}
        target = names.get("x-amz-target", "").rpartition(".")[2]
        if target:
            answer = self._json(target, body)
        elif "cbor" in names.get("content-type", ""):
            answer = None
        else:
            answer = self._query(body, query_params)
        if answer is not None:
            return answer
        return await ministack.app._get_module("cloudwatch").handle_request(method, path, headers, body, query_params)

    def _is_ours(self, name: str, members: Members) -> bool:
        return name in self._handlers and ("ResourceARN" not in members or self._dashboards.is_one(members["ResourceARN"]))

    def _json(self, name: str, body: bytes) -> Response | None:
        try:
            members = json.loads(body or b"{}")
        except ValueError:
            return None
        if not self._is_ours(name, members):
            return None
        try:
            for required in self._model.operation_model(name).input_shape.required_members:
                if members.get(required) is None:
                    raise ApiError("ValidationError", f"The request must contain the parameter {required}")
            return _json_answer(200, self._handlers[name](members))
        except ApiError as error:
            shown = {"__type": error.code, "message": error.message}
            if isinstance(error, InvalidBody):
                shown["dashboardValidationMessages"] = error.messages
            status, headers, answer = _json_answer(error.status, shown)
            # https://smithy.io/2.0/aws/protocols/aws-query-protocol.html#aws-protocols-awsquerycompatible-trait
            return status, {**headers, "x-amzn-query-error": f"{self._query_code(error)};Sender"}, answer

    def _query(self, body: bytes, query_params: dict[str, list[str]]) -> Response | None:
        form = query_protocol.form_of(body, query_params)
        name = form.get("Action", "")
        if name not in self._handlers:
            return None
        operation = self._model.operation_model(name)
        try:
            members = query_protocol.parse(operation, form)
            return query_protocol.render(operation, self._handlers[name](members)) if self._is_ours(name, members) else None
        except ApiError as error:
            message = "; ".join([error.message, *(f"{found['DataPath']} {found['Message']}" for found in getattr(error, "messages", []))])
            shown = ApiError(self._query_code(error), message, error.status)
            return query_protocol.render_error(shown, self._model.metadata["xmlNamespace"])

    def _query_code(self, error: ApiError) -> str:
        """The code that the query protocol has for an error of this shape."""
        if not re.fullmatch(r"[A-Z]\w+(Error|Exception|Fault)", error.code) or error.code not in self._model.shape_names:
            return error.code
        return str(self._model.shape_for(error.code).metadata.get("error", {}).get("code", error.code))


def _json_answer(status: int, members: Members) -> Response:
    def plain(value: t.Any) -> t.Any:
        if isinstance(value, datetime.datetime):
            return value.timestamp()
        raise TypeError(type(value))

    headers = {"Content-Type": "application/x-amz-json-1.0", "x-amzn-RequestId": str(uuid.uuid4())}
    return status, headers, json.dumps(members, default=plain).encode()


def create(cloud: Cloud) -> CloudWatch:
    """The service of this cloud."""
    return CloudWatch(cloud)
