# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The broker's life: one session per host and run, and none left however the run ends. Real ansible commands, the standalone service."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
import run

ROOT = Path(__file__).resolve().parents[4]
SECRET = "key-7719-secret"


class World:
    def __init__(self, facts, folder):
        self.facts, self.folder = facts, folder
        self.environment = os.environ | {
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "ANSIBLE_FORCE_COLOR": "0",
            "AWS_ENDPOINT_URL": facts["endpoint_url"],
            "AWS_REGION": facts["region"],
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "XDG_RUNTIME_DIR": str(folder),
        }
        values = {
            "ansible_host": facts["instance_id"],
            "ansible_connection": "bluegreen.aws.ssm",
            "ansible_python_interpreter": sys.executable,
        }
        self.inventory = folder / "inventory.json"
        self.inventory.write_text(json.dumps({"all": {"hosts": {f"host{n}": values for n in range(4)}}}))

    def state(self):
        with urllib.request.urlopen(f"{self.facts['admin_url']}/state") as answer:
            return json.load(answer)

    def started(self):
        return self.state()["counters"].get("api_StartSession", 0)

    def eventually(self, condition, seconds=20.0):
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"not within {seconds} s; state: {self.state()}"
            time.sleep(0.05)

    def sockets(self):
        return [path for path in self.folder.glob("bluegreen-ssm-*/*") if stat.S_ISSOCK(path.stat().st_mode)]

    def brokers(self):
        """Process ids of the brokers whose socket is in this world's folder."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    words = (entry / "cmdline").read_bytes().split(b"\0")
                except OSError:
                    continue
                if len(words) > 2 and words[1].endswith(b"_ssm/broker.py") and words[2].startswith(os.fsencode(self.folder)):
                    found.append(int(entry.name))
        return found

    def command(self, *words):
        return [str(ROOT / ".venv/bin/ansible"), "-i", str(self.inventory), *words]

    def ansible(self, *words):
        done = subprocess.run(
            self.command(*words), cwd=ROOT, env=self.environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
        )
        return done.returncode, done.stdout

    def play(self, hosts, tasks, *words):
        playbook = self.folder / "play.yml"
        playbook.write_text(json.dumps([{"hosts": hosts, "gather_facts": False, "tasks": tasks}]))
        command = [str(ROOT / ".venv/bin/ansible-playbook"), "-i", str(self.inventory), str(playbook), *words]
        done = subprocess.run(command, cwd=ROOT, env=self.environment, text=True, capture_output=True, check=False)
        assert done.returncode == 0, done.stdout

    def start(self, *words):
        return subprocess.Popen(
            self.command(*words),
            cwd=ROOT,
            env=self.environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


@pytest.fixture
def world(tmp_path):
    with run.standalone({"agent": {"first_output_delay": 0.05}}) as facts:
        one = World(facts, tmp_path)
        yield one
        one.eventually(lambda: one.state()["open_sessions"] == [])
        one.eventually(lambda: one.sockets() == [])


def test_one_session_for_a_run_of_many_tasks_and_workers(world):
    tasks = [{"ansible.builtin.command": f"echo {{{{ inventory_hostname }}}}-{number}", "loop": [1, 2]} for number in range(3)]
    world.play("all", tasks, "-f", "4")
    world.eventually(lambda: world.state()["open_sessions"] == [])
    counters = world.state()["counters"]
    assert (counters["api_StartSession"], counters["api_TerminateSession"]) == (1, 1)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_no_session_is_left_when_the_run_is_ended(world, number):
    mark = world.folder / "started"
    victim = world.start("host0", "-m", "ansible.builtin.shell", "-a", f"touch {mark}; sleep 60")
    world.eventually(mark.exists)
    os.killpg(victim.pid, number)
    victim.communicate(timeout=30)
    world.eventually(lambda: world.state()["open_sessions"] == [], 10.0)
    world.eventually(lambda: world.sockets() == [], 10.0)
    assert world.started() == 1


def test_the_commands_of_a_killed_run_are_hung_up(world):
    mark = world.folder / "pid"
    victim = world.start("host0", "-m", "ansible.builtin.shell", "-a", f"echo $$ >{mark}; exec sleep 60")
    world.eventually(lambda: mark.exists() and mark.read_text().strip())
    os.killpg(victim.pid, signal.SIGKILL)
    victim.communicate()
    world.eventually(lambda: not Path(f"/proc/{mark.read_text().strip()}").exists())


def test_persist_keeps_the_session_for_the_next_run(world):
    for _run in range(2):
        code, output = world.ansible("host0", "-m", "ansible.builtin.command", "-a", "true", "-e", "ansible_ssm_persist=60")
        assert code == 0, output
    assert world.started() == 1
    assert len(world.state()["open_sessions"]) == 1
    (broker,) = world.brokers()
    os.kill(broker, signal.SIGTERM)


def test_persist_ends_after_its_time(world):
    world.ansible("host0", "-m", "ansible.builtin.command", "-a", "true", "-e", "ansible_ssm_persist=2")
    assert len(world.state()["open_sessions"]) == 1
    world.eventually(lambda: world.state()["open_sessions"] == [], 10.0)


def test_other_credentials_get_another_broker_and_session(world):
    words = ("host0", "-m", "ansible.builtin.command", "-a", "true", "-e", "ansible_ssm_persist=60")
    world.ansible(*words)
    world.environment["AWS_ACCESS_KEY_ID"] = "other"
    world.ansible(*words)
    assert world.started() == 2
    brokers = world.brokers()
    assert len(brokers) == 2
    for broker in brokers:
        os.kill(broker, signal.SIGTERM)


def test_a_killed_broker_is_a_command_that_may_have_run_and_is_not_repeated(world):
    mark = world.folder / "ran"
    victim = world.start("host0", "-m", "ansible.builtin.shell", "-a", f"echo x >>{mark}; sleep 5")
    world.eventually(mark.exists)
    (broker,) = world.brokers()
    (session,) = world.state()["open_sessions"]
    os.kill(broker, signal.SIGKILL)
    output = victim.communicate(timeout=30)[0]
    assert "UNREACHABLE" in output
    assert "the command had been sent and may have run: it is not sent again" in " ".join(output.split())
    assert mark.read_text() == "x\n"
    assert world.started() == 1
    for path in world.sockets():
        path.unlink()  # a killed broker cannot; the next run of the same process id and start would
    urllib.request.urlopen(
        urllib.request.Request(
            world.facts["endpoint_url"],
            data=json.dumps({"SessionId": session}).encode(),
            headers={"X-Amz-Target": "AmazonSSM.TerminateSession", "Content-Type": "application/x-amz-json-1.1"},
        )
    ).close()


def test_reset_connection_ends_the_session_and_the_next_task_starts_another(world):
    command = {"ansible.builtin.command": "true"}
    world.play("host0", [command, {"meta": "reset_connection"}, command])
    assert world.started() == 2


def test_nobody_else_gets_at_the_socket_and_no_secret_is_shown(world):
    mark = world.folder / "started"
    victim = world.start("host0", "-m", "ansible.builtin.shell", "-a", f"touch {mark}; sleep 3")
    world.eventually(mark.exists)
    (socket,) = world.sockets()
    assert stat.S_IMODE(socket.stat().st_mode) & 0o077 == 0
    assert stat.S_IMODE(socket.parent.stat().st_mode) == 0o700
    (broker,) = world.brokers()
    for name in ("cmdline", "environ"):
        assert SECRET.encode() not in Path(f"/proc/{broker}/{name}").read_bytes()
    assert [path for path in socket.parent.iterdir() if not path.is_socket() and path.stat().st_size] == []
    victim.communicate(timeout=30)


def test_a_socket_of_another_user_is_refused(world, tmp_path, monkeypatch):
    import socket as sockets

    from ansible_collections.bluegreen.aws.plugins.plugin_utils._ssm import errors, rendezvous

    listener = sockets.socket(sockets.AF_UNIX)
    listener.bind(str(tmp_path / "socket"))
    listener.listen()
    monkeypatch.setattr(rendezvous, "peer_uid", lambda connection: os.getuid() + 1)
    with pytest.raises(errors.SsmError, match="belongs to another user; remove it"):
        rendezvous.connect(str(tmp_path / "socket"))
    listener.close()
    (tmp_path / "socket").unlink()
