# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Counts from log lines, and when waiting for the last connection ends."""

from __future__ import annotations

import json

import pytest

from ansible_collections.bluegreen.aws.plugins.module_utils._connections import Count, Wait, count


def event(stream, at, text):
    return {"logStreamName": stream, "timestamp": at, "message": text if isinstance(text, str) else json.dumps(text)}


def open_ones(number, **more):
    return {"message": "connections", "websockets": number, **more}


def test_the_newest_line_of_each_task_counts():
    events = [event("a", 2000, open_ones(5)), event("a", 1000, open_ones(9)), event("b", 1500, open_ones(2))]
    assert count(events, "connections", "websockets", 0).tasks == {"a": 5, "b": 2}
    assert count(events, "connections", "websockets", 0).total == 7


def test_a_task_that_has_logged_nothing_lately_has_ended():
    events = [event("a", 1000, open_ones(9)), event("b", 5000, open_ones(2))]
    assert count(events, "connections", "websockets", 3000).tasks == {"b": 2}


@pytest.mark.parametrize(
    "text",
    [
        "connections: 5",
        "{",
        '"connections"',
        "[1]",
        {"message": "request", "websockets": 5},
        {"message": "connections"},
        open_ones("5"),
        open_ones(-1),
        open_ones(True),
        open_ones(None),
    ],
)
def test_other_lines_do_not_count(text):
    assert count([event("a", 1, text)], "connections", "websockets", 0) == Count({})


@pytest.mark.parametrize(
    ("limit", "totals", "outcome", "first", "left"),
    [
        (60, [0], "none", 0, 0),
        (60, [3, 1, 0], "gone", 3, 0),
        (60, [3, 4, 2, None], "gone", 3, 0),
        (60, [None], "unknown", 0, 0),
        (20, [3, 3, 3], "limit", 3, 3),
        (0, [3], "limit", 3, 3),
    ],
)
def test_waiting_ends(limit, totals, outcome, first, left):
    wait = Wait(limit)
    for number, total in enumerate(totals):
        assert wait.outcome is None
        wait.on_count(number * 10, Count({} if total is None else {"a": total}))
    assert (wait.outcome, wait.first, wait.last) == (outcome, first, left)
