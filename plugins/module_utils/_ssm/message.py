# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The binary AgentMessage of the Session Manager data channel: fields to bytes and back; keeps no state and no clock.

Layout (big-endian), as the agent's source has it::

    offset size field           offset size field
    0      4    header length   56     8    flags (bit 0 SYN, bit 1 FIN)
    4      32   message type    64     16   message id, halves swapped
    36     4    schema version  80     32   SHA-256 of the payload
    40     8    created, ms     112    4    payload type
    48     8    sequence        116    4    payload length, then the payload

Private to the collection: it can change at any time.
"""

from __future__ import annotations

import enum
import hashlib
import json
import struct
import uuid
from dataclasses import dataclass

from .errors import DamagedMessage, ProtocolError

HEADER_LENGTH = 116
_HEADER = struct.Struct(">I32sIQqQ16s32sI")

INPUT = "input_stream_data"
OUTPUT = "output_stream_data"
ACKNOWLEDGE = "acknowledge"
CHANNEL_CLOSED = "channel_closed"
START_PUBLICATION = "start_publication"
PAUSE_PUBLICATION = "pause_publication"

SYN = 1
FIN = 2
ACKNOWLEDGE_FLAGS = SYN | FIN


class PayloadType(enum.IntEnum):
    NONE = 0
    OUTPUT = 1
    ERROR = 2
    SIZE = 3
    PARAMETER = 4
    HANDSHAKE_REQUEST = 5
    HANDSHAKE_RESPONSE = 6
    HANDSHAKE_COMPLETE = 7
    ENCRYPTION_CHALLENGE_REQUEST = 8
    ENCRYPTION_CHALLENGE_RESPONSE = 9
    FLAG = 10
    STDERR = 11
    EXIT_CODE = 12


@dataclass(frozen=True)
class Message:
    """One message; `created` is in milliseconds since the epoch, `payload_type` may be a number this version does not know."""

    type: str
    sequence: int
    message_id: uuid.UUID
    created: int
    payload: bytes
    payload_type: int = 0
    flags: int = 0

    def __str__(self):
        return "{0} #{1} type {2}, {3} bytes".format(self.type, self.sequence, self.payload_type, len(self.payload))


def _swap(raw: bytes) -> bytes:
    return raw[8:] + raw[:8]


def serialize(message: Message) -> bytes:
    """Return the bytes of a message. An empty payload is refused: the agent's own serializers cannot produce one."""
    if not message.payload:
        raise ProtocolError("A message with an empty payload cannot be sent.")
    if message.created <= 0:
        raise ProtocolError("A message needs a creation time: the agent rejects 0.")
    header = _HEADER.pack(
        HEADER_LENGTH,
        message.type.encode("ascii").ljust(32),
        1,
        message.created,
        message.sequence,
        message.flags,
        _swap(message.message_id.bytes),
        hashlib.sha256(message.payload).digest(),
        message.payload_type,
    )
    return header + struct.pack(">I", len(message.payload)) + message.payload


def parse(data: bytes) -> Message:
    """Return the message that a binary websocket message holds, its digest verified; raise ProtocolError for anything else.

    Like the official parsers it takes everything after the header as the payload and does not trust the payload length.
    """
    if len(data) < HEADER_LENGTH + 4:
        raise ProtocolError("Data channel message of {0} bytes is shorter than its header.".format(len(data)))
    length, kind, _schema, created, sequence, flags, swapped, digest, payload_type = _HEADER.unpack_from(data)
    if not HEADER_LENGTH <= length <= len(data) - 4:
        raise ProtocolError("Data channel message claims a header of {0} bytes.".format(length))
    payload = bytes(data[length + 4 :])
    try:
        name = kind.decode("ascii").strip(" \0")
    except UnicodeDecodeError as error:
        raise ProtocolError("Data channel message has a type that is not ASCII.") from error
    if payload and name not in (START_PUBLICATION, PAUSE_PUBLICATION) and hashlib.sha256(payload).digest() != digest:
        raise DamagedMessage("Data channel message {0} #{1} does not match its digest.".format(name, sequence))
    return Message(
        type=name,
        sequence=sequence,
        message_id=uuid.UUID(bytes=_swap(swapped)),
        created=created,
        payload=payload,
        payload_type=payload_type,
        flags=flags,
    )


def load_json(payload: bytes, what: str) -> dict:
    """Return the JSON object in a payload; `what` names it in the ProtocolError that anything else raises."""
    try:
        value = json.loads(payload.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise ProtocolError("{0} is not JSON.".format(what)) from error
    if not isinstance(value, dict):
        raise ProtocolError("{0} is not a JSON object.".format(what))
    return value


def acknowledgement_of(message: Message) -> bytes:
    """Return the payload that acknowledges a message."""
    return json.dumps(
        {
            "AcknowledgedMessageType": message.type,
            "AcknowledgedMessageId": str(message.message_id),
            "AcknowledgedMessageSequenceNumber": message.sequence,
            "IsSequentialMessage": True,
        }
    ).encode("ascii")


def acknowledged_sequence(payload: bytes) -> int:
    """Return the sequence number an acknowledgement is about."""
    sequence = load_json(payload, "Acknowledgement").get("AcknowledgedMessageSequenceNumber")
    if not isinstance(sequence, int) or isinstance(sequence, bool):
        raise ProtocolError("Acknowledgement has no sequence number.")
    return sequence
