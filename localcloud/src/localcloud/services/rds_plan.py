# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Decides what has to happen next to the servers of one DB instance: creation, promotion, replacement, synchronous commits; pure."""

from __future__ import annotations

import dataclasses
import enum

from .stores import DEAD, Condition


@dataclasses.dataclass(frozen=True)
class Seen:
    """A server as it was found. Of a primary: `waits`, its commits wait for a standby; `copies`, how many standbys stream from it;
    `confirmed`, how many of them commits wait for."""

    condition: Condition
    is_standby: bool = False
    waits: bool = False
    copies: int = 0
    confirmed: int = 0


@dataclasses.dataclass(frozen=True)
class Member:
    """A server as it is wanted; `in_sync` and `stale` as in the state."""

    id: str
    leaving: bool = False
    in_sync: bool = False
    stale: bool = False


class Do(enum.Enum):
    """One step for one server."""

    CREATE = "create"
    START = "start again"
    RESTART = "end and start again"
    STOP = "stop"
    REMOVE = "remove"
    COPY_ANEW = "throw its data away and copy the primary's"
    FAIL_OVER = "promote in the place of the dead primary"
    PROMOTE = "promote"
    WAIT_FOR_STANDBY = "let commits wait for the standby"
    TRUST_STANDBY = "let the standby take over when the primary dies"
    WAIT_NO_MORE = "let commits wait for no standby"


Step = tuple[Do, str]

_AGAIN = {Condition.ABSENT: Do.CREATE, Condition.STOPPED: Do.START, Condition.HUNG: Do.RESTART}


def decide(primary: str, members: list[Member], seen: dict[str, Seen], *, running: bool) -> list[Step]:
    """The next steps; empty when nothing is to be done but, perhaps, to wait.

    A promotion comes alone: everything else depends on who is primary. Only a standby that commits have waited for may be promoted; without
    one the primary starts again, with its data. The primary stops waiting for a standby that is dead or leaving, which from then on may not
    be promoted: the step comes alone too, so that nothing is written in between.
    """
    if not running:
        return [(Do.STOP, member.id) for member in members if seen[member.id].condition not in (Condition.ABSENT, Condition.STOPPED)]
    head = seen[primary]
    standby = next((member for member in members if member.id != primary and not member.leaving), None)
    steps = [(Do.REMOVE, member.id) for member in members if member.leaving and member.id != primary]
    if head.condition in DEAD:
        if standby is not None and standby.in_sync and not standby.stale and seen[standby.id].condition is Condition.UP:
            return [(Do.FAIL_OVER, standby.id)]
        steps.append((_AGAIN[head.condition], primary))
    elif head.condition is Condition.UP and head.is_standby:
        return [(Do.PROMOTE, primary)]
    if standby is None:
        return [(Do.WAIT_NO_MORE, primary)] if head.waits else steps
    return steps + _standby_steps(primary, head, standby, seen[standby.id])


def _standby_steps(primary: str, head: Seen, standby: Member, found: Seen) -> list[Step]:
    if found.condition in DEAD and head.condition is Condition.UP and (head.waits or standby.in_sync):
        return [(Do.WAIT_NO_MORE, primary)]
    if head.condition is not Condition.UP:
        return []  # what a standby copies is not there
    if standby.stale or (found.condition is Condition.UP and not found.is_standby):
        return [(Do.COPY_ANEW, standby.id)]
    if found.condition in DEAD:
        return [(_AGAIN[found.condition], standby.id)]
    if head.copies and not head.waits:
        return [(Do.WAIT_FOR_STANDBY, primary)]
    if head.confirmed and head.waits and not standby.in_sync:
        return [(Do.TRUST_STANDBY, standby.id)]
    return []


def is_settled(primary: str, members: list[Member], seen: dict[str, Seen], *, multi_az: bool, running: bool) -> bool:
    """Whether every server that stays is there as it is wanted, and every other one has gone."""
    if not running:
        return all(seen[member.id].condition in (Condition.ABSENT, Condition.STOPPED) for member in members)
    if len(members) != (2 if multi_az else 1) or any(member.leaving or member.stale for member in members):
        return False
    if seen[primary].condition is not Condition.UP or seen[primary].is_standby:
        return False
    return all(member.in_sync and seen[member.id].condition is Condition.UP for member in members if member.id != primary)
