# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A task's places in target groups: taken when it starts, given back before it ends."""

from __future__ import annotations

import asyncio
import contextlib
import typing as t

from .errors import StartFailed
from .parts import Parts
from .state import Task

POLL_SECONDS = 0.25


class Membership:
    """Of one task, whose interface exists."""

    def __init__(self, parts: Parts, task: Task) -> None:
        self._parts = parts
        self._task = task

    async def join(self) -> None:
        """Register with every target group of the service. Raises StartFailed when one does not exist any more."""
        for item in self._task.load_balancers:
            arn, port = item["targetGroupArn"], item["containerPort"]
            try:
                await self._parts.do(self._parts.around.groups.register_targets, arn, [(self._address, port)])
            except KeyError:
                raise StartFailed(f"The target group with targetGroupArn {arn} does not exist.") from None
            self._task.targets[(arn, port)] = "initial"
            self._note(f"registered 1 targets in (target-group {arn})")

    async def leave(self, *, dead: t.Callable[[], t.Awaitable[bool]] | None) -> None:
        """Deregister; with `dead` wait until the connections have drained, or until it says that the task has ended meanwhile."""
        places = list(self._task.targets)
        for arn, port in places:
            with contextlib.suppress(KeyError):
                await self._parts.do(self._parts.around.groups.deregister_targets, arn, [(self._address, port)])
            self._task.targets[(arn, port)] = "draining"
            self._note(f"deregistered 1 targets in (target-group {arn})")
        if dead is not None and places:
            self._note("has begun draining connections on 1 tasks.")
            while places := [place for place in places if await self._drains(*place)]:
                await asyncio.sleep(POLL_SECONDS)
                if await dead():
                    break
        self._task.targets.clear()

    async def _drains(self, arn: str, port: int) -> bool:
        try:
            known = await self._parts.do(self._parts.around.groups.target_health, arn)
        except KeyError:
            return False
        return known.get((self._address, port)) == "draining"

    @property
    def _address(self) -> str:
        return self._task.interface.private_ip

    def _note(self, text: str) -> None:
        if self._task.service is not None:
            self._task.service.note(text, self._parts.clock())
