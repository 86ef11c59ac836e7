# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Several clients on one instance's executor: frames of theirs go out under channels of ours, and come back; no IO.

A `Relay` stands where a MuxClient stands in a Session and passes frames on. Credit is end to end: what a client does not read stops
only its own command, and no more than one window of it is kept here. A `ShellRelay` does the same for the serial shell of an instance
without Python: it answers a client's frames itself, one command after the other.

Private to the collection: it can change at any time.
"""

from __future__ import annotations

import hashlib
import json
import shlex
import struct
from collections import deque
from dataclasses import dataclass, field

from . import frames, mux
from .errors import ProtocolError
from .frames import Frame, Kind
from .message import load_json

OPENING = frozenset({Kind.EXEC, Kind.PUT, Kind.GET})
FROM_CLIENT = OPENING | {Kind.STDIN, Kind.STDIN_EOF, Kind.WINDOW, Kind.SIGNAL, Kind.DATA, Kind.END, Kind.CANCEL}
SHELL_CHUNK = 65536
WORTH_KNOWING = 4096
KNOWN_LIMIT = 8 << 20
SIGKILL = 9
CANNOT_START = 127


class Memory:
    """What the instance remembers of commands' input: the newest pieces, by the same rule at both ends of an ordered channel."""

    def __init__(self, limit: int = KNOWN_LIMIT):
        self._limit = limit
        self._sizes = {}  # SHA-256's first 16 bytes -> length, oldest first
        self._total = 0

    def recall(self, frame: Frame) -> Frame:
        """The frame that stands for one of a command's input: KNOWN when the instance has it, else PIECE."""
        name = hashlib.sha256(frame.payload).digest()[:16]
        if name in self._sizes:
            return Frame(Kind.KNOWN, frame.channel, name + struct.pack(">I", len(frame.payload)))
        self._sizes[name] = len(frame.payload)
        self._total += len(frame.payload)
        while self._total > self._limit:
            self._total -= self._sizes.pop(next(iter(self._sizes)))
        return Frame(Kind.PIECE, frame.channel, frame.payload)


class Relay:
    """See the module. A client is any hashable; its channels are those it opened."""

    def __init__(self, deflate: bool = True):
        self._decoder = frames.LineDecoder()
        self._deflate = deflate
        self._outgoing = bytearray()
        self._events = deque()
        self._deliveries = deque()
        self._owners = {}  # our channel -> (client, its channel), (None, 0) once the client is gone
        self._numbers = {}  # (client, its channel) -> our channel
        self._next = 1
        self._memory = Memory()
        self.hello: dict | None = None

    # The clients' side

    def request(self, client, frame: Frame) -> None:
        """Pass a client's frame on. ProtocolError for one that no client sends."""
        key = (client, frame.channel)
        if frame.kind not in FROM_CLIENT:
            raise ProtocolError("A client sent {0}.".format(frame))
        if frame.kind in OPENING:
            if key in self._numbers:
                raise ProtocolError("A client opened its channel {0} twice.".format(frame.channel))
            self._numbers[key], self._owners[self._next] = self._next, key
            self._next += 1
        number = self._numbers.get(key)
        if number is not None:  # else the rest of something that is over
            if frame.kind == Kind.STDIN and len(frame.payload) >= WORTH_KNOWING:
                frame = self._memory.recall(frame)
            self._send(Frame(frame.kind, number, frame.payload))

    def detach(self, client) -> int:
        """Cancel what a client that went away had open; return how much that was."""
        mine = [(key, number) for key, number in self._numbers.items() if key[0] == client]
        for key, number in mine:
            del self._numbers[key]
            self._owners[number] = (None, 0)
            self._send(Frame(Kind.CANCEL, number))
        return len(mine)

    def waiting(self) -> set:
        """The clients that wait for an answer."""
        return {client for client, _channel in self._numbers}

    def deliveries(self) -> list:
        """(client, frame) pairs that have come since the last call."""
        deliveries = list(self._deliveries)
        self._deliveries.clear()
        return deliveries

    # The instance's side: what a Session and its driver ask of a MuxClient

    @property
    def busy(self) -> bool:
        return bool(self._owners)

    def ping(self, data: bytes = b"") -> None:
        self._send(Frame(Kind.PING, 0, data))

    def data_to_send(self) -> bytes:
        data = bytes(self._outgoing)
        self._outgoing.clear()
        return data

    def receive(self, data: bytes) -> None:
        for frame in self._decoder.feed(data):
            self._take(frame)

    def events(self) -> list:
        events = list(self._events)
        self._events.clear()
        return events

    # Inside

    def _send(self, frame):
        self._outgoing += frames.encode_frame(frame, deflate=self._deflate)

    def _take(self, frame):
        if frame.kind == Kind.HELLO:
            self.hello = load_json(frame.payload, "Multiplexer's hello")
            if self.hello.get("version") != frames.VERSION:
                raise ProtocolError("The multiplexer speaks version {0!r}.".format(self.hello.get("version")))
            self._events.append(mux.Hello(self.hello))
        elif frame.kind == Kind.PONG:
            self._events.append(mux.Pong(frame.payload))
        elif frame.channel in self._owners:
            client, channel = key = self._owners[frame.channel]
            if client is not None:
                self._deliveries.append((client, Frame(frame.kind, channel, frame.payload)))
            if _ends(frame):
                del self._owners[frame.channel]
                self._numbers.pop(key, None)


def _ends(frame):
    if frame.kind == Kind.RESULT:
        values = load_json(frame.payload, "Result")
        return "error" in values or bool(values.get("done")) or bool(values.get("same"))
    return frame.kind in (Kind.EXIT, Kind.END)


@dataclass
class _Command:
    client: object
    channel: int
    line: bytes
    stdin: bytearray = field(default_factory=bytearray)


class ShellRelay:
    """The same for the serial shell; only commands, no transfers. `next_command` and `ended` are the instance's side."""

    def __init__(self):
        self._open = {}  # (client, channel) -> command whose input still comes
        self._queue = deque()
        self._running: _Command | None = None
        self._deliveries = deque()
        self.broken = False

    @property
    def busy(self) -> bool:
        return bool(self._open or self._queue or self._running)

    def request(self, client, frame: Frame) -> None:
        """Take a client's frame. `broken` is set when it asks to kill what runs, which a serial shell cannot but by ending."""
        key = (client, frame.channel)
        command = self._open.get(key)
        if frame.kind == Kind.EXEC:
            argv = load_json(frame.payload, "Command").get("argv")
            line = " ".join(shlex.quote(str(item)) for item in argv).encode("utf-8", "surrogateescape")
            if b"\0" in line:  # what the multiplexer says of it; a shell would have been confused
                self._deliveries.append((client, Frame(Kind.STDERR, frame.channel, b"Cannot start the command: embedded null byte\n")))
                self._deliveries.append((client, Frame(Kind.EXIT, frame.channel, struct.pack(">i", CANNOT_START))))
                return
            self._open[key] = _Command(client, frame.channel, line)
        elif frame.kind == Kind.STDIN and command is not None:
            command.stdin += frame.payload
            self._deliveries.append((client, Frame(Kind.WINDOW, frame.channel, struct.pack(">I", len(frame.payload)))))
        elif frame.kind == Kind.STDIN_EOF and command is not None:
            self._queue.append(self._open.pop(key))
        elif frame.kind in (Kind.PUT, Kind.GET):
            raise ProtocolError("A client asked the serial shell for a transfer.")
        elif frame.kind == Kind.CANCEL or (frame.kind == Kind.SIGNAL and frame.payload == bytes([SIGKILL])):
            self._withdraw(lambda one: (one.client, one.channel) == key)

    def detach(self, client) -> int:
        """Forget what a client that went away had asked for; a command that runs goes on, its answer is dropped."""
        before = len(self._open) + len(self._queue)
        self._open = {key: command for key, command in self._open.items() if key[0] != client}
        self._queue = deque(command for command in self._queue if command.client != client)
        if self._running is not None and self._running.client == client:
            self._running.client = None
        return before - len(self._open) - len(self._queue)

    def waiting(self) -> set:
        """The clients that wait for an answer."""
        commands = [*self._open.values(), *self._queue, *([self._running] if self._running else [])]
        return {command.client for command in commands if command.client is not None}

    def deliveries(self) -> list:
        deliveries = list(self._deliveries)
        self._deliveries.clear()
        return deliveries

    def next_command(self) -> tuple[bytes, bytes] | None:
        """The command line and input to run now, None while one runs or none waits."""
        if self._running is not None or not self._queue:
            return None
        self._running = self._queue.popleft()
        return self._running.line, bytes(self._running.stdin)

    def ended(self, code: int, stdout: bytes, stderr: bytes) -> None:
        """The running command ended."""
        command, self._running = self._running, None
        if command is None or command.client is None:
            return
        for kind, data in ((Kind.STDOUT, stdout), (Kind.STDERR, stderr)):
            for start in range(0, len(data), SHELL_CHUNK):
                self._deliveries.append((command.client, Frame(kind, command.channel, data[start : start + SHELL_CHUNK])))
        self._deliveries.append((command.client, Frame(Kind.EXIT, command.channel, struct.pack(">i", code))))

    def _withdraw(self, matches):
        self._open = {key: command for key, command in self._open.items() if not matches(command)}
        self._queue = deque(command for command in self._queue if not matches(command))
        if self._running is not None and matches(self._running):
            self.broken = True


def describe(hello: dict | None) -> bytes:
    """The broker's answer to a client's hello: what the instance said of itself, and whether it is multiplexed."""
    return json.dumps({**(hello or {}), "version": frames.VERSION, "multiplexed": hello is not None}).encode("ascii")
