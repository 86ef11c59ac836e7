# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Decides who holds an environment's deployment lock; pure: time and facts about processes are handed in.

The lock is a set of Parameter Store parameters ``<name>/<generation>``. Creating one without overwriting is atomic, so one
of two runs that want the same generation gets it. The highest generation holds the lock. A lock whose holder is known to be
dead, or whose lease has run out, is taken over by creating the next generation.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Holder:
    """Who holds it. ``pid`` and ``started`` (seconds since boot or epoch, as text) identify the controller's process on ``host``."""

    user: str
    host: str
    pid: int
    started: str
    since: str  # ISO 8601, UTC
    expires: float  # seconds since the epoch
    purpose: str = ""

    def to_json(self) -> str:
        return json.dumps(asdict(self), sort_keys=True)

    def same_run(self, other: Holder) -> bool:
        return (self.host, self.pid, self.started) == (other.host, other.pid, other.started)


@dataclass(frozen=True)
class Lock:
    generation: int
    holder: Holder | None  # None: the text is not ours; held by somebody unknown


def parse(generation: int, text: str) -> Lock:
    """A parameter's text as Lock; a text that is not ours is a lock with an unknown holder, never an error."""
    try:
        fields = json.loads(text)
        return Lock(generation, Holder(**fields))
    except (TypeError, ValueError):
        return Lock(generation, None)


@dataclass(frozen=True)
class Verdict:
    """``action``: take (create ``generation``), keep (already ours), refuse. ``stale``: generations to remove when it is taken."""

    action: str
    generation: int = 0
    stale: tuple = ()
    why: str = ""


def decide(locks: list, me: Holder, *, now: float, alive, break_lock: bool) -> Verdict:
    """What a run that wants the lock does. ``alive(holder)`` is True, False, or None when it cannot be known (another host)."""
    if not locks:
        return Verdict("take", 1)
    top = max(locks, key=lambda lock: lock.generation)
    stale = tuple(sorted(lock.generation for lock in locks))
    following = top.generation + 1
    holder = top.holder
    if holder is not None and holder.same_run(me):
        return Verdict("keep", top.generation)
    if break_lock:
        return Verdict("take", following, stale, "it was broken on request")
    if holder is not None and alive(holder) is False:
        return Verdict("take", following, stale, f"its holder, process {holder.pid} of {holder.user} on this machine, is gone")
    if holder is not None and holder.expires <= now:
        return Verdict("take", following, stale, f"its lease, taken {holder.since} by {holder.user}@{holder.host}, has run out")
    return Verdict("refuse", top.generation)


def confirmed(locks: list, mine: int) -> bool:
    """After creating generation ``mine``: nobody got a higher one meanwhile."""
    return all(lock.generation <= mine for lock in locks)


def refusal(name: str, lock: Lock) -> str:
    """The sentence for the second of two deployments."""
    remedy = "Wait for it, or break the lock with -e compose_app_lock_break=true when that run is known to be dead."
    if lock.holder is None:
        return f"The deployment lock {name} is held by an unknown holder. Nothing was changed. {remedy}"
    holder = lock.holder
    return (
        f"{holder.user}@{holder.host} (process {holder.pid}) has been deploying since {holder.since}"
        f"{' (' + holder.purpose + ')' if holder.purpose else ''} and holds the deployment lock {name}. Nothing was changed. {remedy}"
    )
