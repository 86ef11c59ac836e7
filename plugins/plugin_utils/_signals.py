# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Leads signals to whoever goes back first; a second one still waits for that."""

from __future__ import annotations

import contextlib
import signal
import threading


@contextlib.contextmanager
def signals(worker):
    """Ctrl-C, SIGTERM and SIGHUP become ``worker.interrupt(name)``."""
    if threading.current_thread() is not threading.main_thread():
        yield  # a strategy that runs actions in threads: its process's end is seen all the same
        return
    before = {}
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        before[number] = signal.signal(number, lambda received, _frame: worker.interrupt(signal.Signals(received).name))
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
