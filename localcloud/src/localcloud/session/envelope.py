# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The messages that the service itself puts on a channel, and the little it reads of others'; no sockets.

Written apart from the agent's codec on purpose: the service only relays stream messages and must not depend on either peer's reading.
"""

from __future__ import annotations

import hashlib
import json
import struct
import time
import uuid
from datetime import UTC, datetime
from typing import Any

_HEAD = struct.Struct(">I32sIQqQ")
_TAIL = struct.Struct(">II")
_HEADER_LENGTH = 116


def message_type(data: bytes) -> str:
    """The type of a message, or an empty text when these bytes are none."""
    return data[4:36].strip(b" \0").decode("ascii", "replace") if len(data) >= _HEADER_LENGTH + 4 else ""


def body(data: bytes) -> dict[str, Any]:
    """The JSON object in a message's payload, or an empty one."""
    try:
        (length,) = struct.unpack_from(">I", data)
        value = json.loads(data[length + 4 :])
    except (struct.error, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def build(kind: str, content: dict[str, Any], *, message_id: uuid.UUID | None = None) -> bytes:
    """A service message with a JSON payload."""
    payload = json.dumps(content).encode()
    identity = (message_id or uuid.uuid4()).bytes
    head = _HEAD.pack(_HEADER_LENGTH, kind.encode().ljust(32), 1, int(time.time() * 1000), 0, 3)
    return head + identity[8:] + identity[:8] + hashlib.sha256(payload).digest() + _TAIL.pack(0, len(payload)) + payload


def channel_closed(session_id: str, output: str) -> bytes:
    """The end of a session; a non-empty output is the reason to show."""
    identity = uuid.uuid4()
    content = {
        "MessageId": str(identity),
        "CreatedDate": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "DestinationId": session_id,
        "SessionId": session_id,
        "MessageType": "channel_closed",
        "SchemaVersion": 1,
        "Output": output,
    }
    return build("channel_closed", content, message_id=identity)


def start_publication(session_id: str) -> bytes:
    return build("start_publication", {"SessionId": session_id})


def pause_publication(session_id: str) -> bytes:
    return build("pause_publication", {"SessionId": session_id})


def interactive_shell(task_id: str, content: dict[str, Any], pacing: dict[str, Any]) -> bytes:
    """The order to start a session; `pacing` is this cloud's own addition, which a real agent would ignore."""
    order = {"SchemaVersion": 1, "TaskId": task_id, "Topic": "interactive_shell", "Content": json.dumps(content)}
    if pacing:
        order["Pacing"] = pacing
    return build("interactive_shell", order)


def agent_task_acknowledge(task: dict[str, Any]) -> bytes:
    return build(
        "agent_task_acknowledge",
        {"SchemaVersion": 1, "MessageId": str(uuid.uuid4()), "TaskId": task.get("TaskId"), "Topic": task.get("Topic")},
    )


def agent_job(job_id: str, content: dict[str, Any]) -> bytes:
    """The order to run, or to cancel, a command."""
    return build("agent_job", {"SchemaVersion": "1.0", "JobId": job_id, "Topic": "aws.ssm.sendCommand", "Content": json.dumps(content)})


def agent_job_reply_ack(job_id: str) -> bytes:
    return build("agent_job_reply_ack", {"SchemaVersion": "1.0", "JobId": job_id, "MessageId": str(uuid.uuid4())})
