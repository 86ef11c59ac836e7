# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""A release as one document in a bucket, from which an instance boots alone: made on the controller, read on the instance; no I/O.

{"format": 1, "name": …, "program": PIN, "files": {relative path: PIN}, "options": {…}}; a PIN is {"key", "version", "sha256"} of one
version of one object, and options are those of compose_release but for the files. Nothing in it is secret: parameters are named.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field

from . import options as release_options
from .errors import InvalidInput

FORMAT = 1
# What the instance decides itself, or has no use for.
_OWN = ("files", "source", "state", "release", "install_cli", "actor", "region", "endpoint_url")


@dataclass(frozen=True)
class Pin:
    """One version of one object in the release's bucket, and what it must hold."""

    key: str
    version: str
    sha256: str

    def shown(self) -> dict:
        return {"key": self.key, "version": self.version, "sha256": self.sha256}


@dataclass(frozen=True)
class Description:
    """What an instance needs to run a release."""

    name: str
    program: Pin
    files: dict = field(default_factory=dict)  # relative path -> Pin
    options: dict = field(default_factory=dict)

    def text(self) -> str:
        """The document; the same release is the same text."""
        data = {
            "format": FORMAT,
            "name": self.name,
            "program": self.program.shown(),
            "files": {path: pin.shown() for path, pin in self.files.items()},
            "options": self.options,
        }
        return json.dumps(data, indent=2, sort_keys=True) + "\n"

    @property
    def id(self) -> str:
        """Twelve hexadecimal digits of the document's SHA-256."""
        return sha256(self.text().encode())[:12]

    @property
    def key(self) -> str:
        """Where the document lies in the bucket."""
        return f"releases/{self.name}/{self.id}.json"


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def check(options: dict, files: dict) -> None:
    """InvalidInput unless an instance could release this: ``options`` of compose_release, ``files`` by relative path."""
    theirs = sorted(set(options) & set(_OWN))
    if theirs:
        raise InvalidInput(f"Cannot describe a release: {', '.join(theirs)} in its options is decided on the instance. Leave it out.")
    checked = release_options.from_dict({**options, "files": dict(files)})
    for name, what in ((checked.compose_file, "compose_file"), (checked.example_file, "example_file")):
        if name not in files and (what == "compose_file" or checked.parameters or checked.parameters_path):
            raise InvalidInput(f"Cannot describe a release: {what} {name} is not among its files ({', '.join(sorted(files))}). Add it.")


def parse(text: str, where: str) -> Description:
    """The document read from ``where``, or InvalidInput."""
    try:
        data = json.loads(text)
        if data.get("format") != FORMAT:
            raise InvalidInput(
                f"Cannot boot from {where}: it has format {data.get('format')}, and this program reads {FORMAT}. "
                "Run playbooks/deploy.yml again."
            )
        pins = {path: Pin(**pin) for path, pin in data["files"].items()}
        return Description(data["name"], Pin(**data["program"]), pins, data["options"])
    except (ValueError, KeyError, TypeError, AttributeError) as exc:
        raise InvalidInput(
            f"Cannot boot from {where}: it is no description of a release ({exc}). Run playbooks/deploy.yml, which writes a new one."
        ) from exc


def checked_content(content: bytes, pin: Pin, where: str) -> bytes:
    """The content when it is what was pinned, or InvalidInput."""
    found = sha256(content)
    if found != pin.sha256:
        raise InvalidInput(
            f"Cannot boot from {where}: it is not what the release was made of (SHA-256 {found[:12]}, not {pin.sha256[:12]}). "
            "Run playbooks/deploy.yml, which writes it again."
        )
    return content
