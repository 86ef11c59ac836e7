# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""open_connections_info: looks, waits, gives up; requests checked by botocore's stubber."""

from __future__ import annotations

import json

import pytest
from stubbed import stubbed

from ansible_collections.bluegreen.aws.plugins.module_utils._aws import logs
from ansible_collections.bluegreen.aws.plugins.module_utils._aws.errors import BluegreenAWSError

PARAMS = {"log_group": "/ecs/c/blue", "event": "connections", "field": "websockets", "max_age": 30, "wait_timeout": 60, "interval": 5}


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


def asked(now, **more):
    return {"logGroupName": "/ecs/c/blue", "filterPattern": "connections", "startTime": int((now - 30) * 1000), **more}


def answer(now, *numbers, **more):
    lines = [{"message": "connections", "websockets": number} for number in numbers]
    events = [{"logStreamName": f"app/{n}", "timestamp": int(now * 1000), "message": json.dumps(line)} for n, line in enumerate(lines)]
    return {"events": events, **more}


def run(stubber, client, answers, **params):
    clock = Clock()
    for number, numbers in enumerate(answers):
        now = clock.now + 5 * number
        stubber.add_response("filter_log_events", answer(now, *numbers), asked(now))
    return logs.open_connections(client, {**PARAMS, **params}, clock=clock, sleep=clock.sleep)


def test_it_waits_until_all_have_left():
    with stubbed("logs") as (client, stubber):
        found = run(stubber, client, [(2, 1), (1, 0), (0, 0)])
    assert found == {
        "outcome": "gone",
        "first": 3,
        "left": 0,
        "seconds": 10.0,
        "tasks": {"app/0": 0, "app/1": 0},
        "counts": [[0.0, 3], [5.0, 1], [10.0, 0]],
    }


def test_it_stops_at_the_limit_and_says_how_many_are_left():
    with stubbed("logs") as (client, stubber):
        found = run(stubber, client, [(2,), (2,), (1,)], wait_timeout=10)
    assert (found["outcome"], found["first"], found["left"]) == ("limit", 2, 1)


def test_it_reads_every_page():
    with stubbed("logs") as (client, stubber):
        stubber.add_response("filter_log_events", answer(1000.0, 1, nextToken="more"), asked(1000.0))
        other = answer(1000.0, 4)
        other["events"][0]["logStreamName"] = "app/other"
        stubber.add_response("filter_log_events", other, asked(1000.0, nextToken="more"))
        found = logs.open_connections(client, {**PARAMS, "wait_timeout": 0}, clock=Clock())
    assert found["left"] == 5


def test_check_mode_looks_once():
    with stubbed("logs") as (client, stubber):
        stubber.add_response("filter_log_events", answer(1000.0, 7), asked(1000.0))
        found = logs.open_connections(client, PARAMS, check=True, clock=Clock())
    assert (found["outcome"], found["left"]) == ("limit", 7)


def test_an_error_names_the_group_and_the_call():
    with stubbed("logs") as (client, stubber):
        stubber.add_client_error("filter_log_events", "ResourceNotFoundException", "no")
        with pytest.raises(BluegreenAWSError) as caught:
            logs.open_connections(client, PARAMS, clock=Clock())
    assert caught.value.message == "Failed to read log group /ecs/c/blue (logs:FilterLogEvents)"
