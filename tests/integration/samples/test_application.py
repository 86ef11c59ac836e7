"""The whole sample application on a real Docker Engine: chat, health, stores that go away and come back, metrics, secrets."""

from __future__ import annotations

import asyncio
import contextlib
import json
import urllib.parse

import yaml
from chat import Client, new_room
from stack import COMPOSE_FILE, PASSWORD, ROOT_PASSWORD, SERVICES, docker, eventually, get


@contextlib.contextmanager
def stopped(stack, service: str):
    """A service is stopped in between, and starts again whatever the test finds."""
    stack.compose("stop", service)
    try:
        yield
    finally:
        stack.compose("start", service)


def test_everything_gets_healthy(stack):
    states = {service: docker("inspect", "-f", "{{.State.Health.Status}}", stack.container(service)) for service in SERVICES}
    assert states == dict.fromkeys(SERVICES, "healthy")
    print(f"all healthy after {stack.start_seconds:.1f} s")
    status, _, body = get(f"{stack.backend}/healthz")
    assert status == 200
    assert json.loads(body)["checks"] == {"store": "ok", "cache": "ok"}


def test_the_example_lists_exactly_what_the_compose_file_reads(stack):
    example = COMPOSE_FILE.with_name(".env.example").read_text()
    listed = {line.partition("=")[0] for line in example.splitlines() if line and not line.startswith("#")}
    assert all(line.endswith("=") for line in example.splitlines() if line and not line.startswith("#"))
    read = set(stack.compose("config", "--variables").replace("NAME", "", 1).split()) & {
        word for word in COMPOSE_FILE.read_text().replace("}", "{").split("{") if word.isupper()
    }
    assert listed == read
    assert yaml.safe_load(COMPOSE_FILE.read_text())["services"].keys() == set(SERVICES)


def test_who_answers_is_in_every_answer(stack):
    status, headers, body = get(f"{stack.frontend}/api/info")
    info = json.loads(body)
    assert status == 200
    assert (info["version"], info["colour"], info["profile"]) == ("1.2.3", "blue", "test")
    assert info["hostname"] == stack.container("backend")[:12]
    assert (headers["X-App-Version"], headers["X-App-Colour"], headers["X-Frontend-Version"]) == ("1.2.3", "blue", "1.2.3")


def test_the_page_needs_nothing_from_elsewhere(stack):
    status, headers, body = get(stack.frontend)
    assert status == 200
    assert "default-src 'self'" in headers["Content-Security-Policy"]
    page = body.decode()
    assert "http://" not in page and "https://" not in page
    for path in ("/static/chat.js", "/static/chat.css", "/static/icon.svg"):
        assert path in page
        assert get(stack.frontend + path)[0] == 200


def test_messages_over_rest(stack):
    room = new_room()
    url = f"{stack.frontend}/api/messages"
    message = {"room": room, "author": "지민", "text": "안녕 🎈 'quoted' \\ \"text\"", "client_id": "c1"}
    status, _, body = get(url, body=message)
    stored = json.loads(body)
    assert (status, stored["id"], stored["text"]) == (201, 1, message["text"])
    status, _, again = get(url, body=message)
    assert (status, json.loads(again)) == (200, stored)
    assert get(url, body={**message, "client_id": "c2"})[0] == 201
    query = urllib.parse.urlencode({"room": room, "after": 1})
    assert [entry["id"] for entry in json.loads(get(f"{url}?{query}")[2])["messages"]] == [2]


def test_bad_requests_are_refused_in_words(stack):
    url = f"{stack.frontend}/api/messages"
    status, _, body = get(url, body={"author": "a"})
    assert (status, json.loads(body)) == (400, {"error": "text must be 1 to 2000 characters"})
    status, _, body = get(f"{url}?room=NO")
    assert (status, json.loads(body)) == (400, {"error": "room must be 1 to 32 small letters, digits or -"})
    assert get(f"{stack.frontend}/api/nothing")[0] == 404
    assert get(f"{stack.backend}/api/info", body={})[0] == 405


def test_chat_through_the_frontend(stack):
    async def scenario():
        room = new_room()
        async with Client(stack.frontend) as ada, Client(stack.frontend) as grace:
            assert ada.of("welcome")[0]["guest"] != grace.of("welcome")[0]["guest"]
            await asyncio.gather(ada.join(room), grace.join(room))
            for number in range(20):
                speaker = (ada, grace)[number % 2]
                ack = await speaker.say(room, f"message {number}", f"c{number}")
                assert (ack["id"], ack["duplicate"]) == (number + 1, False)
            again = await ada.say(room, "message 3", "c3")
            assert (again["id"], again["duplicate"]) == (4, True)
            await asyncio.gather(*(client.until(lambda client=client: len(client.ids) >= 20) for client in (ada, grace)))
            assert ada.ids == grace.ids == list(range(1, 21))
            await ada.frame(type="shout")
            await ada.until(lambda: ada.of("error"))
            assert ada.of("error")[0]["reason"] == "type is 'shout'; it must be join, send or ping"
        async with Client(stack.frontend) as back:
            await back.join(room, after=15)
            await back.until(lambda: len(back.ids) >= 5)
            assert back.ids == [16, 17, 18, 19, 20]

    asyncio.run(scenario())


def test_two_processes_are_one_chat(stack):
    """Redis tells the other process at once; the sweep alone would take up to two seconds."""
    second = stack.compose("run", "-d", "--no-deps", "backend").splitlines()[-1]
    try:
        address = docker("inspect", "-f", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", second)
        other = f"http://{address}:8080"
        eventually("the second process is ready", lambda: get(f"{other}/healthz")[0] == 200)

        async def scenario():
            room = new_room()
            async with Client(stack.backend) as here, Client(other) as there:
                await asyncio.gather(here.join(room), there.join(room))
                await here.say(room, "first")
                await there.until(lambda: there.ids == [1])
                loop = asyncio.get_running_loop()
                delays = []
                for number in range(2, 12):
                    started = loop.time()
                    await here.say(room, f"message {number}")
                    await there.until(lambda number=number: there.ids[-1] == number)
                    delays.append(loop.time() - started)
                assert sorted(delays)[5] < 0.5
                await asyncio.gather(*(client.say(room, f"at once {n}") for n in range(10) for client in (here, there)))
                await asyncio.gather(*(client.until(lambda client=client: len(client.ids) >= 31) for client in (here, there)))
                assert here.ids == there.ids == list(range(1, 32))

        asyncio.run(scenario())
    finally:
        docker("rm", "-f", second)


def test_the_database_restarts_and_keeps_its_data(stack):
    room = new_room()
    url = f"{stack.backend}/api/messages"
    assert get(url, body={"room": room, "author": "a", "text": "before", "client_id": "c1"})[0] == 201
    backend = stack.container("backend")
    started = docker("inspect", "-f", "{{.State.StartedAt}}", backend)
    with stopped(stack, "mysql"):
        assert docker("inspect", "-f", "{{.State.ExitCode}}", stack.container("mysql")) == "0"
        status, _, body = get(f"{stack.backend}/healthz")
        assert (status, json.loads(body)["checks"]["cache"]) == (503, "ok")
        assert json.loads(body)["checks"]["store"] != "ok"
        status, headers, body = get(url, body={"room": room, "author": "a", "text": "meanwhile"}, timeout=20)
        assert (status, json.loads(body), headers["Retry-After"]) == (503, {"error": "the store does not answer"}, "1")
    eventually("the backend is ready again", lambda: get(f"{stack.backend}/healthz")[0] == 200)
    assert [entry["text"] for entry in json.loads(get(f"{url}?room={room}")[2])["messages"]] == ["before"]
    assert get(url, body={"room": room, "author": "a", "text": "after"})[0] == 201
    assert docker("inspect", "-f", "{{.State.StartedAt}}", backend) == started


def test_the_cache_restarts_and_nobody_misses_a_message(stack):
    async def scenario():
        room = new_room()
        async with Client(stack.frontend) as ada, Client(stack.frontend) as grace:
            await asyncio.gather(ada.join(room), grace.join(room))
            await ada.say(room, "one")
            with stopped(stack, "redis"):
                status, _, body = await asyncio.to_thread(get, f"{stack.backend}/healthz")
                assert (status, json.loads(body)["checks"]["store"]) == (503, "ok")
                assert json.loads(body)["checks"]["cache"] != "ok"
                await ada.say(room, "two")
            await ada.say(room, "three")
            await grace.until(lambda: len(grace.ids) >= 3)
            assert grace.ids == [1, 2, 3]

    asyncio.run(scenario())
    eventually("the backend is ready again", lambda: get(f"{stack.backend}/healthz")[0] == 200)


def test_metrics(stack):
    def series() -> dict[str, float]:
        lines = get(f"{stack.backend}/metrics")[2].decode().splitlines()
        return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if not line.startswith("#"))}

    name = 'http_requests_total{code="404",method="any",route="none"}'
    before = series().get(name, 0)
    assert get(f"{stack.backend}/no-such-path")[0] == 404
    assert series()[name] == before + 1
    found = series()
    assert found['build_info{colour="blue",version="1.2.3"}'] == 1
    assert found['http_request_duration_seconds_bucket{code="200",le="+Inf",method="GET",route="/healthz"}'] > 0
    assert found["service_ready"] == 1
    assert found["http_requests_in_flight"] == 1  # this one

    async def connected() -> float:
        async with Client(stack.backend):
            return series()["websocket_connections"]

    assert asyncio.run(connected()) == found["websocket_connections"] + 1
    eventually("the connection is no longer counted", lambda: series()["websocket_connections"] == found["websocket_connections"])


def test_logs_are_one_json_object_per_line(stack):
    get(f"{stack.backend}/api/info")
    for service in ("backend", "frontend"):
        lines = [json.loads(line) for line in docker("logs", stack.container(service)).splitlines()]
        assert {line["service"] for line in lines} == {service}
        request = next(line for line in lines if line["message"] == "request")
        assert {"time", "level", "method", "path", "code", "ms"} <= request.keys()
        assert not [line for line in lines if line.get("path") == "/healthz" and line["code"] < 500]


def test_no_secret_in_logs_or_arguments(stack):
    for service in SERVICES:
        container = stack.container(service)
        told = docker("logs", container) + docker("top", container, "-eo", "pid,args")
        told += docker("inspect", "-f", "{{json .Path}} {{json .Args}} {{json .Config.Healthcheck}}", container)
        for secret in (PASSWORD, ROOT_PASSWORD):
            assert secret not in told
