# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Decides which instances of a group are to be launched and terminated; pure."""

from __future__ import annotations

import dataclasses

from . import activities, placing
from .placing import REBALANCES, Zones
from .refresh import Plan
from .state import Group, Member

PAUSES = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
"""Seconds until the next attempt after one, two, … launches that EC2 refused."""

BALANCE_SECONDS = 300.0


@dataclasses.dataclass(frozen=True)
class Launch:
    """One instance to launch."""

    subnet: str
    cause: str
    replaces: bool = False
    balances: bool = False


@dataclasses.dataclass(frozen=True)
class Decision:
    """What to do now: `terminate` comes with the causes of the activities."""

    launch: list[Launch] = dataclasses.field(default_factory=list)
    terminate: list[tuple[Member, str]] = dataclasses.field(default_factory=list)
    replacing: int = 0


def decide(group: Group, zones: Zones, plan: Plan | None, now: float) -> Decision:
    """What the group needs; `plan` is what its refresh wants, None without one. The members' health is up to date."""
    terminate: list[tuple[Member, str]] = []
    if group.runs("Terminate") and group.runs("ReplaceUnhealthy"):
        terminate += [
            (member, activities.taken_out(activities.UNHEALTHY[member.fault or "user"], now))
            for member in group.alive
            if member.state == "InService" and member.health == "Unhealthy"
        ]
    replaced = len(terminate)
    going = {member.id for member, _ in terminate}
    if plan is not None and group.runs("Terminate"):
        cause = activities.taken_out("an instance refresh", now)
        terminate += [(member, cause) for member in plan.replace if member.id not in going]
        going |= {member.id for member in plan.replace}
    left = [member for member in group.alive if member.id not in going]
    wanted = group.desired if plan is None else plan.wanted
    missing = wanted - len(left)
    replacing = group.replacing + replaced if missing > 0 else 0
    if missing < 0 and group.runs("Terminate"):
        terminate += _surplus(group, -missing, len(left), now, going)
    launch = _launches(group, zones, left, missing, replacing, now)
    if not launch and not terminate and missing == 0 and plan is None:
        launch = _rebalance(group, zones, left, now)
    return Decision(launch, terminate, replacing)


def pause(failures: int) -> float:
    """Seconds until the next attempt."""
    return PAUSES[min(failures, len(PAUSES)) - 1] if failures else 0.0


def _surplus(group: Group, count: int, alive: int, now: float, going: set[str]) -> list[tuple[Member, str]]:
    """Those that are too many. One that is to balance the zones serves first, unless it takes too long, before another goes for it."""
    balancing = [m for m in group.alive if m.refresh == REBALANCES and not m.serves and now - m.launched_at < BALANCE_SECONDS]
    count -= len(balancing)
    if count <= 0:
        return []
    chosen = placing.victims(group, count, now, going)
    return [(member, activities.shrunk(group, alive - index, member.id, now)) for index, member in enumerate(chosen)]


def _launches(group: Group, zones: Zones, left: list[Member], missing: int, replacing: int, now: float) -> list[Launch]:
    if missing <= 0 or not zones or not group.runs("Launch") or now < group.not_before:
        return []
    placed = list(left)
    found = []
    for number in range(missing):
        subnet = placing.next_subnet(zones, placed)
        replaces = number < replacing
        if replaces:
            cause = activities.at(now, "an instance was launched in response to an unhealthy instance needing to be replaced.")
        else:
            cause = activities.grown(group, len(placed), now)
        found.append(Launch(subnet, cause, replaces))
        placed.append(Member(id=f"new-{number}", zone=zones[subnet], subnet=subnet, type="", image="", launched_at=now))
    return found


def _rebalance(group: Group, zones: Zones, left: list[Member], now: float) -> list[Launch]:
    """An instance in the zone that has too few; the one too many elsewhere goes when it serves."""
    uneven = placing.imbalance(zones, left)
    ready = group.runs("AZRebalance") and group.runs("Launch") and group.runs("Terminate") and now >= group.not_before
    if uneven is None or not ready or any(not member.serves for member in left) or group.status is not None:
        return []
    least, most = uneven
    counts = [str(sum(member.zone == zone for member in left)) for zone in (least, most)]
    cause = (
        f"availability zones {least} {most} had {' '.join(counts)} instances respectively. An instance was launched to aid in balancing "
        "the group's zones."
    )
    subnet = placing.next_subnet({subnet: zone for subnet, zone in zones.items() if zone == least}, left)
    return [Launch(subnet, activities.at(now, cause), balances=True)]
