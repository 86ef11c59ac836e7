# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Waits until something is seen, at intervals that grow with the time that it takes; knows no service."""

from __future__ import annotations

import time

from .errors import BluegreenAWSError

SHORTEST, LONGEST = 1.0, 15.0


def interval(elapsed):
    """Seconds until the next look: a tenth of the time waited so far, so that what is quick is seen quickly."""
    return min(LONGEST, max(SHORTEST, elapsed / 10))


def wait_until(look, done, what, timeout, clock=time.monotonic, sleep=time.sleep):
    """The first thing that ``look()`` returns for which ``done(thing)`` is true.

    ``what(thing)`` says what is waited for and how it stands; after ``timeout`` seconds that is the message of a BluegreenAWSError.
    """
    began = clock()
    while True:
        seen = look()
        if done(seen):
            return seen
        elapsed = clock() - began
        if elapsed >= timeout:
            remedy = TimeoutError("run again to go on waiting, or set a longer wait_timeout")
            raise BluegreenAWSError(message=f"Timeout after {elapsed:.0f} s waiting for {what(seen)}", exception=remedy)
        sleep(min(interval(elapsed), timeout - elapsed))
