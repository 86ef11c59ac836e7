# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Instance refresh: a state machine that says how many instances the group is to have and which ones go next; pure.

After "How an instance refresh works" in the user guide, and the API reference of RefreshPreferences. Healthy are instances that are in
service and healthy in every target group; a replacement counts when it has been so for the warm-up. When the percentages leave no room, one
instance at a time is terminated before its successor is launched.
"""

from __future__ import annotations

import dataclasses
import math
import typing as t

from .state import Group, Member, Members, Refresh

PATIENCE_SECONDS = 3600.0
"""A refresh that does not get on for an hour has failed."""

DEFAULTS: Members = {
    "SkipMatching": False,
    "AutoRollback": False,
    "ScaleInProtectedInstances": "Wait",
    "StandbyInstances": "Wait",
}
CHECKPOINT_DELAY, MIN_HEALTHY, MAX_HEALTHY = 3600, 90, 100


@dataclasses.dataclass(frozen=True)
class Plan:
    """How many instances there are to be, those on their way included, and whom to terminate now."""

    wanted: int
    replace: list[Member] = dataclasses.field(default_factory=list)


def limits(desired: int, least_percent: int, most_percent: int) -> tuple[int, int]:
    """The least number of healthy instances, and the greatest number of instances; both are rounded up, and leave room for one."""
    least = math.ceil(desired * least_percent / 100)
    most = max(math.ceil(desired * most_percent / 100), desired)
    if desired and least >= desired and most <= desired:
        least = desired - 1
    return min(least, desired), most


def complete_preferences(given: Members, group: Group) -> Members:
    """The preferences with what holds where the caller said nothing."""
    least, most = group.maintenance or (MIN_HEALTHY, MAX_HEALTHY)
    own = {"MinHealthyPercentage": least, "MaxHealthyPercentage": most}
    if "MinHealthyPercentage" in given:
        own["MaxHealthyPercentage"] = MAX_HEALTHY
    warmup = group.warmup if group.warmup is not None else group.grace
    found = {**DEFAULTS, **own, "InstanceWarmup": warmup, **given}
    if found.get("CheckpointPercentages"):
        found.setdefault("CheckpointDelay", CHECKPOINT_DELAY)
    if found["InstanceWarmup"] < 0:
        found["InstanceWarmup"] = group.grace
    return found


def step(
    refresh: Refresh, group: Group, now: float, *, alarms: t.Sequence[str] = (), refused: str = "", patience: float = PATIENCE_SECONDS
) -> Plan:
    """Move the refresh on, and say what it wants.

    `alarms` are those of its AlarmSpecification that are in ALARM; `refused` is EC2's last refusal of a launch, empty when there was none.
    """
    if refresh.status == "Pending":
        refresh.status = "InProgress"
        refresh.progress_at = now
    if refresh.status == "Cancelling":
        return _cancel(refresh, group, now)
    if alarms and refresh.rollback is None:
        return _fail(refresh, group, now, f"CloudWatch alarm {alarms[0]} is in the ALARM state.")
    alive = group.alive
    old = [member for member in alive if member.id in refresh.outdated]
    held = [member for member in old if _is_held(refresh, member)]
    ignored = [member for member in held if refresh.preferences["ScaleInProtectedInstances"] == "Ignore"]
    left = [member for member in old if member not in ignored]
    new = [member for member in alive if member.refresh == refresh.mark]
    unready = [member for member in new if not is_warm(member, refresh, now)]
    _count(refresh, len(left), len(new) - len(unready), now)
    standby = _standby(refresh, group)
    if not left and not unready and not standby and len(alive) == group.desired:
        return _done(refresh, group, now)
    if now - refresh.progress_at > patience + _pause(refresh):
        return _fail(refresh, group, now, _why_not(unready, held, refused))
    refresh.reason = _waiting(refresh, unready, [member for member in held if member not in ignored], now)
    return _replace(refresh, group, [member for member in old if member not in held], now)


def is_warm(member: Member, refresh: Refresh, now: float) -> bool:
    """Whether a replacement has been healthy for the warm-up."""
    return member.serves and now - (member.ready_since or now) >= refresh.preferences["InstanceWarmup"]


def begin_rollback(refresh: Refresh, group: Group, why: str, now: float) -> None:
    """From now on it goes back to what the group had before."""
    refresh.rollback = {
        "RollbackReason": why,
        "RollbackStartTime": now,
        "PercentageCompleteOnRollback": refresh.percent,
        "InstancesToUpdateOnRollback": refresh.left,
    }
    refresh.outdated = {member.id for member in group.alive if member.refresh == refresh.id}
    refresh.launch, refresh.status, refresh.reason = refresh.before, "RollbackInProgress", None
    refresh.percent, refresh.left = 0, len(refresh.outdated)
    refresh.progress_at, refresh.checkpoint, refresh.held_at = now, 0, None


def _replace(refresh: Refresh, group: Group, movable: list[Member], now: float) -> Plan:
    """As many old ones go as those that are warm allow; as many new ones come as fit beside the old ones that stay."""
    least, most = limits(group.desired, refresh.preferences["MinHealthyPercentage"], refresh.preferences["MaxHealthyPercentage"])
    alive = group.alive
    old = [member for member in alive if member.id in refresh.outdated]
    new = [member for member in alive if member.refresh == refresh.mark]
    others = len(alive) - len(old) - len(new)
    total, gone = len(refresh.outdated), len(refresh.outdated) - len(old)
    may_begin = total if refresh.rollback is not None else max(_gate(refresh, total, now), gone)
    healthy = [member for member in alive if member.serves and (member not in new or is_warm(member, refresh, now))]
    serving = [member for member in movable if member.serves]
    broken = [member for member in movable if not member.serves]
    going = (broken + serving[: max(len(healthy) - least, 0)])[: may_begin - gone]
    stay = len(old) - len(going)
    added = max(group.desired - others - total, 0)
    come = min(group.desired - others, most - others - stay, may_begin + added)
    if refresh.preferences["StandbyInstances"] == "Terminate":
        going += [member for member in group.instances.values() if member.state == "Standby" and member.id in refresh.outdated]
    # new ones that are on their way stay, unless the group has become smaller meanwhile
    return Plan(stay + others + max(come, min(len(new), group.desired - others), 0), going)


def _gate(refresh: Refresh, total: int, now: float) -> int:
    """How many replacements may have begun, for the checkpoints; moves on to the next checkpoint when its delay is over."""
    percentages = refresh.preferences.get("CheckpointPercentages") or []
    while refresh.checkpoint < len(percentages):
        here = percentages[refresh.checkpoint]
        if refresh.percent < here:
            return math.ceil(total * here / 100)
        if refresh.held_at is None:
            refresh.held_at = now
        if here < 100 and now - refresh.held_at < refresh.preferences["CheckpointDelay"]:
            return math.ceil(total * here / 100)
        refresh.checkpoint, refresh.held_at, refresh.progress_at = refresh.checkpoint + 1, None, now
    return total


def _count(refresh: Refresh, old: int, warm: int, now: float) -> None:
    total = len(refresh.outdated)
    done = min(warm, total - old) if total else 0
    percent = 100 * done // total if total else 100
    if percent > refresh.percent:
        refresh.progress_at = now
    refresh.percent, refresh.left = percent, total - done


def _is_held(refresh: Refresh, member: Member) -> bool:
    """Whether its protection keeps it from being replaced."""
    return member.protected and refresh.preferences["ScaleInProtectedInstances"] != "Refresh"


def _standby(refresh: Refresh, group: Group) -> bool:
    """Whether instances in standby hold it up."""
    if refresh.preferences["StandbyInstances"] == "Ignore":
        return False
    return any(member.state == "Standby" and member.id in refresh.outdated for member in group.instances.values())


def _pause(refresh: Refresh) -> float:
    """Seconds that it may stand still on purpose."""
    held = refresh.preferences["CheckpointDelay"] if refresh.held_at is not None else 0
    return held + refresh.preferences["InstanceWarmup"]


def _waiting(refresh: Refresh, unready: list[Member], held: list[Member], now: float) -> str | None:
    if refresh.held_at is not None:
        here = refresh.preferences["CheckpointPercentages"][refresh.checkpoint]
        left = refresh.preferences["CheckpointDelay"] - (now - refresh.held_at)
        return f"Checkpoint at {here} percent reached. The instance refresh continues in {max(math.ceil(left), 0)} seconds."
    warming = [member for member in unready if member.serves]
    if warming:
        return f"Waiting for instances to warm up before continuing. For example: {warming[0].id} is warming up."
    if unready:
        return f"Waiting for remaining instances to be available. For example: {unready[0].id} is not yet healthy."
    if held:
        return f"Waiting for the protection from scale in to be removed. For example: {held[0].id} is protected."
    return None


def _why_not(unready: list[Member], held: list[Member], refused: str) -> str:
    if refused:
        return f"Instances could not be launched. {refused}"
    if unready:
        return f"Instances did not become healthy in time. For example: {unready[0].id}."
    if held:
        return f"Instances are protected from scale in. For example: {held[0].id}."
    return "Instances could not be replaced in time."


def _fail(refresh: Refresh, group: Group, now: float, why: str) -> Plan:
    if refresh.rollback is not None:
        refresh.status, refresh.reason, refresh.ended_at = "RollbackFailed", why, now
    elif refresh.preferences["AutoRollback"] and refresh.desired:
        begin_rollback(refresh, group, why, now)
    else:
        refresh.status, refresh.reason, refresh.ended_at = "Failed", why, now
    return Plan(group.desired)


def _cancel(refresh: Refresh, group: Group, now: float) -> Plan:
    """Nothing more is replaced; what is on its way arrives first, unless nobody waits for it."""
    on_the_way = [member for member in group.instances.values() if member.refresh == refresh.id and member.state.startswith("Pending")]
    if refresh.awaits_launches and on_the_way:
        return Plan(max(group.desired, len(group.alive)))
    refresh.status, refresh.reason, refresh.ended_at = "Cancelled", "Cancelled due to user request.", now
    return Plan(group.desired)


def _done(refresh: Refresh, group: Group, now: float) -> Plan:
    refresh.percent, refresh.left = 100, 0
    bake = refresh.preferences.get("BakeTime") or 0
    if bake and refresh.rollback is None:
        if refresh.baking_since is None:
            refresh.baking_since, refresh.status = now, "Baking"
            refresh.reason = f"All instances are replaced. The instance refresh ends after a bake time of {bake} seconds."
        if now - refresh.baking_since < bake:
            return Plan(group.desired)
    refresh.status = "RollbackSuccessful" if refresh.rollback is not None else "Successful"
    refresh.reason, refresh.ended_at = None, now
    if refresh.rollback is None and refresh.desired:
        group.launch = refresh.launch
    return Plan(group.desired)
