# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults that can be switched on in an API of ours: which operation fails how often with which code, or takes longer; no I/O."""

from __future__ import annotations

import dataclasses
import json
import threading
import typing as t


@dataclasses.dataclass(frozen=True)
class Fault:
    """The next `times` calls of an operation (`*`: of any) take `latency_ms` longer, and fail with `code` unless it is empty.

    A negative `times` stands for all of them. `status` is the HTTP status of the error.
    """

    operation: str
    code: str = ""
    message: str = "Rate exceeded"
    status: int = 400
    times: int = -1
    latency_ms: float = 0.0

    @classmethod
    def from_json(cls, body: bytes) -> Fault:
        """Raises ValueError with one sentence for anything that is no fault."""
        try:
            given = json.loads(body)
        except ValueError as error:
            raise ValueError(f"a fault must be a JSON object: {error}") from error
        known = {field.name: field for field in dataclasses.fields(cls)}
        if not isinstance(given, dict) or "operation" not in given:
            raise ValueError("a fault must be a JSON object with the member operation")
        for name, value in given.items():
            if name not in known:
                raise ValueError(f"a fault has no {name}; known are {', '.join(known)}")
            wanted = (int, float) if known[name].type in ("int", "float") else str
            if isinstance(value, bool) or not isinstance(value, wanted):
                raise ValueError(f"{name} of a fault must be a {'number' if wanted is not str else 'string'}")
        return cls(**given)


class Faults:
    """The faults of one API, at most one per operation; safe for threads."""

    def __init__(self, operations: t.Container[str]) -> None:
        self._operations = operations
        self._lock = threading.Lock()
        self._faults: dict[str, Fault] = {}

    def set(self, fault: Fault) -> None:
        """Switch a fault on, in place of the one that its operation had; ValueError when there is no such operation."""
        if fault.operation != "*" and fault.operation not in self._operations:
            raise ValueError(f"there is no operation {fault.operation}")
        with self._lock:
            self._faults[fault.operation] = fault

    def clear(self) -> None:
        """Switch all faults off."""
        with self._lock:
            self._faults.clear()

    def all(self) -> list[dict[str, t.Any]]:
        """The faults that are on, with the number of calls that they are still for."""
        with self._lock:
            return [dataclasses.asdict(fault) for fault in self._faults.values()]

    def take(self, operation: str) -> Fault | None:
        """The fault of this call, which counts as used; None for a call that goes well."""
        with self._lock:
            name = operation if operation in self._faults else "*"
            fault = self._faults.get(name)
            if fault is None:
                return None
            if fault.times > 1:
                self._faults[name] = dataclasses.replace(fault, times=fault.times - 1)
            elif fault.times >= 0:
                del self._faults[name]
            return fault if fault.times != 0 else None

    def admin(self, method: str, body: bytes) -> tuple[int, dict[str, str], bytes]:
        """The controls over HTTP: GET lists, POST switches one on, DELETE switches all off."""
        try:
            if method == "POST":
                self.set(Fault.from_json(body))
            elif method == "DELETE":
                self.clear()
        except ValueError as problem:
            return 400, {"Content-Type": "application/json"}, json.dumps({"message": str(problem)}).encode()
        return 200, {"Content-Type": "application/json"}, json.dumps(self.all()).encode()
