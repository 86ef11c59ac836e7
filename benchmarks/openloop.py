"""An open-loop load generator: requests leave at a constant rate whatever the answers do; it starts and judges nothing else.

A request's latency counts from the moment it was due. So a stall is paid for by every request that was due in it, as it would be by
users, and is not hidden by a generator that waits for an answer before it asks again (coordinated omission). Nothing is tried
twice. A connection that the other end is known to have closed is not used again; one that closes just when it is used is a failure.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import sys
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from exchange import Connection, ExchangeError, Failure, Request, Target, TargetError, parse_target
from tally import Outcome, Tally, failure_lines, phase_table

_FRESH_EVERY = 4
_POST_EVERY = 10


@dataclass(frozen=True)
class Limits:
    """`rate` is requests per second and target; `timeout` seconds per request; the others bound the whole run."""

    rate: float = 100.0
    timeout: float = 10.0
    in_flight: int = 2000
    requests: int = 1_000_000
    seconds: float = 3600.0


class Load:
    """Load on some targets. `phase` names what goes on; requests that become due carry the name that is set then."""

    def __init__(self, targets: Sequence[Target], paths: Callable[[Target], Sequence[str]], limits: Limits, *, room: str | None = None):
        self.phase = "load"
        self.tally = Tally()
        self.posted: dict[str, list[str]] = {target.url: [] for target in targets}
        self.acknowledged: set[str] = set()
        self._targets = targets
        self._limits = limits
        self._room = room
        self._idle: dict[Target, list[Connection]] = {target: [] for target in targets}
        self._requests = {target: self._mix(target, paths(target)) for target in targets}
        self._in_flight: set[asyncio.Task[None]] = set()
        self._stop = asyncio.Event()

    def stop(self) -> None:
        """Send no more; what is in flight still ends by itself."""
        self._stop.set()

    async def run(self) -> Tally:
        """Send until stopped or at a limit, wait for the last answers, and return the tally."""
        clock = asyncio.get_running_loop().time
        start = clock()
        rate = self._limits.rate * len(self._targets)
        for number in range(self._limits.requests):
            due = start + number / rate
            if due - start > self._limits.seconds:
                break
            if await self._stopped_until(due):
                break
            self.tally.lag = max(self.tally.lag, clock() - due)
            self._send(self._targets[number % len(self._targets)], due, start)
        if self._in_flight:
            await asyncio.wait(self._in_flight)
        for connection in itertools.chain.from_iterable(self._idle.values()):
            connection.close()
        self.tally.outcomes.sort(key=lambda outcome: outcome.at)
        return self.tally

    async def _stopped_until(self, due: float) -> bool:
        delay = due - asyncio.get_running_loop().time()
        if delay > 0:
            # Waiting on the event with a timeout for each request costs more than the request: look at it when awake.
            await asyncio.sleep(delay)
        elif not self._stop.is_set():
            await asyncio.sleep(0)
        return self._stop.is_set()

    def _send(self, target: Target, due: float, start: float) -> None:
        request = next(self._requests[target])
        if len(self._in_flight) >= self._limits.in_flight:
            self._record(target, request, due, start, self.phase, failure=Failure.NOT_SENT)
            return
        task = asyncio.create_task(self._exchange(target, request, due, start, self.phase))
        self._in_flight.add(task)
        task.add_done_callback(self._in_flight.discard)

    async def _exchange(self, target: Target, request: Request, due: float, start: float, phase: str) -> None:
        connection = None
        try:
            async with asyncio.timeout(self._limits.timeout):
                connection = self._reused(target) if not request.fresh else None
                connection = connection or await Connection.open(target)
                response = await connection.ask(request)
            if not 200 <= response.status < 400:
                raise ExchangeError(Failure.STATUS, str(response.status))
        except TimeoutError:
            self._record(target, request, due, start, phase, failure=Failure.TIMEOUT)
        except ExchangeError as error:
            self._record(target, request, due, start, phase, failure=error.kind, detail=error.detail)
        else:
            if request.body is not None:
                self.acknowledged.add(json.loads(request.body)["client_id"])
            if response.reusable:
                self._idle[target].append(connection)
                connection = None
            self._record(target, request, due, start, phase, answered_by=_identity(response.headers))
        finally:
            if connection is not None:
                connection.close()

    def _reused(self, target: Target) -> Connection | None:
        idle = self._idle[target]
        while idle:
            connection = idle.pop()
            if connection.usable:
                return connection
            connection.close()
        return None

    def _record(self, target: Target, request: Request, due: float, start: float, phase: str, **more: object) -> None:
        latency = asyncio.get_running_loop().time() - due
        what = f"{request.method} {request.path}"
        self.tally.outcomes.append(Outcome(due - start, latency, target.url, what, phase, request.fresh, **more))

    def _mix(self, target: Target, paths: Sequence[str]) -> Iterator[Request]:
        """Mostly reads over connections that stay open; every fourth on a connection of its own; every tenth stores a message."""
        for number, path in enumerate(itertools.cycle(paths)):
            fresh = number % _FRESH_EVERY == 0
            if self._room is not None and number % _POST_EVERY == _POST_EVERY - 1:
                client_id = uuid.uuid4().hex
                self.posted[target.url].append(client_id)
                body = json.dumps({"room": self._room, "author": "open loop", "text": f"request {number}", "client_id": client_id})
                yield Request("POST", "/api/messages", body, fresh)
            else:
                yield Request("GET", path, None, fresh)


def _identity(headers: dict[str, str]) -> str:
    """Who answered, from the headers of the sample application."""
    version, colour = headers.get("x-app-version", ""), headers.get("x-app-colour", "")
    return f"{version} {colour}".replace(" none", "").strip()


@dataclass(frozen=True)
class Ledger:
    """What the store has of a load's messages: `lost` were acknowledged and are not there, `doubled` are there twice, `gaps` are
    missing ids; each must be 0."""

    stored: int
    lost: int
    doubled: int
    gaps: int


async def read_ledger(target: Target, room: str, acknowledged: set[str]) -> Ledger:
    """Page through the room and compare it with what was acknowledged. Raises ExchangeError."""
    ids: list[int] = []
    clients: list[str] = []
    while True:
        after = ids[-1] if ids else 0
        page = json.loads(await fetch(target, f"/api/messages?room={room}&after={after}"))["messages"]
        if not page:
            break
        ids += [message["id"] for message in page]
        clients += [message["client_id"] for message in page]
    known = set(clients)
    gaps = sum(1 for position, number in enumerate(ids, 1) if number != position)
    return Ledger(len(ids), len(acknowledged - known), len(clients) - len(known), gaps)


async def fetch(target: Target, path: str, *, timeout: float = 10.0) -> bytes:
    """The body of one GET on a connection of its own. Raises ExchangeError, also for a status other than 200."""
    connection = None
    try:
        async with asyncio.timeout(timeout):
            connection = await Connection.open(target)
            response = await connection.ask(Request("GET", path, fresh=True))
    except TimeoutError:
        raise ExchangeError(Failure.TIMEOUT, path) from None
    finally:
        if connection is not None:
            connection.close()
    if response.status != 200:
        raise ExchangeError(Failure.STATUS, f"{response.status} for {path}")
    return response.body


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0 when nothing failed, 1 when something did, 2 for bad arguments."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("url", nargs="+", help="base URL on a loopback address; each gets the full rate")
    parser.add_argument("--rate", type=float, default=100.0, help="requests per second and URL")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--timeout", type=float, default=10.0, help="seconds per request")
    parser.add_argument("--path", action="append", help="path to get; may be given several times")
    options = parser.parse_args(arguments)
    try:
        targets = [parse_target(url) for url in options.url]
    except TargetError as error:
        print(error, file=sys.stderr)
        return 2
    if not 0 < options.rate <= 5000 or not 0 < options.seconds <= 3600 or not 0 < options.timeout <= 60:
        print("Cannot send load: --rate must be up to 5000, --seconds up to 3600 and --timeout up to 60, all above 0.", file=sys.stderr)
        return 2
    paths = options.path or ["/"]
    limits = Limits(rate=options.rate, timeout=options.timeout, seconds=options.seconds)

    async def run() -> Tally:
        return await Load(targets, lambda _: paths, limits).run()

    tally = asyncio.run(run())
    print(*phase_table(tally, [("load", options.seconds)]), *failure_lines(tally), sep="\n")
    print(f"generator late by at most {tally.lag * 1000:.1f} ms")
    return 1 if tally.failures else 0


if __name__ == "__main__":
    sys.exit(main())
