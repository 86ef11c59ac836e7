# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One Run Command invocation (AWS-RunShellScript): runs the script as the agent's user and reports its end; no channel."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from asyncio.subprocess import DEVNULL, PIPE
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from . import process
from .settings import Settings

log = logging.getLogger("ssm_agent.runcommand")

_KEPT_BYTES = 512 * 1024
_DEFAULT_DIRECTORY = "/usr/bin"


@dataclass(frozen=True)
class Job:
    """What to run; `timeout` in seconds."""

    command_id: str
    commands: list[str]
    working_directory: str
    timeout: float

    @classmethod
    def parse(cls, body: dict[str, Any]) -> Job:
        """Raises KeyError or ValueError."""
        return cls(
            command_id=str(body["CommandId"]),
            commands=[str(line) for line in body["Commands"]],
            working_directory=str(body.get("WorkingDirectory") or ""),
            timeout=float(body["ExecutionTimeout"]),
        )


class RunningJob:
    """A job in a process group of its own."""

    def __init__(self, job: Job, settings: Settings) -> None:
        self.job = job
        self._settings = settings
        self._cancelled = asyncio.Event()

    def cancel(self) -> None:
        self._cancelled.set()

    async def run(self) -> dict[str, Any]:
        """The result: Status, ResponseCode, StandardOutput, StandardError, start and end."""
        started = datetime.now(UTC)
        clock = time.monotonic()
        status, code, out, err = await self._run()
        return {
            "CommandId": self.job.command_id,
            "Status": status,
            "ResponseCode": code,
            "StandardOutput": out.decode("utf-8", "replace"),
            "StandardError": err.decode("utf-8", "replace"),
            "ExecutionStartDateTime": started.isoformat(),
            "ExecutionEndDateTime": datetime.now(UTC).isoformat(),
            "ExecutionElapsedSeconds": round(time.monotonic() - clock, 3),
        }

    async def _run(self) -> tuple[str, int, bytes, bytes]:
        script = "\n".join(self.job.commands) + "\n"
        directory = self.job.working_directory or (_DEFAULT_DIRECTORY if Path(_DEFAULT_DIRECTORY).is_dir() else "/")
        descriptor = os.memfd_create("_script.sh", 0)  # the script may hold secrets: it never is a file on the disk
        os.write(descriptor, script.encode())
        os.lseek(descriptor, 0, os.SEEK_SET)
        try:
            child = await asyncio.create_subprocess_exec(
                "sh",
                f"/dev/fd/{descriptor}",
                stdin=DEVNULL,
                stdout=PIPE,
                stderr=PIPE,
                cwd=directory,
                env=process.environment({}),
                pass_fds=(descriptor,),
                start_new_session=True,
            )
        except OSError as error:
            return "Failed", 1, b"", f"failed to run commands: {error}\n".encode()
        finally:
            os.close(descriptor)
        out, err = bytearray(), bytearray()
        reading = asyncio.gather(_collect(child.stdout, out), _collect(child.stderr, err))
        waiting = asyncio.create_task(child.wait())
        cancelled = asyncio.create_task(self._cancelled.wait())
        await asyncio.wait({waiting, cancelled}, timeout=self.job.timeout, return_when=asyncio.FIRST_COMPLETED)
        finished = waiting.done()
        if not finished:
            await process.end(child)
        code = await waiting
        cancelled.cancel()
        try:
            # A process that the script left running may hold the pipes open for ever.
            await asyncio.wait_for(reading, 1.0)
        except TimeoutError:
            log.info("command %s left a process that holds its output open", self.job.command_id)
        if not finished:
            if self._cancelled.is_set():
                return "Cancelled", 137, bytes(out), bytes(err)
            return "TimedOut", 137, bytes(out), bytes(err)
        code = code if code >= 0 else 128 - code
        return ("Success" if code == 0 else "Failed"), code, bytes(out), bytes(err)


async def _collect(pipe: asyncio.StreamReader, into: bytearray) -> None:
    """Everything is read, so that the process never waits; only the beginning is kept."""
    while data := await pipe.read(65536):
        if len(into) < _KEPT_BYTES:
            into += data[: _KEPT_BYTES - len(into)]
