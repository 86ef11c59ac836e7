# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Temporary directories that hold secrets: gone with their process however it ends, or swept by the next one; knows no content."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile

PREFIXES = ("bluegreen-check-", "bluegreen-login-")


@contextlib.contextmanager
def directory(prefix: str):
    """A private directory (0700). It is locked for as long as its process lives, so that another can tell what was left behind."""
    while True:
        path = tempfile.mkdtemp(prefix=prefix)
        handle = _locked(path)
        if handle is not None:
            break  # else a sweep took it between the two steps
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
        os.close(handle)


def sweep() -> None:
    """Removes what processes left that were killed, or whose instance lost its power."""
    root = tempfile.gettempdir()
    for name in os.listdir(root):
        path = os.path.join(root, name)
        if not name.startswith(PREFIXES) or os.path.islink(path) or not os.path.isdir(path) or os.stat(path).st_uid != os.geteuid():
            continue
        handle = _locked(path)
        if handle is not None:
            shutil.rmtree(path, ignore_errors=True)
            os.close(handle)


def _locked(path: str):
    """A descriptor that holds the directory's lock, or None when another process has it or it is gone."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.isdir(path):
            return handle
    except OSError:
        pass
    os.close(handle)
    return None
