# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the runners of tasks work with; holds references and does nothing."""

from __future__ import annotations

import asyncio
import concurrent.futures
import dataclasses
import time
import typing as t

from ..cloud import InterfaceMaker
from .engine import Engine
from .logs import Logs
from .secrets import Secrets
from .state import Task
from .surroundings import Surroundings


@dataclasses.dataclass(frozen=True, kw_only=True)
class Parts:
    """`denial(role ARN, session, action, resource)` is IAM's refusal or None; `token()` gives a password of the registry.

    `name_server` gives the address of the name server for containers of a Docker network.
    """

    engine: Engine
    pool: concurrent.futures.ThreadPoolExecutor
    interfaces: InterfaceMaker
    around: Surroundings
    secrets: Secrets
    logs: Logs
    denial: t.Callable[[str, str, str, str], str | None]
    token: t.Callable[[], t.Awaitable[str]]
    name_server: t.Callable[[str], str]
    changed: t.Callable[[], None]
    api_port: int
    region: str
    account_id: str
    clock: t.Callable[[], float] = time.time

    async def do(self, work: t.Callable[..., t.Any], *arguments: t.Any) -> t.Any:
        """Run something that blocks in a thread."""
        return await asyncio.get_running_loop().run_in_executor(self.pool, work, *arguments)


def role_of(task: Task, name: str) -> str | None:
    """The ARN of the task's `taskRoleArn` or `executionRoleArn`, None when it has none."""
    return task.overrides.get(name) or task.definition.members.get(name)
