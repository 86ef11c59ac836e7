# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the judge says of counts and latencies, and why."""

from __future__ import annotations

import pytest

from ansible_collections.bluegreen.aws.plugins.module_utils._canary.judge import ABORT, INCONCLUSIVE, PROMOTE, Judge, Limits
from ansible_collections.bluegreen.aws.plugins.module_utils._canary.samples import ANY, CANDIDATE, FAST, LIVE, Sample, percentile

METRICS = "cloudwatch"


def judge(sources=(FAST,), **limits):
    found = Judge(Limits(**limits), sources)
    found.lead_in(Sample(FAST, LIVE, 200, latencies_ms=(40.0,) * 200))
    found.begin_step()
    return found


def pair(live, candidate, source=FAST):
    """Two samples from (requests, errors, milliseconds of each)."""
    return [Sample(source, colour, n, errors, latencies_ms=(ms,) * n) for colour, (n, errors, ms) in ((LIVE, live), (CANDIDATE, candidate))]


def test_nothing_asked_is_inconclusive_and_says_how_many_it_takes():
    verdict = judge().verdict()
    assert verdict.action == INCONCLUSIVE
    assert verdict.needed == 73  # ln(0.05 / 0.9915) / ln(0.95 / 0.99), rounded up
    assert verdict.why == "73 more requests to candidate needed"


def test_good_answers_promote():
    one = judge()
    one.observe(pair((600, 0, 40.0), (80, 0, 40.0)))
    assert one.verdict().action == PROMOTE


def test_errors_abort_with_the_arithmetic():
    one = judge()
    one.observe(pair((600, 3, 40.0), (80, 8, 40.0)))
    verdict = one.verdict()
    assert verdict.action == ABORT
    assert "8 of candidate's 80 requests (10.0 %)" in verdict.why
    row = next(row for row in verdict.arithmetic if row["test"] == "errors")
    assert (row["candidate_requests"], row["candidate_events"], row["live_requests"], row["live_events"]) == (80, 8, 800, 3)
    assert row["log_e"] >= row["abort_at"]


def test_an_outage_of_both_is_not_candidates_fault():
    one = judge()
    one.observe(pair((600, 120, 40.0), (80, 16, 40.0)))
    assert one.verdict().action != ABORT


def test_an_outage_of_live_does_not_block_its_fix():
    one = judge()
    one.observe(pair((600, 300, 40.0), (80, 0, 40.0)))
    assert one.verdict().action == PROMOTE


def test_slow_answers_abort():
    one = judge()
    for _interval in range(4):
        assert one.verdict().action != ABORT, "what lasts for less than two seconds may be chance"
        one.observe(pair((150, 0, 40.0), (20, 0, 400.0)))
    verdict = one.verdict()
    assert verdict.action == ABORT
    assert verdict.why.startswith("slow answers: 80 of candidate's 80")


def test_what_is_slow_depends_on_live_and_has_a_floor():
    assert judge().slow_ms == 100.0  # 1.5 x 40 ms is less than the floor
    assert judge(latency_floor_ms=10.0).slow_ms == 60.0


def test_client_errors_count_apart():
    one = judge()
    one.observe([Sample(FAST, LIVE, 600, client_errors=6), Sample(FAST, CANDIDATE, 80, client_errors=40)])
    verdict = one.verdict()
    assert verdict.action == ABORT
    assert verdict.why.startswith("4xx: 40 of candidate's 80")


def test_answers_that_no_colour_signed_abort_when_there_were_none_before():
    one = judge()
    one.lead_in(Sample(FAST, ANY, 200))
    one.observe([Sample(FAST, ANY, 100, 10)])
    verdict = one.verdict()
    assert verdict.action == ABORT
    assert verdict.why.startswith("answers of no colour: 10 of all 100 requests")


def test_answers_that_no_colour_signed_before_already_do_not():
    one = judge()
    one.lead_in(Sample(FAST, ANY, 200, 30))
    one.observe([Sample(FAST, ANY, 100, 14)])
    assert one.verdict().action == INCONCLUSIVE


def test_the_least_number_of_requests_is_waited_for():
    one = judge()
    one.observe(pair((600, 0, 40.0), (80, 0, 40.0)))
    verdict = one.verdict(min_requests=200)
    assert (verdict.action, verdict.needed) == (INCONCLUSIVE, 120)


def test_a_percentile_that_is_worse_in_metrics_holds_the_promotion():
    one = judge(sources=(FAST, METRICS))
    one.observe(pair((600, 0, 40.0), (80, 0, 40.0)))
    one.observe([Sample(METRICS, LIVE, 500, p95_ms=80.0), Sample(METRICS, CANDIDATE, 60, p95_ms=300.0)])
    verdict = one.verdict()
    assert verdict.action == INCONCLUSIVE
    assert "candidate's p95 in cloudwatch is 300 ms, live's 80 ms; up to 120 ms" in verdict.why


def test_a_percentile_as_high_as_is_tolerated_is_tolerated():
    one = judge(sources=(FAST, METRICS))
    one.observe(pair((600, 0, 40.0), (80, 0, 40.0)))
    one.observe([Sample(METRICS, LIVE, 500, p95_ms=80.0), Sample(METRICS, CANDIDATE, 60, p95_ms=120.0)])
    assert one.verdict().action == PROMOTE


def test_a_percentile_of_few_requests_says_nothing():
    one = judge(sources=(FAST, METRICS))
    one.observe(pair((600, 0, 40.0), (80, 0, 40.0)))
    one.observe([Sample(METRICS, LIVE, 500, p95_ms=80.0), Sample(METRICS, CANDIDATE, 5, p95_ms=300.0)])
    assert one.verdict().action == PROMOTE


def test_metrics_alone_can_abort():
    one = judge(sources=(FAST, METRICS))
    one.observe([Sample(METRICS, LIVE, 5000, 10), Sample(METRICS, CANDIDATE, 500, 60)])
    assert one.verdict().action == ABORT


def test_metrics_that_lean_against_candidate_hold_the_promotion():
    one = judge(sources=(FAST, METRICS))
    one.observe(pair((600, 0, 40.0), (80, 0, 40.0)))
    one.observe([Sample(METRICS, LIVE, 500, 1), Sample(METRICS, CANDIDATE, 20, 2)])
    verdict = one.verdict()
    assert verdict.action == INCONCLUSIVE
    assert "cloudwatch" in verdict.why


@pytest.mark.parametrize("sources", [(FAST,), (METRICS,), (FAST, METRICS), (FAST, METRICS, "prometheus"), (METRICS, "prometheus")])
def test_the_chances_of_a_false_abort_add_up_to_alpha(sources):
    one = judge(sources=sources)
    spent = sum(stream.test.test.alpha * stream.test.share for stream in one._streams if stream.name == "errors")
    assert spent == pytest.approx(0.01 * 0.85)
    assert sum(stream.test.test.alpha * stream.test.share for stream in one._streams) <= 0.01 + 1e-12


def test_the_first_error_is_suspicious():
    one = judge()
    assert not one.suspicious
    one.observe(pair((100, 0, 40.0), (10, 1, 40.0)))
    assert one.suspicious


@pytest.mark.parametrize(
    ("values", "share", "expected"), [([], 0.95, None), ([7], 0.95, 7), (range(1, 101), 0.95, 95), (range(1, 21), 0.5, 10)]
)
def test_percentiles_are_nearest_rank(values, share, expected):
    assert percentile(list(values), share) == expected


def half_slow(colour, number):
    return Sample(FAST, colour, number, latencies_ms=(40.0, 400.0) * (number // 2))


def test_a_burst_of_slow_answers_of_both_is_not_candidates_fault():
    """A hiccup of the machine, the store or the network: it begins at once, and the live colour's answers before it say nothing."""
    one = judge()
    for _interval in range(60):
        one.observe(pair((10, 0, 40.0), (10, 0, 40.0)))
    for _interval in range(10):
        one.observe([half_slow(LIVE, 10), half_slow(CANDIDATE, 10)])
        assert one.verdict().action != ABORT
    for _interval in range(60):
        one.observe(pair((10, 0, 40.0), (10, 0, 40.0)))
    assert one.verdict().action == PROMOTE


def test_a_busy_machine_is_not_candidates_fault_when_nearly_everything_goes_to_it():
    """Of 20 requests the live colour gets two: the same share of both is slow, again and again, and the live colour's few say little of
    the rate."""
    one = judge()
    for _interval in range(60):
        one.observe(pair((2, 0, 40.0), (18, 0, 40.0)))
    for _burst in range(8):
        for _interval in range(4):
            one.observe([half_slow(LIVE, 2), half_slow(CANDIDATE, 18)])
            assert one.verdict().action != ABORT
        for _interval in range(8):
            one.observe(pair((2, 0, 40.0), (18, 0, 40.0)))
            assert one.verdict().action != ABORT


def test_one_stop_of_candidate_is_not_its_end():
    one = judge()
    for _interval in range(60):
        one.observe(pair((10, 0, 40.0), (10, 0, 40.0)))
    one.observe(pair((50, 0, 40.0), (50, 0, 400.0)))
    assert one.verdict().action != ABORT


def test_a_burst_of_candidates_alone_is():
    one = judge()
    for _interval in range(60):
        one.observe(pair((10, 0, 40.0), (10, 0, 40.0)))
    looks = 0
    while one.verdict().action != ABORT:
        one.observe([*pair((10, 0, 40.0), (0, 0, 40.0))[:1], half_slow(CANDIDATE, 10)])
        looks += 1
        assert looks <= 4, "two seconds"


def test_slow_answers_without_lives_beside_them_say_nothing():
    one = judge()
    for _interval in range(4):
        one.observe(pair((0, 0, 40.0), (20, 0, 40.0)))
    for _interval in range(20):
        one.observe([Sample(FAST, LIVE, 0), half_slow(CANDIDATE, 20)])
    assert one.verdict().action != ABORT
    one.observe([Sample(FAST, LIVE, 0), Sample(FAST, CANDIDATE, 20, 12, latencies_ms=(40.0,) * 8)])
    assert one.verdict().action == ABORT, "errors do"


@pytest.mark.parametrize(("requests", "remembered"), [(100, 1500), (10, 350)])
def test_the_live_colours_latest_answers_are_fifteen_intervals_and_600_requests(requests, remembered):
    one = judge()
    for _interval in range(15):
        one.observe([Sample(FAST, LIVE, requests)])
    row = next(row for row in one.verdict().arithmetic if row["test"] == "errors")
    assert row["live_requests"] == remembered
