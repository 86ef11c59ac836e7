# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Framing between the client and the multiplexer on the instance, both ends and both directions; knows nothing of commands.

Towards the instance the terminal is binary-clean: frames follow each other as they are::

    type u8 (0x80: payload deflated) | channel u32 | length u32 | payload

Towards the client the agent walks the output as UTF-8 and changes it, so that frames are armoured in lines of ASCII::

    base64( CRC-32 of the rest u32 | deflated u8 | frames ) newline

Private to the collection: it can change at any time.
"""

from __future__ import annotations

import binascii
import enum
import struct
import zlib
from dataclasses import dataclass

from .errors import ProtocolError

VERSION = 1
DEFLATED = 0x80
MAX_PAYLOAD = 1 << 20
MAX_LINE = 1 << 18
WORTH_DEFLATING = 256
_HEADER = struct.Struct(">BII")
_LINE = struct.Struct(">IB")


class Kind(enum.IntEnum):
    HELLO = 1
    EXEC = 2
    STDIN = 3
    STDIN_EOF = 4
    WINDOW = 5
    STDOUT = 6
    STDERR = 7
    EXIT = 8
    SIGNAL = 9
    PUT = 10
    GET = 11
    DATA = 12
    END = 13
    RESULT = 14
    PING = 15
    PONG = 16
    BYE = 17
    CANCEL = 18  # nobody wants the rest of a channel any more
    LOST = 19  # broker to worker: the session is gone, or could not be started
    LOG = 20  # broker to worker: a line for -vvv
    RESET = 21  # worker to broker: end the session
    FETCH = 22  # worker to broker, as its first: read a file that the multiplexer has open through a side session
    PIECE = 23  # input of a command, to be remembered
    KNOWN = 24  # input of a command that was a PIECE before: the first 16 bytes of its SHA-256, then its length u32


@dataclass(frozen=True)
class Frame:
    """`channel` 0 is the multiplexer itself."""

    kind: int
    channel: int = 0
    payload: bytes = b""

    def __str__(self):
        name = Kind(self.kind).name if self.kind in Kind.__members__.values() else str(self.kind)
        return "{0} channel {1}, {2} bytes".format(name, self.channel, len(self.payload))


def encode_frame(frame: Frame, deflate: bool = False) -> bytes:
    """Return the bytes of a frame, deflated when asked and when it helps."""
    kind, payload = int(frame.kind), frame.payload
    if deflate and len(payload) >= WORTH_DEFLATING:
        packed = zlib.compress(payload, 1)
        if len(packed) < len(payload):
            kind, payload = kind | DEFLATED, packed
    return _HEADER.pack(kind, frame.channel, len(payload)) + payload


def _inflate(data, limit):
    machine = zlib.decompressobj()
    try:
        plain = machine.decompress(data, limit + 1)
    except zlib.error as error:
        raise ProtocolError("Deflated frame cannot be read.") from error
    if len(plain) > limit or not machine.eof or machine.unused_data:
        raise ProtocolError("Deflated frame has the wrong length.")
    return plain


class FrameDecoder:
    """Bytes in, frames out; a rest that is no whole frame yet stays inside."""

    def __init__(self):
        self._buffer = bytearray()

    @property
    def pending(self) -> int:
        return len(self._buffer)

    def feed(self, data: bytes) -> list:
        self._buffer += data
        frames, position = [], 0
        while len(self._buffer) - position >= _HEADER.size:
            kind, channel, length = _HEADER.unpack_from(self._buffer, position)
            if length > MAX_PAYLOAD:
                raise ProtocolError("Frame claims {0} bytes.".format(length))
            end = position + _HEADER.size + length
            if len(self._buffer) < end:
                break
            payload = bytes(self._buffer[position + _HEADER.size : end])
            if kind & DEFLATED:
                payload = _inflate(payload, MAX_PAYLOAD)
            frames.append(Frame(kind & ~DEFLATED, channel, payload))
            position = end
        del self._buffer[:position]
        return frames


def encode_line(frames: list) -> bytes:
    """Return one armoured line that carries the frames."""
    body, deflated = b"".join(encode_frame(frame) for frame in frames), 0
    if len(body) >= WORTH_DEFLATING:
        packed = zlib.compress(body, 1)
        if len(packed) < len(body):
            body, deflated = packed, 1
    checked = bytes([deflated]) + body
    return binascii.b2a_base64(struct.pack(">I", zlib.crc32(checked)) + checked)


class LineDecoder:
    """Armoured bytes in, frames out; a line that fails its check is a ProtocolError."""

    def __init__(self):
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list:
        self._buffer += data
        if b"\n" not in data:
            if len(self._buffer) > MAX_LINE:
                raise ProtocolError("Line from the instance does not end.")
            return []
        *lines, rest = bytes(self._buffer).split(b"\n")
        self._buffer = bytearray(rest)
        return [frame for line in lines for frame in decode_line(line)]


def decode_line(line: bytes) -> list:
    """Return the frames of one line without its newline."""
    if len(line) > MAX_LINE:
        raise ProtocolError("Line from the instance is too long.")
    try:
        raw = binascii.a2b_base64(line.rstrip(b"\r"))
    except binascii.Error as error:
        raise ProtocolError("Line from the instance is not base64: {0!r}.".format(line[:60])) from error
    if len(raw) < _LINE.size or zlib.crc32(raw[4:]) != struct.unpack_from(">I", raw)[0]:
        raise ProtocolError("Line from the instance fails its check: {0!r}.".format(line[:60]))
    body = raw[_LINE.size :]
    if raw[4]:
        body = _inflate(body, MAX_PAYLOAD)
    decoder = FrameDecoder()
    frames = decoder.feed(body)
    if decoder.pending:
        raise ProtocolError("Line from the instance ends inside a frame.")
    return frames
