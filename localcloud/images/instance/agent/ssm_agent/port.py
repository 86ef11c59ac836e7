# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A TCP connection to a port of the instance: sessions of type Port, as a plain byte stream (no smux)."""

from __future__ import annotations

import asyncio
import contextlib
import struct
from collections.abc import Awaitable, Callable

from .settings import Pacing
from .wire import PayloadType

Send = Callable[[int, bytes], Awaitable[None]]

_DISCONNECT_TO_PORT = 1
_TERMINATE_SESSION = 2
_CONNECT_TO_PORT_ERROR = 3


class Port:
    """One connection; the session ends when the port's side closes it."""

    def __init__(self, *, host: str, port: int, pacing: Pacing, send: Send, publishing: asyncio.Event) -> None:
        self._host = host
        self._port = port
        self._pacing = pacing
        self._send = send
        self._publishing = publishing
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def run(self) -> None:
        """Connect and pump what arrives. Raises OSError when nothing listens."""
        try:
            self._reader, self._writer = await asyncio.open_connection(self._host, self._port)
        except OSError:
            await self._send(PayloadType.FLAG, struct.pack(">I", _CONNECT_TO_PORT_ERROR))
            raise
        with contextlib.suppress(ConnectionError):
            while data := await self._reader.read(self._pacing.chunk_bytes):
                await self._publishing.wait()
                await self._send(PayloadType.OUTPUT, data)
                if self._pacing.output_pause:
                    await asyncio.sleep(self._pacing.output_pause)

    async def handle(self, payload_type: int, payload: bytes) -> bool:
        """Bytes for the port, or a flag; False while it is not connected."""
        if self._writer is None:
            return False
        if payload_type == PayloadType.OUTPUT:
            with contextlib.suppress(ConnectionError, RuntimeError):
                self._writer.write(payload)
                await self._writer.drain()
        elif payload_type == PayloadType.FLAG and len(payload) == 4:
            (flag,) = struct.unpack(">I", payload)
            if flag in (_DISCONNECT_TO_PORT, _TERMINATE_SESSION):
                self._writer.close()
        return True

    async def stop(self) -> None:
        if self._writer is not None:
            self._writer.close()
            with contextlib.suppress(ConnectionError):
                await self._writer.wait_closed()
