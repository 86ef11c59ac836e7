# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers requests to services that nobody provides with an error that a client understands; MiniStack's has no code and is costly."""

from __future__ import annotations

import html
import json
import typing as t
import urllib.parse
import uuid

import botocore.session
import ministack.app
import ministack.core.router

Response = tuple[int, dict[str, str], bytes]
CODE = "UnknownOperationException"


class Handlers(dict[str, t.Any]):
    """MiniStack's table of handlers, which has an answer for services that are not in it."""

    def get(self, key: str, default: t.Any = None) -> t.Any:
        """The handler of a service; never None."""
        return super().get(key) or _refuse(key)


def _refuse(service: str) -> t.Callable[..., t.Awaitable[Response]]:
    async def handle_request(method: str, path: str, headers: dict[str, str], body: bytes, query_params: dict[str, list[str]]) -> Response:
        target = headers.get("x-amz-target", "").rpartition(".")[2]
        form = urllib.parse.parse_qs(body.decode(errors="replace")) if "form-urlencoded" in headers.get("content-type", "") else {}
        operation = target or (form.get("Action") or [f"{method} {path}"])[0]
        return refusal(service, operation, in_xml=bool(form))

    return handle_request


def refusal(service: str, operation: str, *, in_xml: bool) -> Response:
    """The error for an operation of a service that nobody provides."""
    message = f"The local cloud does not provide the service {service}: {operation} was not done."
    request_id = str(uuid.uuid4())
    if in_xml:
        text = (
            f"<ErrorResponse><Error><Type>Sender</Type><Code>{CODE}</Code><Message>{html.escape(message, quote=False)}</Message></Error>"
            f"<RequestId>{request_id}</RequestId></ErrorResponse>"
        )
        return 400, {"Content-Type": "text/xml"}, text.encode()
    headers = {"Content-Type": "application/x-amz-json-1.1", "x-amzn-ErrorType": CODE}
    return 400, headers, json.dumps({"__type": CODE, "message": message}).encode()


def install() -> None:
    """Replace MiniStack's table; once per process, before anything is registered in it."""
    ministack.app.SERVICE_HANDLERS = Handlers(ministack.app.SERVICE_HANDLERS)
    # MiniStack would read the models of all services to learn their names when it first sees one that it lacks: 380 MB
    session = botocore.session.get_session()
    partitions = session.get_data("endpoints")["partitions"]
    names = set(session.get_available_services()) | {name for partition in partitions for name in partition["services"]}
    ministack.core.router._KNOWN_AWS_SERVICE_NAMES = frozenset(names)
