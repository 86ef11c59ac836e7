# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Framing towards and from the instance: known bytes, both ends, arbitrary bytes."""

from __future__ import annotations

import binascii
import contextlib
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.bluegreen.aws.plugins.module_utils._ssm import frames
from ansible_collections.bluegreen.aws.plugins.module_utils._ssm.errors import ProtocolError
from ansible_collections.bluegreen.aws.plugins.module_utils._ssm.frames import Frame, Kind

TABLE = [
    (Frame(Kind.PING), "0f0000000000000000"),
    (Frame(Kind.STDIN, 1, b"abc"), "030000000100000003616263"),
    (Frame(Kind.EXIT, 0x01020304, b"\xff\xff\xff\xf7"), "080102030400000004fffffff7"),
    (Frame(Kind.WINDOW, 2, b"\0\1\0\0"), "05000000020000000400010000"),
]


@pytest.mark.parametrize(("frame", "data"), TABLE, ids=[str(row[0]) for row in TABLE])
def test_bytes_both_ways(frame, data):
    assert frames.encode_frame(frame).hex() == data
    decoder = frames.FrameDecoder()
    assert decoder.feed(bytes.fromhex(data)) == [frame]
    assert decoder.pending == 0


def test_frames_in_pieces():
    decoder = frames.FrameDecoder()
    data = b"".join(frames.encode_frame(row[0]) for row in TABLE)
    found = []
    for position in range(len(data)):
        found += decoder.feed(data[position : position + 1])
    assert found == [row[0] for row in TABLE]


def test_deflated_only_when_it_helps():
    long = Frame(Kind.STDIN, 1, b"a" * 1000)
    data = frames.encode_frame(long, deflate=True)
    assert len(data) < 100
    assert data[0] == Kind.STDIN | 0x80
    assert frames.FrameDecoder().feed(data) == [long]
    noise = Frame(Kind.STDIN, 1, zlib.compress(bytes(range(256)) * 4, 9)[:300].ljust(300, b"\x93"))
    assert frames.FrameDecoder().feed(frames.encode_frame(noise, deflate=True)) == [noise]
    assert frames.encode_frame(Frame(Kind.STDIN, 1, b"short"), deflate=True)[0] == Kind.STDIN


@pytest.mark.parametrize("data", ["0300000001ffffffff", "830000000100000003616263", "8300000001" + "00000002" + "789c"])
def test_bad_frames(data):
    with pytest.raises(ProtocolError):
        frames.FrameDecoder().feed(bytes.fromhex(data))


def test_deflated_bomb_is_refused():
    bomb = zlib.compress(bytes(frames.MAX_PAYLOAD + 1))
    with pytest.raises(ProtocolError, match="wrong length"):
        frames.FrameDecoder().feed(frames._HEADER.pack(Kind.STDOUT | 0x80, 1, len(bomb)) + bomb)


def test_line_is_ascii_and_ends_with_a_newline():
    line = frames.encode_line([Frame(Kind.STDOUT, 1, bytes(range(256)))])
    assert line.endswith(b"\n") and line.count(b"\n") == 1
    assert all(byte < 128 for byte in line) and len(line) > 4


@given(st.lists(st.builds(Frame, st.integers(1, 127), st.integers(0, 2**32 - 1), st.binary(max_size=600)), max_size=5), st.integers(1, 50))
def test_lines_round_trip_in_pieces(items, step):
    data = frames.encode_line(items) + frames.encode_line(items)
    decoder = frames.LineDecoder()
    found = []
    for position in range(0, len(data), step):
        found += decoder.feed(data[position : position + step])
    assert found == items + items


@pytest.mark.parametrize("position", range(0, 30, 3))
def test_every_damage_is_seen(position):
    line = bytearray(frames.encode_line([Frame(Kind.STDOUT, 1, b"important bytes")]))
    line[position] = ord("A") if line[position] != ord("A") else ord("B")
    with pytest.raises(ProtocolError):
        frames.LineDecoder().feed(bytes(line))


def test_line_that_ends_inside_a_frame():
    body = b"\0" + frames.encode_frame(Frame(Kind.STDOUT, 1, b"abc"))[:-1]
    with pytest.raises(ProtocolError, match="inside a frame"):
        frames.decode_line(binascii.b2a_base64(zlib.crc32(body).to_bytes(4, "big") + body)[:-1])


def test_line_without_end():
    decoder = frames.LineDecoder()
    with pytest.raises(ProtocolError, match="does not end"):
        for _unused in range(10):
            decoder.feed(b"A" * 50_000)


@given(st.lists(st.binary(max_size=80), max_size=8))
def test_any_bytes_give_frames_or_a_protocol_error(chunks):
    for decoder in (frames.FrameDecoder(), frames.LineDecoder()):
        with contextlib.suppress(ProtocolError):
            for chunk in chunks:
                decoder.feed(chunk)


@given(st.binary(max_size=200), st.integers(0, 1))
def test_any_checked_line_gives_frames_or_a_protocol_error(body, deflated):
    body = bytes([deflated]) + body
    line = binascii.b2a_base64(zlib.crc32(body).to_bytes(4, "big") + body)
    with contextlib.suppress(ProtocolError):
        frames.LineDecoder().feed(line)


@pytest.mark.parametrize(("size", "deflated"), [(frames.WORTH_DEFLATING - 1, False), (frames.WORTH_DEFLATING, True)])
def test_small_frames_and_those_that_are_not_asked_for_are_not_deflated(size, deflated):
    frame = Frame(Kind.STDIN, 1, b"a" * size)
    assert (frames.encode_frame(frame, deflate=True)[0] == Kind.STDIN | 0x80) is deflated
    assert frames.encode_frame(frame)[0] == Kind.STDIN


def test_the_longest_payload_is_inflated():
    longest = zlib.compress(bytes(frames.MAX_PAYLOAD))
    data = frames._HEADER.pack(Kind.STDOUT | 0x80, 1, len(longest)) + longest
    (frame,) = frames.FrameDecoder().feed(data)
    assert len(frame.payload) == frames.MAX_PAYLOAD


def test_the_longest_line_may_still_end():
    decoder = frames.LineDecoder()
    assert decoder.feed(b"A" * frames.MAX_LINE) == []
    with pytest.raises(ProtocolError, match="does not end"):
        decoder.feed(b"A")
