# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose events they were, given how many there were: the ratio, its mean under the null, and its sides."""

from __future__ import annotations

import math

import pytest

from ansible_collections.bluegreen.aws.plugins.module_utils._canary.baseline import Counts
from ansible_collections.bluegreen.aws.plugins.module_utils._canary.beside import MOST, llr


def test_an_equal_share_at_five_times_the_odds():
    # fair 1/2, guilty 5/6
    assert llr(Counts(10, 1), Counts(10, 0), 5.0) == pytest.approx(math.log(5 / 3))
    assert llr(Counts(10, 0), Counts(10, 1), 5.0) == pytest.approx(math.log(1 / 3))


@pytest.mark.parametrize(
    ("candidate", "live"), [(Counts(10, 9), Counts()), (Counts(), Counts(10, 9)), (Counts(), Counts()), (Counts(10), Counts(90))]
)
def test_nothing_beside_it_or_no_event_says_nothing(candidate, live):
    assert llr(candidate, live, 5.0) == 0.0


def test_one_interval_is_worth_no_more_than_most():
    assert llr(Counts(100, 100), Counts(100, 0), 5.0) == MOST


@pytest.mark.parametrize("candidate, live", [(2, 18), (10, 10), (18, 2), (1, 19)])
@pytest.mark.parametrize("events", [1, 3, 10, 20])
@pytest.mark.parametrize("ratio", [2.0, 5.0])
def test_its_exponential_has_a_mean_of_at_most_one_when_all_requests_are_alike(candidate, live, events, ratio):
    """Exactly, over every way in which the events can be spread (hypergeometric)."""
    mean = 0.0
    for mine in range(max(0, events - live), min(candidate, events) + 1):
        chance = math.comb(candidate, mine) * math.comb(live, events - mine) / math.comb(candidate + live, events)
        mean += chance * math.exp(llr(Counts(candidate, mine), Counts(live, events - mine), ratio))
    assert mean <= 1 + 1e-12
