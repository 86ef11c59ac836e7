# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where monitoring's parts are, and what its tests share; asserts nothing."""

from __future__ import annotations

import importlib.util
import json
import os
import pathlib
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

import yaml

ROOT = pathlib.Path(__file__).parents[3]
ROLE = ROOT / "roles/monitoring"
RULES = ROLE / "files/rules"
DASHBOARDS = ROLE / "files/dashboards"
BASE = os.environ.get("SAMPLE_BASE", "debian:trixie-slim")
CASES = yaml.safe_load((pathlib.Path(__file__).parent / "rules/cases.yml").read_text())
_PLACE = 'system="shop",environment="test"'
# What the short names in cases.yml stand for.
LABELS = {
    "NODE": f'job="node",instance="i-1",name="web",component="app",{_PLACE}',
    "APP": f'job="application",service="user",instance="i-1",name="web",component="app",{_PLACE}',
    "APP2": f'job="application",service="user",instance="i-2",name="web",component="app",{_PLACE}',
    "OTHER": f'job="application",service="board",instance="i-1",name="web",component="app",{_PLACE}',
    "DISK": 'device="/dev/nvme0n1p1",fstype="ext4",mountpoint="/"',
    "CONTAINER": 'container="shop-backend-1"',
    "OK": 'method="GET",route="/x",code="200"',
    "BAD": 'method="GET",route="/x",code="500"',
    "BLUE": 'version="1",colour="blue"',
    "GREEN": 'version="2",colour="green"',
    "ALB": 'job="cloudwatch",load_balancer="app/shop/1"',
    "GROUP": 'target_group="targetgroup/user/2"',
    "RDS": 'job="cloudwatch",dbinstance_identifier="shop"',
    "REDIS": 'job="cloudwatch",cache_cluster_id="shop-001"',
    "ASG": 'job="cloudwatch",auto_scaling_group_name="shop-user"',
    "PROBE": 'job="probe",instance="https://shop.test"',
}


def limits() -> str:
    """The file that the role writes for its own limits."""
    known = yaml.safe_load((ROLE / "vars/main.yml").read_text())["_monitoring_limits"]
    rules = [{"record": f"limit:{name}", "expr": f"vector({value})"} for name, value in known.items()]
    return yaml.safe_dump({"groups": [{"name": "limits", "rules": rules}]})


def docker(*words: str, check: bool = True, timeout: float = 300) -> str:
    """A docker command's output, both streams. Raises RuntimeError with it when the command fails."""
    done = subprocess.run(["docker", *words], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=timeout, check=False)
    if check and done.returncode:
        raise RuntimeError(f"docker {' '.join(words[:3])} ended with {done.returncode}: {done.stdout.strip()[-1500:]}")
    return done.stdout.strip()


def eventually(what: str, condition, timeout: float = 60.0):
    """The first true value of `condition()`. Raises AssertionError with `what` after `timeout` seconds."""
    give_up = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > give_up:
            raise AssertionError(f"not within {timeout:g} s: {what}")
        time.sleep(0.5)


def get(url: str) -> tuple[int, str]:
    """(status, text); status 0 when nobody answers."""
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except OSError:
        return 0, ""


class Prometheus:
    """A running Prometheus' HTTP API."""

    def __init__(self, url: str):
        self.url = url

    def query(self, expression: str) -> list:
        """The series of an instant query. Raises AssertionError with Prometheus' words when it refuses the expression."""
        status, text = get(f"{self.url}/api/v1/query?{urllib.parse.urlencode({'query': expression})}")
        assert status == 200, f"{expression}: {status} {text[:300]}"
        return json.loads(text)["data"]["result"]

    def targets(self) -> list:
        status, text = get(f"{self.url}/api/v1/targets?state=active")
        return json.loads(text)["data"]["activeTargets"] if status == 200 else []


def monitor_module(name: str):
    """A module of the server image's own programs."""
    folder = str(ROLE / "files/images/server")
    if folder not in sys.path:
        sys.path.insert(0, folder)
    return importlib.import_module(f"monitor.{name}")


PLAYBOOK = """
- hosts: localhost
  gather_facts: false
  tasks:
    - ansible.builtin.include_role:
        name: bluegreen.aws.monitoring
        tasks_from: preflight
    - ansible.builtin.include_role:
        name: bluegreen.aws.monitoring
        tasks_from: files
    - ansible.builtin.copy:
        dest: "{{ destination }}"
        mode: "0600"
        content: "{{ {'files': monitoring_files} | to_json }}"
"""


def rendered(folder: pathlib.Path, variables: dict) -> dict[str, str]:
    """The files that the role makes for these variables: path -> text."""
    given = {
        "bluegreen_system": "shop",
        "bluegreen_environment": "test",
        "bluegreen_region": "ap-northeast-2",
        "bluegreen_tags": {"bluegreen:system": "shop", "bluegreen:environment": "test"},
        "monitoring_image": "monitoring",
        "destination": str(folder / "files.json"),
        "ansible_python_interpreter": sys.executable,
        **variables,
    }
    (folder / "play.yml").write_text(PLAYBOOK)
    (folder / "vars.json").write_text(json.dumps(given))
    words = [
        str(pathlib.Path(sys.prefix, "bin/ansible-playbook")),
        "-i",
        "localhost,",
        "-c",
        "local",
        "-e",
        f"@{folder}/vars.json",
        f"{folder}/play.yml",
    ]
    done = subprocess.run(words, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120, check=False)
    if done.returncode:
        raise RuntimeError(done.stdout[-4000:])
    return json.loads((folder / "files.json").read_text())["files"]
