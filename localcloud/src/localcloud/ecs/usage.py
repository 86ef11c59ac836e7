# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Processor time and memory of a container's processes, read from proc(5); Docker's own figures are empty where its Engine is nested."""

from __future__ import annotations

import dataclasses
import os
import pathlib
import re

PROC = pathlib.Path("/proc")
TICKS = os.sysconf("SC_CLK_TCK")
_MEMORY = re.compile(r"^Rss(?:Anon|Shmem):\s+(\d+) kB$", re.MULTILINE)


@dataclasses.dataclass(frozen=True)
class Usage:
    """Processor seconds since the start, ended children among them, and bytes that belong to no file."""

    seconds: float
    memory: float


def usage_of(pids: list[int], proc: pathlib.Path = PROC) -> dict[int, Usage]:
    """The usage of each container by the id of its first process; containers that have ended are left out."""
    spaces: dict[str, int] = {}
    for pid in pids:
        if (space := _space(proc / str(pid))) is not None:
            spaces[space] = pid
    found = {pid: [0.0, 0.0] for pid in spaces.values()}
    for folder in proc.iterdir():
        if folder.name.isdigit() and (owner := spaces.get(_space(folder) or "")) is not None:
            seconds, memory = _read(folder)
            found[owner][0] += seconds
            found[owner][1] += memory
    return {pid: Usage(seconds, memory) for pid, (seconds, memory) in found.items()}


def seconds_of_trees(pids: list[int], proc: pathlib.Path = PROC) -> dict[int, float]:
    """Processor seconds of each process with all its descendants, also those in namespaces of their own; ended ones are left out.

    An instance's containers are descendants of its first process, since its own Engine starts them.
    """
    parents: dict[int, int] = {}
    seconds: dict[int, float] = {}
    for folder in proc.iterdir():
        if folder.name.isdigit():
            try:
                # after the name, which may hold anything: state is the first field, the parent the second, 12 to 15 are the four times
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
                parents[int(folder.name)], seconds[int(folder.name)] = int(fields[1]), sum(map(int, fields[11:15])) / TICKS
            except (OSError, ValueError, IndexError):
                continue  # it has ended meanwhile
    found = {pid: 0.0 for pid in pids if pid in parents}
    for pid, used in seconds.items():
        owner: int | None = pid
        while owner is not None and owner not in found:
            owner = parents.get(owner)
        if owner is not None:
            found[owner] += used
    return found


def _space(folder: pathlib.Path) -> str | None:
    """The process namespace, which the processes of a container share."""
    try:
        return os.readlink(folder / "ns" / "pid")
    except OSError:
        return None


def _read(folder: pathlib.Path) -> tuple[float, float]:
    try:
        # after the name, which may hold anything: state is the first field, and fields 12 to 15 are the four times
        times = (folder / "stat").read_text().rpartition(")")[2].split()[11:15]
        memory = sum(int(kilobytes) for kilobytes in _MEMORY.findall((folder / "status").read_text()))
    except (OSError, ValueError):
        return 0.0, 0.0  # it has ended meanwhile
    return sum(map(int, times)) / TICKS, memory * 1024.0
