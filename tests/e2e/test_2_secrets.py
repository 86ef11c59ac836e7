# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No secret value is seen where it must not be: output at -vvv, process lists, the controller's disk, the repository."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import world
from conftest import GIVEN


@pytest.fixture(scope="module")
def evidence(built):
    """The run that built everything, at -vvv, with one secret given and two generated."""
    return {**built, "secrets": world.secrets()}


def test_the_run_had_secrets_to_leak(evidence):
    assert evidence["result"].code == 0, evidence["result"].output[-4000:]
    assert GIVEN in evidence["secrets"]
    assert len(evidence["secrets"]) == 3
    assert evidence["result"].changed() > 0


def test_output_at_vvv_shows_none(evidence):
    for secret in evidence["secrets"]:
        assert secret not in evidence["result"].output


def test_no_process_was_started_with_one(evidence):
    assert any(b"compose" in line for line in evidence["processes"]), "the watch saw nothing of the deployment"
    for secret in evidence["secrets"]:
        found = [line.replace(b"\0", b" ")[:60] for line in evidence["processes"] if secret.encode() in line]
        assert found == []


def test_the_controllers_disk_has_none(evidence):
    files = [path for path in Path(evidence["home"]).rglob("*") if path.is_file()]
    for secret in evidence["secrets"]:
        assert [str(path) for path in files if secret.encode() in path.read_bytes()] == []


def test_the_repository_has_none(evidence):
    for secret in evidence["secrets"]:
        words = ["git", "grep", "-lF", "--untracked", "-e", secret]
        found = subprocess.run(words, cwd=world.ROOT, text=True, capture_output=True, check=False).stdout.split()
        assert [name for name in found if name != "tests/e2e/conftest.py"] == []


def files_with(secret):
    """Names of the instance's files that hold it and stay.

    For each health check runc writes the container's environment to a file of its own, 0600, for as long as the check takes
    (go-runc, ``Runc.Exec``): what is not there a second time under its name is the engine's, not a place where a secret is kept.
    """
    look = f"grep -rlF -- '{secret}' /opt /etc /root /home /tmp /var/log 2>/dev/null"
    first, second = (set(world.on_instance(look, check=False).split()) for _ in range(2))
    return sorted(first & second)


def test_the_instance_keeps_them_in_one_file_that_only_root_reads(evidence):
    for secret in evidence["secrets"]:
        names = files_with(secret)
        assert names, "the release has no .env"
        assert all(name.endswith("/.env") for name in names), names
        for name in names:
            assert world.on_instance(f"stat -c '%a %U' {name}").split() == ["600", "root"]


def test_containers_descriptions_show_none_of_the_proxys(evidence):
    described = world.on_instance("docker ps -q --filter label=bluegreen.role=proxy | xargs -r docker inspect", check=False)
    for secret in evidence["secrets"]:
        assert secret not in described
