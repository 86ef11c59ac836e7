# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The watchdog's decisions, with lines instead of a pipe and weights that fail as often as told."""

from __future__ import annotations

import json

import pytest

from ansible_collections.bluegreen.aws.plugins.module_utils import _traffic as traffic
from ansible_collections.bluegreen.aws.plugins.plugin_utils._canary import watchdog

BACK = {"chat-blue": 100, "chat-green": 0}
SHIFTED = {"chat-blue": 90, "chat-green": 10}


class Weights:
    def __init__(self, failures=0, in_force=None):
        self.failures, self.written, self.in_force = failures, [], in_force or {"chat-blue": 90, "chat-green": 10}

    def write(self, weights, expected):
        traffic.expect(self.in_force, expected, "listener chat:80")
        if self.failures:
            self.failures -= 1
            raise OSError("Rate exceeded")
        self.written.append(weights)


class Record:
    def __init__(self):
        self.written = []

    def write(self, state):
        self.written.append(state)


def lines(*messages):
    return [json.dumps(message) for message in messages]


def back(weights=None):
    return {"back": weights or BACK, "entry": {"id": "r1", "state": "judging", "rollback_weights": BACK, "own": [SHIFTED, BACK]}}


def run(given, failures=0):
    weights, record, said = Weights(failures), Record(), []
    return watchdog.guard(given, weights, record, said.append), weights, record, said


def test_the_end_without_a_word_leads_back():
    done, weights, record, said = run(lines(back({"chat-blue": 90, "chat-green": 10}), back()))
    assert weights.written == [BACK]
    assert done["outcome"] == "rolled_back"
    assert record.written[0]["state"] == "rolled_back"
    assert record.written[0]["id"] == "r1"
    assert record.written[0]["rollback_weights"] == BACK
    assert "the rollout's process is gone" in said[0]


def test_a_last_word_ends_the_watch():
    done, weights, record, _said = run(lines(back(), {"done": True}))
    assert (done, weights.written, record.written) == (None, [], [])


def test_nothing_was_shifted_yet():
    done, weights, _record, _said = run([])
    assert (done, weights.written) == (None, [])


def test_a_line_that_was_cut_off_counts_as_the_end():
    done, weights, _record, _said = run([*lines(back()), '{"back": {"chat-bl'])
    assert done["outcome"] == "rolled_back"
    assert weights.written == [BACK]


def test_it_tries_again_and_says_so(monkeypatch):
    monkeypatch.setattr(watchdog.restore, "__kwdefaults__", {**watchdog.restore.__kwdefaults__, "sleep": lambda _seconds: None})
    done, weights, _record, said = run(lines(back()), failures=4)
    assert weights.written == [BACK]
    assert done["outcome"] == "rolled_back"
    assert sum("Rate exceeded" in line for line in said) == 4


def test_it_gives_up_in_the_end_and_leaves_the_way_back_on_record():
    now = [0.0]
    weights, said = Weights(10_000), []

    def sleep(seconds):
        now[0] += seconds

    assert watchdog.restore(weights, BACK, [SHIFTED], said.append, clock=lambda: now[0], sleep=sleep) is None
    assert now[0] >= watchdog.TRIES_FOR_S
    assert weights.written == []


def test_a_record_that_cannot_be_written_does_not_matter_then():
    weights = Weights()

    class Broken:
        def write(self, _state):
            raise OSError("no")

    done = watchdog.guard(lines(back()), weights, Broken(), lambda _text: None)
    assert done["outcome"] == "rolled_back"
    assert weights.written == [BACK]


@pytest.mark.case("B5")
def test_newer_weights_stay_and_the_record_names_them():
    newer = {"chat-blue": 0, "chat-green": 100}
    weights, record, said = Weights(in_force=newer), Record(), []
    done = watchdog.guard(lines(back()), weights, record, said.append)
    assert weights.written == []
    assert (done["outcome"], done["weights"]) == ("taken_over", newer)
    assert (record.written[0]["state"], record.written[0]["weights"]) == ("taken_over", newer)
    assert said[-1] == (
        "The weights of listener chat:80 were not set: chat-blue 0, chat-green 100 are in force, where chat-blue 90, chat-green 10 or "
        "chat-blue 100, chat-green 0 were expected; another run or a person has set them, and they stay "
        "(CloudTrail names who: ModifyListener, ModifyRule)."
    )
