# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Conditions of rules as tests of HAProxy, their values in pattern files; pure."""

from __future__ import annotations

import re

from .model import Condition


class Patterns:
    """The pattern files of one configuration, by name."""

    def __init__(self, home: str = "/run/alb") -> None:
        self._home = home
        self.files: dict[str, str] = {}

    def test(self, condition: Condition) -> str:
        """The test as it stands between braces."""
        match condition.field:
            case "path-pattern":
                return f"path -m reg -f {self._file([_anchored(value) for value in _texts(condition)])}"
            case "host-header":
                return f"req.hdr(host),host_only -i -m reg -f {self._file([_anchored(value) for value in _texts(condition)])}"
            case "http-header":
                return f"req.fhdr({condition.name}) -i -m reg -f {self._file([_anchored(value) for value in _texts(condition)])}"
            case "http-request-method":
                return f"method -m str -f {self._file(_texts(condition))}"
            case "source-ip":
                return f"src -m ip -f {self._file(_texts(condition))}"
            case "query-string":
                pairs = [value for value in condition.values if isinstance(value, tuple)]
                return f"query -i -m reg -f {self._file([_pair(key, value) for key, value in pairs])}"
        raise ValueError(f"{condition.field} is no field of a condition")

    def _file(self, patterns: list[str]) -> str:
        name = f"patterns-{len(self.files)}.lst"
        self.files[name] = "".join(f"{pattern}\n" for pattern in patterns)
        return f"{self._home}/{name}"


def _texts(condition: Condition) -> list[str]:
    return [value for value in condition.values if isinstance(value, str)]


def wildcards(text: str, anything: str = ".") -> str:
    """A value with `*` and `?` as a regular expression without anchors; `anything` is what `?` stands for."""
    parts = {"*": f"{anything}*", "?": anything}
    return "".join(parts.get(character, re.escape(character)) for character in text)


def _anchored(text: str) -> str:
    return f"^{wildcards(text)}$"


def _pair(key: str, value: str) -> str:
    """A parameter of the query anywhere in it; without a key, a parameter of any name, or one that has no value."""
    name = f"{wildcards(key, '[^&=]')}=" if key else "(?:[^&=]*=)?"
    return f"(?:^|&){name}{wildcards(value, '[^&]')}(?:&|$)"
