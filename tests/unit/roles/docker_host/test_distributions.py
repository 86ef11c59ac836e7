# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which packages and which Compose plugin each supported distribution gets, and what the preflight says of the others."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys

import pytest
import yaml

pytestmark = pytest.mark.case("C11")

ROOT = pathlib.Path(__file__).resolve().parents[4]
MIRROR = "https://mirror.example/compose"
SHA256 = "sha256:" + "0" * 64
# Runs the role's preflight on a host for each case, and shows what the tasks behind it would take.
PLAY = """
- hosts: all
  connection: local
  gather_facts: false
  tasks:
    - ansible.builtin.set_fact:
        distribution: "{{ machine.distribution }}"
        distribution_version: "{{ machine.distribution_version }}"
        architecture: "{{ machine.architecture }}"
        cacheable: true
    - ansible.builtin.include_vars: {file: "@/vars/main.yml"}
    - ansible.builtin.include_tasks: "@/tasks/preflight.yml"
    - ansible.builtin.set_fact:
        found: "{{ {'packages': _docker_host_packages[_docker_host_release], 'plugin': _docker_host_plugin} }}"
"""
# Case -> distribution, version, architecture, the role's variables.
HOSTS = {
    "bookworm": ("Debian", "12.12", "x86_64", {}),
    "trixie": ("Debian", "13.2", "x86_64", {}),
    "forky": ("Debian", "14.0", "x86_64", {}),
    "jammy": ("Ubuntu", "22.04", "x86_64", {}),
    "noble": ("Ubuntu", "24.04", "x86_64", {}),
    "al2023": ("Amazon", "2023", "x86_64", {}),
    "al2023-arm": ("Amazon", "2023", "aarch64", {}),
    "mirror": ("Debian", "12.12", "x86_64", {"docker_host_compose_url": MIRROR, "docker_host_compose_checksum": SHA256}),
    "no-checksum": ("Debian", "12.12", "x86_64", {"docker_host_compose_url": MIRROR}),
    "md5": ("Debian", "12.12", "x86_64", {"docker_host_compose_checksum": "md5:00"}),
    "riscv": ("Amazon", "2023", "riscv64", {}),
    "bullseye": ("Debian", "11.9", "x86_64", {}),
    "focal": ("Ubuntu", "20.04", "x86_64", {}),
    "al2": ("Amazon", "2", "x86_64", {}),
    "fedora": ("Fedora", "42", "x86_64", {}),
}


@pytest.fixture(name="outcomes", scope="module")
def fixture_outcomes(tmp_path_factory):
    """Host -> {"found": what the role would install} or {"msg": why it stops}."""
    folder = tmp_path_factory.mktemp("docker_host")
    play, inventory = folder / "play.yml", folder / "hosts.json"
    play.write_text(PLAY.replace("@", str(ROOT / "roles/docker_host")))
    defaults = yaml.safe_load((ROOT / "roles/docker_host/defaults/main.yml").read_text())
    hosts = {
        host: {"machine": {"distribution": name, "distribution_version": version, "architecture": architecture}, **defaults, **given}
        for host, (name, version, architecture, given) in HOSTS.items()
    }
    inventory.write_text(json.dumps({"all": {"hosts": hosts}}))
    words = [sys.executable, "-m", "ansible.cli.playbook", str(play), "-i", str(inventory)]
    environment = {**os.environ, "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json", "ANSIBLE_INVENTORY_ENABLED": "yaml"}
    done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    outcomes = {}
    for task in json.loads(done.stdout[done.stdout.index("{") :])["plays"][0]["tasks"]:
        for host, result in task["hosts"].items():
            if result.get("failed"):
                outcomes[host] = {"msg": result["msg"]}
            elif "found" in result.get("ansible_facts", {}):
                outcomes[host] = {"found": result["ansible_facts"]["found"]}
    return outcomes


@pytest.mark.parametrize(
    ("host", "packages", "plugin"),
    [
        ("bookworm", ["docker.io", "python3-boto3"], True),
        ("trixie", ["docker.io", "docker-cli", "docker-compose", "python3-boto3"], False),
        ("forky", ["docker.io", "docker-cli", "docker-compose", "python3-boto3"], False),
        ("jammy", ["docker.io", "docker-compose-v2", "python3-boto3"], False),
        ("noble", ["docker.io", "docker-compose-v2", "python3-boto3"], False),
        ("al2023", ["docker", "python3-boto3"], True),
    ],
)
def test_each_distribution_has_its_packages_and_a_compose_of_version_2(outcomes, host, packages, plugin):
    found = outcomes[host]["found"]
    assert found["packages"] == packages
    assert bool(found["plugin"]) == plugin


@pytest.mark.parametrize(
    ("host", "architecture", "digest"),
    [
        ("bookworm", "x86_64", "cbafe95cca26f77e9271978ad81387dd888eb36e9fdfad3e6fa3b173fcfe9dae"),
        ("al2023-arm", "aarch64", "fd39a8ad23303fc079449444a294ea4261f27ed55e22c0fb18a8a55cb550f7e1"),
    ],
)
def test_the_plugin_is_the_one_of_the_machines_architecture_with_its_checksum(outcomes, host, architecture, digest):
    release = "https://github.com/docker/compose/releases/download/v2.29.6/docker-compose-linux-"
    assert outcomes[host]["found"]["plugin"] == {"url": release + architecture, "checksum": "sha256:" + digest}


def test_another_address_with_its_checksum_is_taken_as_it_is(outcomes):
    assert outcomes["mirror"]["found"]["plugin"] == {"url": MIRROR, "checksum": SHA256}


UNSUPPORTED = "this distribution is not supported; use Debian 12 or later, Ubuntu 22.04 or later, or Amazon Linux 2023"


@pytest.mark.parametrize(
    ("host", "what", "why"),
    [
        (
            "no-checksum", "Debian 12.12",
            "docker_host_compose_url is set and docker_host_compose_checksum is not; set it to the file's sha256:… or sha512:…",
        ),
        ("md5", "Debian 12.12", "docker_host_compose_checksum is not of the form sha256:… or sha512:…; correct it"),
        (
            "riscv", "Amazon 2023",
            "no Compose plugin is known for the architecture riscv64; set docker_host_compose_url and docker_host_compose_checksum",
        ),
        ("bullseye", "Debian 11.9", UNSUPPORTED),
        ("focal", "Ubuntu 20.04", UNSUPPORTED),
        ("al2", "Amazon 2", UNSUPPORTED),
        ("fedora", "Fedora 42", UNSUPPORTED),
    ],
)  # fmt: skip
def test_what_cannot_work_is_said_before_anything_changes(outcomes, host, what, why):
    assert outcomes[host] == {"msg": f"Docker on {host} ({what}): {why}. Nothing was changed."}
