# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One large file in the broker: read through a side session, written to the worker that asked; in the thread of that worker."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable

from ansible_collections.bluegreen.aws.plugins.module_utils._ssm import channel, frames, side
from ansible_collections.bluegreen.aws.plugins.module_utils._ssm.errors import ProtocolError
from ansible_collections.bluegreen.aws.plugins.module_utils._ssm.frames import Frame, Kind

from .api import SessionApi
from .clock import Clock
from .driver import SessionDriver, SessionOptions
from .errors import SsmError

STALLED = 60.0
START_TIMEOUT = 20.0
LOOK_EVERY = 1.0


class Fetching:
    """`stopping()` says that the broker ends. Every session that is started here is terminated here."""

    def __init__(self, api: SessionApi, clock: Clock, stopping: Callable[[], bool], new_driver=SessionDriver):
        self._api = api
        self._clock = clock
        self._stopping = stopping
        self._new_driver = new_driver

    def serve(self, connection: socket.socket, wish: dict) -> bool:
        """Answer with DATA and END, or with LOST and the reason; return whether it was END. Closes nothing of the worker's."""
        connection.settimeout(STALLED)
        try:
            size, digest = self._read(wish, lambda data: connection.sendall(frames.encode_frame(Frame(Kind.DATA, 0, data))))
            frame = Frame(Kind.END, 0, json.dumps({"size": size, "sha256": digest}).encode("ascii"))
        except (SsmError, ProtocolError, ValueError) as error:
            frame = Frame(Kind.LOST, 0, json.dumps({"error": str(error), "kind": "SsmError"}).encode("ascii"))
        connection.sendall(frames.encode_frame(frame))
        return frame.kind == Kind.END

    def _read(self, wish, write):
        session = wish["session"]
        options = SessionOptions(
            target=session["target"],
            reason=session.get("reason"),
            connect_timeout=START_TIMEOUT,
            boot_grace=0.0,
            command=side.command(wish["python"], wish["pid"], wish["descriptor"]),
        )
        driver = self._new_driver(self._api, options, clock=self._clock, log=lambda text: None, interrupted=self._stopping)
        try:
            driver.start()
            heard = self._clock.monotonic()
            while not self._stopping():
                event = driver.next_event(self._clock.monotonic() + LOOK_EVERY)
                if isinstance(event, side.Block):
                    write(event.data)
                    heard = self._clock.monotonic()
                elif isinstance(event, side.Finished):
                    return event.size, event.sha256
                elif isinstance(event, (side.Failed, channel.Closed)):
                    raise SsmError(f"The side session with {session['target']} ended early: {event.reason or 'no reason given'}")
                elif self._clock.monotonic() - heard > STALLED:
                    raise SsmError(f"Nothing came through the side session with {session['target']} for {STALLED:.0f} s.")
            raise SsmError("The run ended.")
        finally:
            driver.end()
