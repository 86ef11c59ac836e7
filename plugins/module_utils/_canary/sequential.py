# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""A sequential probability ratio test on counts that may be looked at after every request, over a whole rollout.

The rollout is divided into epochs: one begins with each step, and whenever the one before has cleared the candidate, so that a fault
which begins late is not outweighed by good answers from before. For each epoch k that has begun, S_k is the log likelihood ratio of what
the candidate answered since then: rate p1 against rate p0 (Wald, Sequential Tests of Statistical Hypotheses, 1945). exp(S_k) is a
martingale of mean 1 when the candidate's rate is p0 and a supermartingale when it is less, also when p0 changes from look to look as
long as it is fixed before the requests are seen. So is the mixture E = sum of w_k exp(S_k) over all epochs, with weights that add up to
1 and S_k = 0 for epochs to come. By Ville's inequality E reaches 1/alpha with a probability of at most alpha, however often one looks:
that is the bound on false aborts of a whole rollout.
"""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Hypotheses:
    """What is tested. ``floor``: a rate (share of requests) that is always tolerated. ``ratio``: how many times the baseline is too
    many. ``alpha``: probability of a false abort per rollout. ``beta``: probability of calling a step clear whose rate is ratio times
    the baseline."""

    name: str
    floor: float
    ratio: float = 5.0
    alpha: float = 0.01
    beta: float = 0.05

    def guilty_rate(self, baseline: float) -> float:
        """The rate p1 that the test sets against ``baseline``: ratio times as much, but never more than halfway to 1."""
        return min(self.ratio * baseline, (1 + baseline) / 2)

    def llr(self, requests: int, events: int, baseline: float) -> float:
        """Log likelihood ratio (nats) of so many events among so many requests."""
        guilty = self.guilty_rate(baseline)
        return events * math.log(guilty / baseline) + (requests - events) * math.log((1 - guilty) / (1 - baseline))


FIRST = 0.8  # weight of the first epoch, in which the candidate has the least traffic and which most faults do not survive


def weight(epoch: int) -> float:
    """w_k of epoch 0, 1, 2, …; the weights of all epochs add up to 1, those from epoch k on to ``rest(k)``."""
    return FIRST if epoch == 0 else (1 - FIRST) / (epoch * (epoch + 1))


def rest(epoch: int) -> float:
    """The sum of the weights from this epoch on."""
    return 1.0 if epoch == 0 else (1 - FIRST) / epoch


class Sequential:
    """One test over one source of counts. ``share`` (0 to 1) is the part of alpha that this source may spend."""

    def __init__(self, test: Hypotheses, share: float = 1.0):
        self.test = test
        self.share = share
        self._sums: list = []
        self._cleared = False
        self._baseline = test.floor

    def begin_step(self) -> None:
        """The next step's weights are in force."""
        self._cleared = False
        self._sums.append(0.0)

    def observe(self, requests: int, events: int, baseline: float) -> None:
        """The candidate answered ``requests``, ``events`` of them badly; ``baseline`` is the rate that is tolerated for them."""
        self._baseline = baseline
        self.advance(self.test.llr(requests, events, baseline))

    def advance(self, change: float) -> None:
        """What was answered has this log likelihood ratio; the mean of its exponential is at most 1 when the candidate is not guilty."""
        self._sums = [value + change for value in self._sums]
        if self._sums and self._sums[-1] <= self.clear_limit:
            self._cleared = True
            self._sums.append(0.0)

    @property
    def llr(self) -> float:
        """S of the present epoch; above 0 the latest answers lean against the candidate."""
        return self._sums[-1] if self._sums else 0.0

    @property
    def log_e(self) -> float:
        """ln E; at ``log_limit`` the test says abort."""
        terms = [math.log(weight(epoch)) + value for epoch, value in enumerate(self._sums)]
        terms.append(math.log(rest(len(self._sums))))
        top = max(terms)
        return top + math.log(sum(math.exp(term - top) for term in terms))

    @property
    def log_limit(self) -> float:
        return -math.log(self.test.alpha * self.share)

    @property
    def clear_limit(self) -> float:
        """An epoch clears the candidate when its S is this or less (Wald's lower bound)."""
        return math.log(self.test.beta / (1 - self.test.alpha))

    @property
    def guilty(self) -> bool:
        return self.log_e >= self.log_limit

    @property
    def clear(self) -> bool:
        """The candidate was cleared in this step, and its latest answers do not lean against it."""
        return self._cleared and self.llr <= 0

    def requests_needed(self) -> int:
        """How many more good answers clear the step; 0 when it is clear."""
        good = -self.test.llr(1, 0, self._baseline)
        target = 0.0 if self._cleared else self.clear_limit
        return max(0, math.ceil((self.llr - target) / good - 1e-9))
