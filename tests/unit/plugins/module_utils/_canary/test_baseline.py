# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rate that the candidate is measured against follows the live colour: up at once in an outage, never below the floor."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.bluegreen.aws.plugins.module_utils._canary.baseline import HIGHEST, Counts, baseline, usual


def test_without_history_the_floor_counts():
    assert usual(0.01, Counts()) == 0.01


def test_a_clean_history_does_not_lower_the_floor():
    assert usual(0.01, Counts(100_000, 0)) == 0.01


def test_a_bad_history_raises_the_usual_rate():
    assert 0.019 < usual(0.01, Counts(10_000, 200)) < 0.021


def test_a_thin_history_is_mixed_with_the_floor():
    assert usual(0.01, Counts(10, 1)) < 0.02


def test_live_as_usual_leaves_the_baseline_about_where_it_is():
    assert baseline(0.01, Counts(900, 9)) < 0.0115


def test_an_outage_of_live_raises_the_baseline_within_few_requests():
    assert baseline(0.01, Counts(10, 2)) > 0.08
    assert baseline(0.01, Counts(90, 18)) > 0.18


def test_few_good_answers_do_not_raise_it():
    assert baseline(0.01, Counts(10, 0)) == 0.01
    assert baseline(0.01, Counts()) == 0.01


@given(st.floats(0.001, 0.5), st.integers(0, 2000), st.integers(0, 2000))
def test_the_baseline_is_between_the_usual_rate_and_the_highest(normal, requests, events):
    counts = Counts(requests, min(requests, events))
    assert normal - 1e-12 <= baseline(normal, counts) <= HIGHEST + 1e-12
