# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is decided for the nodes of a group in every condition that they can be in."""

from __future__ import annotations

import itertools

import pytest

from localcloud.services.elasticache_plan import Do, Member, Seen, decide, is_settled
from localcloud.services.stores import DEAD, Condition

ONE, TWO, THREE = Member("c-001", "10.0.1.4", has_data=True), Member("c-002", "10.0.2.4", has_data=True), Member("c-003", "10.0.1.5")
PRIMARY = Seen(Condition.UP, offset=100)
REPLICA = Seen(Condition.UP, follows=ONE.address, in_step=True, offset=100)
ABSENT, STOPPED, HUNG, STARTING = (Seen(Condition[name]) for name in ("ABSENT", "STOPPED", "HUNG", "STARTING"))


def steps(members, *seen, failover=True, primary="c-001"):
    return decide(primary, members, {member.id: found for member, found in zip(members, seen, strict=True)}, failover=failover)


@pytest.mark.parametrize(
    ("seen", "wanted"),
    [
        ((PRIMARY, REPLICA), []),
        ((ABSENT, ABSENT), [(Do.CREATE, "c-001"), (Do.CREATE, "c-002")]),
        ((PRIMARY, ABSENT), [(Do.CREATE, "c-002")]),
        ((PRIMARY, STOPPED), [(Do.REPLACE, "c-002")]),
        ((PRIMARY, HUNG), [(Do.REPLACE, "c-002")]),
        ((PRIMARY, STARTING), []),
        ((STARTING, REPLICA), []),
        ((PRIMARY, Seen(Condition.UP, follows="10.9.9.9")), [(Do.FOLLOW, "c-002")]),
        ((PRIMARY, Seen(Condition.UP)), [(Do.FOLLOW, "c-002")]),
        ((STOPPED, REPLICA), [(Do.FAIL_OVER, "c-002")]),
        ((ABSENT, REPLICA), [(Do.FAIL_OVER, "c-002")]),
        ((HUNG, REPLICA), [(Do.FAIL_OVER, "c-002")]),
        ((STOPPED, STOPPED), [(Do.REPLACE, "c-001"), (Do.REPLACE, "c-002")]),
        ((Seen(Condition.UP, follows=TWO.address), PRIMARY), [(Do.HAND_OVER, "c-001")]),
    ],
)
def test_two_nodes(seen, wanted):
    assert steps([ONE, TWO], *seen) == wanted


def test_without_automatic_failover_the_primary_is_replaced():
    assert steps([ONE, TWO], STOPPED, REPLICA, failover=False) == [(Do.REPLACE, "c-001")]


def test_the_replica_with_the_most_data_is_promoted():
    two, three = Member("c-002", "10.0.2.4", has_data=True), Member("c-003", "10.0.1.5", has_data=True)
    behind, ahead = (Seen(Condition.UP, follows=ONE.address, offset=offset) for offset in (5, 6))
    assert steps([ONE, two, three], STOPPED, behind, ahead) == [(Do.FAIL_OVER, "c-003")]
    assert steps([ONE, two, three], STOPPED, ahead, behind) == [(Do.FAIL_OVER, "c-002")]


def test_a_replica_that_never_had_the_data_is_not_promoted():
    assert steps([ONE, THREE], STOPPED, Seen(Condition.UP, follows=ONE.address)) == [(Do.REPLACE, "c-001")]


def test_a_node_that_leaves_is_removed_and_never_promoted():
    leaving = Member("c-002", "10.0.2.4", leaving=True, has_data=True)
    assert steps([ONE, leaving], PRIMARY, REPLICA) == [(Do.REMOVE, "c-002")]
    assert steps([ONE, leaving], STOPPED, REPLICA) == [(Do.REMOVE, "c-002"), (Do.REPLACE, "c-001")]


def test_settled_is_when_all_are_there_and_in_step():
    seen = {"c-001": PRIMARY, "c-002": REPLICA}
    assert is_settled("c-001", [ONE, TWO], seen)
    assert not is_settled("c-001", [ONE, TWO], {**seen, "c-002": Seen(Condition.UP, follows=ONE.address)})
    assert not is_settled("c-001", [ONE, Member("c-002", "10.0.2.4", leaving=True)], seen)
    assert not is_settled("c-001", [ONE, TWO], {**seen, "c-001": HUNG})


def test_at_most_one_promotion_and_never_of_the_dead():
    """Every combination of conditions of three nodes."""
    members = [Member(node, address, has_data=True) for node, address in (("c-001", "a"), ("c-002", "b"), ("c-003", "c"))]
    looks = [Seen(condition, follows="a" if condition is Condition.UP else None) for condition in Condition]
    for seen in itertools.product([PRIMARY, *looks], looks, looks):
        found = decide("c-001", members, {member.id: look for member, look in zip(members, seen, strict=True)}, failover=True)
        promotions = [node for do, node in found if do is Do.FAIL_OVER]
        assert len(promotions) <= 1
        for node in promotions:
            assert len(found) == 1
            assert seen[0].condition in DEAD
            assert {member.id: look for member, look in zip(members, seen, strict=True)}[node].condition is Condition.UP
