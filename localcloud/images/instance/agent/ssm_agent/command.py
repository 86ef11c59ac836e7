# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One command without a terminal and without input: sessions of type NonInteractiveCommands."""

from __future__ import annotations

import asyncio
import contextlib
import re
import shlex
import signal
import tempfile
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Awaitable, Callable
from typing import IO

from . import process
from .settings import Pacing
from .utf8 import RuneWalk
from .wire import PayloadType

Send = Callable[[int, bytes], Awaitable[None]]

_SIGNALS = {0x03: signal.SIGINT, 0x1C: signal.SIGQUIT}
_PREFIX = re.compile(r"[0-9a-zA-Z\r\n_:-]{0,30}")


class CommandError(Exception):
    """The command cannot be started; the text is for the session's user."""


class Command:
    """One command, split like a shell does and executed without one."""

    def __init__(
        self,
        *,
        command: str,
        separate: bool,
        prefixes: tuple[str, str],
        directory: str,
        who: process.Identity,
        pacing: Pacing,
        send: Send,
        publishing: asyncio.Event,
    ) -> None:
        """`prefixes` are put before lines of standard output and standard error when these are separate. Raises CommandError."""
        try:
            self._arguments = shlex.split(command, comments=True)
        except ValueError as error:
            raise CommandError(f"Unable to start command: Failed to parse commands input: {error}\n\n") from error
        for name, prefix in zip(("stdout", "stderr"), prefixes, strict=True):
            if separate and not _PREFIX.fullmatch(prefix):
                raise CommandError(f"invalid {name}SeparatorPrefix {prefix}")
        self._separate = separate
        self._prefixes = tuple(prefix.encode() for prefix in prefixes)
        self._directory = directory
        self._who = who
        self._pacing = pacing
        self._send = send
        self._publishing = publishing
        self._process: Process | None = None

    async def run(self) -> None:
        """Run the command to its end and send what it wrote."""
        if self._separate:
            await self._run_separate()
        else:
            await self._run_merged()

    async def handle(self, payload_type: int, payload: bytes) -> bool:
        """Input is only looked through for the interrupt and quit characters."""
        if payload_type == PayloadType.OUTPUT and self._process is not None and self._process.returncode is None:
            for byte in payload:
                if byte in _SIGNALS:
                    with contextlib.suppress(ProcessLookupError):
                        self._process.send_signal(_SIGNALS[byte])
                    break
        return True

    async def stop(self) -> None:
        if self._process is not None:
            await process.end(self._process)

    async def _run_separate(self) -> None:
        if not await self._start(PIPE, PIPE):
            await self._send(PayloadType.EXIT_CODE, b"EXIT_CODE: 1")
            return
        await asyncio.gather(
            self._pump(self._process.stdout, PayloadType.OUTPUT, self._prefixes[0]),
            self._pump(self._process.stderr, PayloadType.STDERR, self._prefixes[1]),
        )
        code = await self._process.wait()
        # A process that a signal ended has the exit code -1 in the real agent's language.
        await self._send(PayloadType.EXIT_CODE, b"EXIT_CODE: %d" % (code if code >= 0 else -1))

    async def _run_merged(self) -> None:
        with tempfile.TemporaryFile() as output:
            if not await self._start(output, output):
                return
            await self._process.wait()
            output.seek(0)
            walk = RuneWalk()
            while data := output.read(self._pacing.chunk_bytes - len(walk.held)):
                await self._publishing.wait()
                out = walk.feed(data)
                if out:
                    await self._send(PayloadType.OUTPUT, out)
                if self._pacing.output_pause:
                    await asyncio.sleep(self._pacing.output_pause)

    async def _start(self, stdout: int | IO[bytes], stderr: int | IO[bytes]) -> bool:
        try:
            if not self._arguments:
                raise OSError("no command")
            self._process = await asyncio.create_subprocess_exec(
                *self._arguments,
                stdin=DEVNULL,
                stdout=stdout,
                stderr=stderr,
                cwd=self._directory,
                env=process.environment(self._who.environment),
                start_new_session=True,
                limit=self._pacing.chunk_bytes,
                **self._who.options,
            )
        except (OSError, ValueError) as error:
            await self._send(PayloadType.STDERR, f"Error occurred starting the command: {error}\n\n".encode())
            return False
        return True

    async def _pump(self, pipe: asyncio.StreamReader, payload_type: int, prefix: bytes) -> None:
        walk = RuneWalk()
        at_line_start = True
        while data := await pipe.read(self._pacing.chunk_bytes - len(prefix) - len(walk.held)):
            if not self._publishing.is_set():
                return  # a paused channel is an error to this pump: it stops reading
            head = prefix if at_line_start else b""
            at_line_start = data.endswith(b"\n")
            out = walk.feed(head + data)
            if out:
                await self._send(payload_type, out)
