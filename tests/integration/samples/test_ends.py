"""How the sample application's processes end: by SIGTERM without a lost request, by a fault, by a wrong setting."""

from __future__ import annotations

import asyncio
import json
import time

import pytest
from chat import Client, new_room
from exchange import parse_target
from openloop import Limits, Load
from stack import docker, eventually, free_port, get
from tally import failure_lines

ALONE = ("-e", "STORE=memory", "-e", "CACHE=none")


class Process:
    """One container of an image with a published loopback port, without any store but its memory."""

    def __init__(self, image: str, port: int, *words: str):
        self.url = f"http://127.0.0.1:{free_port()}"
        self.container = docker("run", "-d", "-p", f"{self.url.removeprefix('http://')}:{port}", *words, image)

    def __enter__(self) -> Process:
        return self

    def __exit__(self, *_: object) -> None:
        docker("rm", "-f", self.container, check=False)

    def wait_until_ready(self) -> None:
        eventually("the process is ready", lambda: get(f"{self.url}/healthz")[0] == 200)

    def ended(self) -> tuple[int, str]:
        """Its exit code and what it printed, once it has ended by itself."""
        return int(docker("wait", self.container, timeout=60)), docker("logs", self.container)


def load_until_not_ready(process: Process, path: str):
    """Requests at a constant rate, until the process says that it drains; that is when a load balancer sends no more."""

    async def scenario():
        work = Load([parse_target(process.url)], lambda _: [path], Limits(rate=150, seconds=30))
        running = asyncio.create_task(work.run())
        while len(work.tally.outcomes) < 100:
            await asyncio.sleep(0.05)
        await asyncio.to_thread(docker, "kill", "-s", "TERM", process.container)
        while (await asyncio.to_thread(get, f"{process.url}/healthz"))[0] == 200:
            await asyncio.sleep(0.05)
        status, _, body = await asyncio.to_thread(get, f"{process.url}/healthz")
        work.stop()
        return await running, status, body

    return asyncio.run(scenario())


def test_the_backend_ends_without_losing_a_request(images):
    """Requests take 300 ms here, so that many are in flight at the SIGTERM and after it."""
    with Process(f"{images.registry}/popcon:backend", 8080, *ALONE, "-e", "FAULTS=latency_ms=300") as process:
        process.wait_until_ready()
        tally, status, body = load_until_not_ready(process, "/api/messages")
        assert failure_lines(tally) == []
        assert (status, json.loads(body)["checks"]) == (503, {"process": "draining: a SIGTERM was received"})
        code, log = process.ended()
        assert code == 0
        assert [json.loads(line)["message"] for line in log.splitlines()][-1] == "stopped"


def test_the_frontend_ends_without_losing_a_request(images, stack):
    network = f"{stack.project}_app"
    with Process(f"{images.registry}/popcon:frontend", 3000, "--network", network) as process:
        process.wait_until_ready()
        tally, status, _ = load_until_not_ready(process, "/api/info")
        assert failure_lines(tally) == []
        assert status == 503
        assert process.ended()[0] == 0


def test_the_frontend_rides_out_a_backend_that_is_replaced(images, stack):
    """The backend's container goes and another comes, at another address: requests through the frontend wait, none fails."""
    backend = f"{images.registry}/popcon:backend"
    network = f"{stack.project}_app"

    def start() -> str:
        return docker("run", "-d", "--network", network, "--network-alias", "replaced", *ALONE, backend)

    old = start()
    new = None
    try:
        with Process(f"{images.registry}/popcon:frontend", 3000, "--network", network, "-e", "BACKEND_URL=http://replaced:8080") as process:
            process.wait_until_ready()
            eventually("the old backend answers", lambda: get(f"{process.url}/api/info")[0] == 200)

            async def scenario():
                work = Load([parse_target(process.url)], lambda _: ["/api/info"], Limits(rate=60, seconds=60, timeout=15))
                running = asyncio.create_task(work.run())
                while len(work.tally.outcomes) < 60:
                    await asyncio.sleep(0.05)
                await asyncio.to_thread(docker, "stop", old)
                await asyncio.to_thread(docker, "rm", old)
                started = await asyncio.to_thread(start)
                while not any(outcome.at > 1 and outcome.latency < 0.1 for outcome in work.tally.outcomes[-20:]):
                    await asyncio.sleep(0.05)
                work.stop()
                return started, await running

            new, tally = asyncio.run(scenario())
            assert failure_lines(tally) == []
            assert json.loads(get(f"{process.url}/api/info")[2])["hostname"] == new[:12]
    finally:
        docker("rm", "-f", *filter(None, (old, new)), check=False)


def test_websockets_leave_one_by_one_with_1001(images):
    with Process(f"{images.registry}/popcon:backend", 8080, *ALONE, "-e", "WEBSOCKET_SPREAD_S=2") as process:
        process.wait_until_ready()

        async def scenario():
            clients = [await Client(process.url).__aenter__() for _ in range(8)]
            room = new_room()
            await asyncio.gather(*(client.join(room) for client in clients))
            await asyncio.to_thread(docker, "kill", "-s", "TERM", process.container)
            ack = await clients[-1].say(room, "the last words are taken while draining")
            await asyncio.gather(*(client.until(lambda client=client: client.closed is not None) for client in clients))
            assert ack["id"] == 1
            assert {client.closed for client in clients} == {1001}
            times = sorted(client.closed_at for client in clients)
            assert 1.0 < times[-1] - times[0] < 5.0
            for client in clients:
                await client.__aexit__()

        asyncio.run(scenario())
        assert process.ended()[0] == 0


@pytest.mark.thorough
def test_old_websockets_are_sent_away_each_at_its_own_time(images):
    with Process(f"{images.registry}/popcon:backend", 8080, *ALONE, "-e", "WEBSOCKET_MAX_AGE_S=16") as process:
        process.wait_until_ready()

        async def scenario():
            began = time.monotonic()
            clients = [await Client(process.url).__aenter__() for _ in range(12)]
            await asyncio.gather(*(client.until(lambda client=client: client.closed is not None, 30) for client in clients))
            assert {client.closed for client in clients} == {1001}
            times = sorted(client.closed_at - began for client in clients)
            assert times[0] > 7.9
            assert times[-1] < 20
            assert times[-1] - times[0] > 1, "they leave at different times"
            for client in clients:
                await client.__aexit__()

        asyncio.run(scenario())
        eventually("the log says that all have left", lambda: open_websockets(process)[-1:] == [0], 15)
        assert max(open_websockets(process)) > 0, "and that they were there"


def open_websockets(process):
    """The counts in the lines `connections` of the log."""
    lines = [json.loads(line) for line in docker("logs", process.container).splitlines() if line.startswith("{")]
    return [line["websockets"] for line in lines if line["message"] == "connections"]


def test_a_client_resumes_elsewhere_without_loss_or_repetition(images, stack):
    """A worker of the same application ends under a chat; its clients come back to another worker with their last id."""
    worker = stack.compose("run", "-d", "--no-deps", "backend").splitlines()[-1]
    try:
        address = docker("inspect", "-f", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", worker)
        eventually("the worker is ready", lambda: get(f"http://{address}:8080/healthz")[0] == 200)

        async def scenario():
            room = new_room()
            acknowledged: list[int] = []
            seen: list[int] = []
            async with Client(stack.backend) as writer:

                async def write():
                    for number in range(150):
                        acknowledged.append((await writer.say(room, f"message {number}"))["id"])
                        await asyncio.sleep(0.02)

                writing = asyncio.create_task(write())
                async with Client(f"http://{address}:8080") as reader:
                    await reader.join(room, after=0)
                    await reader.until(lambda: len(reader.ids) > 5)
                    await asyncio.to_thread(docker, "kill", "-s", "TERM", worker)
                    await reader.until(lambda: reader.closed is not None)
                    assert reader.closed == 1001
                    seen += reader.ids
                async with Client(stack.backend) as reader:
                    await reader.join(room, after=seen[-1])
                    await writing
                    await reader.until(lambda: len(seen) + len(reader.ids) >= 150)
                    seen += reader.ids
            assert acknowledged == seen == list(range(1, 151))

        asyncio.run(scenario())
    finally:
        docker("rm", "-f", worker)


def test_never_healthy_serves_and_is_never_ready(images):
    bad = images.build("backend", tag="bad", APP_VERSION="9.9.9", FAULTS="never_healthy")
    with Process(bad, 8080, *ALONE) as process:
        eventually("the process lives", lambda: get(f"{process.url}/livez")[0] == 200)
        status, _, body = get(f"{process.url}/healthz")
        assert (status, json.loads(body)["checks"]) == (503, {"process": "never healthy: FAULTS asks for it"})
        assert json.loads(get(f"{process.url}/api/info")[2])["version"] == "9.9.9"


def test_error_rate_and_latency(images):
    with Process(f"{images.registry}/popcon:backend", 8080, *ALONE, "-e", "FAULTS=error_rate=0.5,latency_ms=50") as process:
        process.wait_until_ready()
        codes = []
        for _ in range(60):
            started = time.monotonic()
            codes.append(get(f"{process.url}/api/info")[0])
            assert time.monotonic() - started >= 0.05
        assert set(codes) == {200, 500}
        assert 10 <= codes.count(500) <= 50
        assert get(f"{process.url}/healthz")[0] == 200


def test_crash_after_a_while(images):
    with Process(f"{images.registry}/popcon:backend", 8080, *ALONE, "-e", "FAULTS=crash_after_s=1") as process:
        assert process.ended()[0] == 70


@pytest.mark.parametrize(
    "service, words, sentence",
    [
        ("backend", (), "Cannot start: DB_HOST is not set, and STORE=mysql needs it; set DB_HOST in the environment."),
        ("backend", ("-e", "FAULTS=x"), "Cannot start: FAULTS names 'x', which is unknown; known are "),
        ("frontend", ("-e", "BACKEND_URL=x"), "Cannot start: BACKEND_URL is 'x'; it must look like http://backend:8080."),
        ("mysql", (), "Cannot start MariaDB: the data directory is empty and MYSQL_ROOT_PASSWORD is not set; set it."),
        (
            "mysql",
            ("-e", "MYSQL_ROOT_PASSWORD=a", "-e", "MYSQL_USER=root"),
            "Cannot start MariaDB: MYSQL_USER is root, which exists already; choose another name.",
        ),
    ],
)
def test_a_wrong_setting_ends_with_code_2_and_one_sentence(images, service, words, sentence):
    container = docker("create", *words, f"{images.registry}/popcon:{service}")
    try:
        docker("start", container)
        code = docker("wait", container)
        said = [line for line in docker("logs", container).splitlines() if not line.startswith("Preparing")]
        assert code == "2"
        assert len(said) == 1
        assert said[0].startswith(sentence)
    finally:
        docker("rm", "-f", "-v", container)


def test_a_database_killed_in_its_first_start_starts_again(images):
    words = ("-e", "MYSQL_ROOT_PASSWORD=r", "-e", "MYSQL_USER=u", "-e", "MYSQL_PASSWORD=p", "-e", "MYSQL_DATABASE=d")
    container = docker("run", "-d", *words, f"{images.registry}/popcon:mysql")
    try:
        eventually("the first start is under way", lambda: "Preparing" in docker("logs", container))
        time.sleep(0.3)  # somewhere in the middle of it
        docker("kill", "-s", "KILL", container)
        docker("start", container)
        answer = ("exec", "-e", "MYSQL_PWD=p", container, "mysql", "-h", "127.0.0.1", "-u", "u", "-N", "-e", "SELECT 40 + 2", "d")
        eventually("the database answers", lambda: docker(*answer, check=False) == "42")
        assert docker("logs", container).count("Preparing") == 2
    finally:
        docker("rm", "-f", "-v", container)
