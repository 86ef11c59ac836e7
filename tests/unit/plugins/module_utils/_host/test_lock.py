# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lock, between real processes."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from ansible_collections.bluegreen.aws.plugins.module_utils._compose.errors import Busy
from ansible_collections.bluegreen.aws.plugins.module_utils._host.lock import Lock

from .machine import Clock

HOLD = (
    "import fcntl, os, sys; h = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT); fcntl.flock(h, fcntl.LOCK_EX); "
    "print('held', flush=True); sys.stdin.read()"
)


@pytest.fixture
def path(tmp_path):
    (tmp_path / ".bluegreen").mkdir()
    return str(tmp_path / ".bluegreen" / "lock")


def test_a_second_one_is_told_who_holds_it(path, tmp_path):
    first, second = Lock(path, Clock()), Lock(path, Clock())
    first.acquire("alice", "release of popcon", 0)
    assert second.holder()["actor"] == "alice"
    with pytest.raises(Busy) as caught:
        second.acquire("bob", "rollback of popcon", 0)
    assert str(caught.value) == (
        f"Cannot start rollback of popcon: alice holds the lock of {tmp_path} since 2026-11-21T04:16:40Z (release of popcon, process "
        f"{os.getpid()} on this instance). Wait for it, or break it with 'kill {os.getpid()}'; the next release undoes what was half done."
    )
    first.release()
    assert second.holder() is None
    second.acquire("bob", "rollback of popcon", 0)
    second.release()
    second.release()
    assert not os.path.exists(path + ".json")


def test_a_killed_holder_holds_nothing(path):
    with subprocess.Popen([sys.executable, "-c", HOLD, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout.readline() == b"held\n"
        lock = Lock(path, Clock())
        with pytest.raises(Busy, match="somebody holds the lock"):
            lock.acquire("bob", "release of popcon", 0)
        holder.kill()
        holder.wait()
    lock.acquire("bob", "release of popcon", 0)
    lock.release()


def test_nobody_holds_what_is_not_there(tmp_path):
    assert Lock(str(tmp_path / "none"), Clock()).holder() is None


@pytest.mark.case("B9")
def test_a_holder_that_cannot_say_who_it_is_has_the_lock_all_the_same(path):
    os.mkdir(path + ".json")  # as on a full disk: the note cannot be written
    lock = Lock(path, Clock())
    lock.acquire("alice", "release of popcon", 0)
    with pytest.raises(Busy):
        Lock(path, Clock()).acquire("bob", "release of popcon", 0)
    lock.release()
    again = Lock(path, Clock())
    again.acquire("alice", "release of popcon", 0)
    again.release()
