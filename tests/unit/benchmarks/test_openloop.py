"""The load generator counts what a server of known misbehaviour does to it, and sends nothing anywhere but to loopback."""

from __future__ import annotations

import asyncio
import json
from collections import Counter

import pytest
from exchange import Failure, TargetError, parse_target
from openloop import Ledger, Limits, Load, main, read_ledger


class Server:
    """An HTTP server that answers, except where `misbehave(number of the request)` says how not to."""

    def __init__(self, misbehave=lambda number: None):
        self.requests = 0
        self.messages: list[dict] = []
        self._misbehave = misbehave
        self._server = None

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.target = parse_target(f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}")
        return self

    async def __aexit__(self, *_):
        self._server.close()

    async def _serve(self, reader, writer):
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head.decode().split("\r\n")[1:])}
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                self.requests += 1
                how = self._misbehave(self.requests)
                if how == "drop":
                    return
                if how == "cut":
                    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
                    return
                if how == "silent":
                    await asyncio.sleep(1)
                    return
                if how == "babble":
                    writer.write(b"SSH-2.0-x\r\n\r\n")
                    return
                if isinstance(how, float):
                    await asyncio.sleep(how)
                if body:
                    self.messages.append({"id": len(self.messages) + 1, **json.loads(body)})
                status = how if isinstance(how, int) else 200
                if status == 201:
                    writer.write(b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\n\r\n")
                else:
                    writer.write(f"HTTP/1.1 {status} X\r\nContent-Length: 2\r\nX-App-Version: 7\r\nX-App-Colour: blue\r\n\r\nok".encode())
                if headers["connection"] == "close":
                    return
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


def load(server: Server, *, count: int = 500, rate: float = 1000.0, timeout: float = 5.0, room: str | None = None, in_flight: int = 2000):
    limits = Limits(rate=rate, requests=count, timeout=timeout, in_flight=in_flight)
    return Load([server.target], lambda _: ["/"], limits, room=room)


def outcomes(misbehave, **more):
    async def run():
        async with Server(misbehave) as server:
            tally = await load(server, **more).run()
            return tally, Counter(outcome.failure for outcome in tally.failures)

    return asyncio.run(run())


def test_every_50th_request_dropped_is_counted():
    """The self-test that makes a count of 0 worth something."""
    tally, failures = outcomes(lambda number: "drop" if number % 50 == 0 else None, count=1000)
    assert len(tally.outcomes) == 1000
    assert failures == {Failure.CLOSED_BEFORE_ANSWER: 20}


def test_a_server_that_answers_fails_nothing():
    tally, failures = outcomes(lambda _: None)
    assert (len(tally.outcomes), failures) == (500, {})
    assert {outcome.answered_by for outcome in tally.outcomes} == {"7 blue"}
    assert {outcome.fresh for outcome in tally.outcomes} == {True, False}


@pytest.mark.parametrize(
    "how, failure",
    [("cut", Failure.CUT_SHORT), ("silent", Failure.TIMEOUT), ("babble", Failure.NOT_HTTP), (503, Failure.STATUS), (404, Failure.STATUS)],
)
def test_failures_have_their_names(how, failure):
    _, failures = outcomes(lambda number: how if number % 25 == 0 else None, count=100, timeout=0.3)
    assert failures == {failure: 4}


@pytest.mark.parametrize("status", [200, 201, 301])
def test_these_are_answers(status):
    assert outcomes(lambda _: status, count=20)[1] == {}


def test_nobody_listens():
    async def run():
        async with Server() as server:
            target = server
        return await load(target, count=10).run()

    assert {outcome.failure for outcome in asyncio.run(run()).failures} == {Failure.REFUSED}


def test_a_stall_is_paid_for_by_every_request_that_was_due_in_it():
    """A closed loop would see one slow request here; users see a third of a second of slow ones."""

    class Stalling(Server):
        async def _serve(self, reader, writer):
            if self.requests >= 100:
                until = self.stalled_until = getattr(self, "stalled_until", asyncio.get_running_loop().time() + 0.4)
                await asyncio.sleep(max(0.0, until - asyncio.get_running_loop().time()))
            await super()._serve(reader, writer)

    async def run():
        async with Stalling() as server:
            return await load(server, count=400, rate=500).run()

    tally = asyncio.run(run())
    fresh = [outcome for outcome in tally.outcomes if outcome.fresh]
    slow = [outcome for outcome in fresh if outcome.latency > 0.1]
    assert not tally.failures
    assert len(slow) >= 25  # a quarter of the 500 requests per second are fresh, and the stall lasts 0.4 s


def test_too_many_in_flight_are_failures_not_memory():
    tally, failures = outcomes(lambda _: 0.5, count=100, rate=1000, in_flight=10)
    assert len(tally.outcomes) == 100
    assert failures[Failure.NOT_SENT] >= 80


def test_stop_ends_the_load_and_waits_for_answers():
    async def run():
        async with Server() as server:
            work = load(server, count=1_000_000)
            running = asyncio.create_task(work.run())
            while server.requests < 20:
                await asyncio.sleep(0.01)
            work.stop()
            tally = await asyncio.wait_for(running, 5)
            assert len(tally.outcomes) == server.requests

    asyncio.run(run())


def test_the_ledger_finds_what_was_lost_doubled_and_skipped():
    class Rooms(Server):
        def __init__(self, pages):
            super().__init__()
            self.pages = pages

        async def _serve(self, reader, writer):
            head = await reader.readuntil(b"\r\n\r\n")
            after = int(head.split(b"after=")[1].split(b" ")[0])
            body = json.dumps({"messages": [message for message in self.pages if message["id"] > after][:2]})
            writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())
            writer.close()

    async def run(clients, acknowledged):
        messages = [{"id": number, "client_id": client} for number, client in clients]
        async with Rooms(messages) as server:
            return await read_ledger(server.target, "r", acknowledged)

    good = [(1, "a"), (2, "b"), (3, "c")]
    assert asyncio.run(run(good, {"a", "b", "c"})) == Ledger(3, 0, 0, 0)
    assert asyncio.run(run(good, {"a", "d"})) == Ledger(3, 1, 0, 0)
    assert asyncio.run(run([(1, "a"), (2, "a")], {"a"})) == Ledger(2, 0, 1, 0)
    assert asyncio.run(run([(1, "a"), (3, "b")], {"a"})) == Ledger(2, 0, 0, 1)


def test_posts_that_were_acknowledged_are_remembered():
    async def run():
        async with Server(lambda number: 500 if number % 20 == 0 else None) as server:
            work = load(server, count=100, room="bench")
            await work.run()
            posted = work.posted[server.target.url]
            assert len(posted) == 10
            assert work.acknowledged <= set(posted)
            assert {message["room"] for message in server.messages} == {"bench"}

    asyncio.run(run())


@pytest.mark.parametrize("url", ["http://10.0.0.1:80", "http://example.com", "http://8.8.8.8", "http://127.0.0.1.example.com"])
def test_only_loopback_is_a_target(url, capsys):
    host = url.removeprefix("http://").split(":")[0]
    sentence = f"Refused to send load to {host}: it is not a loopback address, and nothing else is ever a target."
    with pytest.raises(TargetError) as caught:
        parse_target(url)
    assert str(caught.value) == sentence
    assert main([url]) == 2
    assert capsys.readouterr().err == sentence + "\n"


@pytest.mark.parametrize("url", ["ftp://127.0.0.1", "127.0.0.1:80", "http://127.0.0.1/x", "http://127.0.0.1:99999"])
def test_what_is_no_base_url(url):
    with pytest.raises(TargetError, match="Cannot send load to"):
        parse_target(url)


@pytest.mark.parametrize(
    "url, host", [("http://localhost:8080", "127.0.0.1"), ("http://127.3.2.1:1/", "127.3.2.1"), ("http://[::1]:2", "::1")]
)
def test_loopback_addresses(url, host):
    assert parse_target(url).host == host
