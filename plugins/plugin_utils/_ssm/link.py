# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A worker's end of the way to a host: through the broker of its run, which holds the host's session; one command at a time."""

from __future__ import annotations

import json
import select
import time
from collections import deque
from collections.abc import Callable

from ansible_collections.bluegreen.aws.plugins.module_utils._ssm import frames, mux
from ansible_collections.bluegreen.aws.plugins.module_utils._ssm.errors import ProtocolError
from ansible_collections.bluegreen.aws.plugins.module_utils._ssm.frames import Frame, Kind

from . import errors, rendezvous
from .errors import SessionLost, SsmError

READ_SIZE = 262144
PATIENCE = 60.0
"""Seconds on top of the connect timeout before a broker that says nothing counts as stuck."""


class Link:
    """`wish` says which session (see broker.py); `log(text)` gets lines for -vvv."""

    def __init__(self, wish: dict, log: Callable[[str], None], *, connect_timeout: float, persist: bool = False):
        self._wish = wish
        self._log = log
        self._timeout = connect_timeout + PATIENCE
        self._persist = persist
        self._socket = None
        self._decoder = frames.FrameDecoder()
        self._events = deque()
        self.mux = mux.MuxClient(deflate=False)

    @property
    def alive(self) -> bool:
        return self._socket is not None

    @property
    def multiplexed(self) -> bool:
        return bool((self.mux.hello or {}).get("multiplexed"))

    def start(self) -> None:
        """Wait until the host's session takes commands; raise SsmError with the reason when it does not. Nothing has run then."""
        path = rendezvous.socket_path(self._persist)
        for last in (False, True):
            self._open(rendezvous.connect_or_start(path))
            try:
                self._send(Frame(Kind.HELLO, 0, json.dumps({**self._wish, "owner": rendezvous.ansible_process()}).encode("ascii")))
                deadline = time.monotonic() + self._timeout
                while self.mux.hello is None:
                    if not self._wait(deadline):
                        raise SsmError(f"The connection's broker has not answered for {self._timeout:.0f} s.")
                return
            except SessionLost:
                self.end()
                if last:
                    raise
                self._log("the broker went away; starting another one")
            except BaseException:
                self.end()
                raise

    def next_event(self, deadline: float | None):
        """The next event of the multiplexer, None when the deadline (monotonic seconds) has passed. SessionLost when the session is."""
        while not self._events:
            self.flush()
            if not self._wait(deadline):
                return None
        return self._events.popleft()

    def flush(self) -> None:
        if self._socket is None:
            raise SessionLost("The session was closed")
        data = self.mux.data_to_send()
        if data:
            self._write(data)

    def end(self) -> None:
        """Leave the broker; it cancels what is still open here and keeps the session for others."""
        connection, self._socket = self._socket, None
        if connection is not None:
            connection.close()

    def fetch(self, held: dict, write: Callable[[bytes], None]) -> tuple[int, str]:
        """Read a file that the multiplexer holds (`pid`, `descriptor`) through a side session; return its size and SHA-256.

        SsmError when that is not possible; `write` may have got some of it.
        """
        wish = {**self._wish, "owner": rendezvous.ansible_process(), "python": self.mux.hello.get("executable") or "python3"}
        wish |= {name: held[name] for name in ("pid", "descriptor")}
        connection = rendezvous.connect(rendezvous.socket_path(self._persist))
        if connection is None:
            raise SsmError("The connection's broker is gone.")
        decoder = frames.FrameDecoder()
        with connection:
            connection.settimeout(PATIENCE * 2)
            try:
                connection.sendall(frames.encode_frame(Frame(Kind.FETCH, 0, json.dumps(wish).encode("ascii"))))
                while data := connection.recv(READ_SIZE):
                    for frame in decoder.feed(data):
                        if frame.kind == Kind.DATA:
                            write(frame.payload)
                        elif frame.kind == Kind.END:
                            end = json.loads(frame.payload)
                            return end["size"], end["sha256"]
                        elif frame.kind == Kind.LOST:
                            raise SsmError(json.loads(frame.payload)["error"])
            except (TimeoutError, ConnectionError, ProtocolError) as error:
                raise SsmError(f"The side session's file did not arrive: {error}") from error
        raise SsmError("The connection's broker is gone.")

    def reset(self) -> None:
        """End the host's session, if the run's broker has one; never start a broker for it."""
        self.end()
        connection = rendezvous.connect(rendezvous.socket_path(self._persist))
        if connection is None:
            return
        self._open(connection)
        try:
            self._send(Frame(Kind.RESET, 0, json.dumps({**self._wish, "owner": rendezvous.ansible_process()}).encode("ascii")))
            while self._wait(time.monotonic() + self._timeout):
                pass
        except SessionLost:
            pass  # the broker hangs up when it has done it
        finally:
            self.end()

    # Inside

    def _open(self, connection):
        self._socket, self._decoder, self.mux = connection, frames.FrameDecoder(), mux.MuxClient(deflate=False)
        self._events.clear()

    def _send(self, frame):
        self._write(frames.encode_frame(frame))

    def _write(self, data):
        try:
            self._socket.sendall(data)
        except OSError as error:
            self.end()
            raise SessionLost("The connection's broker is gone") from error

    def _wait(self, deadline):
        """Take in what comes; False when nothing came before the deadline."""
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        if not poll.poll(None if deadline is None else max(0.0, deadline - time.monotonic()) * 1000):
            return False
        try:
            data = self._socket.recv(READ_SIZE)
        except OSError:
            data = b""
        if not data:
            self.end()
            raise SessionLost("The connection's broker is gone")
        try:
            for frame in self._decoder.feed(data):
                self._take(frame)
        except ProtocolError as error:
            self.end()
            raise SessionLost(str(error).rstrip(".")) from error
        return True

    def _take(self, frame):
        if frame.kind == Kind.LOG:
            self._log(frame.payload.decode("utf-8", "replace"))
        elif frame.kind == Kind.LOST:
            lost = json.loads(frame.payload)
            self.end()
            raise getattr(errors, lost["kind"], SsmError)(lost["error"])
        else:
            self.mux.take(frame)
            self._events.extend(event for event in self.mux.events() if not isinstance(event, mux.Hello))
