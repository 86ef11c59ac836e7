# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Directories that hold secrets for a while."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time

import pytest

from ansible_collections.bluegreen.aws.plugins.module_utils._host import release, scratch

from .machine import bundle, make_host

pytestmark = pytest.mark.case("A4")

HOLDER = """
import sys, time
from ansible_collections.bluegreen.aws.plugins.module_utils._host import release, scratch
with scratch.directory("bluegreen-check-") as path:
    open(path + "/.env", "w").write("secret")
    print(path, flush=True)
    time.sleep(60)
"""
INTERRUPTED = HOLDER.replace("with scratch", "with release.interruptible(), scratch")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(scratch.tempfile, "tempdir", str(tmp_path))
    return tmp_path


def hold(folder, code=HOLDER):
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, stderr=subprocess.DEVNULL,
                               env=dict(os.environ, TMPDIR=str(folder), PYTHONPATH=os.pathsep.join(sys.path)))  # fmt: skip
    return process, process.stdout.readline().strip()


def test_it_is_private_and_goes(folder):
    with scratch.directory("bluegreen-login-") as path:
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o700
        scratch.sweep()
        assert os.path.isdir(path)
    assert os.listdir(folder) == []


def test_what_a_killed_process_left_is_swept_and_what_a_living_one_has_is_not(folder):
    process, path = hold(folder)
    (folder / "bluegreen-other-x").mkdir()
    scratch.sweep()
    assert os.path.exists(path + "/.env")
    process.kill()
    process.wait()
    assert os.path.exists(path + "/.env")
    scratch.sweep()
    assert os.listdir(folder) == ["bluegreen-other-x"]


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM, signal.SIGINT])
def test_a_session_that_ends_leaves_nothing(folder, number):
    process, path = hold(folder, INTERRUPTED)
    assert os.path.exists(path)
    process.send_signal(number)
    process.wait(timeout=20)
    assert os.listdir(folder) == []


def test_check_mode_sweeps_and_leaves_nothing_when_its_session_ends(folder, machine):
    (folder / "bluegreen-check-old").mkdir()
    host = make_host(machine, files=bundle())
    seen = []

    def hang_up(*_args, **_options):
        seen.append([name for name in os.listdir(folder) if name.startswith("bluegreen-")])
        os.kill(os.getpid(), signal.SIGHUP)
        time.sleep(5)

    host.docker.configuration = hang_up
    with pytest.raises(release.Interrupted, match="interrupted by SIGHUP"):
        release.perform(host, check=True)
    assert len(seen[0]) == 1 and seen[0] != ["bluegreen-check-old"]
    assert [name for name in os.listdir(folder) if name.startswith("bluegreen-")] == []
