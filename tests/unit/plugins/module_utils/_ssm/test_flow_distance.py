# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sending window over a simulated ordered link: round trips of 0, 60, 150 and 300 ms with 20 % jitter, stalls and bursts of loss."""

from __future__ import annotations

import heapq
import itertools
import random

import pytest

from ansible_collections.bluegreen.aws.plugins.module_utils._ssm import channel, flow

MEGABYTES_3 = 3_000_000 // channel.INPUT_PAYLOAD
AGENT_SECONDS = 0.0001  # what a message costs the agent


class Link:
    """Messages and their acknowledgements in order, each direction late by half the round trip, give or take its jitter."""

    def __init__(self, round_trip, jitter=0.2, seed=1):
        self.window = flow.SendWindow()
        self.now = 0.0
        self.arrived = []
        self._half, self._jitter = round_trip / 2, jitter
        self._random = random.Random(seed)
        self._events, self._order = [], itertools.count()
        self._last = {"there": 0.0, "back": 0.0}
        self.lost = set()  # transmissions, counted from 0, that never arrive
        self.stalled = (0.0, 0.0)  # the agent handles nothing between these times
        self._sent = 0

    def _way(self, name, since):
        late = since + self._half * (1 + self._jitter * self._random.uniform(-1, 1))
        self._last[name] = due = max(late, self._last[name] + AGENT_SECONDS)
        return due

    def run(self, until=600.0):
        """Send what is queued until everything is acknowledged; return the seconds that took."""
        began = self.now
        while self.window.backlog:
            for sequence, _item in self.window.take(self.now):
                if self._sent not in self.lost:
                    there = self._way("there", self.now)
                    if self.stalled[0] <= there < self.stalled[1]:
                        there = self._last["there"] = self.stalled[1]
                    heapq.heappush(self._events, (self._way("back", there), next(self._order), sequence))
                self._sent += 1
            due = self.window.next_time()
            ahead = [time for time in (self._events[0][0] if self._events else None, due) if time is not None]
            self.now = max(self.now, min(ahead))
            assert self.now < until, "it does not end"
            while self._events and self._events[0][0] <= self.now:
                _time, _order, sequence = heapq.heappop(self._events)
                self.arrived.append(sequence)
                self.window.acknowledge(sequence, self.now)
        return self.now - began

    def queue(self, number):
        for item in range(number):
            self.window.put(item)


@pytest.mark.case("C14")
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("milliseconds, least", [(0, 3.0), (60, 3.0), (150, 1.5), (200, 1.1), (300, 0.7)])
def test_a_distant_upload_is_fast_and_repeats_nothing(milliseconds, least, seed):
    link = Link(milliseconds / 1000, seed=seed)
    link.queue(MEGABYTES_3)
    seconds = link.run()
    assert link.window.resent == 0
    assert 3.0 / seconds >= least  # MB/s, slow start included


@pytest.mark.case("C14")
@pytest.mark.parametrize("milliseconds", [60, 150, 300])
def test_messages_one_by_one_repeat_nothing(milliseconds):
    """Small commands give few samples, and each of them far from the last."""
    link = Link(milliseconds / 1000)
    for _command in range(200):
        link.queue(1)
        link.run(until=1e6)
        link.now += 3.0
    assert link.window.resent == 0


@pytest.mark.case("C14")
def test_steady_round_trips_then_jitter_repeat_nothing():
    link = Link(0.3, jitter=0.0)
    link.queue(2000)
    link.run()
    link._jitter = 0.2
    link.queue(2000)
    link.run()
    assert link.window.resent == 0


@pytest.mark.case("C14")
def test_a_peer_that_stalls_costs_a_few_resends_not_a_collapse():
    link = Link(0.2)
    link.queue(MEGABYTES_3)
    link.stalled = (1.0, 6.0)
    seconds = link.run()
    assert link.window.resent <= 5
    assert seconds < 5.0 + 2 * 3.0


@pytest.mark.case("C14")
def test_a_round_trip_that_becomes_longer_is_learned():
    link = Link(0.02)
    link.queue(500)
    link.run()
    link._half = 0.4
    link.queue(MEGABYTES_3)
    link.run()
    assert link.window.resent <= 3
    assert link.window.rto > 0.8


@pytest.mark.case("C14")
@pytest.mark.parametrize("number", [1, 30, 200])
def test_a_burst_of_loss_at_the_end_is_repaired_in_bursts(number):
    """The agent's connection broke: everything under way is lost and nothing new follows that could tell."""
    link = Link(0.1, jitter=0.0)
    link.queue(600)
    link.lost = set(range(600 - number, 600))
    seconds = link.run()
    assert sorted(set(link.arrived)) == list(range(600))
    assert link.window.resent == number
    assert seconds < 2.0 + (number / flow.WINDOW_START + 1) * 0.35


@pytest.mark.case("C14")
def test_random_loss_is_repaired_while_data_flow():
    link = Link(0.15, jitter=0.0)
    link.queue(MEGABYTES_3)
    link.lost = set(random.Random(3).sample(range(MEGABYTES_3), 60))
    seconds = link.run()
    assert sorted(set(link.arrived)) == list(range(MEGABYTES_3))
    assert link.window.resent <= 75
    assert seconds < 20


def test_the_window_is_bounded_by_what_any_agent_keeps():
    assert flow.WINDOW_MAX <= 10_000  # agents before 3.1 keep so many that came too early
    link = Link(0.3)
    link.queue(20_000)
    link.run()
    assert link.window.window == flow.WINDOW_MAX
