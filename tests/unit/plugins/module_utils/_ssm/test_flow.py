# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sending and receiving windows: numbers, timeouts, order, as tables under a clock that the test moves."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.bluegreen.aws.plugins.module_utils._ssm import flow


def numbers(pairs):
    return [sequence for sequence, _item in pairs]


def test_numbers_go_out_once_and_in_order():
    window = flow.SendWindow()
    assert [window.put(item) for item in "abc"] == [0, 1, 2]
    assert window.take(0.0) == [(0, "a"), (1, "b"), (2, "c")]
    assert window.take(0.1) == []
    assert window.backlog == 3


def test_only_the_oldest_is_resent_when_its_time_is_over():
    window = flow.SendWindow()
    window.put("a")
    window.put("b")
    window.take(0.0)
    assert window.next_time() == pytest.approx(1.0)
    assert window.take(0.99) == []
    assert window.take(1.0) == [(0, "a")]


@pytest.mark.case("C14")
def test_timeout_doubles_up_to_a_minute():
    window = flow.SendWindow()
    window.put("a")
    window.take(0.0)
    now, gaps = 0.0, []
    for _attempt in range(8):
        due = window.next_time()
        gaps.append(round(due - now, 3))
        now = due
        assert numbers(window.take(now)) == [0]
    assert gaps == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0]


@pytest.mark.case("C14")
def test_karns_rule_a_resent_item_gives_no_sample_and_leaves_the_timeout_doubled():
    window = flow.SendWindow()
    window.put("a")
    window.take(0.0)
    window.take(1.0)
    window.acknowledge(0, 1.9)
    assert window.rto == 2 * flow.RTO_START
    window.put("b")
    window.take(2.0)
    window.acknowledge(1, 2.1)
    assert window.rto == pytest.approx(0.1 + 0.2)


@pytest.mark.case("C14")
def test_the_first_sample_sets_the_round_trip_and_its_variance():
    window = flow.SendWindow()
    window.put("a")
    window.take(0.0)
    window.acknowledge(0, 0.3)
    assert window.rto == pytest.approx(0.3 + 4 * 0.15)


@pytest.mark.case("C14")
def test_a_steady_round_trip_keeps_a_floor_under_the_variance():
    window = flow.SendWindow()
    for number in range(200):
        window.put("x")
        window.take(float(number))
        window.acknowledge(number, number + 0.3)
    assert window.rto == pytest.approx(0.3 + flow.VARIANCE_FLOOR)


@pytest.mark.case("C14")
def test_the_timer_starts_again_when_the_oldest_is_acknowledged():
    window = flow.SendWindow()
    window.put("a")
    window.put("b")
    window.take(0.0)
    window.acknowledge(0, 0.9)
    assert window.next_time() == pytest.approx(0.9 + window.rto)
    assert window.take(1.2) == []


@pytest.mark.case("C14")
def test_the_same_loss_halves_the_window_once():
    window = flow.SendWindow()
    for item in range(200):
        window.put(item)
    for sequence in numbers(window.take(0.0)):
        window.acknowledge(sequence, 0.1)
    oldest = numbers(window.take(0.1))[0]
    for _timeout in range(4):
        assert numbers(window.take(window.next_time())) == [oldest]
    assert window.window == flow.WINDOW_START  # half of the twice as much that it was


def test_samples_raise_the_timeout():
    window = flow.SendWindow()
    for number in range(20):
        window.put("x")
        window.take(float(number))
        window.acknowledge(number, number + 0.5)
    assert 0.45 < window.rto < 1.0


def test_three_later_acknowledgements_mean_lost():
    window = flow.SendWindow()
    for item in "abcdef":
        window.put(item)
    window.take(0.0)
    for sequence in (1, 2):
        window.acknowledge(sequence, 0.01)
    assert window.take(0.02) == []
    window.acknowledge(3, 0.02)
    assert window.next_time() == 0.0
    assert window.take(0.02) == [(0, "a")]
    window.acknowledge(4, 0.03)
    window.acknowledge(5, 0.03)
    assert window.take(0.04) == []  # not again before its timeout


def test_window_holds_back_and_grows():
    window = flow.SendWindow()
    for item in range(1000):
        window.put(item)
    first = window.take(0.0)
    assert len(first) == flow.WINDOW_START
    for sequence in range(flow.WINDOW_START):
        window.acknowledge(sequence, 0.01)
    assert len(window.take(0.01)) == 2 * flow.WINDOW_START


def test_window_never_exceeds_its_limits():
    window = flow.SendWindow()
    now = 0.0
    for item in range(5000):
        window.put(item)
    for _round in range(100):
        for sequence in numbers(window.take(now)):
            window.acknowledge(sequence, now)
        assert window.window <= flow.WINDOW_MAX
    for _loss in range(20):
        window.put("x")
        window.take(now)
        now += 2.0
        window.take(now)
        assert window.window >= flow.WINDOW_MIN


def test_unknown_and_repeated_acknowledgements_change_nothing():
    window = flow.SendWindow()
    window.put("a")
    window.take(0.0)
    window.acknowledge(99, 0.1)
    window.acknowledge(-1, 0.1)
    assert window.backlog == 1
    window.acknowledge(0, 0.1)
    window.acknowledge(0, 0.1)
    assert window.backlog == 0
    assert window.next_time() is None


def test_reconnection_sends_everything_again_in_order():
    window = flow.SendWindow()
    for item in "abcd":
        window.put(item)
    window.take(0.0)
    window.acknowledge(1, 0.01)
    window.reconnected()
    assert window.next_time() == 0.0
    assert window.take(0.02) == [(0, "a"), (2, "c"), (3, "d")]
    assert window.take(0.03) == []
    assert window.resent == 3


def test_age_of_the_oldest_counts_from_its_first_transmission():
    window = flow.SendWindow()
    assert window.oldest_age(5.0) == 0.0
    window.put("a")
    window.take(1.0)
    window.take(2.0)
    assert window.oldest_age(11.0) == 10.0


def test_receiver_orders_and_acknowledges():
    window = flow.ReceiveWindow()
    assert window.put(1, "b") is True
    assert window.take() == []
    assert window.put(0, "a") is True
    assert window.take() == ["a", "b"]
    assert window.put(0, "a") is True  # acknowledged again, delivered never
    assert window.put(1, "b") is True
    assert window.take() == []


def test_receiver_does_not_acknowledge_what_it_cannot_keep():
    window = flow.ReceiveWindow()
    for sequence in range(1, flow.RECEIVE_BUFFER + 1):
        assert window.put(sequence, sequence)
    assert window.put(flow.RECEIVE_BUFFER + 1, "too much") is False
    assert window.put(0, 0) is True
    assert window.take() == list(range(flow.RECEIVE_BUFFER + 1))


@given(st.permutations(list(range(30))), st.data())
def test_any_order_with_repetitions_is_delivered_once_in_order(order, data):
    window = flow.ReceiveWindow()
    delivered = []
    for sequence in order:
        for _copy in range(data.draw(st.integers(1, 3))):
            assert window.put(sequence, sequence)
            delivered += window.take()
    assert delivered == list(range(30))


def test_a_second_loss_resends_what_was_sent_before_the_first_resend():
    window = flow.SendWindow()
    for item in range(4):
        window.put(item)
    assert numbers(window.take(0.0)) == [0, 1, 2, 3]
    first = window.next_time()
    assert numbers(window.take(first)) == [0]
    window.acknowledge(0, first + 0.1)
    assert set(numbers(window.take(window.next_time()))) == {1, 2, 3}, "all were lost with the first, not one each timeout"
