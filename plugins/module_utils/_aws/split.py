# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Asks through a load balancer until the split that the weights say is seen."""

from __future__ import annotations

import time
from http.client import HTTPException
from urllib.error import HTTPError

from ansible.module_utils.urls import open_url

from .. import _traffic as traffic

BATCH = 20


def ask(url: str, header: str, timeout_s: float) -> str:
    """The value of a response header, or "" when there is none or no answer; any status counts as an answer."""
    try:
        return open_url(url, timeout=timeout_s, headers={"Connection": "close"}, validate_certs=True).headers.get(header, "")
    except HTTPError as error:
        return error.headers.get(header, "")
    except (HTTPException, OSError):
        return ""


def observe(url: str, header: str, values: dict, weights: dict, *, probes: int, timeout_s: float) -> dict:
    """{name: answers} of the last batch that agrees with the weights. ``values``: {header's value: group}. TrafficError in time."""
    deadline = time.monotonic() + timeout_s
    while True:
        counts: dict = {}
        for _probe in range(max(BATCH, probes)):
            name = values.get(ask(url, header, timeout_s), "")
            counts[name] = counts.get(name, 0) + 1
        if traffic.split_seen({**weights, "": 0}, counts):
            return counts
        if time.monotonic() >= deadline:
            seen = ", ".join(f"{name or 'unknown'} {count}" for name, count in sorted(counts.items()))
            raise traffic.TrafficError(
                f"The weights are set, but {url} was answered by {seen} of {sum(counts.values())} probes within {timeout_s:g} s. "
                f"Check that the application sends {header} and that no rule of the listener comes before."
            )
