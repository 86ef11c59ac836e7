# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers of the SSM API in its protocol, JSON 1.1: results, errors and pages; decides nothing."""

from __future__ import annotations

import functools
import json
import uuid
from typing import Any

import botocore.session

HttpAnswer = tuple[int, dict[str, str], bytes]


class ApiError(Exception):
    """An error answer of the API: its code and its message."""

    def __init__(self, code: str, message: str, *, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


def result(body: dict[str, Any], *, status: int = 200) -> HttpAnswer:
    """A JSON answer."""
    return status, {"Content-Type": "application/x-amz-json-1.1", "x-amzn-RequestId": str(uuid.uuid4())}, json.dumps(body).encode()


def failure(error: ApiError, operation: str) -> HttpAnswer:
    """An error in the form that the operation documents."""
    return result({"__type": error.code, _message_member(operation, error.code): str(error)}, status=error.status)


def paginate(items: list[Any], body: dict[str, Any], largest: int) -> tuple[list[Any], dict[str, Any]]:
    """One page of a list and the NextToken member when more follow. Raises ApiError for a token that was not handed out here."""
    token = body.get("NextToken")
    start = 0
    if token:
        if not str(token).isdigit() or int(token) >= len(items):
            raise ApiError("InvalidNextToken", "The specified token isn't valid.")
        start = int(token)
    size = min(int(body.get("MaxResults") or largest), largest)
    more = start + size < len(items)
    return items[start : start + size], {"NextToken": str(start + size)} if more else {}


@functools.cache
def _message_member(operation: str, code: str) -> str:
    """How the operation's error spells its message: some are `Message`, some `message`; those common to all services are the latter."""
    model = botocore.session.get_session().get_service_model("ssm")
    shapes = model.operation_model(operation).error_shapes if operation in model.operation_names else []
    members = next((shape.members for shape in shapes if shape.name == code), {})
    return next((name for name in members if name.lower() == "message"), "message")
