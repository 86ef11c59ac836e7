# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the operations of load balancing have in common: what they know, what they answer, and pages of lists; no operation itself."""

from __future__ import annotations

import dataclasses
import typing as t

from .elbv2_state import Store
from .query_protocol import ApiError, Members

if t.TYPE_CHECKING:
    from ..cloud import Cloud
    from ..emulation.vpcs import Vpcs

PAGE = 400

Item = t.TypeVar("Item")


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What an operation answers, and the ARNs of the load balancers that must be made to agree with the records."""

    members: Members = dataclasses.field(default_factory=dict)
    touched: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class World:
    """What operations work on."""

    cloud: Cloud
    store: Store
    vpcs: Vpcs


Operation = t.Callable[[Members], Outcome]


def page(items: t.Sequence[Item], members: Members, name: t.Callable[[Item], str]) -> tuple[list[Item], str | None]:
    """The page of `items` that the members Marker and PageSize ask for, and the next marker; `name` identifies an item."""
    size = members.get("PageSize", PAGE)
    start = 0
    if members.get("Marker"):
        found = [index for index, item in enumerate(items) if name(item) == members["Marker"]]
        if not found:
            raise ApiError("ValidationError", f"Invalid marker '{members['Marker']}'")
        start = found[0] + 1
    chosen = list(items[start : start + size])
    return chosen, name(chosen[-1]) if chosen and start + size < len(items) else None


def tags_of(members: Members) -> dict[str, str]:
    """The tags that a request gives to a new resource."""
    return tags_from(members.get("Tags", []))


def tags_from(given: list[dict[str, str]]) -> dict[str, str]:
    """Tags by key; ApiError when a key comes twice or there are too many."""
    tags = {tag["Key"]: tag.get("Value", "") for tag in given}
    if len(tags) < len(given):
        raise ApiError("DuplicateTagKeys", "A tag key was specified more than once")
    if len(tags) > 50:
        raise ApiError("TooManyTags", "The maximum number of tags has been exceeded")
    return tags
