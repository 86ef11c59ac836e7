# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bytes of one message of the data and control channels, both ways; no sequence numbers are chosen here and nothing is sent."""

from __future__ import annotations

import hashlib
import json
import struct
import time
import uuid
from dataclasses import dataclass

HEADER_LENGTH = 116
_HEADER = struct.Struct(">I32sIQqQ16s32sII")

INPUT = "input_stream_data"
OUTPUT = "output_stream_data"
ACKNOWLEDGE = "acknowledge"
CHANNEL_CLOSED = "channel_closed"
START_PUBLICATION = "start_publication"
PAUSE_PUBLICATION = "pause_publication"
AGENT_SESSION_STATE = "agent_session_state"
INTERACTIVE_SHELL = "interactive_shell"
AGENT_TASK_COMPLETE = "agent_task_complete"
AGENT_TASK_ACKNOWLEDGE = "agent_task_acknowledge"
AGENT_JOB = "agent_job"
AGENT_JOB_ACK = "agent_job_ack"
AGENT_JOB_REPLY = "agent_job_reply"
AGENT_JOB_REPLY_ACK = "agent_job_reply_ack"

SYN = 1
FIN = 2


class PayloadType:
    """Numbers of the payload types of stream messages."""

    OUTPUT = 1
    ERROR = 2
    SIZE = 3
    PARAMETER = 4
    HANDSHAKE_REQUEST = 5
    HANDSHAKE_RESPONSE = 6
    HANDSHAKE_COMPLETE = 7
    CHALLENGE_REQUEST = 8
    CHALLENGE_RESPONSE = 9
    FLAG = 10
    STDERR = 11
    EXIT_CODE = 12


class WireError(ValueError):
    """Bytes that are not a message."""


@dataclass(frozen=True)
class Message:
    """One message; `created` is in milliseconds since the epoch, `payload` is raw bytes."""

    message_type: str
    payload: bytes
    payload_type: int = 0
    sequence: int = 0
    flags: int = 0
    message_id: uuid.UUID | None = None
    created: int = 0


def pack(message: Message) -> bytes:
    """Serialise; a missing id or creation time is filled in. Raises WireError for an empty payload, which no peer reads."""
    if not message.payload:
        raise WireError("a message must have a payload")
    identity = (message.message_id or uuid.uuid4()).bytes
    header = _HEADER.pack(
        HEADER_LENGTH,
        message.message_type.encode("ascii").ljust(32),
        1,
        message.created or int(time.time() * 1000),
        message.sequence,
        message.flags,
        identity[8:] + identity[:8],  # the two halves travel swapped
        hashlib.sha256(message.payload).digest(),
        message.payload_type,
        len(message.payload),
    )
    return header + message.payload


def unpack(data: bytes) -> Message:
    """Parse; like the real agent this takes everything behind the header as payload and does not verify the digest."""
    if len(data) <= HEADER_LENGTH + 4:
        raise WireError(f"a message of {len(data)} bytes has no payload")
    length, kind, _version, created, sequence, flags, identity, _digest, payload_type, payload_length = _HEADER.unpack_from(data)
    start = length + 4
    if length < HEADER_LENGTH or start >= len(data) or payload_length == 0:
        raise WireError(f"header length {length} and payload length {payload_length} do not fit a message of {len(data)} bytes")
    if created == 0:
        raise WireError("a message must have a creation date")
    return Message(
        message_type=kind.strip(b" \0").decode("ascii", "replace"),
        payload=data[start:],
        payload_type=payload_type,
        sequence=sequence,
        flags=flags,
        message_id=uuid.UUID(bytes=identity[8:] + identity[:8]),
        created=created,
    )


def acknowledgement(message: Message) -> bytes:
    """The selective acknowledgement of one stream message."""
    body = {
        "AcknowledgedMessageType": message.message_type,
        "AcknowledgedMessageId": str(message.message_id),
        "AcknowledgedMessageSequenceNumber": message.sequence,
        "IsSequentialMessage": True,
    }
    return pack(Message(ACKNOWLEDGE, json.dumps(body).encode(), flags=SYN | FIN))


def acknowledged_sequence(message: Message) -> int | None:
    """The sequence number that an `acknowledge` message names; None when its payload cannot be read."""
    try:
        return int(json.loads(message.payload)["AcknowledgedMessageSequenceNumber"])
    except (ValueError, KeyError, TypeError):
        return None
