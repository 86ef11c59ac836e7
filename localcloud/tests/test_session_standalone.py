# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sessions against the standalone gateway and agent: every session type, every fault switched on in turn. No container, no cloud."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from session_client import Client

SOURCE = Path(__file__).resolve().parents[1] / "src"
QUICK = {"agent": {"first_output_delay": 0.0}}
RAW = "stty raw -echo; echo READY; "


class World:
    """The running standalone service."""

    def __init__(self, facts: dict[str, Any]) -> None:
        self.target = facts["instance_id"]
        self.ssm = boto3.client(
            "ssm",
            region_name=facts["region"],
            endpoint_url=facts["endpoint_url"],
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(retries={"total_max_attempts": 1}),
        )
        self._admin = facts["admin_url"]

    def admin(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self._admin}/{path}", data=data, method=method)
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    def faults(self, **body: Any) -> None:
        self.admin("PUT", "faults", QUICK | body)

    def start(self, document: str | None = None, **parameters: str) -> dict[str, Any]:
        options = {"DocumentName": document} if document else {}
        answer = self.ssm.start_session(
            Target=self.target, Parameters={name: [value] for name, value in parameters.items()}, Reason="test", **options
        )
        return answer | {"Target": self.target}

    def client(self, answer: dict[str, Any], **options: Any) -> Client:
        resume = lambda: self.ssm.resume_session(SessionId=answer["SessionId"]) | {"Target": self.target}  # noqa: E731
        return Client(answer, resume=resume, **options)

    def terminal(self, command: str, **options: Any) -> Client:
        return self.client(self.start("AWS-StartInteractiveCommand", command=command), **options)

    def command(self, command: str, separate: str = "true", **options: Any) -> Client:
        return self.client(self.start("AWS-StartNonInteractiveCommand", command=command, separateOutputStream=separate), **options)

    def session(self, session_id: str) -> dict[str, Any]:
        return next(item for item in self.admin("GET", "state")["sessions"] if item["id"] == session_id)


@pytest.fixture(scope="module")
def service():
    environment = os.environ | {"PYTHONPATH": str(SOURCE)}
    process = subprocess.Popen(
        [sys.executable, "-m", "localcloud.session.standalone", "--port", "0", "--until-eof"],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    yield World(json.loads(process.stdout.readline()))
    process.stdin.close()
    assert process.wait(20) == 0


@pytest.fixture
def world(service):
    service.faults()
    service.admin("DELETE", "counters")
    yield service
    service.admin("DELETE", "faults")
    for session_id in service.admin("GET", "state")["open_sessions"]:
        service.ssm.terminate_session(SessionId=session_id)


def run(coroutine) -> Any:
    return asyncio.run(coroutine)


def test_interactive_command_runs_in_a_terminal(world):
    async def scenario():
        async with world.terminal("tty; echo size $(stty size); pwd; echo $TERM; read x; echo got:$x") as client:
            await client.send(b'{"cols": 132, "rows": 50}', 3)
            await client.wait_for(b"xterm-256color")
            await client.send(b"hello\n")
            await client.wait_end()
            return client

    client = run(scenario())
    lines = bytes(client.stdout).decode().split("\r\n")
    assert lines[0].startswith("/dev/pts/")
    assert "/usr/bin" in lines
    assert "got:hello" in lines
    assert client.closed_output == ""
    assert client.handshake is None  # no handshake without a key


def test_terminal_size_is_set(world):
    async def scenario():
        async with world.terminal("read x; stty size") as client:
            await client.send(b'{"cols": 132, "rows": 50}', 3)
            await client.send(b"\n")
            await client.wait_end()
            return bytes(client.stdout)

    assert b"50 132\r\n" in run(scenario())


def test_first_output_comes_after_a_second(world):
    world.faults(agent={})

    async def scenario():
        begin = time.monotonic()
        async with world.terminal("echo READY; cat") as client:
            await client.wait_for(b"READY")
            return time.monotonic() - begin

    assert 1.0 <= run(scenario()) < 2.5


def test_default_document_is_an_interactive_shell(world):
    async def scenario():
        async with world.client(world.start()) as client:
            await client.send(b"echo mark-$((6*7)); exit\n")
            await client.wait_end()
            return bytes(client.stdout)

    assert b"mark-42\r\n" in run(scenario())


def test_separate_streams_and_exit_code(world):
    async def scenario():
        async with world.command("sh -c 'echo out; echo err >&2; test -t 0 || echo no tty; cat; exit 7'") as client:
            await client.wait_end()
            return client

    client = run(scenario())
    assert bytes(client.stdout) == b"out\nno tty\n"
    assert bytes(client.stderr) == b"err\n"
    assert client.exit_text == "EXIT_CODE: 7"
    assert {"ActionType": "SessionType"}.items() <= client.handshake["RequestedClientActions"][0].items()


def test_command_is_not_given_to_a_shell(world):
    async def scenario():
        async with world.command("echo $HOME | cat 'a b'") as client:
            await client.wait_end()
            return bytes(client.stdout), client.exit_text

    assert run(scenario()) == (b"$HOME | cat a b\n", "EXIT_CODE: 0")


def test_command_that_does_not_exist(world):
    async def scenario():
        async with world.command("/no/such/program") as client:
            await client.wait_end()
            return bytes(client.stderr), client.exit_text

    stderr, code = run(scenario())
    assert stderr.startswith(b"Error occurred starting the command: ")
    assert code == "EXIT_CODE: 1"


def test_merged_output_comes_after_the_end(world):
    async def scenario():
        async with world.command("sh -c 'echo one; echo two >&2; exit 3'", separate="false") as client:
            await client.wait_end()
            return client

    client = run(scenario())
    assert bytes(client.stdout) == b"one\ntwo\n"
    assert (client.exit_text, bytes(client.stderr)) == ("", b"")


def test_interrupt_character_signals_a_command(world):
    async def scenario():
        async with world.command("sh -c 'trap \"echo caught; exit 5\" INT; echo ready; while :; do sleep 0.05; done'") as client:
            await client.wait_for(b"ready")
            await client.send(b"x\x03")
            await client.wait_end()
            return bytes(client.stdout), client.exit_text

    assert run(scenario()) == (b"ready\ncaught\n", "EXIT_CODE: 5")


def test_input_before_the_handshake_is_acknowledged_and_lost(world):
    listener = socket.create_server(("127.0.0.1", 0))
    received = []

    def serve():
        connection, _ = listener.accept()
        while data := connection.recv(1000):
            received.append(data)
            if data.endswith(b"end"):
                break
        connection.close()

    thread = threading.Thread(target=serve)
    thread.start()

    async def scenario():
        answer = world.start("AWS-StartSSHSession", portNumber=str(listener.getsockname()[1]))
        client = world.client(answer)
        original, client._handshake_answer = client._handshake_answer, None
        release = asyncio.Event()

        async def hold(payload_type, body):
            await release.wait()
            await Client._send_unsealed(client, payload_type, body)

        client._handshake_answer = original
        client._send_unsealed = lambda payload_type, body: _spawn(hold(payload_type, body))
        async with client:
            await client.until(lambda: client.handshake is not None)
            await client.send(b"too early")
            await client.until(lambda: client.unacknowledged == 0)
            release.set()
            await client.complete.wait()
            await client.send(b"in time, the end")
            await client.wait_end()

    run(scenario())
    thread.join(10)
    assert b"".join(received) == b"in time, the end"


async def _spawn(coroutine):
    _spawn.task = asyncio.create_task(coroutine)


def test_port_session_is_binary_clean(world):
    blob = os.urandom(200_000)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        connection, _ = listener.accept()
        got = b""
        while len(got) < len(blob):
            got += connection.recv(65536)
        connection.sendall(got[::-1])
        connection.close()

    threading.Thread(target=serve, daemon=True).start()

    async def scenario():
        async with world.client(world.start("AWS-StartSSHSession", portNumber=str(listener.getsockname()[1]))) as client:
            await client.complete.wait()
            await client.write(blob)
            await client.wait_end()
            return bytes(client.stdout)

    assert run(scenario()) == blob[::-1]


def test_port_nobody_listens_on(world):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

    async def scenario():
        async with world.client(world.start("AWS-StartSSHSession", portNumber=str(port))) as client:
            await client.wait_end()
            return client.closed_output

    assert "refused" in run(scenario()) or "Connect call failed" in run(scenario())


def test_output_is_walked_rune_by_rune(world):
    async def scenario():
        command = r"""sh -c 'printf "caf\351"; sleep 0.3; printf "x:\357\277\275:abcd"; sleep 0.3; printf "end\303"'"""
        async with world.command(command) as client:
            await client.wait_end()
            return bytes(client.stdout)

    # a lone byte passes when more follows; U+FFFD is cut to its first byte; the last byte never comes
    assert run(scenario()) == b"caf\xe9x:\xef:abcdend"


UPLOAD = hashlib.shake_128(b"seed").digest(60_000).hex().encode()

LINKS = {
    "healthy": {},
    "latency": {"to_agent": {"latency_ms": 40, "jitter_ms": 20}, "to_client": {"latency_ms": 40, "jitter_ms": 20}},
    "loss to the agent": {"to_agent": {"loss": 0.05}},
    "loss to the client": {"to_client": {"loss": 0.03}},
    "duplicates": {"to_agent": {"duplicate": 0.3}, "to_client": {"duplicate": 0.3}},
    "reordering": {"to_agent": {"reorder": 0.1}, "to_client": {"reorder": 0.1}},
    "drops of the client": {"to_client": {"drop_after": 60}},
    "drops of the agent": {"to_agent": {"drop_after": 150}},
    "everything": {
        "to_agent": {"latency_ms": 5, "jitter_ms": 10, "loss": 0.02, "duplicate": 0.05, "reorder": 0.05},
        "to_client": {"latency_ms": 5, "jitter_ms": 10, "loss": 0.02, "duplicate": 0.05, "reorder": 0.05, "drop_after": 150},
    },
}


@pytest.mark.parametrize("link", LINKS.values(), ids=LINKS.keys())
def test_terminal_is_exact_both_ways_over_a_bad_link(world, link):
    world.faults(seed=4, **link)

    async def scenario():
        async with world.terminal(f"{RAW} head -c {len(UPLOAD)} | tee /dev/stderr | sha256sum; read done") as client:
            await client.wait_for(b"READY\n")
            await client.write(UPLOAD)
            digest = hashlib.sha256(UPLOAD).hexdigest().encode()
            await client.wait_for(digest, 90)
            received = bytes(client.stdout)
            await client.send(b"\n")
            await client.wait_end()
            return received, client

    received, client = run(scenario())
    assert received[: len(b"READY\n") + len(UPLOAD)] == b"READY\n" + UPLOAD
    facts = world.session(client.session_id)
    faults = json.dumps(link)
    assert (facts["lost"] > 0) == ("loss" in faults)
    assert (facts["duplicated"] > 0) == ("duplicate" in faults)
    assert (facts["reordered"] > 0) == ("reorder" in faults)
    assert (facts["client_connections"] > 1 or facts["agent_connections"] > 1) == ("drop_after" in faults)


def test_tail_is_lost_when_the_client_is_away_at_the_end(world):
    """The agent waits two seconds for acknowledgements, then closes; what was not received is gone."""
    world.faults(to_client={"loss": 0.9}, seed=1)

    async def scenario():
        async with world.terminal("seq 1 20000") as client:
            await client.wait_end(60)
            return bytes(client.stdout)

    assert not run(scenario()).endswith(b"20000\r\n")


def test_bye_and_resume(world):
    async def scenario():
        async with world.terminal(f"{RAW} while read line; do echo line:$line; done") as client:
            await client.wait_for(b"READY")
            for number in range(4):
                await client.send(b"%d\n" % number)
                await client.wait_for(b"line:%d" % number)
                assert world.admin("POST", "bye", {"session": client.session_id})["cut"] == 1
                if number % 2:
                    world.admin("POST", "bye", {"session": client.session_id, "side": "agent"})
                await client.until(lambda number=number: client.reconnections == number + 1)
            return bytes(client.stdout)

    assert b"".join(b"line:%d\n" % number for number in range(4)) in run(scenario())


def test_resume_is_refused(world):
    world.faults(refuse_resume=True)

    async def scenario():
        async with world.terminal("cat") as client:
            world.admin("POST", "cut", {"session": client.session_id})
            await client.wait_end()
            return client.closed_output

    assert run(scenario()) == "session timed out"


def test_resume_of_an_unknown_session(world):
    with pytest.raises(ClientError) as caught:
        world.ssm.resume_session(SessionId="nobody-0123456789abcdef0")
    assert caught.value.response["Error"]["Code"] == "DoesNotExistException"


def test_token_works_once(world):
    answer = world.start("AWS-StartInteractiveCommand", command="cat")

    async def scenario():
        async with Client(answer) as first:
            async with Client(answer) as second:
                await second.wait_end()
            assert not first.ended.is_set()
            await first.send(b"still here\n")
            await first.wait_for(b"still here\r\nstill here")

    run(scenario())


def test_terminate_closes_both_sides_and_hangs_up(world, tmp_path):
    mark = tmp_path / "hangup"

    async def scenario():
        async with world.terminal(f"trap 'echo hup > {mark}; exit' HUP; sleep 60 & echo READY; wait") as client:
            await client.wait_for(b"READY")
            await asyncio.to_thread(world.ssm.terminate_session, SessionId=client.session_id)
            await client.wait_end()
            return client

    client = run(scenario())
    assert client.closed_output == ""
    assert world.ssm.terminate_session(SessionId=client.session_id)["SessionId"] == client.session_id
    deadline = time.monotonic() + 10
    while not mark.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert mark.read_text() == "hup\n"
    assert client.session_id not in world.admin("GET", "state")["open_sessions"]


def test_process_that_does_not_read_blocks_the_channel_and_can_be_terminated(world, tmp_path):
    world.faults(agent={"first_output_delay": 0.0, "ping_seconds": 1.0, "pong_seconds": 1.0})
    mark = tmp_path / "pid"

    async def scenario():
        async with world.terminal(f"stty raw -echo; echo $$ > {mark}; echo READY; exec sleep 1000", window=1000) as client:
            await client.wait_for(b"READY")
            await client.write(bytes(200_000))
            await asyncio.sleep(1)
            assert client.unacknowledged > 100
            await asyncio.to_thread(world.ssm.terminate_session, SessionId=client.session_id)
            await client.wait_end()

    run(scenario())
    process = Path(f"/proc/{mark.read_text().strip()}")
    deadline = time.monotonic() + 30
    while process.exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not process.exists()


def test_terminate_of_anything_succeeds(world):
    assert world.ssm.terminate_session(SessionId="never-was")["SessionId"] == "never-was"


@pytest.mark.parametrize(("limit", "word"), [("idle_seconds", "idle"), ("duration_seconds", "maximum session duration")])
def test_limits_end_a_session_with_a_reason(world, limit, word):
    world.faults(**{limit: 0.5})

    async def scenario():
        async with world.terminal("cat") as client:
            await client.wait_end()
            return client.closed_output

    assert word in run(scenario())


def test_output_keeps_a_session_from_being_idle(world):
    world.faults(idle_seconds=1.0)

    async def scenario():
        async with world.terminal("for i in 1 2 3 4 5 6; do sleep 0.4; echo $i; done") as client:
            await client.wait_end()
            return bytes(client.stdout), client.closed_output

    assert run(scenario()) == (b"1\r\n2\r\n3\r\n4\r\n5\r\n6\r\n", "")


@pytest.mark.parametrize("code", ["TargetNotConnected", "ThrottlingException"])
def test_start_fails_so_many_times(world, code):
    world.faults(api={"StartSession": {"error": code, "count": 2}})
    codes = []
    for _ in range(3):
        try:
            world.start("AWS-StartInteractiveCommand", command="true")
            codes.append("")
        except ClientError as error:
            codes.append(error.response["Error"]["Code"])
    assert codes == [code, code, ""]
    counters = world.admin("GET", "state")["counters"]
    assert counters["api_StartSession"] == 3
    assert counters[f"api_StartSession_{code}"] == 2


def test_document_is_denied(world):
    world.faults(deny_documents=["AWS-StartInteractiveCommand"])
    with pytest.raises(ClientError) as caught:
        world.start("AWS-StartInteractiveCommand", command="true")
    error = caught.value.response["Error"]
    assert error["Code"] == "AccessDeniedException"
    assert "arn:aws:ssm:ap-northeast-2::document/AWS-StartInteractiveCommand" in error["Message"]
    assert world.start()["SessionId"]


def test_unknown_target_document_and_parameters(world):
    def code(**options):
        with pytest.raises(ClientError) as caught:
            world.ssm.start_session(**({"Target": world.target} | options))
        return caught.value.response["Error"]

    assert code(Target="i-00000000000000000") == {"Code": "TargetNotConnected", "Message": "i-00000000000000000 is not connected."}
    assert code(DocumentName="Nothing")["Code"] == "InvalidDocument"
    assert code(DocumentName="AWS-StartInteractiveCommand")["Code"] == "ValidationException"
    assert code(DocumentName="AWS-StartInteractiveCommand", Parameters={"command": ["x"], "other": ["y"]})["Code"] == "ValidationException"


def test_agent_comes_back_after_its_control_channel_broke(world):
    assert world.admin("POST", "cut", {"side": "control"})["cut"] == 1
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        information = world.ssm.describe_instance_information()["InstanceInformationList"][0]
        if information["PingStatus"] == "Online" and world.admin("GET", "state")["counters"].get("control_channels_opened"):
            break
        time.sleep(0.05)
    assert information["PingStatus"] == "Online"

    async def scenario():
        async with world.command("echo back") as client:
            await client.wait_end()
            return bytes(client.stdout)

    assert run(scenario()) == b"back\n"


@pytest.mark.parametrize(
    ("faults", "sentence"),
    [
        ({"to_agent": {"loss": 2}}, "the fault to_agent.loss must be a probability from 0 to 1, not 2"),
        ({"to_agent": {"los": 0}}, "to_agent has no los; known are latency_ms, jitter_ms, loss, duplicate, reorder, drop_after"),
        ({"refuse_resume": "yes"}, "faults.refuse_resume must be true or false"),
    ],
)
def test_bad_faults_are_refused(world, faults, sentence):
    with pytest.raises(urllib.error.HTTPError) as caught:
        world.admin("PUT", "faults", faults)
    assert json.load(caught.value) == {"error": sentence}
