# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One session from its first message to a multiplexer or shell that takes commands: channel, bring-up and mux as one machine.

    STARTING --token "py"--> LOADING --hello--> MULTIPLEXED
    STARTING --token "sh"--> SHELL
    any --channel closed--> CLOSED

No socket, no clock, no AWS API: a driver moves the websocket messages and answers KeyNeeded.

Private to the collection: it can change at any time.
"""

from __future__ import annotations

import enum
from collections import deque
from dataclasses import dataclass

from . import bringup, channel, mux
from .errors import ProtocolError


class State(enum.Enum):
    STARTING = "starting"
    LOADING = "loading"
    MULTIPLEXED = "multiplexed"
    SHELL = "shell"
    CLOSED = "closed"


@dataclass(frozen=True)
class Up:
    """The session takes commands: through `mux` when multiplexed, else through `shell`."""

    multiplexed: bool


@dataclass(frozen=True)
class ShellExit:
    code: int
    stdout: bytes
    stderr: bytes


class Session:
    """See the module. `loader` is typed when the document starts a plain shell, None when the document runs it itself.

    `client` speaks with the multiplexer: a MuxClient, or a Relay on behalf of several.
    """

    def __init__(self, data_channel, nonce: str, source: str, loader: str | None, client=None):
        self.channel = data_channel
        self.mux = client or mux.MuxClient()
        self.state = State.STARTING
        self.heard_output = False
        self._bringup = bringup.Bringup(nonce)
        self._source = source
        self._loader = loader
        self._reply: bringup.ShellReply | None = None
        self._events = deque()

    @property
    def noise(self) -> str:
        """What the instance said instead of coming up, for an error message."""
        return self._bringup.noise

    def opened(self, token: str) -> str:
        return self.channel.opened(token)

    def receive(self, data: bytes, now: float) -> None:
        self.channel.receive(data, now)
        for event in self.channel.events():
            if isinstance(event, (channel.Output, channel.ErrorOutput)):
                self.heard_output = True
                self._output(event.data)
            elif isinstance(event, channel.Closed):
                self.state = State.CLOSED
                self._events.append(event)
            elif isinstance(event, channel.KeyNeeded):
                self._events.append(event)
        if self._loader is not None and self.channel.state is channel.State.READY:
            self.channel.send(bringup.typed(self._loader))
            self._loader = None

    def messages_to_send(self, now: float) -> list:
        if self.state is State.MULTIPLEXED and self.channel.state is channel.State.READY:
            data = self.mux.data_to_send()
            if data:
                self.channel.send(data)
        messages = self.channel.messages_to_send(now)
        for event in self.channel.events():  # the channel may give up here
            self.state = State.CLOSED
            self._events.append(event)
        return messages

    def next_time(self) -> float | None:
        return self.channel.next_time()

    def events(self) -> list:
        events = list(self._events)
        self._events.clear()
        return events

    def shell_execute(self, command: bytes, stdin: bytes) -> None:
        """Run one command in the serial shell; answered by ShellExit."""
        if self.state is not State.SHELL or self._reply is not None:
            raise ProtocolError("The shell on the instance is not waiting for a command.")
        self._reply = bringup.ShellReply(self._bringup.armour)
        self.channel.send(bringup.shell_request(command, stdin))

    def _output(self, data):
        if self.state is State.STARTING:
            rest = self._bringup.feed(data)
            if rest is None:
                return
            if self._bringup.mode == "sh":
                self.state = State.SHELL
                self._events.append(Up(multiplexed=False))
            else:
                self.state = State.LOADING
                self.channel.send(bringup.payload(self._source))
            data = rest
        if not data:
            return
        if self.state in (State.LOADING, State.MULTIPLEXED):
            self.mux.receive(data)
            for event in self.mux.events():
                if isinstance(event, mux.Hello):
                    self.state = State.MULTIPLEXED
                    self._events.append(Up(multiplexed=True))
                else:
                    self._events.append(event)
        elif self.state is State.SHELL:
            if self._reply is None:
                raise ProtocolError("The shell on the instance speaks unasked.")
            self._reply.feed(data)
            if self._reply.code is not None:
                reply, self._reply = self._reply, None
                self._events.append(ShellExit(reply.code, bytes(reply.stdout), bytes(reply.stderr)))
