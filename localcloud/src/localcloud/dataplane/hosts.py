# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lets a cloud's names resolve on this machine: its own marked lines of /etc/hosts, and nothing else of that file.

Every line ends in a comment that names the cloud, so that lines of a killed cloud are known whatever happened to the file since.
"""

from __future__ import annotations

import fcntl
import ipaddress
import logging
import pathlib
import re
import threading

from ..names import Name, Names

HOSTS = pathlib.Path("/etc/hosts")
_HOST_NAME = re.compile(r"(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]{0,62})(?:\.[a-z0-9_](?:[a-z0-9_-]{0,62}))*")

_log = logging.getLogger("localcloud.hosts")


def render(cloud_name: str, names: dict[str, Name]) -> str:
    """The lines of a cloud: each name with its public addresses, or, without any, its private ones.

    Names that are no host names (a wildcard, for instance) and addresses that are none are left out: a record's name comes from a user.
    """
    lines = [
        f"{address} {label}{_mark(cloud_name)}\n"
        for label, name in sorted(names.items())
        if _HOST_NAME.fullmatch(label)
        for address in name.public or name.private
        if _is_address(address)
    ]
    return "".join(lines)


def replace(text: str, cloud_name: str, lines: str) -> str:
    """The file's text with these lines of the cloud instead of those that are there; other lines stay as they are.

    They take the place of the first that is there: whoever reads the file in pieces while it is written would otherwise miss lines of
    other clouds, which have moved from a piece not yet read to one that was.
    """
    before: list[str] = []
    after: list[str] = []
    kept = before
    for line in text.splitlines(keepends=True):
        if line.rstrip().endswith(_mark(cloud_name)):
            kept = after
        else:
            kept.append(line)
    if lines and before and not before[-1].endswith("\n"):
        before[-1] += "\n"
    return "".join(before) + lines + "".join(after)


def write(cloud_name: str, lines: str, path: pathlib.Path = HOSTS) -> bool:
    """Put the lines of a cloud into the file; True when that changed the file. OSError when it cannot be written.

    The file is written in place, because a container's /etc/hosts is a mount that cannot be replaced, and under a lock, because
    several clouds write it. The machine's own lines come first and are the same before and after, so that a reader in between
    misses no more than names of clouds.
    """
    with path.open("r+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        before = file.read()
        after = replace(before, cloud_name, lines)
        if after == before:
            return False
        file.seek(0)
        file.write(after)
        file.truncate()
        return True


def remove(cloud_name: str, path: pathlib.Path = HOSTS) -> bool:
    """Remove a cloud's lines; True when there were any. A file that cannot be written has none."""
    try:
        return write(cloud_name, "", path)
    except OSError:
        return False


class Hosts:
    """Keeps the lines of a running cloud equal to its register of names; safe for threads."""

    def __init__(self, cloud_name: str, names: Names, path: pathlib.Path = HOSTS) -> None:
        self._cloud = cloud_name
        self._names = names
        self._path = path
        self._refused = False
        self._lock = threading.Lock()
        names.on_change(self.update)

    def update(self) -> None:
        """Write the names as they are now. Where that is refused the log says so once, and the cloud goes on without."""
        with self._lock:  # the last one to write must be the last one to have read the names
            try:
                write(self._cloud, render(self._cloud, self._names.all()), self._path)
            except OSError as error:
                if not self._refused:
                    _log.warning(
                        "Names of this cloud do not resolve on this machine: %s cannot be written (%s). They do resolve inside its VPCs.",
                        self._path, error.strerror,
                    )  # fmt: skip
                self._refused = True


def _mark(cloud_name: str) -> str:
    return f"  # localcloud {cloud_name}"


def _is_address(text: str) -> bool:
    try:
        ipaddress.IPv4Address(text)
    except ValueError:
        return False
    return True
