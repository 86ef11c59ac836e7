# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tags of everything that ECS has, for its own operations and for the tagging API; changes records and nothing else."""

from __future__ import annotations

import typing as t

from .errors import ApiError, invalid
from .requests import tag_list, tags_of
from .state import Members, State


class Tags:
    """The operations; one method each, named as in boto3."""

    def __init__(self, state: State) -> None:
        self._state = state

    def list_tags_for_resource(self, members: Members) -> Members:
        """The tags of a resource."""
        return {"tags": tag_list(self._of(members["resourceArn"], "InvalidParameterException"))}

    def tag_resource(self, members: Members) -> Members:
        """Adds tags."""
        tags = self._of(members["resourceArn"], "ResourceNotFoundException")
        tags.update(tags_of(members["tags"], tags))
        return {}

    def untag_resource(self, members: Members) -> Members:
        """Takes tags away."""
        tags = self._of(members["resourceArn"], "ResourceNotFoundException")
        for key in members["tagKeys"]:
            tags.pop(key, None)
        return {}

    def all(self) -> t.Iterator[tuple[str, dict[str, str]]]:
        """Every resource that has tags: its ARN and they."""
        state = self._state
        stores: list[t.Iterable[t.Any]] = [
            (found for found in state.clusters.values() if found.status == "ACTIVE"),
            (found for revisions in state.families.values() for found in revisions if found.status == "ACTIVE"),
            (found for found in state.services.values() if found.status != "INACTIVE"),
            (found for found in state.tasks.values() if found.last_status != "STOPPED"),
        ]
        for store in stores:
            for found in list(store):
                if found.tags:
                    yield found.arn, found.tags

    def find(self, arn: str) -> dict[str, str] | None:
        """The tags of the resource with this ARN, as they are kept; None when there is none."""
        kind, _, rest = arn.removeprefix(self._state.arn("")).partition("/")
        found: t.Any = None
        if kind == "task-definition" and ":" in rest:
            found = self._state.definition(rest)
        elif kind == "cluster":
            found = self._state.clusters.get(rest)
        elif kind == "service":
            found = self._state.services.get(arn)
        elif kind == "task":
            found = self._state.tasks.get(rest.rpartition("/")[2])
        return None if found is None or getattr(found, "status", "") == "INACTIVE" else found.tags

    def _of(self, arn: str, missing: str) -> dict[str, str]:
        if not arn.startswith(self._state.arn("")):
            raise invalid("The specified resource ARN is not valid.")
        found = self.find(arn)
        if found is None:
            raise ApiError(missing, "The specified resource was not found.")
        return found
