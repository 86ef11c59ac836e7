# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starts and feeds the watchdog; see watchdog.py."""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
READY_S = 20.0


class GuardError(RuntimeError):
    """The watchdog could not be started, so that nothing may be shifted."""


class Guard:
    """One watchdog. It acts when this process ends, however, without ``done``: the kernel closes the pipe."""

    def __init__(self, settings: dict):
        self._process = subprocess.Popen(
            [sys.executable, os.path.join(HERE, "watchdog.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # a Ctrl-C in the terminal is for the rollout, not for its watchdog
            env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8"},
            cwd="/",
        )
        # The environment goes through the pipe, so that no process list shows credentials.
        self._tell({"environment": dict(os.environ), **settings})
        ready, _write, _error = select.select([self._process.stdout], [], [], READY_S)
        said = self._process.stdout.readline() if ready else b""
        if said != b"ready\n":
            rest = (said + self._rest()).decode("utf-8", "replace").strip().splitlines()
            raise GuardError(f"The watchdog could not be started, so nothing was shifted: {rest[-1] if rest else 'it said nothing'}.")

    @property
    def pid(self) -> int:
        return self._process.pid

    def back(self, weights: dict, entry: dict) -> None:
        """From now on these are the rollback weights, set over the weights of ``entry["own"]`` and no others. GuardError when the
        watchdog is gone."""
        try:
            self._tell({"back": weights, "entry": entry})
        except OSError as error:
            raise GuardError("The watchdog has ended, so nothing more is shifted.") from error

    def done(self) -> None:
        """The rollout has ended by its own word; the watchdog ends too."""
        with contextlib.suppress(OSError):
            self._tell({"done": True})
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    def abandon(self) -> None:
        """The rollout cannot say how it ended: the watchdog is to act now, and to go on after this process."""
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        self._process.stdout.close()
        self._process.returncode = 0  # not waited for

    def _tell(self, message: dict) -> None:
        self._process.stdin.write(json.dumps(message).encode() + b"\n")
        self._process.stdin.flush()

    def _rest(self) -> bytes:
        self._process.kill()
        return self._process.communicate()[0] or b""
