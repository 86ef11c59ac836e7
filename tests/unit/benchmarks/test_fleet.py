# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import fleet
import pytest
from exchange import Failure
from tally import Outcome, Tally


def outcome(phase, failure=None):
    return Outcome(0.0, 0.1, "http://127.0.0.1", "GET /", phase, False, failure)


@pytest.mark.case("E4")
def test_failures_before_the_crash_is_known_are_counted_apart_from_later_ones():
    tally = Tally(
        [
            outcome("before"),
            outcome(fleet.ON_THE_WAY, Failure.TIMEOUT),
            outcome(fleet.ON_THE_WAY, Failure.STATUS),
            outcome(fleet.ON_THE_WAY),
            outcome("one is missing", Failure.STATUS),
            outcome("after"),
        ]
    )
    assert fleet.failures_by_time(tally) == (2, 1)


@pytest.mark.case("E4")
def test_a_failure_before_the_crash_is_not_one_of_requests_on_their_way():
    assert fleet.failures_by_time(Tally([outcome("before", Failure.STATUS)])) == (0, 1)
