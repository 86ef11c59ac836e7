# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Tells one process from another of the same id; Linux and macOS."""

from __future__ import annotations

import subprocess


def process_started(pid):
    """When the process started, as text that is equal only for the same process; None when there is no such process.

    Source: field 22 of /proc/PID/stat (proc(5)), else ``ps -o lstart`` (POSIX has no finer one).
    """
    try:
        with open(f"/proc/{int(pid)}/stat", encoding="utf-8") as file:
            return file.read().rsplit(")", 1)[1].split()[19]
    except FileNotFoundError:
        pass
    try:
        answer = subprocess.run(["ps", "-o", "lstart=", "-p", str(int(pid))], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return None
    return answer.stdout.strip() or None
