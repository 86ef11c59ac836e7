# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP/1.1 and websockets on one port, over asyncio; knows neither sessions nor AWS.

The websockets package's own server takes GET only, and the agent's channels begin with a POST on the same port; hence its sans-IO
protocol under a small server of our own. That also gives the callers what fault injection needs: a connection can be cut without a word.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlsplit

from websockets.frames import Frame, Opcode
from websockets.http11 import Request as UpgradeRequest
from websockets.server import ServerProtocol

log = logging.getLogger("localcloud.session.http")

_LARGEST_HEAD = 64 * 1024
_LARGEST_BODY = 16 * 1024 * 1024
_REASONS = {
    200: "OK",
    201: "Created",
    400: "Bad Request",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    500: "Internal Server Error",
}


@dataclass(frozen=True)
class Request:
    """One HTTP request; header names are in lower case."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes = b""


@dataclass(frozen=True)
class Response:
    """One HTTP answer."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


class Endpoint(Protocol):
    """What is told about one websocket."""

    def opened(self, socket: WebSocket) -> None: ...

    def text(self, data: str) -> None: ...

    def binary(self, data: bytes) -> None: ...

    def closed(self) -> None: ...


@dataclass(frozen=True)
class App:
    """`answer` handles requests; `upgrade` gives the endpoint of a websocket, or the answer that refuses it."""

    answer: Callable[[Request], Awaitable[Response]]
    upgrade: Callable[[Request], Endpoint | Response]


class WebSocket:
    """The sending side of one open websocket. `last_data` is when bytes last came, on the loop's clock."""

    def __init__(self, connection: _Connection) -> None:
        self._connection = connection
        self.on_writable: Callable[[bool], None] | None = None
        self.last_data = 0.0

    def send_binary(self, data: bytes) -> None:
        self._connection.send(lambda protocol: protocol.send_binary(data))

    def send_text(self, data: str) -> None:
        self._connection.send(lambda protocol: protocol.send_text(data.encode()))

    def ping(self) -> None:
        self._connection.send(lambda protocol: protocol.send_ping(b""))

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Begin the closing handshake."""
        self._connection.send(lambda protocol: protocol.send_close(code, reason))

    def abort(self) -> None:
        """Cut the connection without a word."""
        self._connection.abort()

    def pause_reading(self) -> None:
        self._connection.pause_reading()

    def resume_reading(self) -> None:
        self._connection.resume_reading()


class _Connection(asyncio.Protocol):
    def __init__(self, app: App, connections: set[_Connection]) -> None:
        self._app = app
        self._connections = connections
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._busy: asyncio.Task[None] | None = None
        self._protocol: ServerProtocol | None = None
        self._endpoint: Endpoint | None = None
        self._socket = WebSocket(self)
        self._fragments: list[bytes] = []
        self._fragmented: Opcode | None = None
        self._reading = True

    # -- asyncio's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]
        self._connections.add(self)

    def data_received(self, data: bytes) -> None:
        if self._protocol is not None:
            self._socket.last_data = asyncio.get_running_loop().time()
            self._protocol.receive_data(data)
            self._after_receiving()
            return
        self._buffer += data
        if self._busy is None:
            self._next_request()

    def eof_received(self) -> bool:
        if self._protocol is not None:
            self._protocol.receive_eof()
            self._after_receiving()
        return False

    def connection_lost(self, error: Exception | None) -> None:
        self._connections.discard(self)
        endpoint, self._endpoint = self._endpoint, None
        if endpoint is not None:
            endpoint.closed()

    def pause_writing(self) -> None:
        if self._socket.on_writable is not None:
            self._socket.on_writable(False)

    def resume_writing(self) -> None:
        if self._socket.on_writable is not None:
            self._socket.on_writable(True)

    # -- the websocket's side

    def send(self, do: Callable[[ServerProtocol], None]) -> None:
        if self._protocol is None or self._transport is None or self._transport.is_closing():
            return
        if self._protocol.state.name != "OPEN":
            return
        do(self._protocol)
        self._flush()

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def pause_reading(self) -> None:
        if self._reading and self._transport is not None and not self._transport.is_closing():
            self._reading = False
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        if not self._reading and self._transport is not None and not self._transport.is_closing():
            self._reading = True
            self._transport.resume_reading()

    def _flush(self) -> None:
        for data in self._protocol.data_to_send():
            if data:
                self._transport.write(data)
            else:
                self._transport.close()  # the protocol's way to say that it has said everything

    def _after_receiving(self) -> None:
        for event in self._protocol.events_received():
            if isinstance(event, Frame) and self._endpoint is not None:
                self._frame(event)
        self._flush()
        if self._protocol.close_expected():
            self._transport.close()

    def _frame(self, frame: Frame) -> None:
        if frame.opcode in (Opcode.TEXT, Opcode.BINARY):
            self._fragmented = frame.opcode
            self._fragments = []
        elif frame.opcode is not Opcode.CONT:
            return
        self._fragments.append(bytes(frame.data))
        if not frame.fin:
            return
        data = self._fragments[0] if len(self._fragments) == 1 else b"".join(self._fragments)
        if self._fragmented is Opcode.TEXT:
            self._endpoint.text(data.decode("utf-8", "replace"))
        else:
            self._endpoint.binary(data)

    # -- HTTP

    def _next_request(self) -> None:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            if len(self._buffer) > _LARGEST_HEAD:
                self._refuse("the request's head is too long")
            return
        try:
            request, length = _parse_head(bytes(self._buffer[:end]))
        except ValueError as error:
            self._refuse(str(error))
            return
        if "websocket" in request.headers.get("upgrade", "").lower():
            self._upgrade(request)
            return
        if len(self._buffer) < end + 4 + length:
            return
        body = bytes(self._buffer[end + 4 : end + 4 + length])
        del self._buffer[: end + 4 + length]
        complete = Request(request.method, request.path, request.query, request.headers, body)
        self._busy = asyncio.get_running_loop().create_task(self._answer(complete))

    async def _answer(self, request: Request) -> None:
        try:
            response = await self._app.answer(request)
        except Exception:
            log.exception("%s %s failed", request.method, request.path)
            response = Response(500, b"internal error")
        keep = request.headers.get("connection", "").lower() != "close"
        self._write(response, keep=keep)
        self._busy = None
        if keep and self._buffer and not self._transport.is_closing():
            self._next_request()

    def _upgrade(self, request: Request) -> None:
        answer = self._app.upgrade(request)
        if isinstance(answer, Response):
            self._write(answer, keep=False)
            return
        self._protocol = ServerProtocol(max_size=None)
        self._protocol.receive_data(bytes(self._buffer))
        self._buffer.clear()
        events = self._protocol.events_received()
        if not events or not isinstance(events[0], UpgradeRequest):
            self._refuse("not a websocket handshake")
            return
        response = self._protocol.accept(events[0])
        self._protocol.send_response(response)
        self._flush()
        if response.status_code != 101:
            self._transport.close()
            return
        self._endpoint = answer
        self._socket.last_data = asyncio.get_running_loop().time()
        answer.opened(self._socket)
        for event in events[1:]:
            if isinstance(event, Frame):
                self._frame(event)

    def _refuse(self, text: str) -> None:
        self._protocol = None
        self._write(Response(400, text.encode()), keep=False)

    def _write(self, response: Response, *, keep: bool) -> None:
        if self._transport.is_closing():
            return
        headers = {"Content-Length": str(len(response.body)), "Connection": "keep-alive" if keep else "close"} | response.headers
        head = f"HTTP/1.1 {response.status} {_REASONS.get(response.status, 'Status')}\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self._transport.write(head.encode() + b"\r\n" + response.body)
        if not keep:
            self._transport.close()


def _parse_head(head: bytes) -> tuple[Request, int]:
    lines = head.decode("latin-1").split("\r\n")
    parts = lines[0].split(" ")
    if len(parts) != 3 or not parts[2].startswith("HTTP/1."):
        raise ValueError("not an HTTP/1.1 request")
    headers = {}
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if not colon:
            raise ValueError("a header has no colon")
        headers[name.strip().lower()] = value.strip()
    length = headers.get("content-length", "0")
    if not length.isdigit() or int(length) > _LARGEST_BODY or "transfer-encoding" in headers:
        raise ValueError("the request's body has no usable length")
    url = urlsplit(parts[1])
    return Request(parts[0], url.path, dict(parse_qsl(url.query, keep_blank_values=True)), headers), int(length)


class Server:
    """Listens on one address; `port` is known after `start`."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._connections: set[_Connection] = set()
        self._server: asyncio.Server | None = None
        self.port = 0

    async def start(self, host: str, port: int, **options: Any) -> None:
        """Raises OSError when the address cannot be had."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Connection(self._app, self._connections), host, port, **options)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server is None:
            return
        self._server.close()
        for connection in list(self._connections):
            connection.abort()
        await self._server.wait_closed()
        self._server = None
