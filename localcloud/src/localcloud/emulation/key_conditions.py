# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the key condition of a DynamoDB query once, not once for each item of the partition.

MiniStack parses and validates the expression anew for every item: a query of a room with hundreds of messages takes tens of milliseconds of
the one process that is the cloud's API. What is parsed here is comparisons joined by AND; every other expression is left to MiniStack, and
so is the first item of each expression, because it says what is wrong with one.
"""

from __future__ import annotations

import functools
import re
import typing as t

from ministack.services import dynamodb

_SLOT = "KeyConditionExpression"
_COMPARISON = re.compile(r"(#?\w+)\s*(=|<=|>=|<|>)\s*(:\w+)")
_AND = re.compile(r"\s+AND\s+", re.IGNORECASE)

_Evaluate = t.Callable[..., bool]
_Values = dict[str, t.Any]


@functools.lru_cache(maxsize=256)
def comparisons(expression: str) -> tuple[tuple[str, str, str], ...] | None:
    """(attribute or #name, operator, :value) of each comparison; None when it is made of anything else."""
    found = [_COMPARISON.fullmatch(part) for part in _AND.split(expression.strip())]
    return tuple((one[1], one[2], one[3]) for one in found if one) if all(found) else None


def once(original: _Evaluate) -> _Evaluate:
    """The function that evaluates an expression, with one that remembers which key conditions MiniStack has found valid."""
    valid: set[str] = set()

    def evaluate(expr: str, item: _Values, attr_values: _Values, attr_names: dict[str, str], slot: str = "ConditionExpression") -> bool:
        parts = comparisons(expr) if slot == _SLOT else None
        if parts is None:
            return original(expr, item, attr_values, attr_names, slot=slot)
        known = all(value in attr_values and (name[0] != "#" or name in attr_names) for name, _operator, value in parts)
        if not known or expr not in valid:
            found = original(expr, item, attr_values, attr_names, slot=slot)
            if len(valid) >= 256:
                valid.clear()
            valid.add(expr)
            return found
        return all(
            dynamodb._compare_ddb(item.get(attr_names.get(name, name)), operator, attr_values[value]) for name, operator, value in parts
        )

    return evaluate


def install() -> None:
    """Once per process."""
    dynamodb._evaluate_condition = once(dynamodb._evaluate_condition)
