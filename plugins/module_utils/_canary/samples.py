# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""What sources tell the judge; plain data."""

from __future__ import annotations

from dataclasses import dataclass

LIVE, CANDIDATE = "live", "candidate"
"""The parts of the two colours in a rollout: which one was live when it began, and which one is to get the traffic."""
NAMES = {LIVE: "live", CANDIDATE: "candidate"}
"""How the two are called where no colours are named."""
ANY = "any"
"""All answers together: its errors are those that no colour signed, such as the load balancer's own 502."""
FAST = "probes"
"""The source that asks the load balancer itself; every other one is a metric source, which comes late and counts all traffic."""


@dataclass(frozen=True)
class Sample:
    """What one colour answered in one interval, as one source counted it.

    ``errors``: answers of 5xx and connections that broke. ``client_errors``: 4xx. ``latencies_ms``: of each request, from sources that
    know it. ``p95_ms``: from sources that only know the percentile.
    """

    source: str
    colour: str
    requests: int
    errors: int = 0
    client_errors: int = 0
    latencies_ms: tuple = ()
    p95_ms: float | None = None

    def __add__(self, other: Sample) -> Sample:
        return Sample(
            self.source,
            self.colour,
            self.requests + other.requests,
            self.errors + other.errors,
            self.client_errors + other.client_errors,
            self.latencies_ms + other.latencies_ms,
            other.p95_ms if other.p95_ms is not None else self.p95_ms,
        )


def percentile(values, share: float):
    """The smallest value that at least ``share`` of ``values`` do not exceed (nearest rank); None without values."""
    if not values:
        return None
    ordered = sorted(values)
    rank = max(1, -(-int(share * 1000) * len(ordered) // 1000))
    return ordered[min(rank, len(ordered)) - 1]
