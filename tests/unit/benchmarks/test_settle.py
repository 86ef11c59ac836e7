# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
import settle

RECAP = "PLAY RECAP ***\nlocalhost : ok=12 changed={} unreachable=0 failed=0\ni-1 : ok=3 changed={} unreachable=0\n"


def runs(*answers):
    """A playbook whose runs answer one after the other."""
    rest = iter(answers)
    return lambda: next(rest)


@pytest.mark.case("E3")
def test_runs_until_nothing_changes():
    assert settle.settle(runs((0, RECAP.format(3, 1)), (0, RECAP.format(0, 1)), (0, RECAP.format(0, 0)))) == 3


def test_one_run_of_what_is_settled():
    assert settle.settle(runs((0, RECAP.format(0, 0)))) == 1


@pytest.mark.case("E3")
def test_what_does_not_settle_is_not_measured():
    with pytest.raises(settle.NotSettled, match="still changed something in run 2"):
        settle.settle(runs(*[(0, RECAP.format(1, 0))] * 2), runs=2)


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [((2, "ERROR! no inventory"), "failed with exit code 2:\nERROR! no inventory"), ((0, "nothing ran"), "has no recap")],
)
def test_a_run_that_fails_or_says_nothing_ends_it(answer, sentence):
    with pytest.raises(settle.NotSettled, match=sentence):
        settle.settle(runs(answer))
