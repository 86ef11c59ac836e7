# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls of one service to another inside the process, through the same handlers that serve the API; knows the JSON protocol alone."""

from __future__ import annotations

import json
import typing as t

import ministack.app
from ministack.core.responses import request_scope

TARGETS = {
    "ecr": "AmazonEC2ContainerRegistry_V20150921",
    "ecs": "AmazonEC2ContainerServiceV20141113",
    "logs": "Logs_20140328",
    "monitoring": "GraniteServiceVersion20100801",
    "secretsmanager": "secretsmanager",
    "ssm": "AmazonSSM",
}
"""Services that can be called, by the router's name, and the prefix of their operations."""


class CallFailed(Exception):
    """The service answered with an error."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class Calls:
    """Calls on behalf of one account and region; on the event loop."""

    def __init__(self, account_id: str, region: str) -> None:
        self._account_id = account_id
        self._region = region

    async def __call__(self, service: str, operation: str, members: dict[str, t.Any]) -> dict[str, t.Any]:
        """The members of the answer. Raises CallFailed."""
        handler = ministack.app.SERVICE_HANDLERS.get(service)
        headers = {"x-amz-target": f"{TARGETS[service]}.{operation}", "content-type": "application/x-amz-json-1.1"}
        with request_scope(self._account_id, self._region):
            status, _, body = await handler("POST", "/", headers, json.dumps(members).encode(), {})
        answer: dict[str, t.Any] = json.loads(body or b"{}")
        if status >= 300:
            code = str(answer.get("__type") or "InternalFailure").rpartition("#")[2]
            raise CallFailed(code, str(answer.get("message") or answer.get("Message") or ""))
        return answer
