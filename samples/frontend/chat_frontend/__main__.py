"""The process: settings, routes, signals, and an end that loses nothing; the proxying is in proxy.py."""

from __future__ import annotations

import asyncio
import logging
import os
import pathlib
import signal
import sys
import time
from typing import Any

import uvloop
from aiohttp import WSCloseCode, web

from .drain import Traffic
from .logs import log_to_stdout
from .proxy import Proxy
from .settings import Settings, SettingsError, load_settings

_LOG = logging.getLogger("main")
_STATIC = pathlib.Path(__file__).with_name("static")
_KEEP_ALIVE = 75.0  # longer than a load balancer's idle time (60 s), so that it is never us who closes first
_QUIET = ("/healthz", "/livez")
_SECURITY = {
    "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


class Application:
    """The page, the health checks and what goes to the backend."""

    def __init__(self, settings: Settings):
        self.settings = settings
        self.proxy = Proxy(settings)
        self.traffic = Traffic()
        self.draining = False

    def build(self) -> web.Application:
        application = web.Application(middlewares=[self._observe], client_max_size=1024 * 1024)
        application.add_routes(
            [
                web.get("/", self._page),
                web.static("/static", _STATIC),
                web.get("/healthz", self._healthz),
                web.get("/livez", self._livez),
                web.get("/frontend-info", self._info),
                web.route("*", "/api/{rest:.*}", self.proxy.forward),
                web.get("/ws", self._websocket),
            ]
        )
        application.on_response_prepare.append(self._sign)
        return application

    async def _page(self, _request: web.Request) -> web.FileResponse:
        return web.FileResponse(_STATIC / "index.html", headers=_SECURITY)

    async def _healthz(self, _request: web.Request) -> web.Response:
        # The backend is not asked: a frontend that is taken out because of its backend could not even say that it is away.
        status = "draining: a SIGTERM was received" if self.draining else "ready"
        return web.json_response({"status": status, **self._identity()}, status=503 if self.draining else 200)

    async def _livez(self, _request: web.Request) -> web.Response:
        return web.json_response({"status": "alive"})

    async def _info(self, _request: web.Request) -> web.Response:
        return web.json_response(self._identity())

    async def _websocket(self, request: web.Request) -> web.StreamResponse:
        if self.draining:
            return web.json_response({"error": "draining"}, status=503, headers={"Retry-After": "1"})
        return await self.proxy.websocket(request)

    def _identity(self) -> dict[str, str]:
        return {"version": self.settings.version, "colour": self.settings.colour}

    async def _sign(self, request: web.Request, response: web.StreamResponse) -> None:
        response.headers["X-Frontend-Version"] = self.settings.version
        response.headers["X-Frontend-Colour"] = self.settings.colour
        if request.path.startswith("/static/") or request.path == "/":
            response.headers["Cache-Control"] = "no-cache"  # asked for again each time, answered 304 while it is the same
        if self.draining and not isinstance(response, web.WebSocketResponse):
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
        try:
            response = await handler(request)
            code = response.status
            return response
        except web.HTTPException as error:
            code = error.status
            raise
        finally:
            level = logging.DEBUG if request.path in _QUIET else logging.INFO
            milliseconds = round((time.monotonic() - started) * 1000, 1)
            extra = {"method": request.method, "path": request.path, "code": code, "ms": milliseconds, "peer": request.remote}
            _LOG.log(level, "request", extra=extra)


def main() -> int:
    """Run until SIGTERM or SIGINT. Exit code 2 and one sentence for a wrong setting."""
    try:
        settings = load_settings(os.environ)
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2
    log_to_stdout("info", service="frontend", version=settings.version, colour=settings.colour)
    try:
        uvloop.run(_serve(settings))
    except OSError as error:
        print(f"Cannot serve on port {settings.port}: {error.strerror or error}; free the port or set PORT.", file=sys.stderr)
        return 2
    return 0


async def _serve(settings: Settings) -> None:
    application = Application(settings)
    runner = web.AppRunner(application.build(), access_log=None, keepalive_timeout=_KEEP_ALIVE, shutdown_timeout=settings.shutdown_timeout)
    await runner.setup()
    await application.proxy.start()
    try:
        await web.TCPSite(runner, port=settings.port, backlog=1024, reuse_address=True).start()
        _LOG.info("serving", extra={"port": settings.port, "backend": settings.backend})
        await _stop_signal()
        await _drain(application)
    finally:
        await runner.cleanup()  # stops listening, closes idle connections, finishes what is in flight
        await application.proxy.stop()
        _LOG.info("stopped")


async def _stop_signal() -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await stop.wait()


async def _drain(application: Application) -> None:
    """Not ready any more, but serving, until whoever balances the load has noticed; WebSockets then leave one by one."""
    application.draining = True
    _LOG.info("draining", extra={"websockets": len(application.proxy.sockets)})
    settings = application.settings
    quiet = await application.traffic.quiet(settings.drain_delay, settings.shutdown_timeout, asyncio.sleep)
    _LOG.log(logging.INFO if quiet else logging.WARNING, "nobody asks any more" if quiet else "still asked, stopping nevertheless")

    async def leave(client: web.WebSocketResponse, delay: float) -> None:
        await asyncio.sleep(delay)
        await client.close(code=WSCloseCode.GOING_AWAY, message=b"the server is being replaced")

    clients = list(application.proxy.sockets)
    pause = settings.websocket_spread / max(1, len(clients))
    await asyncio.gather(*(leave(client, pause * number) for number, client in enumerate(clients)), return_exceptions=True)


if __name__ == "__main__":
    sys.exit(main())
