"""The chat users against a server that speaks the chat's protocol, and one that drops, forgets and doubles."""

from __future__ import annotations

import asyncio
import contextlib
import http
import json
import subprocess
import sys
import time
from pathlib import Path

import chat_users
import pytest
from chat_ledger import Ledger
from chat_users import Plan, Users
from exchange import parse_target
from websockets.asyncio.server import serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Response

QUICK = Plan(users=6, rooms=2, message_every=0.2, request_every=0.2, timeout=3.0, settle=2.0, ramp=0.1)


class Chat:
    """One process of a chat. `forget` message numbers are stored and never shown, `double` ones shown twice; `fail` answers with 500."""

    def __init__(self, *, forget=(), double=(), fail=False):
        self.rooms: dict[str, list[dict]] = {}
        self._forget, self._double, self._fail = forget, double, fail
        self._readers: dict[str, set] = {}
        self.connections: set = set()

    async def __aenter__(self):
        self._server = await serve(self._session, "127.0.0.1", 0, process_request=self._request)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_unused):
        self._server.close()
        await self._server.wait_closed()

    def _request(self, _connection, request):
        if request.path == "/ws":
            return None
        status = http.HTTPStatus.INTERNAL_SERVER_ERROR if self._fail else http.HTTPStatus.OK
        body = b"{}"
        identity = [("X-App-Version", "1.0.0"), ("X-App-Colour", "blue")]
        headers = Headers([("Content-Length", str(len(body))), ("Connection", "close"), *identity])
        return Response(status.value, status.phrase, headers, body)

    async def _session(self, socket):
        self.connections.add(socket)
        await socket.send(json.dumps({"type": "welcome", "guest": 1, "version": "1.0.0", "colour": "blue", "hostname": "h"}))
        async for text in socket:
            frame = json.loads(text)
            messages = self.rooms.setdefault(frame["room"], [])
            if frame["type"] == "join":
                after = frame.get("after", len(messages))
                missed = messages[after:]
                self._readers.setdefault(frame["room"], set()).add(socket)
                await socket.send(json.dumps({"type": "joined", "room": frame["room"], "after": after}))
                for message in missed:
                    await socket.send(json.dumps(message))
            else:
                await self._store(socket, frame, messages)

    async def _store(self, socket, frame, messages):
        known = [one for one in messages if one["client_id"] == frame["client_id"]]
        if not known:
            message = {**frame, "type": "message", "id": len(messages) + 1, "at": 0}
            messages.append(message)
            known = [message]
            times = 0 if message["id"] in self._forget else 2 if message["id"] in self._double else 1
            for reader in list(self._readers[frame["room"]]) * times:
                with contextlib.suppress(ConnectionClosed):  # that reader is gone
                    await reader.send(json.dumps(message))
        ack = {"type": "ack", "client_id": frame["client_id"], "room": frame["room"], "id": known[0]["id"], "duplicate": False}
        await socket.send(json.dumps(ack))


def chat(server: Chat, meanwhile=None, plan=QUICK, seconds=1.0):
    async def run():
        async with server:
            users = Users(parse_target(server.url), plan, Ledger())
            await users.start()
            if meanwhile is not None:
                await meanwhile(server)
            await asyncio.sleep(seconds)
            return await users.stop()

    return asyncio.run(run())


def counts(result):
    return tuple(result[name] for name in ("users", "dropped", "lost", "duplicated", "failed"))


def test_everybody_chats_and_nothing_goes_wrong():
    result = chat(Chat())
    assert counts(result) == (6, 0, 0, 0, 0)
    assert result["sent"] >= 6 * 4
    assert result["received"] == result["sent"] * 3  # three users in each room
    assert result["answered_by"] == {"1.0.0 blue": result["requests"]}
    assert result["requests"] >= 6 * 4


def test_a_cut_connection_is_a_dropped_session_and_nothing_is_lost():
    async def cut(server):
        await asyncio.sleep(0.3)
        for socket in list(server.connections)[:2]:
            socket.transport.abort()

    result = chat(Chat(), cut)
    assert counts(result) == (6, 2, 0, 0, 0)
    assert {drop["code"] for drop in result["drops"]} == {1006}
    assert {drop["colour"] for drop in result["drops"]} == {"1.0.0 blue"}
    assert result["reconnected"] == 2


def test_a_session_that_the_server_ends_politely_is_dropped_too():
    async def close(server):
        await asyncio.sleep(0.3)
        await next(iter(server.connections)).close(1001, "the server is being replaced")

    result = chat(Chat(), close)
    assert counts(result) == (6, 1, 0, 0, 0)
    assert (result["drops"][0]["code"], result["drops"][0]["reason"]) == (1001, "the server is being replaced")


def test_what_is_never_shown_is_lost_and_what_is_shown_twice_is_duplicated():
    result = chat(Chat(forget={2}, double={3}), plan=Plan(**{**QUICK.__dict__, "settle": 0.3}))
    assert counts(result) == (6, 0, 2, 6, 0)  # one message in each of two rooms; three readers in each


def test_bad_answers_are_failed_requests():
    result = chat(Chat(fail=True))
    assert result["failed"] == result["requests"] > 0
    assert result["users_with_errors"] == 6
    assert result["failed_by"] == {"1.0.0 blue": result["failed"]}


def test_nobody_answers(capsys):
    assert chat_users.main(["http://127.0.0.1:9", "--users", "2", "--rooms", "1", "--seconds", "1"]) == 2
    assert "Cannot chat through http://127.0.0.1:9: 2 of 2 users could not join" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--users", "0"], ["--users", "5", "--rooms", "6"], ["--seconds", "4000"], ["--request-every", "0"]])
def test_limits(arguments, capsys):
    assert chat_users.main(["http://127.0.0.1:1", *arguments]) == 2
    assert "Cannot send users" in capsys.readouterr().err


def test_other_machines_are_refused(capsys):
    assert chat_users.main(["http://192.0.2.1"]) == 2
    assert "it is not a loopback address" in capsys.readouterr().err


def test_a_file_ends_the_command_and_the_ledger_is_written(tmp_path):
    async def run():
        async with Chat() as server:
            ends = ["--seconds", "60", "--stop-file", str(tmp_path / "stop"), "--json", str(tmp_path / "l.json")]
            words = [Path(chat_users.__file__), server.url, "--users", "4", "--rooms", "1", *ends]
            process = await asyncio.create_subprocess_exec(sys.executable, *words, stdout=subprocess.PIPE)
            first = await process.stdout.readline()
            began = time.monotonic()
            (tmp_path / "stop").touch()
            rest = (await process.stdout.read()).decode()
            return first, rest, await process.wait(), time.monotonic() - began

    first, rest, code, seconds = asyncio.run(run())
    assert first == b"users=4 connected\n"
    assert rest.startswith("users=4 dropped=0 lost=0 duplicated=0 failed=0 seconds=")
    assert (code, seconds < 20) == (0, True)
    result = json.loads((tmp_path / "l.json").read_text())
    assert counts(result) == (4, 0, 0, 0, 0)
    assert result["ended_at"] > result["started_at"]
