# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shows and sets the tags of our repositories in MiniStack's tagging API; serves no request itself."""

from __future__ import annotations

import typing as t

from ministack.services import tagging

from .ecr_state import Repository, State


def install(state: State, *, region: str, account_id: str) -> None:
    """Put this state's repositories in the place of MiniStack's own in the Resource Groups Tagging API."""
    prefix = f"arn:aws:ecr:{region}:{account_id}:repository/"

    def repository(arn: str) -> Repository:
        found = state.repositories.get(arn.removeprefix(prefix)) if arn.startswith(prefix) else None
        if found is None:
            raise tagging._ResourceNotFound(arn)
        return found

    def collect() -> t.Iterator[tuple[str, list[dict[str, str]]]]:
        for name, found in list(state.repositories.items()):
            if found.tags:
                yield prefix + name, [{"Key": key, "Value": value} for key, value in found.tags.items()]

    def write(_spec: t.Any, arn: str, tags: dict[str, str]) -> None:
        repository(arn).tags.update(tags)
        state.save()

    def remove(_spec: t.Any, arn: str, keys: list[str]) -> None:
        found = repository(arn)
        for key in keys:
            found.tags.pop(key, None)
        state.save()

    tagging._COLLECTORS["ecr"] = collect
    tagging._WRITERS["ecr"] = write
    tagging._REMOVERS["ecr"] = remove
