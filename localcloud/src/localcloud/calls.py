# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Counts who called the API how often, and how long the answers took."""

from __future__ import annotations

import re
import typing as t

_CREDENTIAL = re.compile(rb"Credential=([^/,\s]+)/\d{8}/[^/]*/([^/]+)/aws4_request")


class Calls:
    """Signed calls by access key and service, since the cloud is up."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], tuple[int, float]] = {}

    def add(self, headers: t.Iterable[tuple[bytes, bytes]], seconds: float) -> None:
        """One call that took this long; one without a signature in its header is not counted."""
        signed = next((match for name, value in headers if name.lower() == b"authorization" and (match := _CREDENTIAL.search(value))), None)
        if signed is not None:
            key = signed[1].decode(errors="replace"), signed[2].decode(errors="replace")
            number, total = self._found.get(key, (0, 0.0))
            self._found[key] = number + 1, total + seconds

    def listed(self) -> list[dict[str, t.Any]]:
        return [
            {"access_key": access_key, "service": service, "calls": number, "seconds": round(total, 6)}
            for (access_key, service), (number, total) in sorted(self._found.items())
        ]
