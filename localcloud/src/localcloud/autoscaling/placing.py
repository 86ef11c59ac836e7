# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the next instance goes, and which ones go first when there are too many; pure.

After "Control which Auto Scaling instances terminate during scale in" in the user guide: the Availability Zone with the most instances
first, then the group's policies in their order.
"""

from __future__ import annotations

import collections
import typing as t

from .state import Group, Member

POLICIES = (
    "AllocationStrategy", "ClosestToNextInstanceHour", "Default", "NewestInstance", "OldestInstance", "OldestLaunchConfiguration",
    "OldestLaunchTemplate",
)  # fmt: skip

REBALANCES = "rebalances"
"""Mark, in place of a refresh's, of an instance that was launched to balance the zones."""

Zones = dict[str, str]
"""Subnet -> Availability Zone."""


def next_subnet(zones: Zones, members: t.Sequence[Member]) -> str:
    """The subnet for the next instance: of the zone with the fewest instances, the one with the fewest; the first named among equals."""
    by_zone = collections.Counter(member.zone for member in members)
    by_subnet = collections.Counter(member.subnet for member in members)
    order = list(zones)
    return min(order, key=lambda subnet: (by_zone[zones[subnet]], by_subnet[subnet], order.index(subnet)))


def victims(group: Group, count: int, now: float, going: t.Container[str] = ()) -> list[Member]:
    """Whom to terminate when there are `count` instances too many beside those that are `going` already.

    Protected ones stay; those that do not serve go first.
    """
    left = [member for member in group.alive if member.id not in going]
    chosen: list[Member] = []
    while len(chosen) < count:
        open_to_it = [member for member in left if not member.protected]
        if not open_to_it:
            break
        crowd = collections.Counter(member.zone for member in left)
        useless = [member for member in open_to_it if not member.serves and member.refresh != REBALANCES]
        most = max(crowd[member.zone] for member in open_to_it)
        candidates = useless or [member for member in open_to_it if crowd[member.zone] == most]
        for policy in [*group.termination, "Default"]:
            candidates = _narrow(policy, candidates, group, now)
        chosen.append(candidates[0])
        left.remove(candidates[0])
    return chosen


def imbalance(zones: Zones, members: t.Sequence[Member]) -> tuple[str, str] | None:
    """The zone with too few and the one with too many instances; None while they differ by at most one."""
    counts = {zone: sum(member.zone == zone for member in members) for zone in dict.fromkeys(zones.values())}
    elsewhere = collections.Counter(member.zone for member in members if member.zone not in counts)
    if not counts:
        return None
    least = min(counts, key=lambda zone: counts[zone])
    if elsewhere:
        return least, next(iter(elsewhere))
    most = max(counts, key=lambda zone: counts[zone])
    return (least, most) if counts[most] - counts[least] > 1 else None


def _narrow(policy: str, members: list[Member], group: Group, now: float) -> list[Member]:
    """Those that a policy would terminate."""

    def extreme(key: t.Callable[[Member], t.Any]) -> list[Member]:
        best = min(key(member) for member in members)
        return [member for member in members if key(member) == best]

    match policy:
        case "OldestInstance":
            return extreme(lambda member: member.launched_at)
        case "NewestInstance":
            return extreme(lambda member: -member.launched_at)
        case "OldestLaunchConfiguration":
            return extreme(lambda member: (member.configuration is None, member.launched_at if member.configuration else 0.0))
        case "OldestLaunchTemplate":
            current = (group.launch.get("LaunchTemplate") or {}).get("LaunchTemplateId")
            return extreme(lambda member: _age_of_template(member, current))
        case "ClosestToNextInstanceHour":
            return extreme(lambda member: 3600 - (now - member.launched_at) % 3600)
        case "Default":
            current = (group.launch.get("LaunchTemplate") or {}).get("LaunchTemplateId")
            members = extreme(lambda member: (member.configuration is None, *_age_of_template(member, current)))
            return extreme(lambda member: 3600 - (now - member.launched_at) % 3600)
        case _:
            return members


def _age_of_template(member: Member, current: str | None) -> tuple[bool, int]:
    """Other templates than the group's first, then the lowest version."""
    if member.template is None:
        return False, 0
    return member.template.id == current, int(member.template.version)
