# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A pseudo terminal with a shell behind it, as the agent has one: feeds a Session's input to it and its output to a Session."""

from __future__ import annotations

import contextlib
import os
import pty
import select
import signal
import subprocess
import time

from ansible_collections.bluegreen.aws.plugins.module_utils._ssm import bringup, mux_remote, session
from ansible_collections.bluegreen.aws.plugins.module_utils._ssm.channel import Output, State

NONCE = "0123456789abcdef"


class OpenChannel:
    """Stands for a DataChannel that is ready and never loses anything."""

    def __init__(self):
        self.state = State.READY
        self.input = bytearray()
        self._events = []

    def send(self, data):
        self.input += data

    def receive(self, data, now):
        self._events.append(Output(data))

    def events(self):
        events, self._events = self._events, []
        return events

    def messages_to_send(self, now):
        return []

    def next_time(self):
        return None


class Terminal:
    """`interpreter` is tried first; `typed` starts an interactive shell and types the loader, as the default document wants it."""

    def __init__(self, *, interpreter=None, shell_only=False, typed=False, shell="sh", environment=None):
        with open(mux_remote.__file__, encoding="utf-8") as file:
            source = file.read()
        loader = bringup.loader(NONCE, interpreter, shell_only)
        self.channel = OpenChannel()
        self.session = session.Session(self.channel, NONCE, source, loader if typed else None)
        master, slave = pty.openpty()
        self.process = subprocess.Popen(
            [shell, "-i"] if typed else [shell, "-c", loader],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            env={"PATH": os.environ["PATH"], "HOME": "/", "TERM": "xterm", "LANG": "C.UTF-8"} | (environment or {}),
        )
        os.close(slave)
        os.set_blocking(master, False)
        self.master = master
        self.read = True
        self.raw = bytearray()

    def step(self, timeout=0.05):
        self.session.messages_to_send(0.0)  # moves what the multiplexer's client has queued into the channel
        if self.session.state is session.State.MULTIPLEXED:
            self.channel.send(self.session.mux.data_to_send())
        wanted = [self.master] if self.read else []
        readable, writable, _none = select.select(wanted, [self.master] if self.channel.input else [], [], timeout)
        if writable:
            with contextlib.suppress(BlockingIOError):
                del self.channel.input[: os.write(self.master, self.channel.input[:1024])]
        if readable:
            try:
                data = os.read(self.master, 1024)
            except OSError:
                data = b""
            if data:
                self.raw += data
                self.session.receive(data, 0.0)
        return self.session.events()

    def until(self, wanted, seconds=20.0):
        """Return the events up to and with the first for which `wanted` is true."""
        deadline = time.monotonic() + seconds
        found = []
        while time.monotonic() < deadline:
            for event in self.step():
                found.append(event)
                if wanted(event):
                    return found
        raise AssertionError(f"it did not happen within {seconds} s; output: {bytes(self.raw[-300:])!r}")

    def up(self):
        return self.until(lambda event: isinstance(event, session.Up))[-1]

    def close(self):
        os.close(self.master)
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            raise AssertionError("the remote side did not end with its terminal") from None
