# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tags of Auto Scaling groups: the operations, and what a list of tags makes of those there are."""

from __future__ import annotations

from .errors import invalid
from .shapes import Operation, World, page, tags_of
from .state import Members

Tags = dict[str, tuple[str, bool]]
MOST = 50
FILTERS = frozenset({"auto-scaling-group", "key", "value", "propagate-at-launch"})


class Tagging:
    """The operations."""

    def __init__(self, world: World) -> None:
        self._state = world.state
        self.operations: dict[str, Operation] = {
            "CreateOrUpdateTags": self.create_or_update,
            "DeleteTags": self.delete,
            "DescribeTags": self.describe,
        }

    async def create_or_update(self, members: Members) -> Members:
        """CreateOrUpdateTags; instances that run already keep theirs."""
        groups = {tag["ResourceId"]: self._state.group(_group_name(tag)) for tag in members["Tags"]}
        for name, group in groups.items():
            group.tags = changed_tags(group.tags, [tag for tag in members["Tags"] if tag["ResourceId"] == name])
        return {}

    async def delete(self, members: Members) -> Members:
        """DeleteTags."""
        for tag in members["Tags"]:
            self._state.group(_group_name(tag)).tags.pop(tag["Key"], None)
        return {}

    async def describe(self, members: Members) -> Members:
        """DescribeTags."""
        found = [tag for _, group in sorted(self._state.groups.items()) for tag in tags_of(group)]
        for item in members.get("Filters") or []:
            name, values = item["Name"], item.get("Values") or []
            if name not in FILTERS:
                raise invalid(f"Filter type {name} is not correct. Allowed Filter types are: {' '.join(sorted(FILTERS))}")
            found = [tag for tag in found if _value(tag, name) in values]
        return page(found, members, "Tags")


def changed_tags(known: Tags, given: list[Members]) -> Tags:
    """The tags after some were added or changed."""
    for tag in given:
        if not tag.get("Key"):
            raise invalid("A tag needs a key.")
        if tag["Key"].startswith("aws:"):
            raise invalid("Tag keys beginning with aws: are reserved for AWS use.")
    tags = {**known, **{tag["Key"]: (tag.get("Value") or "", bool(tag.get("PropagateAtLaunch", False))) for tag in given}}
    if len(tags) > MOST:
        raise invalid(f"An Auto Scaling group has at most {MOST} tags.")
    return tags


def _group_name(tag: Members) -> str:
    if tag.get("ResourceType", "auto-scaling-group") != "auto-scaling-group" or not tag.get("ResourceId"):
        raise invalid("A tag needs a ResourceId, and the ResourceType auto-scaling-group.")
    return tag["ResourceId"]


def _value(tag: Members, name: str) -> str:
    match name:
        case "auto-scaling-group":
            return tag["ResourceId"]
        case "propagate-at-launch":
            return str(tag["PropagateAtLaunch"]).lower()
        case _:
            return tag[name.capitalize()]
