"""The HTTP surface: routes and middleware around the chat; starts and stops nothing."""

from __future__ import annotations

import asyncio
import logging
import random
import time
import uuid
from typing import Any

from aiohttp import WSCloseCode, web

from .drain import Traffic
from .fanout import Fanout
from .feed import Feeds
from .health import Health
from .metrics import Metrics
from .protocol import HISTORY, BadFrame, Draft, Message, parse_draft, parse_object, position, room_name
from .settings import Settings
from .stores.base import Store, StoreUnavailable
from .websocket import Connection, new_socket

_LOG = logging.getLogger("http")
_QUIET = ("/healthz", "/livez", "/metrics")
_PAGE_LIMIT = 500


class Application:
    """The chat behind its routes. `connections` are the open WebSockets; `hostname` is what tells replicas apart."""

    def __init__(self, settings: Settings, store: Store, feeds: Feeds, fanout: Fanout, health: Health, metrics: Metrics, hostname: str):
        self.settings = settings
        self.store = store
        self.feeds = feeds
        self.fanout = fanout
        self.health = health
        self.metrics = metrics
        self.hostname = hostname
        self.connections: set[Connection] = set()
        self.traffic = Traffic()

    def build(self) -> web.Application:
        application = web.Application(middlewares=[self._observe, self._fail_on_purpose, self._explain], client_max_size=64 * 1024)
        application.add_routes(
            [
                web.get("/healthz", self._healthz),
                web.get("/livez", self._livez),
                web.get("/metrics", self._metrics),
            ]
        )
        # A load balancer that routes by path leaves the path as it is.
        for base in dict.fromkeys(("", self.settings.base_path)):
            application.add_routes(
                [
                    web.get(f"{base}/api/messages", self._list),
                    web.post(f"{base}/api/messages", self._create),
                    web.get(f"{base}/api/info", self._info),
                    web.get(f"{base}/ws", self._websocket),
                ]
            )
        if self.settings.base_path:
            application.add_routes([web.get(f"{self.settings.base_path}/healthz", self._healthz)])
        application.on_response_prepare.append(self._sign)
        return application

    async def post(self, draft: Draft) -> tuple[Message, bool]:
        """Store and announce. Raises StoreUnavailable."""
        message, known = await self.store.append(draft)
        if not known:
            await self.fanout.announce(message)
        self.metrics.messages.labels("duplicate" if known else "stored").inc()
        return message, known

    async def _list(self, request: web.Request) -> web.Response:
        room = room_name(request.query.get("room", "lobby"))
        after = request.query.get("after")
        if after is None:
            messages = await self.store.latest(room, HISTORY)
        else:
            messages = await self.store.after(room, position(after), _PAGE_LIMIT)
        return web.json_response({"room": room, "messages": [message.as_dict() for message in messages]})

    async def _create(self, request: web.Request) -> web.Response:
        frame = {"room": "lobby", **parse_object(await request.text())}
        message, known = await self.post(parse_draft(frame, client_id=uuid.uuid4().hex))
        return web.json_response(message.as_dict(), status=200 if known else 201)

    async def _info(self, _request: web.Request) -> web.Response:
        return web.json_response({**self._identity(), "profile": self.settings.profile, "started": self.health.since})

    async def _websocket(self, request: web.Request) -> web.StreamResponse:
        if self.health.draining:
            return web.json_response({"error": "draining"}, status=503, headers={"Retry-After": "1"})
        guest = await self.store.next_guest()
        socket = new_socket()
        await socket.prepare(request)
        connection = Connection(socket, self.store, self.feeds, self.post)
        self.connections.add(connection)
        self.metrics.websockets.inc()
        age = asyncio.create_task(self._grow_old(connection)) if self.settings.websocket_max_age else None
        try:
            await connection.run({"guest": guest, **self._identity()})
        finally:
            if age is not None:
                age.cancel()
            self.connections.discard(connection)
            self.metrics.websockets.dec()
        return socket

    async def _grow_old(self, connection: Connection) -> None:
        """Send the client away at half its greatest age or later, each at a time of its own: it comes back to whoever gets the traffic."""
        longest = self.settings.websocket_max_age
        await asyncio.sleep(random.uniform(longest / 2, longest))  # noqa: S311 - chance, not a secret
        await connection.close(WSCloseCode.GOING_AWAY, "the connection has reached its greatest age")

    async def _healthz(self, _request: web.Request) -> web.Response:
        verdict = await self.health.verdict()
        self.metrics.ready.set(verdict.ready)
        body = {"status": "ready" if verdict.ready else "not ready", "checks": verdict.checks, **self._identity()}
        return web.json_response(body, status=200 if verdict.ready else 503)

    async def _livez(self, _request: web.Request) -> web.Response:
        return web.json_response({"status": "alive"})

    async def _metrics(self, _request: web.Request) -> web.Response:
        return web.Response(body=self.metrics.render(), headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"})

    def _identity(self) -> dict[str, Any]:
        return {"version": self.settings.version, "colour": self.settings.colour, "hostname": self.hostname}

    async def _sign(self, _request: web.Request, response: web.StreamResponse) -> None:
        response.headers["X-App-Version"] = self.settings.version
        response.headers["X-App-Colour"] = self.settings.colour
        if self.health.draining and not isinstance(response, web.WebSocketResponse):
            # The client's next request then opens a connection to somebody else. aiohttp has written its own Connection header
            # by now, so that closing alone would come as a surprise to whoever is about to use the connection again.
            response.headers["Connection"] = "close"
            response.force_close()

    @web.middleware
    async def _observe(self, request: web.Request, handler: Any) -> web.StreamResponse:
        if request.path not in _QUIET:
            self.traffic.seen()
        started = time.monotonic()
        code = 500
        counted = request.path != "/ws"  # an open WebSocket is no work that waits
        self.metrics.in_flight.inc(counted)
        try:
            response = await handler(request)
            code = response.status
            return response
        except web.HTTPException as error:
            code = error.status
            raise
        finally:
            self.metrics.in_flight.dec(counted)
            self._record(request, code, time.monotonic() - started)

    def _record(self, request: web.Request, code: int, seconds: float) -> None:
        resource = request.match_info.route.resource
        route = resource.canonical if resource is not None else "none"
        # A scanner must not be able to make up series: unknown methods and paths share one.
        method = request.method if route != "none" else "any"
        self.metrics.requests.labels(method, route, str(code)).inc()
        if code != 101:
            self.metrics.latency.labels(method, route, str(code)).observe(seconds)
        level = logging.DEBUG if request.path in _QUIET and code < 500 else logging.INFO
        _LOG.log(
            level,
            "request",
            extra={"method": request.method, "path": request.path, "code": code, "ms": round(seconds * 1000, 1), "peer": request.remote},
        )

    @web.middleware
    async def _fail_on_purpose(self, request: web.Request, handler: Any) -> web.StreamResponse:
        faults = self.settings.faults
        if request.path.removeprefix(self.settings.base_path).startswith("/api/"):
            if faults.latency_ms:
                await asyncio.sleep(faults.latency_ms / 1000)
            if faults.fails(random.random()):  # noqa: S311 - chance, not a secret
                return web.json_response({"error": "failed on purpose: FAULTS asks for it"}, status=500)
        return await handler(request)

    @web.middleware
    async def _explain(self, request: web.Request, handler: Any) -> web.StreamResponse:
        try:
            return await handler(request)
        except BadFrame as error:
            return web.json_response({"error": str(error)}, status=400)
        except StoreUnavailable as error:
            _LOG.warning("request refused", extra={"path": request.path, "cause": str(error)})
            return web.json_response({"error": "the store does not answer"}, status=503, headers={"Retry-After": "1"})
        except web.HTTPException as error:
            return web.json_response({"error": error.reason}, status=error.status, headers=_allow(error))
        except (ConnectionError, asyncio.CancelledError):
            raise
        except Exception:
            _LOG.exception("request failed", extra={"path": request.path})
            return web.json_response({"error": "internal error"}, status=500)


def _allow(error: web.HTTPException) -> dict[str, str]:
    return {"Allow": error.headers["Allow"]} if "Allow" in error.headers else {}
