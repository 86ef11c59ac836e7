# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mounts a service of moto in this process; knows HTTP and nothing of any service. Import after `environment.apply`."""

from __future__ import annotations

import asyncio
import html
import logging
import threading
import typing as t
import uuid

from ministack.core.router import extract_region
from moto.core.request import Request

Response = tuple[int, dict[str, str], bytes]

LOCK = threading.RLock()
"""Held while moto's state is read or changed: moto is not safe for threads."""

_log = logging.getLogger("localcloud.moto")


async def dispatch(
    response_class: t.Any, service: str, method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, list[str]]
) -> Response:
    """Answer one request of the query protocol with moto, in a worker thread."""
    region = extract_region(headers, query)
    return await asyncio.to_thread(_dispatch, response_class, service, region, method, path, headers, body)


def _dispatch(response_class: t.Any, service: str, region: str, method: str, path: str, headers: dict[str, str], body: bytes) -> Response:
    url = f"http://{service}.{region}.amazonaws.com{path}"
    try:
        with LOCK:
            request = Request.from_primitives(method, url, headers, body)
            status, answer_headers, answer = response_class.dispatch(request, url, request.headers)
    except NotImplementedError as problem:
        _log.warning("%s: %s", service, problem)
        return error(service, 400, "InvalidAction", f"{problem} (by the local cloud)")
    except StopIteration:
        return error(service, 400, "InsufficientFreeAddressesInSubnet", "The specified subnet does not have enough free addresses.")
    except Exception:  # a bug of moto must not look like a hang
        _log.exception("moto failed in %s", service)
        return error(service, 500, "InternalError", "An internal error has occurred in the local cloud; its log has the traceback.")
    kept = {str(key): str(value) for key, value in answer_headers.items() if str(key).lower() not in ("status", "date", "server")}
    kept.setdefault("Content-Type", "text/xml;charset=UTF-8")
    return int(status), kept, answer if isinstance(answer, bytes) else str(answer).encode()


def error(service: str, status: int, code: str, message: str) -> Response:
    """An error in the envelope of a service of the query protocol."""
    request_id = uuid.uuid4()
    message = html.escape(message, quote=False)
    if service == "ec2":
        text = (
            f"<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors>"
            f"<RequestID>{request_id}</RequestID></Response>"
        )
    else:
        text = (
            f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
            f"<RequestId>{request_id}</RequestId></ErrorResponse>"
        )
    return status, {"Content-Type": "text/xml;charset=UTF-8"}, text.encode()
