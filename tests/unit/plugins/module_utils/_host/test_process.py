# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs that are started: what they get, and what comes back."""

from __future__ import annotations

import os
import sys

from ansible_collections.bluegreen.aws.plugins.module_utils._host.process import Runner


def test_it_gets_its_input_and_a_clean_environment(monkeypatch):
    monkeypatch.setenv("IMAGE", "a stray variable")
    code = "import os, sys; print(sys.stdin.read(), os.environ.get('IMAGE'), os.environ['LC_ALL'], os.environ['EXTRA']); sys.exit(3)"
    done = Runner()([sys.executable, "-c", code], stdin="secret", env={"EXTRA": "1"})
    assert (done.rc, done.ok, done.stdout) == (3, False, "secret None C.UTF-8 1\n")


def test_both_outputs():
    done = Runner()([sys.executable, "-c", "import sys; print('out'); print('err', file=sys.stderr)"])
    assert done.ok and done.text == "out\n\nerr\n"


def test_a_program_that_is_missing_or_too_slow():
    assert Runner()(["no-such-program"]).rc == 127
    slow = Runner()([sys.executable, "-c", "import sys; sys.stdin.read(); import time; time.sleep(60)"], timeout=0.2)
    assert slow.rc == 124 and "took longer than 0.2 s" in slow.stderr


def test_children_hold_what_the_lock_needs(tmp_path):
    handle = os.open(tmp_path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC)
    run = Runner([handle])
    assert run([sys.executable, "-c", f"import os; os.fstat({handle})"]).ok
    assert not Runner()([sys.executable, "-c", f"import os; os.fstat({handle})"]).ok
    os.close(handle)
