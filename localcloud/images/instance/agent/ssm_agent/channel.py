# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The data channel of one session over its websocket: opens it, opens it again when it breaks, sends, acknowledges, retransmits.

What the messages mean is the session's affair: it hands in `accept`.
"""

from __future__ import annotations

import asyncio
import json
import logging
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidHandshake, WebSocketException

from . import stream, wire
from .service import AccessDenied, Messages, NoCredentials, NotFound
from .settings import Pacing

log = logging.getLogger("ssm_agent.channel")

_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 5.0


class DataChannel:
    """One session's channel. `accept(message) -> bool` handles a stream message; False means not ready: it is not acknowledged."""

    def __init__(self, service: Messages, session_id: str, accept: Callable[[wire.Message], Awaitable[bool]], pacing: Pacing) -> None:
        self.session_id = session_id
        self._pacing = pacing
        self.closed = asyncio.Event()
        self.publishing = asyncio.Event()
        self.publishing.set()
        self._service = service
        self._accept = accept
        self._client_id = str(uuid.uuid4())
        self._outgoing = stream.Outgoing(wire.OUTPUT)
        self._incoming = stream.Incoming()
        self._acknowledged = asyncio.Event()
        self._connected = asyncio.Event()
        self._socket: ClientConnection | None = None
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def paused(self) -> bool:
        return not self.publishing.is_set()

    async def open(self) -> None:
        """Connect once; raises OSError, WebSocketException, NoCredentials, AccessDenied or NotFound."""
        await self._connect()
        loops = (self._receive_for_ever(), self._resend_for_ever(), self._hold())
        self._tasks = [asyncio.create_task(loop) for loop in loops]

    async def close(self) -> None:
        self.closed.set()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._socket is not None:
            await self._socket.close()

    async def send(self, payload_type: int, payload: bytes) -> None:
        """Number, keep and send one stream message; while there is no connection it is only kept."""
        data = self._outgoing.send(_now(), payload_type, payload)
        await self._write(data)

    async def send_state(self, state: str) -> None:
        """Tell the service, not the client, how the session fares."""
        body = {"SchemaVersion": 1, "SessionState": state, "SessionId": self.session_id}
        await self._write(wire.pack(wire.Message(wire.AGENT_SESSION_STATE, json.dumps(body).encode())))

    async def flush(self, seconds: float) -> bool:
        """Wait until the client acknowledged everything, at most so long; True when it did."""
        try:
            async with asyncio.timeout(seconds):
                while len(self._outgoing):
                    self._acknowledged.clear()
                    await self._acknowledged.wait()
        except TimeoutError:
            return False
        return True

    async def _connect(self) -> None:
        token = await self._service.create_data_channel(self.session_id)
        socket = await connect(
            f"{self._service.websocket_url}/v1/data-channel/{self.session_id}?role=publish_subscribe",
            compression=None,
            max_size=None,
            # While a process does not read its input the real agent leaves the socket unread, pings included.
            max_queue=1,
            ping_interval=self._pacing.ping_seconds,
            ping_timeout=self._pacing.pong_seconds,
            proxy=None,
        )
        opening = {
            "MessageSchemaVersion": "1.0",
            "RequestId": str(uuid.uuid4()),
            "TokenValue": token,
            "ClientInstanceId": self._service.instance_id,
            "ClientId": self._client_id,
        }
        await socket.send(json.dumps(opening))
        self._socket = socket
        self._connected.set()
        await self.send_state("Connected")
        for data in self._outgoing.all_unacknowledged():
            await self._write(data)

    async def _receive_for_ever(self) -> None:
        while not self.closed.is_set():
            await self._connected.wait()
            socket = self._socket
            try:
                async for data in socket:
                    if isinstance(data, bytes):
                        await self._receive(data)
            except WebSocketException as error:
                log.info("session %s: the data channel broke: %s", self.session_id, error)
            if socket is self._socket:
                self._connected.clear()

    async def _hold(self) -> None:
        """Open the channel again when it has closed, even while the receiver is stuck in a process that does not read its input."""
        while not self.closed.is_set():
            await self._socket.wait_closed()
            if not self.closed.is_set():
                await self._reconnect()

    async def _reconnect(self) -> None:
        pause = _FIRST_PAUSE
        while not self.closed.is_set():
            try:
                return await self._connect()
            except NotFound:
                self.closed.set()
            except (OSError, InvalidHandshake, WebSocketException, AccessDenied, NoCredentials) as error:
                log.info("session %s: cannot open the data channel again: %s", self.session_id, error)
                await asyncio.sleep(pause)
                pause = min(_LONGEST_PAUSE, pause * 2)

    async def _receive(self, data: bytes) -> None:
        try:
            message = wire.unpack(data)
        except wire.WireError as error:
            log.warning("session %s: %s", self.session_id, error)
            return
        if message.message_type == wire.ACKNOWLEDGE:
            sequence = wire.acknowledged_sequence(message)
            if sequence is not None:
                self._outgoing.acknowledge(_now(), sequence)
                self._acknowledged.set()
        elif message.message_type == wire.INPUT:
            await self._receive_input(message)
        elif message.message_type == wire.PAUSE_PUBLICATION:
            self.publishing.clear()
        elif message.message_type == wire.START_PUBLICATION:
            self.publishing.set()
        elif message.message_type == wire.CHANNEL_CLOSED:
            self.closed.set()

    async def _receive_input(self, message: wire.Message) -> None:
        if self._incoming.receive(message):
            await self._write(wire.acknowledgement(message))
        while (current := self._incoming.next()) is not None:
            if not await self._accept(current):
                self._incoming.refused()
                return
            self._incoming.handled()
            if current is message:
                await self._write(wire.acknowledgement(message))

    async def _resend_for_ever(self) -> None:
        while True:
            await asyncio.sleep(stream.RESEND_INTERVAL)
            data = None if self.paused else self._outgoing.due(_now())
            if data is not None:
                await self._write(data)

    async def _write(self, data: bytes) -> None:
        if self._socket is None:
            return
        try:
            await self._socket.send(data)
        except WebSocketException:
            log.debug("session %s: not sent, the data channel is broken", self.session_id)


def _now() -> float:
    return asyncio.get_running_loop().time()


def parse(payload: bytes) -> dict[str, Any]:
    """A JSON object, or an empty one when it is something else."""
    try:
        body = json.loads(payload)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
