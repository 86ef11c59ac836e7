# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Image references: reading, pinning by digest, overriding; no I/O."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .errors import InvalidInput

_DIGEST = re.compile(r"^sha256:[0-9a-f]{64}$")


@dataclass(frozen=True)
class Reference:
    """One image reference in parts. ``tag`` and ``digest`` are empty when not given."""

    repository: str
    tag: str = ""
    digest: str = ""

    def __str__(self) -> str:
        text = self.repository
        if self.tag:
            text += f":{self.tag}"
        if self.digest:
            text += f"@{self.digest}"
        return text


def parse(text: str) -> Reference:
    """Splits ``[host[:port]/]path[:tag][@digest]``. Source: https://github.com/distribution/reference"""
    name, _at, digest = text.partition("@")
    head, colon, tag = name.rpartition(":")
    if colon and "/" not in tag:
        return Reference(head, tag, digest)
    return Reference(name, "", digest)


def familiar(repository: str) -> str:
    """The short form that Docker lists: ``docker.io/library/redis`` is ``redis``."""
    for prefix in ("docker.io/library/", "index.docker.io/library/", "docker.io/", "index.docker.io/"):
        if repository.startswith(prefix):
            return repository[len(prefix) :]
    return repository


def registry_host(text: str) -> str:
    """Host (with port) of the registry that a reference names; ``docker.io`` when it names none."""
    first, slash, _rest = parse(text).repository.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        return first
    return "docker.io"


def is_digest(text: str) -> bool:
    return bool(_DIGEST.fullmatch(text))


def is_pinned(text: str) -> bool:
    """Whether the reference itself says exactly which image: by digest, or by image id."""
    return is_digest(text) or bool(parse(text).digest)


def override(service: str, reference: str, wanted: str) -> str:
    """The reference to use when ``images`` names ``wanted`` for a service whose compose file says ``reference``."""
    if not wanted.startswith("sha256:"):
        return wanted
    if not is_digest(wanted):
        raise InvalidInput(
            f"Cannot release service '{service}': '{wanted}' in images is no digest (sha256: and 64 hexadecimal digits). "
            "Give the digest that the registry lists for the image."
        )
    return f"{parse(reference).repository}@{wanted}"


def pin(reference: str, image_id: str, repo_digests: list) -> str:
    """The reference that will mean this image for ever: ``repository@digest``, or the image's id when no registry knows it."""
    parsed = parse(reference)
    if parsed.digest:
        return f"{parsed.repository}@{parsed.digest}"
    for candidate in repo_digests:
        other = parse(candidate)
        if familiar(other.repository) == familiar(parsed.repository):
            return f"{parsed.repository}@{other.digest}"
    return image_id


def short(pinned: str) -> str:
    """For people: repository and the first twelve digits."""
    parsed = parse(pinned)
    if parsed.digest:
        return f"{parsed.repository}@{parsed.digest[:19]}"
    return pinned[:19]
