# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""The only file of a release that knows the time: now, elapsed, waiting for a predicate; knows nothing of Docker."""

from __future__ import annotations

import datetime
import time


class Clock:
    """Real time. Tests hand in one of their own."""

    def utc(self) -> datetime.datetime:
        return datetime.datetime.now(datetime.timezone.utc)

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


def wait_until(clock, predicate, *, deadline: float, interval: float = 0.25) -> bool:
    """Asks ``predicate`` until it is true (True) or ``clock.monotonic()`` passes ``deadline`` (False); asks at least once."""
    while True:
        if predicate():
            return True
        left = deadline - clock.monotonic()
        if left <= 0:
            return False
        clock.sleep(min(interval, left))


def iso(moment: datetime.datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def stamp(moment: datetime.datetime) -> str:
    return moment.strftime("%Y%m%dT%H%M%SZ")


def moment(text: str) -> datetime.datetime:
    """A time as Docker writes it (RFC 3339, UTC, up to nanoseconds)."""
    return datetime.datetime.strptime(text[:19], "%Y-%m-%dT%H:%M:%S").replace(tzinfo=datetime.timezone.utc)


def parse_stamp(text: str) -> datetime.datetime:
    """The time at the beginning of a release's id."""
    return datetime.datetime.strptime(text[:16], "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.timezone.utc)
