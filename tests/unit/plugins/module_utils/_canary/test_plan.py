# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a user may write as a plan, and the sentence for each mistake."""

from __future__ import annotations

import pytest

from ansible_collections.bluegreen.aws.plugins.module_utils._canary.plan import Gate, PlanError, parse


def test_pairs_become_steps():
    steps = parse([[90, 10], [50, 50], [10, 90], [0, 100]])
    assert [step.weights for step in steps] == [(90, 10), (50, 50), (10, 90), (0, 100)]
    assert {step.gate for step in steps} == {Gate()}


def test_a_step_overrides_the_gate_of_all():
    first, second = parse([{"weights": [90, 10], "hold_s": 5}, [0, 100]], {"hold_s": 60, "metrics": False})
    assert first.gate == Gate(hold_s=5, metrics=False)
    assert second.gate == Gate(hold_s=60, metrics=False)


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ([], "The plan is empty"),
        (None, "The plan is empty"),
        ("90/10", "The plan is empty"),
        ([[90, 20]], "adds up to 110"),
        ([[90, 10], [60, 30]], "Step 2 of the plan is [60, 30], which adds up to 90"),
        ([[90]], "no pair of weights"),
        ([{"hold_s": 3}], "no pair of weights"),
        ([[True, 99]], "whole percentages"),
        ([[89.5, 10.5]], "whole percentages"),
        ([[110, -10]], "whole percentages"),
        ([[100, 0]], "gives the candidate nothing"),
        ([[50, 50], [90, 10]], "must grow"),
        ([[50, 50], [50, 50]], "must grow"),
        ([{"weights": [90, 10], "hold": 3}], "unknown entry 'hold'"),
        ([{"weights": [90, 10], "hold_s": -1}], "not negative"),
        ([{"weights": [90, 10], "hold_s": True}], "not negative"),
        ([{"weights": [90, 10], "pause": "yes"}], "true or false"),
        ([{"weights": [90, 10], "hold_s": 400}], "make timeout_s the larger one"),
    ],
)
def test_a_mistake_is_one_sentence(raw, words):
    with pytest.raises(PlanError) as error:
        parse(raw)
    assert words in str(error.value)
    assert "\n" not in str(error.value)


def test_the_gate_of_all_is_checked_too():
    with pytest.raises(PlanError, match="the gate of all steps has an unknown entry"):
        parse([[0, 100]], {"hold": 1})
