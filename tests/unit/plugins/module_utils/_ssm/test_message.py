# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The AgentMessage codec: known bytes both ways, and what it refuses."""

from __future__ import annotations

import contextlib
import hashlib
import json
import struct
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.bluegreen.aws.plugins.module_utils._ssm import message
from ansible_collections.bluegreen.aws.plugins.module_utils._ssm.errors import DamagedMessage, ProtocolError

IDENTITY = uuid.UUID("00112233-4455-6677-8899-aabbccddeeff")


def by_hand(kind: bytes, sequence: int, flags: int, payload_type: int, payload: bytes, created=1700000000000) -> bytes:
    """The layout of the protocol's table, field by field."""
    return b"".join(
        [
            bytes.fromhex("00000074"),
            kind + b" " * (32 - len(kind)),
            bytes.fromhex("00000001"),
            created.to_bytes(8, "big"),
            sequence.to_bytes(8, "big", signed=True),
            flags.to_bytes(8, "big"),
            bytes.fromhex("8899aabbccddeeff0011223344556677"),
            hashlib.sha256(payload).digest(),
            payload_type.to_bytes(4, "big"),
            len(payload).to_bytes(4, "big"),
            payload,
        ]
    )


TABLE = [
    ("input", by_hand(b"input_stream_data", 0, 0, 1, b"ls\n"), ("input_stream_data", 0, 0, 1, b"ls\n")),
    ("output", by_hand(b"output_stream_data", 7, 1, 1, b"\x00\xff"), ("output_stream_data", 7, 1, 1, b"\x00\xff")),
    ("acknowledge", by_hand(b"acknowledge", 0, 3, 0, b"{}"), ("acknowledge", 0, 3, 0, b"{}")),
    ("handshake", by_hand(b"output_stream_data", 0, 1, 5, b"{}"), ("output_stream_data", 0, 1, 5, b"{}")),
    ("exit code", by_hand(b"output_stream_data", 2**40, 0, 12, b"EXIT_CODE: 3"), ("output_stream_data", 2**40, 0, 12, b"EXIT_CODE: 3")),
]


@pytest.mark.parametrize(("data", "fields"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_bytes_both_ways(data, fields):
    kind, sequence, flags, payload_type, payload = fields
    item = message.Message(
        type=kind, sequence=sequence, message_id=IDENTITY, created=1700000000000, payload=payload, payload_type=payload_type, flags=flags
    )
    assert message.serialize(item) == data
    assert message.parse(data) == item


def test_header_is_116_bytes_and_padded_with_spaces():
    data = TABLE[0][1]
    assert struct.unpack_from(">I", data)[0] == 116
    assert data[4:36] == b"input_stream_data               "


def test_nul_padding_is_accepted():
    data = by_hand(b"input_stream_data" + b"\0" * 15, 0, 0, 1, b"x")
    assert message.parse(data).type == "input_stream_data"


def test_payload_is_everything_after_the_header_whatever_its_length_says():
    data = bytearray(by_hand(b"output_stream_data", 0, 0, 1, b"abc"))
    data[116:120] = b"\0\0\0\x01"
    assert message.parse(bytes(data)).payload == b"abc"


def test_longer_header_moves_the_payload():
    plain = by_hand(b"output_stream_data", 0, 0, 1, b"abc")
    data = struct.pack(">I", 120) + plain[4:116] + b"more" + plain[116:]
    assert message.parse(data).payload == b"abc"


@pytest.mark.parametrize(
    "data", [b"", b"x", b"\0" * 119, b"\xff" * 200, by_hand(b"\xff\xfe", 0, 0, 1, b"x"), struct.pack(">I", 10) + b"\0" * 200]
)
def test_refuses(data):
    with pytest.raises(ProtocolError):
        message.parse(data)


def test_damaged_payload_is_seen():
    data = bytearray(by_hand(b"output_stream_data", 5, 0, 1, b"abc"))
    data[-1] ^= 1
    with pytest.raises(DamagedMessage, match="output_stream_data #5 does not match its digest"):
        message.parse(bytes(data))


@pytest.mark.parametrize("kind", [b"start_publication", b"pause_publication"])
def test_publication_messages_need_no_digest(kind):
    data = bytearray(by_hand(kind, 0, 0, 0, b"{}"))
    data[80:112] = bytes(32)
    assert message.parse(bytes(data)).type == kind.decode()


def test_serialize_refuses_what_the_agent_would():
    item = message.parse(TABLE[0][1])
    with pytest.raises(ProtocolError, match="empty payload"):
        message.serialize(message.Message(item.type, 0, IDENTITY, 1, b""))
    with pytest.raises(ProtocolError, match="creation time"):
        message.serialize(message.Message(item.type, 0, IDENTITY, 0, b"x"))


def test_acknowledgement():
    item = message.parse(TABLE[1][1])
    body = json.loads(message.acknowledgement_of(item))
    assert body == {
        "AcknowledgedMessageType": "output_stream_data",
        "AcknowledgedMessageId": "00112233-4455-6677-8899-aabbccddeeff",
        "AcknowledgedMessageSequenceNumber": 7,
        "IsSequentialMessage": True,
    }
    assert message.acknowledged_sequence(message.acknowledgement_of(item)) == 7


@pytest.mark.parametrize("payload", [b"", b"[]", b"{}", b"\xff", b'{"AcknowledgedMessageSequenceNumber": true}', b"[" * 100000])
def test_bad_acknowledgements(payload):
    with pytest.raises(ProtocolError):
        message.acknowledged_sequence(payload)


@given(st.binary(max_size=400))
def test_any_bytes_give_a_message_or_a_protocol_error(data):
    with contextlib.suppress(ProtocolError):
        message.parse(data)


@given(
    st.sampled_from(["input_stream_data", "x"]),
    st.integers(-(2**63), 2**63 - 1),
    st.uuids(),
    st.integers(1, 2**64 - 1),
    st.binary(min_size=1),
    st.integers(0, 2**32 - 1),
    st.integers(0, 2**64 - 1),
)
def test_round_trip(kind, sequence, identity, created, payload, payload_type, flags):
    item = message.Message(kind, sequence, identity, created, payload, payload_type, flags)
    assert message.parse(message.serialize(item)) == item
