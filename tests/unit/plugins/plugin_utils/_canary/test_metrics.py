# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Metric sources with recorded answers: minutes are handed out once, counters become increases."""

from __future__ import annotations

import datetime
import http.server
import json
import threading
import urllib.parse

import pytest

from ansible_collections.bluegreen.aws.plugins.module_utils._canary.samples import CANDIDATE, LIVE
from ansible_collections.bluegreen.aws.plugins.plugin_utils._canary import metrics

START = datetime.datetime(2026, 11, 21, 10, 0, tzinfo=datetime.UTC)
BALANCER = "arn:aws:elasticloadbalancing:ap-northeast-2:123456789012:loadbalancer/app/chat/50dc"
GROUPS = {
    LIVE: "arn:aws:elasticloadbalancing:ap-northeast-2:123456789012:targetgroup/blue/1",
    CANDIDATE: "arn:aws:x:y:1:targetgroup/green/2",
}


def minute(number):
    return START + datetime.timedelta(minutes=number)


class CloudWatch:
    """Answers GetMetricData from {(query id, minute): value}."""

    def __init__(self, values):
        self.values, self.asked = values, []

    def get_paginator(self, _name):
        return self

    def paginate(self, MetricDataQueries, StartTime, EndTime):
        self.asked = MetricDataQueries
        results = []
        for query in MetricDataQueries:
            points = {m: value for (name, m), value in self.values.items() if name == query["Id"] and StartTime <= minute(m) < EndTime}
            results.append({"Id": query["Id"], "Timestamps": [minute(m) for m in points], "Values": list(points.values())})
        return [{"MetricDataResults": results[:3]}, {"MetricDataResults": results[3:]}]


def source(values, now):
    clock = [START]
    found = metrics.CloudWatch(CloudWatch(values), BALANCER, GROUPS, now=lambda: clock[0])
    clock[0] = now
    return found, clock


def settled(found):
    """What is handed out once a poll has read the same as the one before."""
    assert list(found()) == []
    return list(found())


def test_the_dimensions_are_cloudwatchs():
    assert metrics.dimension(BALANCER) == "app/chat/50dc"
    assert metrics.dimension(GROUPS[LIVE]) == "targetgroup/blue/1"


def test_a_complete_minute_is_handed_out_once_with_both_colours():
    values = {("live_requests", 0): 900.0, ("live_errors", 0): 9.0, ("candidate_requests", 0): 100.0, ("candidate_p95", 0): 0.25}
    found, clock = source(values, minute(1))
    ((name, samples),) = settled(found)
    assert name == "on_samples"
    candidate, live = sorted(samples, key=lambda sample: sample.colour)
    assert (live.requests, live.errors, live.p95_ms) == (900, 9, None)
    assert (candidate.requests, candidate.errors, candidate.p95_ms) == (100, 0, 250.0)
    clock[0] += datetime.timedelta(seconds=10)
    assert list(found()) == []


def test_a_minute_that_is_not_over_is_left_for_later():
    found, _clock = source({("live_requests", 0): 900.0}, START + datetime.timedelta(seconds=30))
    assert list(found()) == []


def test_a_minute_from_before_the_rollout_is_not_this_rollouts():
    found, _clock = source({("live_requests", -2): 900.0}, minute(1))
    assert list(found()) == []


def test_connections_that_a_target_refused_are_errors():
    found, _clock = source({("candidate_requests", 0): 10.0, ("candidate_broken", 0): 3.0, ("candidate_errors", 0): 1.0}, minute(1))
    ((_name, (candidate,)),) = settled(found)
    assert (candidate.requests, candidate.errors) == (10, 4)


@pytest.mark.case("B1")
def test_the_minute_of_one_colour_does_not_hide_the_others_that_comes_later():
    values = {("live_requests", 0): 900.0}
    found, clock = source(values, minute(1))
    ((_name, (live,)),) = settled(found)
    assert (live.colour, live.requests) == (LIVE, 900)
    values.update({("candidate_requests", 0): 100.0, ("candidate_errors", 0): 60.0})
    clock[0] += datetime.timedelta(seconds=5)
    ((_name, (candidate,)),) = settled(found)
    assert (candidate.colour, candidate.requests, candidate.errors) == (CANDIDATE, 100, 60)


@pytest.mark.case("B1")
def test_a_minute_that_still_fills_is_read_until_it_is_settled():
    values = {("candidate_requests", 0): 40.0}
    found, _clock = source(values, minute(1))
    assert list(found()) == []
    values["candidate_requests", 0] = 100.0
    assert list(found()) == [], "it has just changed"
    ((_name, (candidate,)),) = list(found())
    assert (candidate.requests, candidate.errors) == (100, 0)
    values["candidate_errors", 0] = 60.0
    values["candidate_requests", 0] = 160.0
    ((_name, (more,)),) = settled(found)
    assert (more.requests, more.errors) == (60, 60)
    assert list(found()) == []


@pytest.mark.case("B1")
def test_errors_that_come_without_their_requests_are_requests_too():
    values = {("candidate_requests", 0): 100.0}
    found, _clock = source(values, minute(1))
    settled(found)
    values["candidate_errors", 0] = 60.0
    ((_name, (late,)),) = settled(found)
    assert (late.requests, late.errors) == (60, 60)


def test_history_is_lives_sum():
    found, _clock = source({("live_requests", -30): 1000.0, ("live_errors", -30): 10.0, ("live_requests", -20): 500.0}, START)
    sample = found.history(3600)
    assert (sample.colour, sample.requests, sample.errors) == (LIVE, 1500, 10)


class Handler(http.server.BaseHTTPRequestHandler):
    values: dict = {}  # noqa: RUF012 - set by the tests

    def do_GET(self):
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)["query"][0]
        if query == "broken":
            answer = {"status": "error", "error": "parse error"}
        else:
            value = Handler.values.get(query)
            answer = {"status": "success", "data": {"result": [] if value is None else [{"value": [0, str(value)]}]}}
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_unused):
        pass


@pytest.fixture
def address():
    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def prometheus(address):
    queries = {"requests": 'sum(r{c="{colour}"})', "errors": 'sum(e{c="{colour}"})', "p95_s": 'p{c="{colour}"}'}
    return metrics.Prometheus(address, queries, {LIVE: "blue", CANDIDATE: "green"})


def test_counters_become_increases(address):
    one = prometheus(address)
    Handler.values = {'sum(r{c="blue"})': 1000, 'sum(r{c="green"})': 50}
    assert list(one()) == []
    Handler.values = {'sum(r{c="blue"})': 1090, 'sum(r{c="green"})': 60, 'sum(e{c="green"})': 2, 'p{c="green"}': 0.12}
    ((_name, samples),) = list(one())
    found = {sample.colour: sample for sample in samples}
    assert (found[LIVE].requests, found[LIVE].errors, found[LIVE].p95_ms) == (90, 0, None)
    assert (found[CANDIDATE].requests, found[CANDIDATE].errors, found[CANDIDATE].p95_ms) == (10, 2, 120.0)


def test_a_counter_that_began_anew_counts_from_zero(address):
    one = prometheus(address)
    Handler.values = {'sum(r{c="green"})': 500}
    list(one())
    Handler.values = {'sum(r{c="green"})': 30}
    ((_name, samples),) = list(one())
    assert [sample.requests for sample in samples if sample.colour == CANDIDATE] == [30]


@pytest.mark.case("B1")
def test_a_poll_that_fails_in_the_middle_takes_nothing_from_the_next(address):
    one = prometheus(address)
    Handler.values = {'sum(r{c="blue"})': 1000, 'sum(r{c="green"})': 50}
    list(one())
    Handler.values = {'sum(r{c="blue"})': 1090, 'sum(r{c="green"})': 60}
    one._names = {LIVE: "blue", CANDIDATE: None}
    with pytest.raises(TypeError):
        list(one())
    one._names = {LIVE: "blue", CANDIDATE: "green"}
    ((_name, samples),) = list(one())
    assert {sample.colour: sample.requests for sample in samples} == {LIVE: 90, CANDIDATE: 10}


@pytest.mark.case("B1")
def test_a_series_that_is_missing_once_is_no_reset(address):
    one = prometheus(address)
    Handler.values = {'sum(r{c="green"})': 500}
    list(one())
    Handler.values = {}
    assert list(one()) == []
    Handler.values = {'sum(r{c="green"})': 530}
    ((_name, (candidate,)),) = list(one())
    assert candidate.requests == 30


def test_what_prometheus_refuses_is_an_error(address):
    one = metrics.Prometheus(address, {"requests": "broken", "errors": "broken"}, {LIVE: "blue"})
    with pytest.raises(ValueError, match="Prometheus refused broken: parse error"):
        list(one())
