"""The process: settings, start, signals, and an end that loses nothing; routes are in web.py."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import sys

import uvloop
from aiohttp import WSCloseCode, web

from .fanout import Fanout
from .feed import Feeds
from .health import Health
from .logs import log_to_stdout
from .metrics import Metrics
from .settings import Settings, SettingsError, load_settings
from .stores import open_store
from .stores.base import Store, StoreUnavailable
from .web import Application

_LOG = logging.getLogger("main")
_REPORT_EVERY = 10.0
_KEEP_ALIVE = 75.0  # longer than a load balancer's idle time (60 s), so that it is never us who closes first
_RETRY_AFTER = 0.5
_CRASHED = 70


def main() -> int:
    """Run until SIGTERM or SIGINT. Exit code 2 and one sentence for a wrong setting."""
    try:
        settings = load_settings(os.environ)
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2
    log_to_stdout(settings.log_level, service="backend", version=settings.version, colour=settings.colour)
    try:
        uvloop.run(_serve(settings))
    except OSError as error:
        print(f"Cannot serve on port {settings.port}: {error.strerror or error}; free the port or set PORT.", file=sys.stderr)
        return 2
    return 0


async def _serve(settings: Settings) -> None:
    store = open_store(settings)
    feeds = Feeds(store)
    fanout = Fanout(settings.cache, feeds)
    checks = {"store": store.ping, **({} if settings.cache is None else {"cache": fanout.ping})}
    health = Health(checks, never_healthy=settings.faults.never_healthy)
    metrics = Metrics(version=settings.version, colour=settings.colour)
    application = Application(settings, store, feeds, fanout, health, metrics, socket.gethostname())
    runner = web.AppRunner(application.build(), access_log=None, keepalive_timeout=_KEEP_ALIVE, shutdown_timeout=settings.shutdown_timeout)
    await runner.setup()
    background: list[asyncio.Task[None]] = []
    try:
        await web.TCPSite(runner, port=settings.port, backlog=1024, reuse_address=True).start()
        _LOG.info("serving", extra={"port": settings.port, "store": settings.store, "profile": settings.profile})
        background = [asyncio.create_task(work) for work in (_connect(store, health), fanout.run(), _report(application))]
        if settings.faults.crash_after_s is not None:
            asyncio.get_running_loop().call_later(settings.faults.crash_after_s, _crash)
        await _stop_signal()
        await _drain(application, settings)
    finally:
        await runner.cleanup()  # stops listening, closes idle connections, finishes what is in flight
        for task in background:
            task.cancel()
        await asyncio.gather(*background, return_exceptions=True)
        await fanout.close()
        await store.stop()
        _LOG.info("stopped")


async def _connect(store: Store, health: Health) -> None:
    """Create the schema as soon as the store answers; readiness waits for it."""
    while True:
        try:
            await store.start()
        except StoreUnavailable as error:
            health.waiting_for = str(error)
            _LOG.warning("waiting for the store", extra={"cause": str(error)})
            await asyncio.sleep(_RETRY_AFTER)
        else:
            health.waiting_for = None
            _LOG.info("ready")
            return


async def _report(application: Application) -> None:
    """Log how many WebSockets are open, at a steady pace: where no metrics are collected, a deployment reads from it when all have left."""
    while True:
        _LOG.info("connections", extra={"websockets": len(application.connections)})
        await asyncio.sleep(_REPORT_EVERY)


async def _stop_signal() -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await stop.wait()


async def _drain(application: Application, settings: Settings) -> None:
    """Not ready any more, but serving, until whoever balances the load has noticed; WebSockets then leave one by one."""
    application.health.draining = True
    _LOG.info("draining", extra={"websockets": len(application.connections)})
    quiet = await application.traffic.quiet(settings.drain_delay, settings.shutdown_timeout, asyncio.sleep)
    _LOG.log(logging.INFO if quiet else logging.WARNING, "nobody asks any more" if quiet else "still asked, stopping nevertheless")

    async def leave(connection: object, delay: float) -> None:
        await asyncio.sleep(delay)
        await connection.close(WSCloseCode.GOING_AWAY, "the server is being replaced")

    connections = list(application.connections)
    pause = settings.websocket_spread / max(1, len(connections))
    await asyncio.gather(*(leave(connection, pause * number) for number, connection in enumerate(connections)))


def _crash() -> None:
    _LOG.critical("crashing on purpose: FAULTS asks for it")
    os._exit(_CRASHED)


if __name__ == "__main__":
    sys.exit(main())
