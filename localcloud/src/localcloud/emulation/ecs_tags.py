# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shows and sets the tags of ECS's resources in MiniStack's tagging API; serves no request itself."""

from __future__ import annotations

import typing as t

from ministack.services import tagging

if t.TYPE_CHECKING:
    from ..ecs.tags import Tags


def install(tags: Tags) -> None:
    """Put our resources in the place of MiniStack's own."""

    def existing(arn: str) -> dict[str, str]:
        found = tags.find(arn)
        if found is None:
            raise tagging._ResourceNotFound(arn)
        return found

    def collect() -> t.Iterator[tuple[str, list[dict[str, str]]]]:
        for arn, found in tags.all():
            yield arn, [{"Key": key, "Value": value} for key, value in found.items()]

    def write(_spec: t.Any, arn: str, given: dict[str, str]) -> None:
        existing(arn).update(given)

    def remove(_spec: t.Any, arn: str, keys: list[str]) -> None:
        found = existing(arn)
        for key in keys:
            found.pop(key, None)

    tagging._COLLECTORS["ecs"] = collect
    tagging._WRITERS["ecs"] = write
    tagging._REMOVERS["ecs"] = remove
