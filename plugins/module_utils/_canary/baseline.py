# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""The rate of bad answers that the candidate is measured against: the live colour's own, at the same time, so that an outage of both is
not the candidate's fault.

The live colour is either as usual (its rate over the time before, at least the test's floor) or worse, by any factor up to a rate of one
half. Bayes' rule weights these rates with what the live colour answered just now; the baseline is the posterior's mean.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

WORSE_PRIOR = 0.2  # probability that the live colour is worse than usual while the candidate is tried
SUDDEN_PRIOR = 0.02  # that it has just become so
WORSE_RATES = 12  # evenly spaced in the logarithm between the usual rate and HIGHEST
HIGHEST = 0.5
PRIOR_REQUESTS = 100  # how many requests at the floor a thin history is mixed with


@dataclass(frozen=True)
class Counts:
    """Requests and those of them that count against the colour."""

    requests: int = 0
    events: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(self.requests + other.requests, self.events + other.events)

    def __sub__(self, other: Counts) -> Counts:
        return Counts(self.requests - other.requests, self.events - other.events)

    @property
    def rate(self) -> float:
        return self.events / self.requests if self.requests else 0.0


def usual(floor: float, history: Counts) -> float:
    """The live colour's usual rate, never below the floor."""
    return min(HIGHEST, max(floor, (history.events + floor * PRIOR_REQUESTS) / (history.requests + PRIOR_REQUESTS)))


def baseline(normal: float, recent: Counts, prior: float = WORSE_PRIOR) -> float:
    """The tolerated rate while the live colour, whose usual rate is ``normal``, answers ``recent``; between ``normal`` and HIGHEST.
    ``prior``: the probability that the live colour is worse than usual."""
    if not recent.events or normal >= HIGHEST:
        return normal
    step = math.log(HIGHEST / normal) / WORSE_RATES
    rates = [normal * math.exp(step * number) for number in range(WORSE_RATES + 1)]
    priors = [1 - prior] + [prior / WORSE_RATES] * WORSE_RATES
    good = recent.requests - recent.events
    logs = [math.log(prior) + recent.events * math.log(rate) + good * math.log(1 - rate) for prior, rate in zip(priors, rates, strict=True)]
    top = max(logs)
    weights = [math.exp(value - top) for value in logs]
    return sum(weight * rate for weight, rate in zip(weights, rates, strict=True)) / sum(weights)
