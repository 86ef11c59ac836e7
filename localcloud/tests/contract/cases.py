# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a contract case is: one call of one operation, and how it ends. The answers themselves are validated by `watch`."""

from __future__ import annotations

import dataclasses
import typing as t

import botocore.exceptions

from .watch import seen

ANY: t.Any = object()
"""The result is not compared; the validation against the model is the test."""


@dataclasses.dataclass(frozen=True)
class Case:
    """One case. `run` gets the world of its service and makes the call; `error` is the code that must come, None if none may."""

    operation: str
    name: str
    run: t.Callable[[t.Any], t.Any]
    error: str | None = None
    result: t.Any = ANY

    def __str__(self) -> str:
        return f"{self.operation}-{self.name}".replace(" ", "_")


def check(case: Case, world: t.Any) -> None:
    """Run a case and compare how it ends; the validator must have seen an answer of its operation."""
    before = _seen(case.operation)
    _run(case, world)
    assert _seen(case.operation) > before, f"no answer to {case.operation} was validated"


def _seen(operation: str) -> int:
    return sum(count for (_, name, _), count in seen.items() if name == operation)


def _run(case: Case, world: t.Any) -> None:
    try:
        result = case.run(world)
    except botocore.exceptions.ClientError as error:
        assert error.response["Error"]["Code"] == case.error, str(error)
        return
    assert case.error is None, f"{case} succeeded, and {case.error} was due: {result!r}"
    if case.result is not ANY:
        assert result == case.result


def gaps(operations: t.Iterable[str], cases: list[Case], cannot_fail: frozenset[str] = frozenset()) -> list[str]:
    """Operations without a good case, or without a bad one unless they cannot fail; and cases of operations that do not exist."""
    known = set(operations)
    good = {case.operation for case in cases if case.error is None}
    bad = {case.operation for case in cases if case.error is not None}
    return [
        *(f"{operation} has no case that succeeds" for operation in sorted(known - good)),
        *(f"{operation} has no case that fails" for operation in sorted(known - bad - cannot_fail)),
        *(f"{operation} has cases, and no handler of ours answers it" for operation in sorted((good | bad) - known)),
    ]
