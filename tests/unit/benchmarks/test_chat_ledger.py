"""The ledger of chat users: what counts as dropped, lost, duplicated and failed, and that nothing else does."""

from __future__ import annotations

import pytest
from chat_ledger import Drop, Failed, Ledger, summary_line
from hypothesis import given
from hypothesis import strategies as st

ROOM = "room-0"


def chatting(users: int = 2, after: int = 0) -> Ledger:
    ledger = Ledger()
    for user in range(users):
        ledger.joined(user, ROOM, after)
    return ledger


def delivered(ledger: Ledger, number: int, users: int = 2) -> None:
    """Message `number` is sent, stored and read by everybody."""
    ledger.sent(ROOM, f"c{number}")
    ledger.acknowledged(ROOM, f"c{number}", number)
    for user in range(users):
        ledger.received(user, ROOM, number, f"c{number}")


def counts(ledger: Ledger) -> tuple[int, ...]:
    result = ledger.result()
    return tuple(result[name] for name in ("dropped", "lost", "duplicated", "failed"))


def test_nothing_goes_wrong():
    ledger = chatting()
    delivered(ledger, 1)
    ledger.answered("1.0.0 blue")
    assert counts(ledger) == (0, 0, 0, 0)
    assert ledger.waiting() == 0
    assert summary_line(ledger.result(), 240.04) == "users=2 dropped=0 lost=0 duplicated=0 failed=0 seconds=240.0"


def test_a_message_that_one_user_misses_is_lost_once_however_many_miss_it():
    ledger = chatting(3)
    delivered(ledger, 1, users=3)
    ledger.sent(ROOM, "c2")
    ledger.acknowledged(ROOM, "c2", 2)
    ledger.received(0, ROOM, 2, "c2")
    assert ledger.waiting() == 1
    assert counts(ledger) == (0, 1, 0, 0)


def test_a_gap_is_lost_although_nobody_knows_the_message():
    ledger = chatting(1)
    ledger.received(0, ROOM, 1, "other-1")
    ledger.received(0, ROOM, 3, "other-3")
    assert counts(ledger) == (0, 1, 0, 0)


def test_acknowledged_and_with_nobody_is_lost():
    ledger = chatting(1)
    ledger.sent(ROOM, "c1")
    ledger.acknowledged(ROOM, "c1", 1)
    assert counts(ledger) == (0, 1, 0, 0)


def test_never_acknowledged_is_lost_unless_somebody_has_read_it():
    ledger = chatting(1)
    ledger.sent(ROOM, "c1")
    assert counts(ledger) == (0, 1, 0, 0)
    ledger.received(0, ROOM, 1, "c1")
    assert counts(ledger) == (0, 0, 0, 0)


def test_read_twice_and_stored_twice_are_duplicates():
    ledger = chatting(1)
    delivered(ledger, 1, users=1)
    ledger.received(0, ROOM, 1, "c1")
    assert counts(ledger) == (0, 0, 1, 0)
    ledger.received(0, ROOM, 2, "c1")
    assert counts(ledger) == (0, 0, 2, 0)


def test_who_joins_later_owes_nothing_of_before():
    ledger = chatting(1, after=0)
    delivered(ledger, 1, users=1)
    ledger.joined(1, ROOM, 1)
    assert counts(ledger) == (0, 0, 0, 0)
    delivered(ledger, 2)
    assert counts(ledger) == (0, 0, 0, 0)


def test_a_reconnection_goes_on_where_the_user_is():
    ledger = chatting(1)
    delivered(ledger, 1, users=1)
    ledger.dropped(Drop(5.0, 0, "1.0.0 blue", 1006, ""))
    assert ledger.newest(0) == 1
    ledger.joined(0, ROOM, 1)
    delivered(ledger, 2, users=1)
    result = ledger.result()
    assert (result["dropped"], result["lost"], result["reconnected"], result["users"]) == (1, 0, 1, 1)


def test_users_with_errors_and_when():
    ledger = chatting()
    ledger.failed(Failed(12.5, 1, "status not 2xx or 3xx: 500", "1.1.0 green"))
    ledger.failed(Failed(11.0, 1, "status not 2xx or 3xx: 500", "1.1.0 green"))
    ledger.dropped(Drop(13.0, 0, "1.1.0 green", 1001, "gone"))
    result = ledger.result()
    assert (result["users_with_errors"], result["first_error_at"], result["last_error_at"]) == (2, 11.0, 13.0)
    assert result["failed_by"] == {"1.1.0 green": 2}
    assert result["requests"] == 2


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(1, 6))))
def test_lost_and_duplicated_are_what_an_independent_count_says(reads):
    ledger = chatting(3)
    for user, number in reads:
        ledger.received(user, ROOM, number, f"c{number}")
    newest = max((number for _user, number in reads), default=0)
    missing = {number for number in range(1, newest + 1) for user in range(3) if (user, number) not in reads}
    assert counts(ledger) == (0, len(missing), len(reads) - len(set(reads)), 0)


@pytest.mark.parametrize("listed", [10, 80])
def test_the_lists_are_bounded_and_the_counts_are_not(listed):
    ledger = chatting(1)
    for number in range(listed):
        ledger.failed(Failed(float(number), 0, "x", ""))
    assert ledger.result()["failed"] == listed
    assert len(ledger.result()["failures"]) == min(listed, 50)
