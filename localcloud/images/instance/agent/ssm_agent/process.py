# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Users, environment and ends of the processes that a session starts; reads and sends nothing."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import pwd
import signal
from asyncio.subprocess import Process
from dataclasses import dataclass
from pathlib import Path
from typing import Any

log = logging.getLogger("ssm_agent.process")

DEFAULT_USER = "ssm-user"
_SUDOERS = Path("/etc/sudoers.d/ssm-agent-users")
_GRACE_SECONDS = 1.0


class UserError(Exception):
    """The session's user cannot be used; the text is for the session's user."""


@dataclass(frozen=True)
class Identity:
    """Who a process runs as: keyword arguments for subprocess, and what it changes in the environment."""

    options: dict[str, Any]
    environment: dict[str, str]


async def identity(*, run_as_user: bool, run_as: str | None, elevated: bool) -> Identity:
    """The session's user: the one of the preferences, else ssm-user, which is created when it does not exist. Raises UserError."""
    if not run_as_user:
        return Identity({}, {})
    if elevated:
        return Identity({}, {"HOME": "/root"})
    name = run_as if run_as is not None else DEFAULT_USER
    if not name.strip():
        raise UserError("please set the RunAs default user")
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        if run_as is not None:
            raise UserError(f"failed to start pty since RunAs user {name} does not exist") from None
        entry = await _create_default_user()
    if entry.pw_uid == 0:
        raise UserError("invalid uid and gid")
    groups = os.getgrouplist(name, entry.pw_gid)
    # The home directory is not looked up in the user database: that is what the real agent does.
    return Identity({"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": groups}, {"HOME": f"/home/{name}"})


def environment(changes: dict[str, str]) -> dict[str, str]:
    """The agent's own environment with what every session's process gets."""
    inherited = dict(os.environ)
    inherited["TERM"] = "xterm-256color"
    if not inherited.get("LANG"):
        inherited["LANG"] = "C.UTF-8"
    return inherited | changes


async def end(process: Process) -> None:
    """Hang up the process's group, kill it if it stays, and reap it. Processes that left the group live on."""
    for number in (signal.SIGHUP, signal.SIGKILL):
        if process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, number)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), _GRACE_SECONDS)


async def _create_default_user() -> pwd.struct_passwd:
    process = await asyncio.create_subprocess_exec(
        "useradd", "--create-home", "--shell", "/bin/sh", DEFAULT_USER, stdin=asyncio.subprocess.DEVNULL
    )
    if await process.wait() != 0:
        try:
            return pwd.getpwnam(DEFAULT_USER)  # another session was faster
        except KeyError:
            raise UserError(f"Failed to create user {DEFAULT_USER}: useradd ended with {process.returncode}") from None
    temporary = _SUDOERS.with_suffix(".new")
    temporary.write_text(f"# User rules for {DEFAULT_USER}\n{DEFAULT_USER} ALL=(ALL) NOPASSWD:ALL\n", encoding="ascii")
    temporary.chmod(0o440)
    temporary.replace(_SUDOERS)
    log.info("created the user %s", DEFAULT_USER)
    return pwd.getpwnam(DEFAULT_USER)
