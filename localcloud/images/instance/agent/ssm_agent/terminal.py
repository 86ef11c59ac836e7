# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A shell or one command in a pseudo terminal: sessions of type Standard_Stream and InteractiveCommands."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import fcntl
import json
import os
import struct
import termios
from asyncio.subprocess import Process
from collections.abc import Awaitable, Callable

from . import process
from .settings import Pacing
from .utf8 import RuneWalk
from .wire import PayloadType

Send = Callable[[int, bytes], Awaitable[None]]


class Terminal:
    """One pseudo terminal. `command` empty means an interactive `sh`; `profile` is typed into it first."""

    def __init__(
        self, *, command: str, profile: str, directory: str, who: process.Identity, pacing: Pacing, send: Send, publishing: asyncio.Event
    ) -> None:
        self._arguments = ["sh", "-c", command] if command.strip() else ["sh"]
        self._profile = profile
        self._directory = directory
        self._who = who
        self._pacing = pacing
        self._send = send
        self._publishing = publishing
        self._master: int | None = None
        self._process: Process | None = None

    async def run(self) -> None:
        """Start the process and pump its output until it ends."""
        self._master, slave = os.openpty()
        os.set_blocking(self._master, False)
        try:
            self._process = await asyncio.create_subprocess_exec(
                "setsid",  # makes the terminal the controlling one
                "--ctty",
                *self._arguments,
                stdin=slave,
                stdout=slave,
                stderr=slave,
                cwd=self._directory,
                env=process.environment(self._who.environment),
                **self._who.options,
            )
        finally:
            os.close(slave)
        if self._profile.strip():
            await self._write(self._profile.encode() + b"\n")
        await asyncio.sleep(self._pacing.first_output_delay)
        await self._pump()

    async def handle(self, payload_type: int, payload: bytes) -> bool:
        """Type input, or set the window's size; False while there is no terminal yet."""
        if self._process is None:
            return False
        if payload_type == PayloadType.OUTPUT:
            await self._write(payload)
        elif payload_type == PayloadType.SIZE and self._master is not None:
            with contextlib.suppress(ValueError, KeyError, TypeError, struct.error, OSError):
                size = json.loads(payload)
                fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", size["rows"], size["cols"], 0, 0))
        return True

    async def stop(self) -> None:
        """End the process and hang up the terminal."""
        if self._master is not None:
            loop = asyncio.get_running_loop()
            loop.remove_reader(self._master)
            loop.remove_writer(self._master)
            os.close(self._master)  # the kernel hangs up the session's foreground group
            self._master = None
        if self._process is not None:
            await process.end(self._process)

    async def _pump(self) -> None:
        walk = RuneWalk()
        ended = asyncio.create_task(self._process.wait())
        try:
            while True:
                await self._publishing.wait()
                data = await self._read(ended, self._pacing.chunk_bytes - len(walk.held))
                if not data:
                    return
                out = walk.feed(data)
                if out:
                    await self._send(PayloadType.OUTPUT, out)
                if self._pacing.output_pause:
                    await asyncio.sleep(self._pacing.output_pause)
        finally:
            ended.cancel()

    async def _read(self, ended: asyncio.Task[int], size: int) -> bytes:
        """The next bytes; none when the terminal is hung up, or the process ended and nothing is left to read."""
        while self._master is not None:
            try:
                return os.read(self._master, size)
            except BlockingIOError:
                if ended.done():
                    return b""
                await self._readable(ended)
            except OSError as error:
                if error.errno == errno.EIO:  # how Linux says that nobody has the other end open
                    return b""
                raise
        return b""

    async def _readable(self, ended: asyncio.Task[int]) -> None:
        loop = asyncio.get_running_loop()
        ready = asyncio.Event()
        descriptor = self._master
        loop.add_reader(descriptor, ready.set)
        waiting = asyncio.create_task(ready.wait())
        try:
            await asyncio.wait({waiting, ended}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()
            if self._master == descriptor:
                loop.remove_reader(descriptor)

    async def _write(self, data: bytes) -> None:
        """All of it; waits while the process does not read, and so does everything behind it on the channel."""
        loop = asyncio.get_running_loop()
        while data and self._master is not None:
            try:
                data = data[os.write(self._master, data) :]
            except BlockingIOError:
                ready = asyncio.Event()
                descriptor = self._master
                loop.add_writer(descriptor, ready.set)
                try:
                    await ready.wait()
                finally:
                    if self._master == descriptor:
                        loop.remove_writer(descriptor)
            except OSError:
                return  # the process is gone; its end is noticed by the pump
