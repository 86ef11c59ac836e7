# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Weights as entries of HAProxy's maps, so that they can be changed while requests are answered; pure.

One map gives a rule's present generation, the number of its slots and the seconds of stickiness; the other one gives the target group
of each slot of a generation. A request draws a slot. A change adds the slots of a new generation and then moves the rule to it with
one command, so that no request sees half of a change.
"""

from __future__ import annotations

import dataclasses
import functools
import math

from .model import Forward


@dataclasses.dataclass(frozen=True)
class Split:
    """The entries of one rule in one generation."""

    rule: str
    generation: int
    forward: Forward

    @property
    def total(self) -> int:
        """How many slots there are: the sum of the weights without their common divisor; 0 when all weights are 0."""
        return sum(weight for _, weight in self._reduced)

    @property
    def entry(self) -> tuple[str, str]:
        """The entry of the map of rules."""
        return self.rule, f"{self.generation}:{self.total}:{self.forward.sticky_seconds}"

    @property
    def slots(self) -> list[tuple[str, str]]:
        """The entries of the map of slots, and one per group to tell whether a client's cookie names a group of this rule."""
        groups = [group for group, weight in self._reduced for _ in range(weight)]
        found = [(f"{self.rule}/{self.generation}/{number}", group) for number, group in enumerate(groups)]
        return found + [(f"{self.rule}/{self.generation}/{group}", group) for group, _ in self.forward.weights]

    @functools.cached_property
    def _reduced(self) -> list[tuple[str, int]]:
        divisor = math.gcd(*(weight for _, weight in self.forward.weights)) or 1
        return [(group, weight // divisor) for group, weight in self.forward.weights]


def lines(entries: list[tuple[str, str]]) -> str:
    """Entries as the text of a map file."""
    return "".join(f"{key} {value}\n" for key, value in entries)
