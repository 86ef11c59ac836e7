# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A large file through a session of its own, without a terminal: faster, because the agent does not pace such output; no IO.

The multiplexer has the file open. The side session's program reads it by process id and descriptor, so that the parameters of
StartSession, which CloudTrail records, name no path. It writes lines of ASCII, because the agent changes other output::

    base64( "z" deflated block | "r" raw block ) newline …  "=" size space SHA-256 newline

and waits to be terminated, because the agent drops what is not acknowledged two seconds after a process has ended.

Private to the collection: it can change at any time.
"""

from __future__ import annotations

import base64
import binascii
import re
import zlib
from collections import deque
from dataclasses import dataclass
from types import SimpleNamespace

from . import channel, session
from .errors import ProtocolError

BLOCK = 49152
MAX_LINE = 2 * BLOCK
SAFE_PYTHON = re.compile(r"[A-Za-z0-9_./+-]+")

PROGRAM = """
import base64, hashlib, sys, time, zlib
digest, size, out = hashlib.sha256(), 0, sys.stdout.buffer
with open("/proc/%s/fd/%s" % (sys.argv[1], sys.argv[2]), "rb") as file:
    for block in iter(lambda: file.read(49152), b""):
        digest.update(block)
        size += len(block)
        packed = zlib.compress(block, 1)
        out.write(base64.b64encode(b"z" + packed if len(packed) < len(block) else b"r" + block) + b"\\n")
out.write(("=%d %s\\n" % (size, digest.hexdigest())).encode())
out.flush()
time.sleep(120)
"""


def command(python: str, pid: int, descriptor: int) -> str:
    """The `command` of AWS-StartNonInteractiveCommand: split like a shell would, run without one. ValueError for an unsafe interpreter."""
    if not SAFE_PYTHON.fullmatch(python):
        raise ValueError(f"The interpreter's path {python!r} cannot be handed to a session without quoting.")
    packed = base64.b64encode(zlib.compress(PROGRAM.encode("ascii"), 9)).decode("ascii")
    loader = f'import base64,zlib;exec(zlib.decompress(base64.b64decode("{packed}")))'
    return f"{python} -c '{loader}' {int(pid)} {int(descriptor)}"


@dataclass(frozen=True)
class Block:
    data: bytes


@dataclass(frozen=True)
class Finished:
    size: int
    sha256: str


@dataclass(frozen=True)
class Failed:
    """The program ended before the file did; `reason` is what it said last."""

    reason: str


class Lines:
    """The program's output, cut anywhere, in; blocks out. ProtocolError for anything else."""

    def __init__(self):
        self._buffer = b""

    def feed(self, data: bytes) -> list:
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        if len(self._buffer) > MAX_LINE:
            raise ProtocolError("A line of the file's transfer does not end.")
        return [self._block(line.rstrip(b"\r")) for line in lines]

    def _block(self, line):
        ended = re.fullmatch(rb"=(\d{1,18}) ([0-9a-f]{64})", line)
        if ended:
            return Finished(int(ended[1]), ended[2].decode("ascii"))
        try:
            raw = binascii.a2b_base64(line, strict_mode=True)
        except binascii.Error as error:
            raise ProtocolError("A line of the file's transfer is not base64.") from error
        if raw[:1] == b"r" and len(raw) <= BLOCK + 1:
            return Block(raw[1:])
        machine = zlib.decompressobj()
        try:
            data = machine.decompress(raw[1:], BLOCK + 1) if raw[:1] == b"z" else b""
        except zlib.error as error:
            raise ProtocolError("A block of the file's transfer cannot be inflated.") from error
        if not machine.eof or len(data) > BLOCK:
            raise ProtocolError("A block of the file's transfer is damaged.")
        return Block(data)


class SideSession:
    """What a driver moves: a data channel whose output is a file. It stands where a Session stands."""

    def __init__(self, data_channel):
        self.channel = data_channel
        self.mux = SimpleNamespace(busy=False, hello=None)
        self.state = session.State.STARTING
        self.heard_output = False
        self.noise = ""
        self._lines = Lines()
        self._events = deque()

    def opened(self, token: str) -> str:
        return self.channel.opened(token)

    def receive(self, data: bytes, now: float) -> None:
        self.channel.receive(data, now)
        for event in self.channel.events():
            if isinstance(event, channel.Output):
                self._up()
                self._events.extend(self._lines.feed(event.data))
            elif isinstance(event, channel.ErrorOutput):
                self.noise = event.data.decode("utf-8", "replace").strip().rpartition("\n")[2][:200]
            elif isinstance(event, channel.ExitCode):
                self._events.append(Failed(self.noise or f"it ended with code {event.code}"))
            elif isinstance(event, channel.Closed):
                self.state = session.State.CLOSED
                self._events.append(event)
            elif isinstance(event, channel.KeyNeeded):
                self._events.append(event)

    def messages_to_send(self, now: float) -> list:
        messages = self.channel.messages_to_send(now)
        for event in self.channel.events():  # the channel may give up here
            self.state = session.State.CLOSED
            self._events.append(event)
        return messages

    def next_time(self) -> float | None:
        return self.channel.next_time()

    def events(self) -> list:
        events = list(self._events)
        self._events.clear()
        return events

    def _up(self):
        self.heard_output = True
        if self.state is session.State.STARTING:
            self.state = session.State.MULTIPLEXED
            self._events.append(session.Up(multiplexed=False))
