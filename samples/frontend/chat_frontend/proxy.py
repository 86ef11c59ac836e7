"""Carries requests and WebSockets to the backend; serves no page and stops nothing.

The backend's address may change while it is replaced. So names are looked up again every second, a connection that cannot be
made is tried again for a while, and a request is sent on a used connection only if sending it twice is harmless: the other end
may be closing that connection at this very moment.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any

import aiohttp
from aiohttp import WSCloseCode, WSMsgType, web

from .headers import IDEMPOTENT, request_headers, response_headers
from .settings import Settings

_LOG = logging.getLogger("proxy")
_CONNECT_WITHIN = 2.0
_ANSWER_WITHIN = 60.0
_IDLE = 15.0  # shorter than the backend's 75 s, so that it is us who closes an idle connection
_PAUSE = 0.1
_FRAME_LIMIT = 64 * 1024
_NOT_SENT = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)


class Proxy:
    """One client session for requests that may be repeated and one, without connection reuse, for the others."""

    def __init__(self, settings: Settings):
        self._settings = settings
        self._repeatable: Any = None
        self._once: Any = None
        self.sockets: set[web.WebSocketResponse] = set()

    async def start(self) -> None:
        self._repeatable = self._session(keepalive_timeout=_IDLE)
        self._once = self._session(force_close=True)

    async def stop(self) -> None:
        await self._repeatable.close()
        await self._once.close()

    def _session(self, **connector: Any) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=512, ttl_dns_cache=1, **connector),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_WITHIN, sock_read=_ANSWER_WITHIN),
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def forward(self, request: web.Request) -> web.StreamResponse:
        """Answer as the backend does; 502 when it cannot be reached, 504 when it does not answer in time."""
        body = await request.read()
        try:
            answer = await self._ask(request, body)
        except TimeoutError:
            return self._failed(request, 504, f"the backend did not answer within {_ANSWER_WITHIN:g} s")
        except aiohttp.ClientError as error:
            return self._failed(request, 502, f"the backend cannot be reached: {error}")
        async with answer:
            response = web.StreamResponse(status=answer.status, reason=answer.reason)
            response.headers.extend(response_headers(answer.headers.items()))
            await response.prepare(request)
            async for piece in answer.content.iter_any():
                await response.write(piece)
            await response.write_eof()
            return response

    async def _ask(self, request: web.Request, body: bytes) -> aiohttp.ClientResponse:
        repeatable = request.method in IDEMPOTENT
        session = self._repeatable if repeatable else self._once
        give_up = time.monotonic() + self._settings.retry_for
        while True:
            try:
                return await session.request(
                    request.method,
                    self._settings.backend + request.raw_path,
                    data=body or None,
                    headers=self._headers(request),
                    allow_redirects=False,
                )
            except (aiohttp.ClientConnectionError, ConnectionError) as error:
                timed_out = isinstance(error, TimeoutError) and not isinstance(error, _NOT_SENT)
                if timed_out or not (repeatable or isinstance(error, _NOT_SENT)) or time.monotonic() >= give_up:
                    raise
                await asyncio.sleep(_PAUSE)

    async def websocket(self, request: web.Request) -> web.StreamResponse:
        """Join the client's WebSocket with one of the backend's; a close on either side is passed on with its code."""
        try:
            backend = await self._dial(request)
        except (aiohttp.ClientError, TimeoutError) as error:
            status = 503 if isinstance(error, aiohttp.WSServerHandshakeError) else 502
            return self._failed(request, status, f"no WebSocket to the backend: {error}")
        async with backend:
            client = web.WebSocketResponse(heartbeat=20.0, max_msg_size=_FRAME_LIMIT, timeout=2.0)
            await client.prepare(request)
            self.sockets.add(client)
            try:
                await self._join(client, backend)
            finally:
                self.sockets.discard(client)
            return client

    async def _dial(self, request: web.Request) -> aiohttp.ClientWebSocketResponse:
        give_up = time.monotonic() + self._settings.retry_for
        while True:
            try:
                return await self._once.ws_connect(
                    self._settings.backend + request.raw_path, headers=self._headers(request), max_msg_size=_FRAME_LIMIT, heartbeat=20.0
                )
            except (aiohttp.ClientError, ConnectionError) as error:
                # A refused handshake is an answer of a backend that drains or waits for its store: another may serve in a moment.
                refused = isinstance(error, aiohttp.WSServerHandshakeError) and error.status not in (502, 503, 504)
                if refused or time.monotonic() >= give_up:
                    raise
                await asyncio.sleep(_PAUSE)

    async def _join(self, client: web.WebSocketResponse, backend: aiohttp.ClientWebSocketResponse) -> None:
        directions = [asyncio.create_task(_pump(client, backend)), asyncio.create_task(_pump(backend, client))]
        try:
            await asyncio.wait(directions, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in directions:
                task.cancel()
            await asyncio.gather(*directions, return_exceptions=True)
        if not client.closed:
            # "Gone without a word" has a number too, but one that must not be sent; to the browser both mean: connect again.
            said = backend.close_code not in (None, 1005, WSCloseCode.ABNORMAL_CLOSURE)
            code = backend.close_code if said else WSCloseCode.SERVICE_RESTART
            await client.close(code=code, message=b"the backend closed")
        await backend.close(code=WSCloseCode.GOING_AWAY)

    def _headers(self, request: web.Request) -> list[tuple[str, str]]:
        return request_headers(request.headers.items(), peer=request.remote, scheme=request.scheme, host=request.host)

    def _failed(self, request: web.Request, status: int, reason: str) -> web.Response:
        _LOG.warning("not forwarded", extra={"method": request.method, "path": request.path, "code": status, "cause": reason})
        return web.json_response({"error": reason}, status=status, headers={"Retry-After": "1"})


async def _pump(source: Any, sink: Any) -> None:
    try:
        async for frame in source:
            if frame.type is WSMsgType.TEXT:
                await sink.send_str(frame.data)
            elif frame.type is WSMsgType.BINARY:
                await sink.send_bytes(frame.data)
            else:
                return
    except ConnectionError:
        pass  # one side is gone; the other is closed by the caller
