# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The client's side of the multiplexer: commands and file transfers as channels with credit; bytes in, events out, no IO.

Private to the collection: it can change at any time.
"""

from __future__ import annotations

import json
import struct
from collections import deque
from dataclasses import dataclass

from . import frames
from .errors import ProtocolError
from .frames import Frame, Kind
from .message import load_json

CREDIT = 262144
UPLOAD_CREDIT = 524288  # as much as a full window of messages (flow.WINDOW_MAX) carries
CHUNK = 32768
LONG_LINE = 4096


@dataclass(frozen=True)
class Hello:
    information: dict


@dataclass(frozen=True)
class Stdout:
    channel: int
    data: bytes


@dataclass(frozen=True)
class Stderr:
    channel: int
    data: bytes


@dataclass(frozen=True)
class Exit:
    """`code` is negative for a signal; nothing follows on its channel."""

    channel: int
    code: int


@dataclass(frozen=True)
class Data:
    channel: int
    data: bytes


@dataclass(frozen=True)
class End:
    channel: int
    size: int
    sha256: str


@dataclass(frozen=True)
class Result:
    channel: int
    values: dict


@dataclass(frozen=True)
class Writable:
    """Credit came: `queued` of this channel may have shrunk."""

    channel: int


@dataclass(frozen=True)
class Pong:
    data: bytes


class MuxClient:
    """See the module. Bytes for the instance come out of `data_to_send`, bytes from it go into `receive`."""

    def __init__(self, deflate: bool = True):
        self._decoder = frames.LineDecoder()
        self._deflate = deflate
        self._outgoing = bytearray()
        self._events = deque()
        self._next = 1
        self._credit = {}
        self._queued = {}
        self._consumed = {}
        self._ending = {}
        self._kinds = {}
        self.hello: dict | None = None

    # Requests

    def execute(self, argv: list, terminal: bool = False) -> int:
        """Start a command, its arguments text with surrogate escapes; return its channel."""
        return self._open(Kind.EXEC, {"argv": argv, "pty": terminal})

    def put(self, path: str, size: int, sha256: str, mode: int | None = None) -> int:
        """Announce a file; answered by Result(same=…), then, after `finish_put`, by Result(done=True) or Result(error=…)."""
        return self._open(Kind.PUT, {"path": path, "size": size, "sha256": sha256, "mode": mode})

    def get(self, path: str, hold: int | None = None) -> int:
        """Ask for a file; answered by Result(size, mode) or Result(error, missing), then Data, then End.

        A file of more than `hold` bytes is only opened: Result has `pid` and `descriptor`, and Data waits for `release`.
        """
        return self._open(Kind.GET, {"path": path, "hold": hold})

    def release(self, channel: int) -> None:
        """Let the data of a held file come."""
        self._send(Frame(Kind.WINDOW, channel, struct.pack(">I", CREDIT)))

    def cancel(self, channel: int) -> None:
        """Give a channel up; nothing comes from it any more."""
        self._send(Frame(Kind.CANCEL, channel))
        self._close(channel)

    def write(self, channel: int, data: bytes) -> None:
        """Queue bytes for a command's stdin."""
        self._queue(channel, data)

    def close_stdin(self, channel: int) -> None:
        self._end(channel, Kind.STDIN_EOF)

    def put_data(self, channel: int, data: bytes) -> None:
        self._queue(channel, data)

    def finish_put(self, channel: int) -> None:
        self._end(channel, Kind.END)

    def signal(self, channel: int, number: int) -> None:
        """Send a signal to a command's process group."""
        self._send(Frame(Kind.SIGNAL, channel, bytes([number])))

    def ping(self, data: bytes = b"") -> None:
        self._send(Frame(Kind.PING, 0, data))

    def bye(self) -> None:
        self._send(Frame(Kind.BYE))

    def queued(self, channel: int) -> int:
        """Bytes of a channel that wait for credit."""
        return sum(map(len, self._queued.get(channel, ())))

    @property
    def busy(self) -> bool:
        """Whether a command runs or a file travels."""
        return bool(self._credit)

    # Bytes

    def data_to_send(self) -> bytes:
        data = bytes(self._outgoing)
        self._outgoing.clear()
        return data

    def receive(self, data: bytes) -> None:
        for frame in self._decoder.feed(data):
            self.take(frame)

    def events(self) -> list:
        events = list(self._events)
        self._events.clear()
        return events

    # Inside

    def _open(self, kind, options):
        if self.hello is None:
            raise ProtocolError("The multiplexer has not said hello.")
        channel, self._next = self._next, self._next + 1
        self._credit[channel] = UPLOAD_CREDIT
        self._consumed[channel] = 0
        self._kinds[channel] = Kind.DATA if kind is Kind.PUT else Kind.STDIN
        self._send(Frame(kind, channel, json.dumps(options).encode("ascii")))
        return channel

    def _send(self, frame):
        self._outgoing += frames.encode_frame(frame, deflate=self._deflate)

    def _queue(self, channel, data):
        if channel in self._credit and data:
            self._queued.setdefault(channel, deque()).extend(chunks(data))
            self._flush(channel)

    def _end(self, channel, kind):
        if channel in self._credit:
            self._ending[channel] = kind
            self._flush(channel)

    def _flush(self, channel):
        queued = self._queued.get(channel)
        while queued and self._credit[channel] >= len(queued[0]):
            self._credit[channel] -= len(queued[0])
            self._send(Frame(self._kinds[channel], channel, queued.popleft()))
        if not queued and channel in self._ending:
            self._send(Frame(self._ending.pop(channel), channel))

    def _close(self, channel):
        for table in (self._credit, self._queued, self._consumed, self._ending, self._kinds):
            table.pop(channel, None)

    def _consume(self, channel, size):
        self._consumed[channel] += size
        if self._consumed[channel] >= CREDIT // 4:
            self._send(Frame(Kind.WINDOW, channel, struct.pack(">I", self._consumed[channel])))
            self._consumed[channel] = 0

    def take(self, frame: Frame) -> None:
        """Take one frame, for those who decode themselves."""
        kind, channel, payload = frame.kind, frame.channel, frame.payload
        if kind == Kind.HELLO:
            self.hello = load_json(payload, "Multiplexer's hello")
            if self.hello.get("version") != frames.VERSION:
                raise ProtocolError("The multiplexer speaks version {0!r}.".format(self.hello.get("version")))
            self._events.append(Hello(self.hello))
        elif kind == Kind.PONG:
            self._events.append(Pong(payload))
        elif channel not in self._credit:
            pass  # the rest of a transfer that was given up
        elif kind == Kind.WINDOW:
            self._credit[channel] += _number(">I", payload)
            self._flush(channel)
            self._events.append(Writable(channel))
        elif kind in (Kind.STDOUT, Kind.STDERR, Kind.DATA):
            self._consume(channel, len(payload))
            event = {Kind.STDOUT: Stdout, Kind.STDERR: Stderr, Kind.DATA: Data}[Kind(kind)]
            self._events.append(event(channel, payload))
        elif kind == Kind.EXIT:
            self._close(channel)
            self._events.append(Exit(channel, _number(">i", payload)))
        elif kind == Kind.END:
            values = load_json(payload, "End of a file")
            size, digest = values.get("size"), values.get("sha256")
            if not isinstance(size, int) or not isinstance(digest, str):
                raise ProtocolError("End of a file has no size or no digest.")
            self._close(channel)
            self._events.append(End(channel, size, digest))
        elif kind == Kind.RESULT:
            values = load_json(payload, "Result")
            if "error" in values or values.get("done") or values.get("same"):
                self._close(channel)
            self._events.append(Result(channel, values))
        else:
            raise ProtocolError("The multiplexer sent a frame of kind {0}.".format(kind))


def chunks(data: bytes) -> list:
    """Cut data so that the same long line is cut in the same places wherever it stands: Ansible's modules are such lines, and what the
    instance has seen is not sent again."""
    out, start, position = [], 0, 0
    while len(data) - position >= LONG_LINE:
        end = data.find(b"\n", position) + 1 or len(data)
        if end - position >= LONG_LINE:
            out += [data[at : min(at + CHUNK, position)] for at in range(start, position, CHUNK)]
            out += [data[at : min(at + CHUNK, end)] for at in range(position, end, CHUNK)]
            start = end
        position = end
    return out + [data[at : at + CHUNK] for at in range(start, len(data), CHUNK)]


def _number(form, payload):
    if len(payload) != struct.calcsize(form):
        raise ProtocolError("Frame has a number of {0} bytes.".format(len(payload)))
    return struct.unpack(form, payload)[0]
