# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Decides what has to happen next to the nodes of one group: creation, replacement, promotion, replication; pure."""

from __future__ import annotations

import dataclasses
import enum

from .stores import DEAD, Condition


@dataclasses.dataclass(frozen=True)
class Seen:
    """A node as it was found. `follows` is the address of the primary that it copies, None for a primary itself.

    `offset` counts the bytes of replicated writes that it has.
    """

    condition: Condition
    follows: str | None = None
    in_step: bool = False
    offset: int = 0


@dataclasses.dataclass(frozen=True)
class Member:
    """A node as it is wanted. `has_data`: it has once been in step with its primary."""

    id: str
    address: str
    leaving: bool = False
    has_data: bool = False


class Do(enum.Enum):
    """One step for one node."""

    CREATE = "create"
    REPLACE = "replace"
    REMOVE = "remove"
    FAIL_OVER = "promote in the place of the dead primary"
    HAND_OVER = "promote in the place of the living primary"
    FOLLOW = "copy the primary"


Step = tuple[Do, str]


def decide(primary: str, members: list[Member], seen: dict[str, Seen], *, failover: bool) -> list[Step]:
    """The next steps; empty when nothing is to be done but, perhaps, to wait.

    A promotion comes alone: everything else depends on who is primary. Only a replica that has had the primary's data can be
    promoted, the one with the most of it; without one the primary is replaced by an empty node, as AWS does.
    """
    steps = [(Do.REMOVE, member.id) for member in members if member.leaving]
    staying = {member.id: member for member in members if not member.leaving}
    head = seen[primary]
    if head.condition in DEAD:
        heirs = [
            member for member in staying.values() if member.id != primary and member.has_data and seen[member.id].condition is Condition.UP
        ]
        if failover and heirs:
            return [(Do.FAIL_OVER, max(heirs, key=lambda member: seen[member.id].offset).id)]
    elif head.condition is Condition.UP and head.follows is not None:
        return [(Do.HAND_OVER, primary)]
    for member in staying.values():
        condition = seen[member.id].condition
        if condition is Condition.ABSENT:
            steps.append((Do.CREATE, member.id))
        elif condition in DEAD:
            steps.append((Do.REPLACE, member.id))
        elif member.id != primary and condition is head.condition is Condition.UP and seen[member.id].follows != staying[primary].address:
            steps.append((Do.FOLLOW, member.id))
    return steps


def is_settled(primary: str, members: list[Member], seen: dict[str, Seen]) -> bool:
    """Whether every node that stays is there and has the primary's data, and every other one has gone."""
    return all(
        not member.leaving and seen[member.id].condition is Condition.UP and (member.id == primary or seen[member.id].in_step)
        for member in members
    )
