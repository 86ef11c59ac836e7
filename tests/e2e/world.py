# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the end-to-end tests act with: playbooks as a user runs them, the AWS API, the instance's container, a steady stream of requests."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

import boto3

ROOT = Path(__file__).resolve().parents[2]
REGION = "ap-northeast-2"
PARAMETERS = "/popcon/dev"


@dataclass
class Result:
    """A finished playbook run."""

    code: int
    output: str
    seconds: float

    def recap(self):
        """{host: {"ok": n, "changed": n, …}} from PLAY RECAP."""
        lines = re.findall(r"^(\S+)\s+: (ok=\d+.*)$", self.output, re.MULTILINE)
        return {host: {key: int(value) for key, value in re.findall(r"(\w+)=(\d+)", counts)} for host, counts in lines}

    def changed(self):
        return sum(counts["changed"] for counts in self.recap().values())

    def one_line(self):
        """The output as one line, for sentences that the display has wrapped."""
        return " ".join(self.output.split())


def command(playbook, *arguments):
    return [str(ROOT / ".venv/bin/ansible-playbook"), "-i", "inventories/popcon", f"playbooks/{playbook}.yml", *arguments]


def environment(extra=None, without=()):
    env = {**os.environ, "ANSIBLE_FORCE_COLOR": "0", "ANSIBLE_NOCOLOR": "1", **(extra or {})}
    return {key: value for key, value in env.items() if key not in without}


def run(playbook, *arguments, env=None, without=(), timeout=600):
    began = time.monotonic()
    done = subprocess.run(
        command(playbook, *arguments),
        cwd=ROOT,
        env=environment(env, without),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=timeout,
        check=False,
    )
    return Result(done.returncode, done.stdout, time.monotonic() - began)


def start(playbook, *arguments, env=None):
    """A run in the background, in a process group of its own so that it can be killed whole."""
    return subprocess.Popen(
        command(playbook, *arguments),
        cwd=ROOT,
        env=environment(env),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def kill(process):
    """kill -9 of the controller: Ansible, its workers and everything they started."""
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def deploy(*arguments, **kwargs):
    """Only the release: the instance is prepared already."""
    return run("deploy", "--skip-tags", "docker_host", *arguments, **kwargs)


def client(service):
    return boto3.client(service, region_name=REGION)


def instance():
    """The environment's instance as EC2 describes it, or None."""
    filters = [
        {"Name": "tag:bluegreen:system", "Values": ["popcon"]},
        {"Name": "instance-state-name", "Values": ["pending", "running"]},
    ]
    found = [one for page in client("ec2").describe_instances(Filters=filters)["Reservations"] for one in page["Instances"]]
    return found[0] if found else None


def container():
    """Name of the container that is the instance."""
    words = ["docker", "ps", "--filter", f"name={instance()['InstanceId']}", "--format", "{{.Names}}"]
    return subprocess.run(words, text=True, capture_output=True, check=True).stdout.split()[0]


def on_instance(script, check=True):
    """Output of a shell script that runs as root in the instance, past SSM."""
    words = ["docker", "exec", container(), "sh", "-c", script]
    done = subprocess.run(words, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if check and done.returncode:
        raise AssertionError(f"{script}: {done.stdout}")
    return done.stdout


def release():
    """Name of the live release's folder, which is its id."""
    return on_instance("basename $(readlink /opt/popcon/current)").strip()


def url(port):
    return f"http://{instance()['PublicIpAddress']}:{port}"


def get(address, timeout=10):
    with urllib.request.urlopen(address, timeout=timeout) as answer:
        return answer.status, answer.read()


def info():
    """What the backend says of itself, through the frontend."""
    return json.loads(get(f"{url(3000)}/api/info")[1])


def secrets():
    """The environment's secret values, as only Parameter Store knows them."""
    pages = client("ssm").get_paginator("get_parameters_by_path").paginate(Path=PARAMETERS, WithDecryption=True)
    return [item["Value"] for page in pages for item in page["Parameters"] if item["Type"] == "SecureString"]


@dataclass
class Stream:
    """Requests at a steady rate to both ports while something happens; every failure is kept."""

    rate: float = 20.0
    sent: int = 0
    failures: list = field(default_factory=list)

    def __enter__(self):
        self._targets = [f"{url(3000)}/", f"{url(8080)}/api/info"]
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        return self

    def _run(self):
        while not self._stop.wait(1 / self.rate):
            target = self._targets[self.sent % len(self._targets)]
            self.sent += 1
            try:
                get(target, timeout=15)
            except (OSError, urllib.error.URLError) as exc:
                self.failures.append(f"{target}: {exc}")

    def __exit__(self, *_unused):
        self._stop.set()
        self._thread.join()
