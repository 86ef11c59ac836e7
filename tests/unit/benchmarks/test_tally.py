"""Percentiles by exact rank, the tables, and the result line word for word."""

from __future__ import annotations

import math

import pytest
from exchange import Failure
from hypothesis import given
from hypothesis import strategies as st
from tally import Outcome, Tally, failure_lines, percentile, phase_table, result_line


def outcome(latency: float, *, phase: str = "p", failure: Failure | None = None, at: float = 1.0, answered_by: str = "1 blue") -> Outcome:
    return Outcome(at, latency, "http://127.0.0.1:8080", "GET /", phase, False, failure, "", answered_by)


@pytest.mark.parametrize("percent, value", [(50, 50), (99, 99), (99.5, 100), (100, 100), (1, 1), (0, 1)])
def test_percentiles_of_a_hundred_values(percent, value):
    assert percentile(list(range(100, 0, -1)), percent) == value


@given(st.lists(st.floats(0, 1e6), min_size=1), st.floats(0.1, 100))
def test_enough_values_do_not_exceed_a_percentile(values, percent):
    found = percentile(values, percent)
    assert found in values
    assert sum(value <= found for value in values) >= percent / 100 * len(values) - 1e-9
    assert sum(value < found for value in values) < percent / 100 * len(values)


def test_no_value_has_no_percentile():
    assert math.isnan(percentile([], 50))


def test_failures_have_no_latency_but_count():
    tally = Tally([outcome(0.010), outcome(0.020), outcome(9.0, failure=Failure.TIMEOUT)])
    assert (tally.percentile_ms(50), tally.percentile_ms(99)) == (10.0, 20.0)
    assert result_line(tally, Tally([outcome(1, failure=Failure.RESET)] * 7)) == (
        "result: requests=3 failed=1 p50_ms=10.0 p99_ms=20.0 plain_failed=7"
    )


def test_the_table():
    answered = [outcome(0.001, phase="a"), outcome(0.003, phase="a", answered_by="2 green")]
    tally = Tally([*answered, outcome(1, phase="b", failure=Failure.RESET)])
    assert phase_table(tally, [("a", 2.0), ("b", 1.25)]) == [
        "phase                         s  requests  failed   p50 ms   p99 ms   max ms  answered by",
        "a                           2.0         2       0      1.0      3.0      3.0  1 blue, 2 green",
        "b                           1.2         1       1      nan      nan      nan  1 blue",
    ]


def test_the_list_of_failures_is_bounded_and_its_counts_are_not():
    tally = Tally([outcome(0.002, failure=Failure.RESET)] * 30)
    lines = failure_lines(tally, listed=2)
    assert lines == [
        "     30 x connection reset · http://127.0.0.1:8080 · reused connection",
        "  at    1.000 s · p · GET / · http://127.0.0.1:8080 · connection reset · after 2 ms",
        "  at    1.000 s · p · GET / · http://127.0.0.1:8080 · connection reset · after 2 ms",
        "  … and 28 more",
    ]
    assert len(failure_lines(tally, listed=None)) == 31
