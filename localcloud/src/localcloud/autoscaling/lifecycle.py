# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The life of one instance in its group: which step comes next, and what answers to lifecycle hooks mean; pure.

After "How lifecycle hooks work" in the user guide: Pending, hooks, target groups, InService; Terminating, target groups with connection
draining, hooks, termination.
"""

from __future__ import annotations

import enum
import secrets
import typing as t

from .state import Hook, Member, Wait

LAUNCHING = "autoscaling:EC2_INSTANCE_LAUNCHING"
TERMINATING = "autoscaling:EC2_INSTANCE_TERMINATING"

DEAD = frozenset({None, "shutting-down", "terminated"})
DOWN = DEAD | {"stopping", "stopped"}
"""States of EC2 in which an instance serves nobody; None stands for one that EC2 has forgotten."""


class Step(enum.Enum):
    """The next step of one instance."""

    WAIT_LAUNCHING = "run the hooks of a launch"
    ENTER_SERVICE = "register it and let it serve"
    GIVE_UP = "terminate it before it served"
    ABANDON = "terminate it because a hook said so"
    DEREGISTER = "take it out of its target groups"
    WAIT_TERMINATING = "run the hooks of a termination"
    TERMINATE = "terminate it"
    FORGET = "take it out of the group"


def next_step(member: Member, machine: str | None, hooks: t.Iterable[Hook], *, drains: bool, now: float) -> Step | None:
    """The step, or None while there is something to wait for.

    `machine` is EC2's state of it, None when EC2 has forgotten it; `drains` says whether a target group still drains its connections.
    """
    match member.state:
        case "Pending":
            if machine in DOWN:
                return Step.GIVE_UP
            if machine != "running":
                return None
            return Step.WAIT_LAUNCHING if _of(hooks, LAUNCHING) else Step.ENTER_SERVICE
        case "Pending:Wait":
            if machine in DOWN:
                return Step.GIVE_UP
            result = verdict(member.waits, now)
            return None if result is None else Step.ENTER_SERVICE if result == "CONTINUE" else Step.ABANDON
        case "Pending:Proceed":
            return Step.ENTER_SERVICE
        case "Terminating":
            if member.targets:
                return Step.DEREGISTER
            if drains and machine == "running" and not member.in_a_hurry:
                return None
            ends_at_once = member.in_a_hurry or machine in DEAD
            return Step.WAIT_TERMINATING if _of(hooks, TERMINATING) and not ends_at_once else Step.TERMINATE
        case "Terminating:Wait":
            over = verdict(member.waits, now) is not None or machine in DEAD or member.in_a_hurry
            return Step.TERMINATE if over else None
        case "Terminating:Proceed":
            return Step.FORGET if machine in (None, "terminated") else None
        case _:
            return None


def new_waits(hooks: t.Iterable[Hook], transition: str, now: float) -> list[Wait]:
    """One lifecycle action for each hook of a transition."""
    return [
        Wait(hook.name, _token(), now + hook.heartbeat, now + hook.limit, hook.heartbeat, hook.default) for hook in _of(hooks, transition)
    ]


def verdict(waits: list[Wait], now: float) -> str | None:
    """CONTINUE when every hook said so, ABANDON as soon as one did, None while one is waited for; one that times out says its default."""
    for wait in waits:
        if wait.result is None and now >= min(wait.deadline, wait.limit):
            wait.result, wait.timed_out = wait.default, True
    results = [wait.result for wait in waits]
    if "ABANDON" in results:
        return "ABANDON"
    return None if None in results else "CONTINUE"


def abandoned(waits: list[Wait]) -> str:
    """The status message of an instance whose launch a hook has abandoned."""
    wait = next(wait for wait in waits if wait.result == "ABANDON")
    how = "Heartbeat Timeout Elapsed" if wait.timed_out else "Lifecycle Action Completed with ABANDON Result"
    return f"Instance failed to complete user's Lifecycle Action: Lifecycle Action with token {wait.token} was abandoned: {how}"


def heartbeat(wait: Wait, now: float) -> None:
    """RecordLifecycleActionHeartbeat: the time-out begins anew, within the limit."""
    wait.deadline = min(now + wait.heartbeat, wait.limit)


def fault_of(member: Member, machine: str | None, health_type: str, grace: float, now: float) -> str:
    """Why an instance in service is unhealthy (`EC2`, `ELB`), or an empty string; the grace period is for load balancers' checks alone.

    A target group counts as soon as it says unhealthy, as with AWS; one that does not check (unused) says nothing.
    """
    if machine in DOWN:
        return "EC2"
    checked = "ELB" in health_type.split(",") and member.in_service_at is not None and now - member.in_service_at >= grace
    return "ELB" if checked and "unhealthy" in member.health_of.values() else ""


def note_readiness(member: Member, now: float) -> None:
    """Keep `ready_since`: since when it has been in service and healthy in every target group that checks it."""
    ready = member.state == "InService" and member.health == "Healthy" and _all_good(member)
    if not ready:
        member.ready_since = None
    elif member.ready_since is None:
        member.ready_since = now


def _all_good(member: Member) -> bool:
    return all(member.health_of.get(arn) in ("healthy", "unused") for arn in member.targets)


def _of(hooks: t.Iterable[Hook], transition: str) -> list[Hook]:
    return [hook for hook in hooks if hook.transition == transition]


def _token() -> str:
    text = secrets.token_hex(16)
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))
