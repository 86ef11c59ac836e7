# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The client's side of one websocket connection (RFC 6455) as a state machine over bytes; no socket, no TLS, no clock.

Spoken as the Session Manager service wants it: no subprotocol, no extension, no origin.

Private to the collection: it can change at any time.
"""

from __future__ import annotations

import base64
import enum
import hashlib
import hmac
import struct
from collections import deque
from dataclasses import dataclass

from .errors import ProtocolError

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455 section 1.3
MAX_HEADER = 65536
MAX_MESSAGE = 16 * 1024 * 1024


class Opcode(enum.IntEnum):
    CONTINUATION = 0
    TEXT = 1
    BINARY = 2
    CLOSE = 8
    PING = 9
    PONG = 10


class State(enum.Enum):
    CONNECTING = "connecting"
    OPEN = "open"
    CLOSED = "closed"


@dataclass(frozen=True)
class Opened:
    pass


@dataclass(frozen=True)
class Text:
    data: str


@dataclass(frozen=True)
class Binary:
    data: bytes


@dataclass(frozen=True)
class Pong:
    data: bytes


@dataclass(frozen=True)
class Closed:
    """The server closed the connection: code 1000 with "Bye" is the service's hourly close, 1005 means that it gave none."""

    code: int
    reason: str


@dataclass(frozen=True)
class Rejected:
    """The server answered the opening handshake with something else than 101."""

    status: int
    reason: str


def mask(data: bytes, key: bytes) -> bytes:
    """Return data masked, or unmasked, with a key of four bytes."""
    size = len(data)
    repeated = key * (size // 4 + 1)
    return (int.from_bytes(data, "big") ^ int.from_bytes(repeated[:size], "big")).to_bytes(size, "big")


def encode_frame(opcode: int, payload: bytes, key: bytes | None, final: bool = True) -> bytes:
    """Return one frame; a client's frames have a masking key of four bytes, a server's have None."""
    size = len(payload)
    masked = 0 if key is None else 0x80
    first = (0x80 if final else 0) | opcode
    if size < 126:
        head = struct.pack(">BB", first, masked | size)
    elif size < 65536:
        head = struct.pack(">BBH", first, masked | 126, size)
    else:
        head = struct.pack(">BBQ", first, masked | 127, size)
    return head + (payload if key is None else key + mask(payload, key))


class WebSocketClient:
    """See the module. `entropy(n)` returns n unpredictable bytes."""

    def __init__(self, host: str, resource: str, entropy):
        self._entropy = entropy
        self._key = base64.b64encode(entropy(16))
        self._incoming = bytearray()
        self._outgoing = bytearray()
        self._events = deque()
        self._fragments = bytearray()
        self._fragmented = None
        self.state = State.CONNECTING
        for part in (host, resource):
            if any(character <= " " or character > "~" for character in part):
                raise ProtocolError("The stream's URL holds a character that a request line cannot carry.")
        self._outgoing += (
            b"GET " + resource.encode("ascii") + b" HTTP/1.1\r\nHost: " + host.encode("ascii") + b"\r\nUpgrade: websocket\r\n"
            b"Connection: Upgrade\r\nSec-WebSocket-Key: " + self._key + b"\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )

    def data_to_send(self) -> bytes:
        data = bytes(self._outgoing)
        self._outgoing.clear()
        return data

    def events(self) -> list:
        events = list(self._events)
        self._events.clear()
        return events

    def send_text(self, text: str) -> None:
        self._send(Opcode.TEXT, text.encode("utf-8"))

    def send_binary(self, data: bytes) -> None:
        self._send(Opcode.BINARY, data)

    def ping(self, data: bytes = b"keepalive") -> None:
        self._send(Opcode.PING, data)

    def close(self, code: int = 1000) -> None:
        """Say goodbye; nothing is sent or understood after it."""
        if self.state is State.OPEN:
            self._send(Opcode.CLOSE, struct.pack(">H", code))
        self.state = State.CLOSED

    def receive(self, data: bytes) -> None:
        """Take bytes from the server; events come out of `events`. ProtocolError means that the connection is of no more use."""
        if self.state is State.CLOSED:
            return
        self._incoming += data
        try:
            if self.state is State.CONNECTING and not self._read_response():
                return
            while self.state is State.OPEN and self._read_frame():
                pass
        except ProtocolError:
            self.state = State.CLOSED
            raise

    def _send(self, opcode, payload):
        if self.state is not State.OPEN:
            raise ProtocolError("The websocket is not open.")
        self._outgoing += encode_frame(opcode, payload, self._entropy(4))

    def _read_response(self):
        end = self._incoming.find(b"\r\n\r\n")
        if end < 0:
            if len(self._incoming) > MAX_HEADER:
                raise ProtocolError("The answer to the websocket's opening handshake does not end.")
            return False
        lines = bytes(self._incoming[:end]).decode("latin-1").split("\r\n")
        del self._incoming[: end + 4]
        version, _space, rest = lines[0].partition(" ")
        code, _space, reason = rest.partition(" ")
        if not version.startswith("HTTP/1.") or len(code) != 3 or not (code.isascii() and code.isdigit()):
            raise ProtocolError("The answer to the websocket's opening handshake is not HTTP.")
        if code != "101":
            self.state = State.CLOSED
            self._events.append(Rejected(int(code), reason.strip()))
            return False
        headers = {}
        for line in lines[1:]:
            name, _colon, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        expected = base64.b64encode(hashlib.sha1(self._key + _GUID).digest()).decode("ascii")  # noqa: S324 (asked for by RFC 6455)
        accept = headers.get("sec-websocket-accept", "")
        if headers.get("upgrade", "").lower() != "websocket" or not hmac.compare_digest(accept.encode("latin-1"), expected.encode("ascii")):
            raise ProtocolError("The server's answer does not belong to the websocket's opening handshake.")
        if "sec-websocket-extensions" in headers:
            raise ProtocolError("The server uses a websocket extension that was not asked for.")
        self.state = State.OPEN
        self._events.append(Opened())
        return True

    def _read_frame(self):
        buffer = self._incoming
        if len(buffer) < 2:
            return False
        first, second = buffer[0], buffer[1]
        size, offset = second & 0x7F, 2
        if first & 0x70:
            raise ProtocolError("Websocket frame has a reserved bit set.")
        if second & 0x80:
            raise ProtocolError("The server masks its websocket frames.")
        opcode, final = first & 0x0F, bool(first & 0x80)
        if opcode >= 8 and (size > 125 or not final):
            raise ProtocolError("Websocket control frame is too long or fragmented.")
        if size == 126:
            if len(buffer) < 4:
                return False
            (size,), offset = struct.unpack_from(">H", buffer, 2), 4
        elif size == 127:
            if len(buffer) < 10:
                return False
            (size,), offset = struct.unpack_from(">Q", buffer, 2), 10
        if size + len(self._fragments) > MAX_MESSAGE:
            raise ProtocolError("Websocket message is longer than {0} bytes.".format(MAX_MESSAGE))
        if len(buffer) < offset + size:
            return False
        payload = bytes(buffer[offset : offset + size])
        del buffer[: offset + size]
        self._frame(opcode, final, payload)
        return True

    def _frame(self, opcode, final, payload):
        if opcode in (Opcode.TEXT, Opcode.BINARY):
            if self._fragmented is not None:
                raise ProtocolError("Websocket message starts before the last one ended.")
            self._fragmented = opcode
        elif opcode == Opcode.CONTINUATION:
            if self._fragmented is None:
                raise ProtocolError("Websocket message continues that never started.")
        elif opcode == Opcode.PING:
            self._send(Opcode.PONG, payload)
            return
        elif opcode == Opcode.PONG:
            self._events.append(Pong(payload))
            return
        elif opcode == Opcode.CLOSE:
            self._closed(payload)
            return
        else:
            raise ProtocolError("Websocket frame has the unknown opcode {0}.".format(opcode))
        self._fragments += payload
        if final:
            data, kind = bytes(self._fragments), self._fragmented
            self._fragments.clear()
            self._fragmented = None
            if kind == Opcode.BINARY:
                self._events.append(Binary(data))
                return
            try:
                self._events.append(Text(data.decode("utf-8")))
            except UnicodeDecodeError as error:
                raise ProtocolError("Websocket text message is not UTF-8.") from error

    def _closed(self, payload):
        if len(payload) == 1:
            raise ProtocolError("Websocket close frame has half a code.")
        code = struct.unpack_from(">H", payload)[0] if payload else 1005
        self._send(Opcode.CLOSE, payload[:2])
        self.state = State.CLOSED
        self._events.append(Closed(code, payload[2:].decode("utf-8", "replace")))
