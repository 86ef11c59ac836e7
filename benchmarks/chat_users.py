"""Chat users through a load balancer: WebSockets that stay open and requests beside them, and a ledger of what happens to both.

Every user has one WebSocket, writes to its room at a steady rate and reads everything that is written there; beside that it sends HTTP
requests, each on a connection that may be used again. A session that ends before the user closes it is dropped; the user comes back with
its last id and sends again what was not acknowledged, as the page does. It ends when it is told to: seconds, a file that appears, SIGINT
or SIGTERM. Loopback addresses only.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import signal
import sys
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import websockets
from chat_ledger import Drop, Failed, Ledger, summary_line
from exchange import Connection, ExchangeError, Failure, Request, Target, TargetError, parse_target
from websockets.exceptions import ConnectionClosed, InvalidHandshake

_COME_BACK = (0.25, 0.5, 1.0, 2.0)
_NO_CLOSE_FRAME = 1006


@dataclass(frozen=True)
class Plan:
    """`message_every` and `request_every` are seconds, per user; `settle` is how long the last messages may take to arrive everywhere."""

    users: int = 100
    rooms: int = 10
    message_every: float = 5.0
    request_every: float = 2.0
    timeout: float = 10.0
    settle: float = 10.0
    ramp: float = 3.0


class Users:
    """All users of one run. `start` returns when everybody is connected, `stop` when the last message has arrived or is given up."""

    def __init__(self, target: Target, plan: Plan, ledger: Ledger):
        self.ledger = ledger
        self._plan = plan
        self._stop = asyncio.Event()
        name = uuid.uuid4().hex[:8]
        rooms = [f"users-{name}-{number}" for number in range(plan.rooms)]
        self._users = [_User(number, rooms[number % plan.rooms], target, plan, ledger, self._stop) for number in range(plan.users)]
        self._sessions: list[asyncio.Task[None]] = []
        self._work: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Connect everybody, spread over `ramp` seconds. Raises ConnectionError when one cannot connect at all."""
        pause = self._plan.ramp / max(1, self._plan.users)
        for user in self._users:
            self._sessions.append(asyncio.create_task(user.chat()))
            await asyncio.sleep(pause)
        try:
            async with asyncio.timeout(self._plan.timeout):
                for user in self._users:
                    await user.joined.wait()
        except TimeoutError:
            missing = sum(not user.joined.is_set() for user in self._users)
            raise ConnectionError(f"{missing} of {self._plan.users} users could not join within {self._plan.timeout:g} s") from None
        self._work += [asyncio.create_task(user.write()) for user in self._users]
        self._work += [asyncio.create_task(user.browse()) for user in self._users]

    async def stop(self) -> dict[str, object]:
        """Nobody writes any more; wait for what is under way, then everybody leaves. The ledger's result."""
        self._stop.set()
        await _ended(self._work, self._plan.timeout + 1)
        deadline = time.monotonic() + self._plan.settle
        while self.ledger.waiting() and time.monotonic() < deadline:
            await asyncio.sleep(0.1)
        for user in self._users:
            user.leave()
        await _ended(self._sessions, self._plan.timeout + 1)
        return self.ledger.result()


async def _ended(tasks: list[asyncio.Task[None]], seconds: float) -> None:
    """Wait until all have ended; what takes longer is cancelled."""
    if tasks:
        _done, late = await asyncio.wait(tasks, timeout=seconds)
        for task in late:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class _User:
    """One user: `chat` holds the session, `write` and `browse` run beside it until the run stops."""

    def __init__(self, number: int, room: str, target: Target, plan: Plan, ledger: Ledger, stop: asyncio.Event):
        self.joined = asyncio.Event()
        self._number = number
        self._room = room
        self._target = target
        self._plan = plan
        self._ledger = ledger
        self._stop = stop
        self._leaving = asyncio.Event()
        self._socket: websockets.ClientConnection | None = None
        self._outbox: dict[str, str] = {}
        self._idle: list[Connection] = []
        self._requests: set[asyncio.Task[None]] = set()
        self._colour = ""

    def leave(self) -> None:
        """The user closes its session."""
        self._leaving.set()
        if self._socket is not None:
            self._closing = asyncio.create_task(self._socket.close())

    async def chat(self) -> None:
        """Hold a session until the user leaves, and come back each time it is lost."""
        address = self._target.url.replace("http://", "ws://") + "/ws"
        attempt = 0
        while not self._leaving.is_set():
            try:
                # No proxy of the environment stands between; the library would use one.
                async with websockets.connect(address, open_timeout=self._plan.timeout, close_timeout=2, proxy=None) as socket:
                    self._socket = socket
                    attempt = 0
                    await self._session(socket)
            except (OSError, TimeoutError, InvalidHandshake) as error:
                if self._leaving.is_set():
                    return
                if self.joined.is_set():
                    self._failed(f"no session: {error or type(error).__name__}", "")
            finally:
                self._socket = None
            if not self._leaving.is_set():
                await asyncio.sleep(_COME_BACK[min(attempt, len(_COME_BACK) - 1)])
                attempt += 1

    async def _session(self, socket: websockets.ClientConnection) -> None:
        try:
            after = {"after": self._ledger.newest(self._number)} if self.joined.is_set() else {}
            await socket.send(json.dumps({"type": "join", "room": self._room, **after}))
            async for text in socket:
                await self._take(socket, json.loads(text))
            self._ended(socket)
        except ConnectionClosed:
            self._ended(socket)

    def _ended(self, socket: websockets.ClientConnection) -> None:
        if self._leaving.is_set():
            return
        code = socket.close_code or _NO_CLOSE_FRAME
        self._ledger.dropped(Drop(time.time(), self._number, self._colour, code, socket.close_reason or ""))

    async def _take(self, socket: websockets.ClientConnection, frame: dict) -> None:
        match frame["type"]:
            case "welcome":
                self._colour = f"{frame['version']} {frame['colour']}"
            case "joined":
                self._ledger.joined(self._number, self._room, frame["after"])
                self.joined.set()
                for client_id, text in self._outbox.items():
                    await self._send(socket, client_id, text)
            case "message":
                self._ledger.received(self._number, frame["room"], frame["id"], frame["client_id"])
                self._outbox.pop(frame["client_id"], None)
            case "ack":
                self._ledger.acknowledged(frame["room"], frame["client_id"], frame["id"])
                self._outbox.pop(frame["client_id"], None)
            case "error":
                self._ledger.refused()
                if frame["retry"] and frame["client_id"] in self._outbox:
                    await asyncio.sleep(1)
                    await self._send(socket, frame["client_id"], self._outbox[frame["client_id"]])

    async def _send(self, socket: websockets.ClientConnection, client_id: str, text: str) -> None:
        frame = {"type": "send", "room": self._room, "author": f"User {self._number}", "text": text, "client_id": client_id}
        await socket.send(json.dumps(frame))

    async def write(self) -> None:
        """A message every `message_every` seconds; users take turns."""
        async for count in self._ticks(self._plan.message_every):
            client_id, text = uuid.uuid4().hex, f"message {count} of user {self._number}"
            self._ledger.sent(self._room, client_id)
            self._outbox[client_id] = text
            socket = self._socket
            if socket is not None and self.joined.is_set():
                with contextlib.suppress(ConnectionClosed):  # it is sent again after the reconnection
                    await self._send(socket, client_id, text)

    async def browse(self) -> None:
        """A request every `request_every` seconds, whatever became of the one before."""
        async for count in self._ticks(self._plan.request_every):
            path = f"/api/messages?room={self._room}" if count % 2 else "/api/info"
            task = asyncio.create_task(self._request(Request("GET", path)))
            self._requests.add(task)
            task.add_done_callback(self._requests.discard)
        if self._requests:
            await asyncio.wait(self._requests)
        for connection in self._idle:
            connection.close()

    async def _ticks(self, every: float):
        """0, 1, 2, … at a steady rate until the run stops; each user has its own place within the period."""
        clock = asyncio.get_running_loop().time
        due = clock() + every * self._number / self._plan.users
        count = 0
        while not self._stop.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, due - clock())):
                    await self._stop.wait()
            if self._stop.is_set():
                return  # also when the time had come in the same moment
            yield count
            count, due = count + 1, due + every

    async def _request(self, request: Request) -> None:
        connection, by = None, ""
        try:
            async with asyncio.timeout(self._plan.timeout):
                connection = self._reused() or await Connection.open(self._target)
                response = await connection.ask(request)
            by = f"{response.headers.get('x-app-version', '')} {response.headers.get('x-app-colour', '')}".strip()
            if not 200 <= response.status < 400:
                raise ExchangeError(Failure.STATUS, str(response.status))
        except TimeoutError:
            self._failed(Failure.TIMEOUT.value, by)
        except ExchangeError as error:
            self._failed(str(error), by)
        else:
            self._ledger.answered(by)
            if response.reusable:
                self._idle.append(connection)
                connection = None
        finally:
            if connection is not None:
                connection.close()

    def _reused(self) -> Connection | None:
        while self._idle:
            connection = self._idle.pop()
            if connection.usable:
                return connection
            connection.close()
        return None

    def _failed(self, why: str, by: str) -> None:
        self._ledger.failed(Failed(time.time(), self._number, why, by))


def write_json(path: Path, result: dict[str, object]) -> None:
    """Replace the file at once, so that a reader never sees half of it."""
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_text(json.dumps(result, indent=1), encoding="utf-8")
    os.replace(temporary, path)


async def run(
    target: Target, plan: Plan, seconds: float, *, stop_file: Path | None = None, json_file: Path | None = None
) -> dict[str, object]:
    """Everybody chats for `seconds`, or until a signal or the file; the ledger's result with `seconds`, `started_at` and `ended_at`."""
    ledger = Ledger()
    users = Users(target, plan, ledger)
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    await users.start()
    started = time.time()
    print(f"users={plan.users} connected", flush=True)

    def so_far(result: dict[str, object]) -> dict[str, object]:
        now = time.time()
        result |= {"seconds": round(now - started, 3), "started_at": started, "ended_at": now}
        if json_file is not None:
            write_json(json_file, result)
        return result

    while not ended.is_set() and time.time() - started < seconds and not (stop_file is not None and stop_file.exists()):
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(min(1.0, max(0.05, seconds - (time.time() - started)))):
                await ended.wait()
        so_far(ledger.result())
    return so_far(await users.stop())


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0 when nothing was dropped, lost, duplicated or failed, 1 when something was, 2 for bad arguments or no connection."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("url", help="base URL of the load balancer; its name must resolve to loopback addresses only")
    parser.add_argument("--users", type=int, default=100)
    parser.add_argument("--rooms", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=300.0, help="at most")
    parser.add_argument("--message-every", type=float, default=5.0, help="seconds between two messages of a user")
    parser.add_argument("--request-every", type=float, default=2.0, help="seconds between two requests of a user")
    parser.add_argument("--stop-file", type=Path, help="end when this file appears")
    parser.add_argument("--json", type=Path, help="the ledger, written every second and at the end")
    options = parser.parse_args(arguments)
    try:
        target = parse_target(options.url)
    except TargetError as error:
        print(error, file=sys.stderr)
        return 2
    sensible = 1 <= options.users <= 1000 and 1 <= options.rooms <= options.users and 0 < options.seconds <= 3600
    if not sensible or options.message_every < 0.1 or options.request_every < 0.1:
        limits = "--users 1 to 1000, --rooms 1 to --users, --seconds up to 3600, --message-every and --request-every at least 0.1"
        print(f"Cannot send users: {limits}.", file=sys.stderr)
        return 2
    plan = Plan(options.users, options.rooms, options.message_every, options.request_every)
    try:
        result = asyncio.run(run(target, plan, options.seconds, stop_file=options.stop_file, json_file=options.json))
    except ConnectionError as error:
        print(f"Cannot chat through {options.url}: {error}. Is the environment up, and both colours healthy?", file=sys.stderr)
        return 2
    print(summary_line(result, result["seconds"]))
    return 1 if any(result[name] for name in ("dropped", "lost", "duplicated", "failed")) else 0


if __name__ == "__main__":
    sys.exit(main())
