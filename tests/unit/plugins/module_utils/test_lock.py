# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who gets the deployment lock, as a table; no AWS, no clock."""

from __future__ import annotations

import itertools

import pytest

from ansible_collections.bluegreen.aws.plugins.module_utils import _lock as lock


def holder(pid=1, host="a", expires=100.0, started="s"):
    return lock.Holder(
        user="kim", host=host, pid=pid, started=started, since="2026-11-21T04:00:00Z", expires=expires, purpose="release of popcon"
    )


ME = holder(pid=99)


def answering(answer):
    """An alive() that knows one answer."""
    return lambda _holder: answer


ALIVE, DEAD, UNKNOWN = answering(True), answering(False), answering(None)

TABLE = [
    ("free", [], ALIVE, False, ("take", 1, ())),
    ("held by a living run", [lock.Lock(1, holder())], ALIVE, False, ("refuse", 1, ())),
    ("held by a dead run of this machine", [lock.Lock(4, holder())], DEAD, False, ("take", 5, (4,))),
    ("held elsewhere, lease runs", [lock.Lock(1, holder(host="b"))], UNKNOWN, False, ("refuse", 1, ())),
    ("held elsewhere, lease over", [lock.Lock(1, holder(host="b", expires=49.0))], UNKNOWN, False, ("take", 2, (1,))),
    ("ours", [lock.Lock(1, ME)], ALIVE, False, ("keep", 1, ())),
    ("broken on request", [lock.Lock(1, holder())], ALIVE, True, ("take", 2, (1,))),
    ("unknown holder", [lock.Lock(1, None)], ALIVE, False, ("refuse", 1, ())),
    ("the highest generation counts", [lock.Lock(1, holder(expires=0.0)), lock.Lock(2, holder(pid=7))], ALIVE, False, ("refuse", 2, ())),
]


@pytest.mark.parametrize(("locks", "alive", "broken", "expected"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_decide(locks, alive, broken, expected):
    verdict = lock.decide(locks, ME, now=50.0, alive=alive, break_lock=broken)
    assert (verdict.action, verdict.generation, verdict.stale) == expected


def test_a_parameter_of_somebody_else_is_an_unknown_holder():
    assert lock.parse(3, "hello") == lock.Lock(3, None)
    assert lock.parse(3, '{"user": "x"}') == lock.Lock(3, None)
    assert lock.parse(3, ME.to_json()) == lock.Lock(3, ME)


def test_refusal_says_who_since_when_and_how_to_break_it():
    assert lock.refusal("/bluegreen/popcon/dev/lock", lock.Lock(1, holder())) == (
        "kim@a (process 1) has been deploying since 2026-11-21T04:00:00Z (release of popcon) and holds the deployment lock "
        "/bluegreen/popcon/dev/lock. Nothing was changed. "
        "Wait for it, or break the lock with -e compose_app_lock_break=true when that run is known to be dead."
    )


class Store:
    """Parameter Store as far as the lock uses it: creating an existing name fails."""

    def __init__(self):
        self.items = {}

    def locks(self):
        return [lock.Lock(generation, who) for generation, who in self.items.items()]


def contender(store, me):
    """The module's steps, one atomic call between two yields; ends True when it has the lock."""
    locks = store.locks()
    yield
    verdict = lock.decide(locks, me, now=50.0, alive=lambda who: who.pid != 1, break_lock=False)
    if verdict.action == "refuse":
        return False
    store.items.setdefault(verdict.generation, me)
    yield
    locks = store.locks()
    mine = [item for item in locks if item.holder.same_run(me)]
    if not mine or not lock.confirmed(locks, mine[-1].generation):
        for item in mine:
            store.items.pop(item.generation, None)
        return False
    yield
    for generation in verdict.stale:
        store.items.pop(generation, None)
    return True


@pytest.mark.parametrize("stale", [False, True], ids=["free", "taken over from a dead run"])
def test_two_runs_never_both_hold_it_in_any_interleaving(stale):
    seen = set()
    for order in set(itertools.permutations([0, 0, 0, 0, 1, 1, 1, 1])):
        store = Store()
        if stale:
            store.items[1] = holder()
        runs = [contender(store, holder(pid=10)), contender(store, holder(pid=20))]
        results = {}
        for index in order:
            try:
                next(runs[index])
            except StopIteration as end:
                results[index] = end.value
        winners = sum(bool(value) for value in results.values())
        assert winners <= 1, order
        seen.add(winners)
    assert 1 in seen
