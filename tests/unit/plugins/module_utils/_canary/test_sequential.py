# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sequential test: Wald's arithmetic, the bound on false aborts under continuous looking, and what it still needs."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.bluegreen.aws.plugins.module_utils._canary.sequential import Hypotheses, Sequential, rest, weight

ERRORS = Hypotheses("errors", 0.01, 5.0, 0.01, 0.05)


def running(begun=1, share=1.0, test=ERRORS):
    found = Sequential(test, share)
    for _step in range(begun):
        found.begin_step()
    return found


def test_the_ratio_is_walds():
    assert ERRORS.llr(1, 1, 0.01) == pytest.approx(math.log(5))
    assert ERRORS.llr(1, 0, 0.01) == pytest.approx(math.log(0.95 / 0.99))
    assert ERRORS.llr(100, 5, 0.01) == pytest.approx(5 * math.log(5) + 95 * math.log(0.95 / 0.99))


@given(st.floats(0.001, 0.5))
def test_the_guilty_rate_is_a_rate_above_the_baseline(baseline):
    assert baseline < ERRORS.guilty_rate(baseline) < 1


@given(st.integers(0, 500))
def test_the_weights_add_up_to_one(epoch):
    assert sum(weight(number) for number in range(epoch)) + rest(epoch) == pytest.approx(1)


def test_e_is_the_mixture():
    found = running()
    found.observe(10, 1, 0.01)
    found.begin_step()
    found.observe(5, 1, 0.01)
    first, second = ERRORS.llr(15, 2, 0.01), ERRORS.llr(5, 1, 0.01)
    assert found.log_e == pytest.approx(math.log(weight(0) * math.exp(first) + weight(1) * math.exp(second) + rest(2)))


def test_before_anything_is_seen_e_is_one():
    assert running(begun=0).log_e == pytest.approx(0)
    assert running(begun=2).log_e == pytest.approx(0)


def test_three_errors_in_a_row_are_enough():
    found = running()
    for _error in range(2):
        found.observe(1, 1, 0.01)
    assert not found.guilty
    found.observe(1, 1, 0.01)
    assert found.guilty


def test_a_fault_that_begins_later_is_not_outweighed_by_earlier_good_answers():
    found = running()
    found.observe(5000, 20, 0.01)
    found.begin_step()
    found.observe(60, 8, 0.01)
    assert found.guilty


def test_what_is_needed_clears_the_step_and_one_less_does_not():
    found = running()
    found.observe(30, 1, 0.01)
    needed = found.requests_needed()
    assert needed > 0
    found.observe(needed - 1, 0, 0.01)
    assert not found.clear
    found.observe(1, 0, 0.01)
    assert found.clear
    assert found.requests_needed() == 0


def test_a_fault_that_begins_late_in_a_step_is_found():
    found = running()
    for _second in range(100):
        found.observe(10, 0, 0.01)
    assert found.clear
    found.observe(60, 10, 0.01)
    assert found.guilty


def test_a_step_that_was_clear_is_not_while_the_latest_answers_lean_against_candidate():
    found = running()
    found.observe(73, 0, 0.01)
    assert found.clear
    found.observe(1, 1, 0.01)
    assert not found.clear
    assert found.requests_needed() == 40


def test_each_step_is_cleared_anew():
    found = running()
    found.observe(500, 0, 0.01)
    assert found.clear
    found.begin_step()
    assert not found.clear


def test_a_smaller_share_asks_for_more():
    assert running(share=0.2).log_limit > running(share=1.0).log_limit


@pytest.mark.parametrize("rate", [0.002, 0.01])
def test_looking_after_every_request_aborts_falsely_in_at_most_alpha_of_the_rollouts(rate):
    """3000 healthy rollouts of 4 x 300 requests: at alpha = 1 % 30 false aborts are expected at most; 47 is 3 sigma above."""
    chance = random.Random(7)
    false = 0
    for _rollout in range(3000):
        found = running(begun=0)
        for _step in range(4):
            found.begin_step()
            # between two errors E only falls, so that looking at each error is looking at each request
            left = 300
            while left > 0 and not found.guilty:
                gap = min(left, 1 + int(math.log(chance.random()) / math.log(1 - rate)))
                found.observe(gap, int(gap < left), 0.01)
                left -= gap
            if found.guilty:
                false += 1
                break
    assert false <= 47


def test_five_times_the_rate_is_found():
    chance = random.Random(11)
    found = 0
    for _rollout in range(300):
        one = running()
        for _request in range(600):
            one.observe(1, int(chance.random() < 0.05), 0.01)
            if one.guilty:
                found += 1
                break
    assert found >= 285
