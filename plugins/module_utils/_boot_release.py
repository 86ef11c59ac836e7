# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""What of a release for booting instances has to be written to its bucket, and what the release is then; no AWS, no I/O."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass

from ._compose import description

NEW_VERSION = "(new)"  # of an object that check mode would write


@dataclass(frozen=True)
class Wanted:
    """One object as it is to be. ``path``: relative path in the release; empty for the program."""

    path: str
    key: str
    content: bytes
    content_type: str

    @property
    def sha256(self) -> str:
        return description.sha256(self.content)


def wanted(program: bytes, prefix: str, files: dict) -> list:
    """The program first, then each file by name. The program's key has its digest, so that versions of it lie side by side."""
    key = f"boot/compose-release-{description.sha256(program)[:12]}.pyz"
    found = [Wanted("", key, program, "application/zip")]
    for path in sorted(files):
        found.append(Wanted(path, posixpath.join(prefix.strip("/"), path), files[path].encode(), "text/plain; charset=utf-8"))
    return found


def to_write(objects: list, existing: dict) -> list:
    """Those that are not there, or hold something else. ``existing``: (version, SHA-256) or None by key."""
    return [item for item in objects if not existing[item.key] or existing[item.key][1] != item.sha256]


def describe(name: str, objects: list, versions: dict, options: dict) -> description.Description:
    """The release. ``versions``: version by key, of what is there and of what was written."""
    program, *rest = [description.Pin(item.key, versions[item.key], item.sha256) for item in objects]
    return description.Description(name, program, {item.path: pin for item, pin in zip(objects[1:], rest, strict=True)}, options)


def diff(objects: list, existing: dict) -> dict:
    """Both sides of a diff: the digest that each object has, and is to have."""
    before = {key: found[1][:12] for key, found in existing.items() if found}
    return {"before": before, "after": {**before, **{item.key: item.sha256[:12] for item in objects}}}
