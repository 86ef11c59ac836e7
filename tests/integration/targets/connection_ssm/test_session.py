# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One host through a session of the standalone service, with each fault switched on in turn; through a broker, without Ansible."""

from __future__ import annotations

import hashlib
import json
import os
import threading
import time
import urllib.request
from functools import partial

import pytest
import run

from ansible_collections.bluegreen.aws.plugins.plugin_utils._ssm.api import Account, SessionApi
from ansible_collections.bluegreen.aws.plugins.plugin_utils._ssm.clock import Clock
from ansible_collections.bluegreen.aws.plugins.plugin_utils._ssm.errors import ApiError, DocumentRefused, SsmError, TargetNotReady
from ansible_collections.bluegreen.aws.plugins.plugin_utils._ssm.host import CommandMayHaveRun, CommandTimeout, Host
from ansible_collections.bluegreen.aws.plugins.plugin_utils._ssm.link import Link

SIDE_ABOVE = 262144
QUICK = {"agent": {"first_output_delay": 0.05}}


class World:
    def __init__(self, facts):
        self.facts = facts
        self.log = []

    def admin(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.facts['admin_url']}/{path}", data=data, method=method)
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    def faults(self, **body):
        self.admin("PUT", "faults", QUICK | body)

    def host(self, **options):
        account = {
            "region": self.facts["region"],
            "access_key_id": "test",
            "secret_access_key": "test",
            "endpoint_url": self.facts["endpoint_url"],
        }
        session = {"target": self.facts["instance_id"], "connect_timeout": 20.0} | options
        wish = {"account": account, "session": session}
        new_link = partial(Link, wish, self.log.append, connect_timeout=20.0)
        return Host(session["target"], new_link, Clock(), side_above=SIDE_ABOVE, log=self.log.append)


@pytest.fixture(scope="module")
def service():
    with run.standalone(QUICK) as facts:
        yield World(facts)


@pytest.fixture
def world(service):
    service.faults()
    service.admin("DELETE", "counters")
    service.log.clear()
    yield service
    service.faults()
    assert service.admin("GET", "state")["open_sessions"] == []


@pytest.fixture
def host(world):
    host = world.host()
    yield host
    host.reset()


def sh(host, script, stdin=b"", **options):
    return host.run(["sh", "-c", script], stdin, **options)


def test_one_session_for_many_commands(world, host):
    for number in range(5):
        assert sh(host, f"echo {number}") == (0, b"%d\n" % number, b"")
    assert len(world.admin("GET", "state")["open_sessions"]) == 1
    host.reset()
    assert world.admin("GET", "state")["counters"]["api_StartSession"] == 1
    assert world.admin("GET", "state")["counters"]["api_TerminateSession"] == 1


def test_start_session_carries_no_task_data(world, host):
    sh(host, "echo this-is-task-data")
    state = json.dumps(world.admin("GET", "state"))
    assert "this-is-task-data" not in state


LINKS = {
    "loss": {"loss": 0.1},
    "duplicates": {"duplicate": 0.3},
    "reordering": {"reorder": 0.3},
    "latency": {"latency_ms": 60},
    "jitter": {"latency_ms": 20, "jitter_ms": 60},
    "drops": {"drop_after": 120},
    "everything": {"loss": 0.03, "duplicate": 0.05, "reorder": 0.1, "latency_ms": 15, "jitter_ms": 10},
}


@pytest.mark.parametrize("fault", LINKS.values(), ids=LINKS.keys())
def test_exact_on_a_bad_link(world, host, fault, tmp_path):
    world.faults(to_client=fault, to_agent=fault)
    data = os.urandom(60_000)
    for _round in range(2):
        code, out, err = sh(host, "cat; echo done >&2; exit 7", data)
        assert (code, hashlib.sha256(out).hexdigest(), err) == (7, hashlib.sha256(data).hexdigest(), b"done\n")
    (tmp_path / "source").write_bytes(data)
    assert host.put(str(tmp_path / "source"), str(tmp_path / "there")) is True
    host.get(str(tmp_path / "there"), str(tmp_path / "back"))
    assert (tmp_path / "back").read_bytes() == data
    world.faults()


@pytest.mark.parametrize("how", ["cut", "bye"])
def test_resumes_in_the_middle_of_a_command(world, host, how, tmp_path):
    """`bye` is the service's hourly close with code 1000."""
    host.connect()
    counter = tmp_path / "ran"
    timer = threading.Timer(0.5, world.admin, ("POST", how, {"side": "client"}))
    timer.start()
    code, out, _err = sh(host, f"echo x >>{counter}; sleep 1.5; echo finished")
    timer.join()
    assert (code, out) == (0, b"finished\n")
    assert counter.read_text() == "x\n"
    assert any("is resumed" in line for line in world.log)


def test_drop_while_nothing_runs_is_healed(world, host):
    sh(host, "true")
    world.admin("POST", "cut", {"side": "client"})
    assert sh(host, "echo again") == (0, b"again\n", b"")
    assert world.admin("GET", "state")["counters"]["api_StartSession"] == 1


def test_agent_side_reconnects(world, host):
    host.connect()
    timer = threading.Timer(0.3, world.admin, ("POST", "cut", {"side": "agent"}))
    timer.start()
    assert sh(host, "sleep 1; echo ok") == (0, b"ok\n", b"")
    timer.join()


def test_lost_for_good_says_that_the_command_may_have_run(world, tmp_path):
    host = world.host(reconnect_timeout=2.0)
    host.connect()
    world.faults(refuse_resume=True)
    timer = threading.Timer(0.5, world.admin, ("POST", "cut", {"side": "client"}))
    timer.start()
    with pytest.raises(CommandMayHaveRun, match="the command had been sent and may have run: it is not sent again"):
        sh(host, f"echo x >>{tmp_path}/ran; sleep 2")
    timer.join()
    time.sleep(0.2)
    assert (tmp_path / "ran").read_text() == "x\n"
    world.faults()
    assert sh(host, "echo new session") == (0, b"new session\n", b"")
    assert world.admin("GET", "state")["counters"]["api_StartSession"] == 2
    host.reset()


def test_terminated_by_somebody_else(world, host):
    host.connect()
    session = world.admin("GET", "state")["open_sessions"][0]
    api = SessionApi(Account(region="x", access_key_id="a", secret_access_key="b", endpoint_url=world.facts["endpoint_url"]))
    timer = threading.Timer(0.5, api.terminate, (session,))
    timer.start()
    with pytest.raises(CommandMayHaveRun, match="was closed"):
        sh(host, "sleep 5")
    timer.join()
    assert sh(host, "echo on") == (0, b"on\n", b"")


def test_idle_limit_does_not_end_a_busy_session_and_its_end_is_noticed(world):
    world.faults(duration_seconds=1.5)
    host = world.host()
    with pytest.raises(CommandMayHaveRun, match="was closed"):
        sh(host, "sleep 10")
    host.reset()


def test_falls_back_to_the_default_document(world, host):
    world.faults(deny_documents=["AWS-StartInteractiveCommand"])
    assert sh(host, "cat", b"x" * 10_000) == (0, b"x" * 10_000, b"")
    assert any("lack ssm:StartSession" in line for line in world.log)


def test_no_document_is_allowed(world):
    world.faults(deny_documents=["AWS-StartInteractiveCommand", "SSM-SessionManagerRunShell"])
    with pytest.raises(DocumentRefused, match="document/AWS-StartInteractiveCommand; allow both"):
        world.host().connect()


def test_agent_that_comes_a_little_later(world):
    world.faults(api={"StartSession": {"error": "TargetNotConnected", "count": 2}})
    host = world.host(boot_grace=10.0)
    assert sh(host, "echo up") == (0, b"up\n", b"")
    host.reset()


def test_agent_that_does_not_come(world):
    world.faults(api={"StartSession": {"error": "TargetNotConnected"}})
    before = time.monotonic()
    with pytest.raises(TargetNotReady, match="ssmmessages:\\*"):
        world.host(boot_grace=1.0).connect()
    assert time.monotonic() - before < 5


def test_throttled_start_is_repeated(world, host):
    world.faults(api={"StartSession": {"error": "ThrottlingException", "count": 2}})
    assert sh(host, "echo ok")[1] == b"ok\n"


def test_unknown_instance(world):
    with pytest.raises(TargetNotReady):
        world.host(target="i-0000000000000dead", boot_grace=0.0).connect()


def test_refused_by_the_api(world):
    world.faults(api={"StartSession": {"error": "ExpiredTokenException"}})
    with pytest.raises(ApiError, match="the credentials have expired"):
        world.host().connect()


def test_timeout_kills_the_command_and_the_session_goes_on(world, host, tmp_path):
    before = time.monotonic()
    with pytest.raises(CommandTimeout, match="ran longer than 1 s and was killed"):
        sh(host, f"sleep 4; echo survived >{tmp_path}/survived", timeout=1.0)
    assert time.monotonic() - before < 4
    assert sh(host, "echo next") == (0, b"next\n", b"")
    assert world.admin("GET", "state")["counters"]["api_StartSession"] == 1


def test_long_silent_command_runs_once(world, host, tmp_path):
    host.connect()
    assert sh(host, f"echo x >>{tmp_path}/ran; sleep 3")[0] == 0
    assert (tmp_path / "ran").read_text() == "x\n"


def test_shell_mode(world, tmp_path):
    host = world.host(shell_only=True)
    assert sh(host, "cat; echo e >&2; exit 3", b"stdin") == (3, b"stdin", b"e\n")
    (tmp_path / "file").write_bytes(os.urandom(70_000))
    host.put(str(tmp_path / "file"), str(tmp_path / "there"))
    host.get(str(tmp_path / "there"), str(tmp_path / "back"))
    assert (tmp_path / "back").read_bytes() == (tmp_path / "file").read_bytes()
    with pytest.raises(SsmError, match="Cannot read /no/such"):
        host.get("/no/such", str(tmp_path / "nothing"))
    assert sorted(os.listdir(tmp_path)) == ["back", "file", "there"]
    host.reset()


def test_fetch_leaves_no_half_file(world, host, tmp_path):
    (tmp_path / "old").write_text("old")
    with pytest.raises(SsmError, match="Cannot read /no/such on .*: No such file or directory"):
        host.get("/no/such", str(tmp_path / "old"))
    assert (tmp_path / "old").read_text() == "old"
    assert os.listdir(tmp_path) == ["old"]


def test_nothing_is_left_running_or_on_disk(world, host, tmp_path):
    sh(host, "true")
    (pid,) = {host._link.mux.hello["pid"]}
    host.reset()
    deadline = time.monotonic() + 10
    while os.path.exists(f"/proc/{pid}") and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not os.path.exists(f"/proc/{pid}")


def large(tmp_path, size=2_000_000):
    (tmp_path / "large").write_bytes(os.urandom(size // 2) + b"a" * (size // 2))
    return tmp_path / "large"


def sessions_by_document(world):
    return [session["document"] for session in world.admin("GET", "state")["sessions"]]


def test_a_large_file_comes_through_a_side_session_that_ends_with_it(world, host, tmp_path):
    source = large(tmp_path)
    before = len(sessions_by_document(world))
    host.get(str(source), str(tmp_path / "back"))
    assert (tmp_path / "back").read_bytes() == source.read_bytes()
    assert sessions_by_document(world)[before:] == ["AWS-StartInteractiveCommand", "AWS-StartNonInteractiveCommand"]
    assert len(world.admin("GET", "state")["open_sessions"]) == 1
    assert "large" not in json.dumps(world.admin("GET", "state"))


def test_a_side_session_that_is_refused_is_done_without(world, tmp_path):
    world.faults(deny_documents=["AWS-StartNonInteractiveCommand"])
    host, source = world.host(reason="refused"), large(tmp_path, 600_000)
    for _time in range(2):
        host.get(str(source), str(tmp_path / "back"))
        assert (tmp_path / "back").read_bytes() == source.read_bytes()
    assert any("comes through the session itself" in line for line in world.log)
    host.reset()


def test_a_side_session_that_is_cut_is_done_without(world, tmp_path):
    world.faults(to_client={"latency_ms": 5})
    host, source = world.host(document="AWS-StartInteractiveCommand"), large(tmp_path, 3_000_000)
    host.connect()
    timer = threading.Timer(0.6, world.admin, ("POST", "cut", {"side": "client"}))
    timer.start()
    host.get(str(source), str(tmp_path / "back"))
    timer.join()
    assert (tmp_path / "back").read_bytes() == source.read_bytes()
    host.reset()
