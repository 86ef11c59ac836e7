# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HAProxy's runtime API over its unix sockets: commands to the present process and to those that only finish their connections."""

from __future__ import annotations

import csv
import dataclasses
import os
import pathlib
import re
import socket

from ..errors import LocalCloudError

SECONDS = 5.0
LONGEST = 12000
"""Characters in one line of commands; HAProxy takes as many as its buffer holds."""

Row = dict[str, str]


class HaproxyError(LocalCloudError):
    """HAProxy does not answer, or refuses a command."""


@dataclasses.dataclass(frozen=True)
class Leaving:
    """A process that a reload has replaced and that still has connections."""

    pid: int


class Runtime:
    """The sockets in one directory. `generation` is the number of the present process's socket."""

    def __init__(self, directory: pathlib.Path) -> None:
        self._directory = directory
        self.generation = 0

    def command(self, *commands: str) -> str:
        """Run commands in the present process; what they answer, together. Raises HaproxyError when it cannot be reached."""
        return "".join(self._ask(f"admin-{self.generation}.sock", line) for line in _packed(commands))

    def everywhere(self, *commands: str) -> str:
        """Run commands in the present process, and in those that finish their connections as far as these know what is meant."""
        answer = self.command(*commands)
        for process in self.leaving():
            for command in commands:
                self._ask("master.sock", f"@!{process.pid} {command}")
        return answer

    def leaving(self) -> list[Leaving]:
        """The processes that finish their connections."""
        text = self._ask("master.sock", "show proc")
        old = text.partition("# old workers")[2].partition("# programs")[0]
        return [Leaving(int(found[1])) for found in re.finditer(r"^(\d+)\s+worker", old, re.MULTILINE)]

    def statistics(self, pid: int | None = None) -> list[Row]:
        """`show stat` for listeners' frontends and for servers, by column; of a process that finishes when `pid` is given."""
        show = "show stat -1 5 -1"
        text = self.command(show) if pid is None else self._ask("master.sock", f"@!{pid} {show}")
        return list(csv.DictReader(text.removeprefix("# ").splitlines()))

    def reload(self) -> None:
        """Start a process with the configuration that is there; HaproxyError with its complaint when it does not start."""
        answer = self._ask("master.sock", "reload", seconds=20.0)
        if "Success=1" not in answer:
            raise HaproxyError(f"Failed to reload HAProxy: {answer.strip()[-1500:]}")

    def is_up(self) -> bool:
        """Whether the present process answers."""
        try:
            return "Pid:" in self.command("show info")
        except HaproxyError:
            return False

    def _ask(self, name: str, line: str, seconds: float = SECONDS) -> str:
        # a unix socket's path has at most 107 characters; through the directory's descriptor it is short wherever the state is
        try:
            folder = os.open(self._directory, os.O_PATH | os.O_DIRECTORY)
            try:
                with socket.socket(socket.AF_UNIX) as client:
                    client.settimeout(seconds)
                    client.connect(f"/proc/self/fd/{folder}/{name}")
                    client.sendall(line.encode() + b"\n")
                    client.shutdown(socket.SHUT_WR)  # the master's socket would wait for another command
                    return b"".join(iter(lambda: client.recv(65536), b"")).decode(errors="replace")
            finally:
                os.close(folder)
        except OSError as error:
            raise HaproxyError(f"Failed to ask HAProxy at {self._directory / name} for {line[:80]!r}: {error}") from error


def _packed(commands: tuple[str, ...]) -> list[str]:
    """Commands in as few lines as their length allows; HAProxy runs a line's commands one after the other."""
    lines: list[str] = []
    for command in commands:
        if lines and len(lines[-1]) + len(command) + 1 < LONGEST:
            lines[-1] += f";{command}"
        else:
            lines.append(command)
    return lines
