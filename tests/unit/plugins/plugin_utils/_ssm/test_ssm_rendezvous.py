# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a worker looks for its broker: nobody else's folder, no path that is too long, another path for what differs."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

import pytest

from ansible_collections.bluegreen.aws.plugins.plugin_utils._ssm import rendezvous
from ansible_collections.bluegreen.aws.plugins.plugin_utils._ssm.errors import SsmError


@pytest.fixture
def home(monkeypatch):
    """A short path, as a socket's has to be; pytest's own folders are too long."""
    with tempfile.TemporaryDirectory(prefix="r") as name:
        monkeypatch.setenv("XDG_RUNTIME_DIR", f"{name}/run")
        monkeypatch.setenv("HOME", f"{name}/home")
        monkeypatch.setattr(rendezvous.tempfile, "gettempdir", lambda: f"{name}/tmp")
        yield Path(name)


def test_the_folder_is_private(home):
    folder = rendezvous.private_folder()
    assert folder.startswith(str(home / "run"))
    assert stat.S_IMODE(os.stat(folder).st_mode) == 0o700


def test_a_folder_that_others_can_enter_is_not_used(home):
    unsafe = home / "run" / f"bluegreen-ssm-{os.getuid()}"
    unsafe.mkdir(parents=True)
    unsafe.chmod(0o755)
    assert rendezvous.private_folder().startswith(str(home / "home"))


def test_a_link_is_not_used(home):
    (home / "run").mkdir()
    (home / "elsewhere").mkdir(mode=0o700)
    (home / "run" / f"bluegreen-ssm-{os.getuid()}").symlink_to(home / "elsewhere")
    assert rendezvous.private_folder().startswith(str(home / "home"))


def test_a_path_that_a_socket_cannot_have_is_not_used(home, monkeypatch):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(home / ("long" * 30)))
    assert len(rendezvous.socket_path(False)) <= rendezvous.LONGEST_PATH


def test_no_folder_at_all(home, monkeypatch):
    def refuse(path, **_options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(rendezvous.os, "makedirs", refuse)
    with pytest.raises(SsmError, match="Permission denied.*set XDG_RUNTIME_DIR"):
        rendezvous.private_folder()


@pytest.mark.parametrize("name", ["AWS_PROFILE", "AWS_ENDPOINT_URL", "HTTPS_PROXY", "no_proxy"])
def test_other_settings_are_another_broker(home, monkeypatch, name):
    monkeypatch.delenv(name, raising=False)
    before = rendezvous.socket_path(True)
    assert rendezvous.socket_path(True) == before
    monkeypatch.setenv(name, "something")
    assert rendezvous.socket_path(True) != before


def test_another_run_and_another_version_are_another_broker(home, monkeypatch):
    run, shared = rendezvous.socket_path(False), rendezvous.socket_path(True)
    monkeypatch.setattr(rendezvous, "ansible_process", lambda: 1)
    assert rendezvous.socket_path(False) != run
    assert rendezvous.socket_path(True) == shared
    monkeypatch.setattr(rendezvous, "version_stamp", lambda: "newer")
    assert rendezvous.socket_path(True) != shared


def test_nobody_listens(tmp_path):
    assert rendezvous.connect(str(tmp_path / "nothing")) is None


def test_a_broker_that_cannot_start_says_why(home, monkeypatch):
    monkeypatch.setattr(rendezvous, "HERE", str(home))
    with pytest.raises(SsmError, match="could not be started: .*broker.py"):
        rendezvous.connect_or_start(rendezvous.socket_path(False))


def test_early_and_late_meet_the_same_broker(home, monkeypatch):
    spawned = []
    spawn = rendezvous._spawn
    monkeypatch.setattr(rendezvous, "_spawn", lambda *arguments: spawned.append(spawn(*arguments)) or spawned[-1])
    path = rendezvous.socket_path(False)
    for _time in range(3):
        rendezvous.start_early(path)
    rendezvous.connect_or_start(path).close()
    rendezvous.start_early(path)
    assert len(spawned) == 1
    os.unlink(path)  # without its socket a broker ends
    assert os.waitpid(spawned[0].pid, 0)[1] == 0


def test_an_early_start_that_fails_is_said_by_the_late_one(home, monkeypatch):
    monkeypatch.setattr(rendezvous, "HERE", str(home))
    path = rendezvous.socket_path(False)
    rendezvous.start_early(path)
    with pytest.raises(SsmError, match="could not be started"):
        rendezvous.connect_or_start(path)
