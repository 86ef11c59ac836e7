# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""One release at a time in one directory: a kernel lock, and beside it who holds it since when; knows nothing of releases."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os

from .._compose.errors import Busy
from . import files
from .clock import iso, wait_until


class Lock:
    """``flock`` on a file. It ends with the last process that works under it, killed or not; there is nothing to clean up."""

    def __init__(self, path: str, clock):
        self._path = path
        self._clock = clock
        self._handle: int | None = None

    @property
    def descriptor(self) -> int:
        return self._handle

    def acquire(self, actor: str, what: str, timeout: float) -> None:
        """Takes the lock within ``timeout`` seconds, or raises Busy with a sentence."""
        self._handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if not wait_until(self._clock, self._try, deadline=self._clock.monotonic() + timeout):
            holder = files.read_json(self._path + ".json") or {}
            os.close(self._handle)
            self._handle = None
            pid = holder.get("pid", "?")
            where = os.path.dirname(os.path.dirname(self._path))
            raise Busy(
                f"Cannot start {what}: {holder.get('actor') or 'somebody'} holds the lock of {where} "
                f"since {holder.get('since', '?')} ({holder.get('what', 'a release')}, process {pid} on this instance). "
                f"Wait for it, or break it with 'kill {pid}'; the next release undoes what was half done."
            )
        try:
            entry = {"actor": actor, "what": what, "since": iso(self._clock.utc()), "pid": os.getpid()}
            with contextlib.suppress(OSError):  # a full disk must not keep a rollback from its lock
                files.write(self._path + ".json", json.dumps(entry) + "\n")
        except BaseException:
            self.release()
            raise

    def _try(self) -> bool:
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as exc:
            if exc.errno in (errno.EAGAIN, errno.EACCES):
                return False
            raise
        return True

    def release(self) -> None:
        if self._handle is None:
            return
        with contextlib.suppress(OSError):  # whatever becomes of the note, the lock itself has to go
            os.unlink(self._path + ".json")
        os.close(self._handle)
        self._handle = None

    def holder(self):
        """Who holds it now ({actor, what, since, pid}), or None when nobody does."""
        try:
            handle = os.open(self._path, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return files.read_json(self._path + ".json") or {}
        finally:
            os.close(handle)
        return None
