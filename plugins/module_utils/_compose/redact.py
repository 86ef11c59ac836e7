# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Takes secret values out of text before anybody sees it; no I/O."""

from __future__ import annotations

import json

MASK = "********"
_SHORTEST = 3  # a shorter value would blank innocent text, and cannot be a secret worth the name


class Redactor:
    """Knows the secret values of one release and replaces them in text, longest first."""

    def __init__(self, values=()):
        self._values = []
        self.add(values)

    def add(self, values) -> None:
        """Learns further secrets: as they are, line by line, and as JSON and compose files write them."""
        known = set(self._values)
        for value in values:
            for part in [value, *value.splitlines()]:
                forms = (part, json.dumps(part)[1:-1], part.replace("$", "$$"), json.dumps(part.replace("$", "$$"))[1:-1])
                known.update(form for form in forms if len(part) >= _SHORTEST)
        self._values = sorted(known, key=len, reverse=True)

    def __call__(self, text: str) -> str:
        for value in self._values:
            text = text.replace(value, MASK)
        return text
