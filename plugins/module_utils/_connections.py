# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""How many connections an application still has, from what its tasks log, and when to stop waiting for their end; no clock, no call.

A task that lives logs its number at a steady pace, 0 included. So a stream without a fresh line is a task that has ended, and no fresh
line at all means that nobody counts.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Count:
    """Open connections at one moment: ``tasks`` is {log stream: number}."""

    tasks: dict

    @property
    def total(self) -> int:
        return sum(self.tasks.values())


def count(events, message: str, name: str, since_ms: int) -> Count:
    """The newest number of each stream. ``events``: what logs:FilterLogEvents returns; lines that are not JSON objects with this
    ``message`` and an integer ``name``, or that are older than ``since_ms`` (milliseconds since the epoch), do not count."""
    newest: dict = {}
    for event in events:
        number = _number(event["message"], message, name)
        if number is None or event["timestamp"] < since_ms:
            continue
        at, _before = newest.get(event["logStreamName"], (0, 0))
        if event["timestamp"] >= at:
            newest[event["logStreamName"]] = (event["timestamp"], number)
    return Count({stream: number for stream, (_at, number) in sorted(newest.items())})


def _number(text: str, message: str, name: str):
    try:
        line = json.loads(text)
    except ValueError:
        return None
    if not isinstance(line, dict) or line.get("message") != message:
        return None
    number = line.get(name)
    return number if isinstance(number, int) and not isinstance(number, bool) and number >= 0 else None


@dataclass
class Wait:
    """Waits until nobody is connected, for at most ``limit_s`` seconds; 0 looks once. ``outcome`` is None while it goes on, then
    ``none`` (nobody was), ``gone`` (all have left), ``limit`` (some are left) or ``unknown`` (nobody counts)."""

    limit_s: float
    outcome: str | None = None
    first: int = 0
    last: int = 0
    most: int = 0
    counts: list = field(default_factory=list)

    def on_count(self, seconds: float, found: Count) -> None:
        """What was found ``seconds`` after the start."""
        if not found.tasks:
            # Those who counted have ended: nobody is left to be connected to.
            self.outcome = "gone" if self.counts else "unknown"
            self.last = 0
            return
        if not self.counts:
            self.first = found.total
        self.last, self.most = found.total, max(self.most, found.total)
        self.counts.append((round(seconds, 1), found.total))
        if not found.total:
            self.outcome = "gone" if self.most else "none"
        elif seconds >= self.limit_s:
            self.outcome = "limit"
