# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is decided for the servers of a DB instance in every condition that they can be in, and that no confirmed write is ever lost."""

from __future__ import annotations

import dataclasses
import itertools
import random

import pytest

from localcloud.services.rds_plan import Do, Member, Seen, decide, is_settled
from localcloud.services.stores import DEAD, Condition

ONE, TWO = Member("d-1"), Member("d-2", in_sync=True)
NEW = Member("d-2")
ALONE = Seen(Condition.UP)
WAITING = Seen(Condition.UP, waits=True, copies=1, confirmed=1)
STANDBY = Seen(Condition.UP, is_standby=True)
ABSENT, STOPPED, HUNG, STARTING = (Seen(Condition[name]) for name in ("ABSENT", "STOPPED", "HUNG", "STARTING"))


def steps(members, *seen, running=True, primary="d-1"):
    return decide(primary, members, {member.id: found for member, found in zip(members, seen, strict=True)}, running=running)


@pytest.mark.parametrize(
    ("seen", "wanted"),
    [(ABSENT, Do.CREATE), (STOPPED, Do.START), (HUNG, Do.RESTART), (STARTING, None), (ALONE, None), (STANDBY, Do.PROMOTE)],
)
def test_one_server_comes_back_with_its_data(seen, wanted):
    assert steps([ONE], seen) == ([(wanted, "d-1")] if wanted else [])


@pytest.mark.parametrize(
    ("member", "seen", "wanted"),
    [
        (TWO, (WAITING, STANDBY), []),
        (NEW, (ABSENT, ABSENT), [(Do.CREATE, "d-1")]),  # the standby copies a primary, which must be there
        (NEW, (ALONE, ABSENT), [(Do.CREATE, "d-2")]),
        (NEW, (ALONE, STARTING), []),
        (NEW, (dataclasses.replace(ALONE, copies=1), STANDBY), [(Do.WAIT_FOR_STANDBY, "d-1")]),
        (NEW, (WAITING, STANDBY), [(Do.TRUST_STANDBY, "d-2")]),
        (TWO, (STOPPED, STANDBY), [(Do.FAIL_OVER, "d-2")]),
        (TWO, (ABSENT, STANDBY), [(Do.FAIL_OVER, "d-2")]),
        (TWO, (HUNG, STANDBY), [(Do.FAIL_OVER, "d-2")]),
        (TWO, (STARTING, STANDBY), []),
        (TWO, (STOPPED, STARTING), [(Do.START, "d-1")]),
        (TWO, (WAITING, STOPPED), [(Do.WAIT_NO_MORE, "d-1")]),
        (TWO, (WAITING, HUNG), [(Do.WAIT_NO_MORE, "d-1")]),
        (NEW, (ALONE, STOPPED), [(Do.START, "d-2")]),
        (NEW, (STOPPED, STANDBY), [(Do.START, "d-1")]),  # it may lack what was confirmed
        (Member("d-2", stale=True), (ALONE, ABSENT), [(Do.COPY_ANEW, "d-2")]),
        (Member("d-2", stale=True), (ALONE, STANDBY), [(Do.COPY_ANEW, "d-2")]),
        (NEW, (ALONE, ALONE), [(Do.COPY_ANEW, "d-2")]),
        (Member("d-2", leaving=True, in_sync=True), (WAITING, STANDBY), [(Do.WAIT_NO_MORE, "d-1")]),
        (Member("d-2", leaving=True), (ALONE, STANDBY), [(Do.REMOVE, "d-2")]),
    ],
)
def test_primary_and_standby(member, seen, wanted):
    assert steps([ONE, member], *seen) == wanted


def test_stopping_ends_what_runs():
    assert steps([ONE, TWO], WAITING, STANDBY, running=False) == [(Do.STOP, "d-1"), (Do.STOP, "d-2")]
    assert steps([ONE, TWO], STOPPED, ABSENT, running=False) == []


@pytest.mark.parametrize(
    ("members", "seen", "multi_az", "wanted"),
    [
        ([ONE], [ALONE], False, True),
        ([ONE], [ALONE], True, False),
        ([ONE], [STARTING], False, False),
        ([ONE, TWO], [WAITING, STANDBY], True, True),
        ([ONE, TWO], [WAITING, STANDBY], False, False),
        ([ONE, NEW], [WAITING, STANDBY], True, False),
        ([ONE, TWO], [WAITING, STOPPED], True, False),
    ],
)
def test_settled(members, seen, multi_az, wanted):
    found = {member.id: each for member, each in zip(members, seen, strict=True)}
    assert is_settled("d-1", members, found, multi_az=multi_az, running=True) is wanted


def test_a_stopped_instance_is_settled_without_servers():
    assert is_settled("d-1", [ONE], {"d-1": STOPPED}, multi_az=False, running=False)
    assert not is_settled("d-1", [ONE], {"d-1": ALONE}, multi_az=False, running=False)


class World:
    """Two servers that die and hang at any moment, and a client that remembers what was confirmed to it."""

    def __init__(self, seed):
        self.chance = random.Random(seed)
        self.primary, self.other = "d-1", "d-2"
        self.alive = {"d-1": True, "d-2": False}
        self.standby = {"d-1": False, "d-2": False}
        self.writes = {"d-1": 0, "d-2": 0}
        self.in_sync = {"d-1": False, "d-2": False}
        self.stale = {"d-1": False, "d-2": True}
        self.waits = False
        self.confirmed = 0

    def streams(self):
        return self.alive[self.primary] and self.alive[self.other] and self.standby[self.other] and not self.stale[self.other]

    def happen(self):
        what = self.chance.choice(["write", "write", "stream", "kill primary", "kill other", "decide", "decide", "decide"])
        if what == "write" and self.alive[self.primary] and not self.standby[self.primary]:
            self.writes[self.primary] += 1
            if self.waits and not self.streams():
                return  # the commit waits: nobody was told anything
            if self.streams() and (self.waits or self.chance.random() < 0.5):
                self.writes[self.other] = self.writes[self.primary]
            self.confirmed = self.writes[self.primary]
        elif what == "stream" and self.streams():
            self.writes[self.other] = self.writes[self.primary]
        elif what == "kill primary":
            self.alive[self.primary] = False
        elif what == "kill other":
            self.alive[self.other] = False
        elif what == "decide":
            self.decide()

    def look(self, server):
        if not self.alive[server]:
            return Seen(self.chance.choice(sorted(DEAD, key=str)))
        if server == self.primary:
            caught_up = self.streams() and self.writes[self.other] == self.writes[server]
            return Seen(
                Condition.UP, is_standby=self.standby[server], waits=self.waits, copies=int(self.streams()),
                confirmed=int(self.waits and caught_up),
            )  # fmt: skip
        return Seen(Condition.UP, is_standby=self.standby[server])

    def decide(self):
        ids = [self.primary, self.other]
        members = [Member(server, in_sync=self.in_sync[server], stale=self.stale[server]) for server in ids]
        for do, server in decide(self.primary, members, {server: self.look(server) for server in ids}, running=True):
            self.carry_out(do, server)

    def carry_out(self, do, server):
        if do in (Do.START, Do.RESTART, Do.CREATE):
            self.alive[server] = True
            if do is Do.CREATE and server == self.other:
                self.standby[server] = True
        elif do is Do.COPY_ANEW:
            self.alive[server], self.standby[server], self.stale[server] = True, True, False
            self.writes[server], self.in_sync[server] = self.writes[self.primary], False
        elif do is Do.WAIT_FOR_STANDBY:
            self.in_sync = dict.fromkeys(self.in_sync, False)
            self.waits = True
        elif do is Do.WAIT_NO_MORE:
            self.in_sync = dict.fromkeys(self.in_sync, False)
            self.waits = False
        elif do is Do.TRUST_STANDBY:
            self.in_sync[server] = True
        elif do is Do.FAIL_OVER:
            assert self.writes[server] >= self.confirmed, "a confirmed write is lost"
            self.alive[self.primary] = False
            self.stale[self.primary], self.in_sync = True, dict.fromkeys(self.in_sync, False)
            self.standby[server], self.waits = False, False
            self.primary, self.other = server, self.primary


def test_no_confirmed_write_is_lost_whatever_dies_when():
    failovers = 0
    for seed in range(600):
        world = World(seed)
        for _ in range(80):
            before = world.primary
            world.happen()
            failovers += world.primary != before
            assert world.writes[world.primary] >= world.confirmed
    assert failovers > 300, "the walks have seen too few failovers to mean anything"


def test_whatever_is_found_the_steps_are_about_known_servers_and_a_promotion_is_alone():
    found = [Seen(condition, is_standby=flag, waits=flag) for condition in Condition for flag in (True, False)]
    for first, second, in_sync, stale, leaving in itertools.product(found, found, *[(True, False)] * 3):
        done = steps([ONE, Member("d-2", in_sync=in_sync, stale=stale, leaving=leaving)], first, second)
        assert {server for _, server in done} <= {"d-1", "d-2"}
        if any(do in (Do.FAIL_OVER, Do.PROMOTE) for do, _ in done):
            assert len(done) == 1
