# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The edge of CloudFront: one HTTPS and one HTTP server for all distributions, and WebSocket connections to their origins.

HTTPS picks the certificate by the name that the viewer asks for (SNI), requests go to the distribution of their Host header.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import pathlib
import socket
import ssl
import tempfile
import typing as t

import hypercorn.asyncio
import hypercorn.config
import websockets.asyncio.client
import websockets.exceptions

from ..certificates import Pem
from ..emulation import distributions
from ..emulation.distributions import Distribution
from ..names import Names

OPEN_SECONDS = 10.0
_log = logging.getLogger("localcloud.cloudfront")

Scope = dict[str, t.Any]
_Find = t.Callable[[str], Distribution | None]


class _Config(hypercorn.config.Config):
    """Hypercorn's settings with a TLS context of our own."""

    context: ssl.SSLContext | None = None

    @property
    def ssl_enabled(self) -> bool:
        return self.context is not None

    def create_ssl_context(self) -> ssl.SSLContext | None:
        return self.context


class Edge:
    """The two servers. `find` tells the distribution of a host name, `certificate` what to show for it."""

    def __init__(self, find: _Find, certificate: t.Callable[[str], Pem], names: Names) -> None:
        self._find = find
        self._certificate = certificate
        self._names = names
        self._contexts: dict[str, ssl.SSLContext] = {}
        self._ending = asyncio.Event()
        self._servers: list[asyncio.Task[None]] = []
        self.https_port = 0
        self.http_port = 0

    async def start(self) -> None:
        """Listen on two ports of 127.0.0.1 that are free."""
        context = self._context(self._certificate(f"*.{distributions.DOMAIN}"))
        context.sni_callback = self._choose
        self.https_port = self._serve(context)
        self.http_port = self._serve(None)

    async def stop(self) -> None:
        """Close both."""
        self._ending.set()
        await asyncio.gather(*self._servers, return_exceptions=True)

    def _serve(self, context: ssl.SSLContext | None) -> int:
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", 0))
        port = int(listener.getsockname()[1])
        config = _Config()
        config.context = context
        config.bind = [f"fd://{listener.detach()}"]
        config.graceful_timeout = 1
        config.loglevel = "WARNING"
        serving = hypercorn.asyncio.serve(self._asgi, config, shutdown_trigger=self._ending.wait)  # type: ignore[arg-type]
        self._servers.append(asyncio.create_task(serving, name=f"cloudfront {port}"))
        return port

    # -- TLS

    def _choose(self, connection: ssl.SSLSocket | ssl.SSLObject, name: str | None, _context: ssl.SSLContext) -> None:
        if name is None or self._find(name) is None or name.endswith(f".{distributions.DOMAIN}"):
            return  # the certificate of all distributions, also where AWS would break the connection off
        pem = self._certificate(name)
        if pem.certificate not in self._contexts:
            self._contexts[pem.certificate] = self._context(pem)
        connection.context = self._contexts[pem.certificate]

    @staticmethod
    def _context(pem: Pem) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["h2", "http/1.1"])
        with tempfile.TemporaryDirectory() as folder:  # Python loads certificates from files only
            path = pathlib.Path(folder, "pem")
            path.touch(mode=0o600)
            path.write_text(pem.certificate + pem.chain + pem.key)
            context.load_cert_chain(path)
        return context

    # -- requests

    async def _asgi(self, scope: Scope, receive: t.Any, send: t.Any) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
            return
        headers = _headers(scope)
        distribution = self._find(headers.get("host", "").rpartition(":")[0] or headers.get("host", ""))
        if scope["type"] == "websocket":
            await self._websocket(scope, headers, distribution, receive, send)
            return
        body = b""
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message.get("body", b"")
            more = message.get("more_body", False)
        status, answer_headers, answer = await self._answer(scope, headers, distribution, body)
        encoded = [
            (name.lower().encode(), str(value).encode())
            for name, values in answer_headers.items()
            for value in (values if isinstance(values, list) else [values])
        ]
        await send({"type": "http.response.start", "status": status, "headers": encoded})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else answer})

    async def _answer(
        self, scope: Scope, headers: dict[str, str], distribution: Distribution | None, body: bytes
    ) -> tuple[int, dict[str, t.Any], bytes]:
        if distribution is None:
            text = b"The request could not be satisfied: no distribution of this cloud has this name.\n"
            return 403, {"Content-Type": "text/plain", "X-Cache": "Error from cloudfront"}, text
        raw_path, query = scope["raw_path"].decode("latin-1"), scope["query_string"].decode("latin-1")
        client_ip = (scope.get("client") or ("127.0.0.1", 0))[0]
        headers = {**headers, "x-forwarded-proto": scope["scheme"]}
        try:
            return await distributions.serve(distribution, scope["method"], raw_path, query, headers, body, client_ip)
        except Exception:  # a viewer must get an answer
            _log.exception("%s %s of %s failed", scope["method"], raw_path, distribution.id)
            return 500, {"Content-Type": "text/plain", "X-Cache": "Error from cloudfront"}, b"The local cloud failed; its log says how.\n"

    # -- WebSocket

    async def _websocket(
        self, scope: Scope, headers: dict[str, str], distribution: Distribution | None, receive: t.Any, send: t.Any
    ) -> None:
        await receive()  # websocket.connect
        raw_path, query = scope["raw_path"].decode("latin-1"), scope["query_string"].decode("latin-1")
        target = distributions.websocket_target(distribution, raw_path, query, headers) if distribution is not None else None
        if target is None or scope["scheme"] == "ws":
            await send({"type": "websocket.close", "code": 1008})  # before it was accepted: an HTTP 403
            return
        uri = f"{'wss' if target.secure else 'ws'}://{target.host}{target.path}"
        known = self._names.get(target.origin)
        address = (known.public or known.private)[0] if known is not None else target.origin
        try:
            origin = await websockets.asyncio.client.connect(
                uri, host=address, port=target.port, additional_headers=target.headers, subprotocols=scope.get("subprotocols") or None,
                open_timeout=OPEN_SECONDS, max_size=None, ping_interval=None, proxy=None, user_agent_header=None,
            )  # fmt: skip
        except (OSError, TimeoutError, websockets.exceptions.WebSocketException) as error:
            _log.info("%s: the origin %s took no WebSocket connection: %s", raw_path, target.origin, error)
            await send({"type": "websocket.close", "code": 1011})
            return
        async with origin:
            await send({"type": "websocket.accept", "subprotocol": origin.subprotocol})
            await _bridge(origin, receive, send)


async def _bridge(origin: websockets.asyncio.client.ClientConnection, receive: t.Any, send: t.Any) -> None:
    """Pass messages on in both directions until one side closes."""

    async def from_viewer() -> None:
        while True:
            message = await receive()
            if message["type"] == "websocket.disconnect":
                await origin.close(_sendable(message.get("code")))
                return
            text = message.get("text")
            await origin.send(text if text is not None else message["bytes"])

    async def from_origin() -> None:
        async for message in origin:
            await send({"type": "websocket.send", "text" if isinstance(message, str) else "bytes": message})
        await send({"type": "websocket.close", "code": _sendable(origin.close_code), "reason": origin.close_reason or ""})

    tasks = [asyncio.create_task(from_viewer()), asyncio.create_task(from_origin())]
    done, left = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in left:
        task.cancel()
    for task in done:
        with contextlib.suppress(websockets.exceptions.ConnectionClosed):
            task.result()


def _sendable(code: int | None) -> int:
    """A close code for the other side: 1005 and 1006 say that none came, and must not be sent (RFC 6455, 7.4.1)."""
    return {None: 1000, 1005: 1000, 1006: 1001}.get(code, code or 1000)


async def _lifespan(receive: t.Any, send: t.Any) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


def _headers(scope: Scope) -> dict[str, str]:
    """Header fields by their lower-case names; a repeated one is one with commas (RFC 9110, 5.3), cookies with semicolons."""
    found: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        found[name] = f"{found[name]}{'; ' if name == 'cookie' else ', '}{value}" if name in found else value
    return found
