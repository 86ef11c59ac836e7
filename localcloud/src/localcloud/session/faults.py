# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of the message gateway as data, and the link that applies them to frames; no sockets, the clock is handed in."""

from __future__ import annotations

import heapq
import itertools
import random
from dataclasses import dataclass, field, fields
from typing import Any

_OVERTAKEN_SECONDS = 0.03


@dataclass(frozen=True)
class LinkFaults:
    """What happens to frames of one direction: probabilities from 0 to 1, times in milliseconds.

    `drop_after` cuts the connection to the frames' receiver without a word after so many frames, again and again.
    """

    latency_ms: float = 0.0
    jitter_ms: float = 0.0
    loss: float = 0.0
    duplicate: float = 0.0
    reorder: float = 0.0
    drop_after: int = 0


@dataclass(frozen=True)
class ApiFault:
    """The next `count` calls of an operation fail with this error code (all of them when it is negative); each takes longer."""

    error: str = ""
    count: int = -1
    latency_ms: float = 0.0


@dataclass(frozen=True)
class Faults:
    """Everything that can be switched on. The default is a healthy service."""

    seed: int = 0
    to_agent: LinkFaults = field(default_factory=LinkFaults)
    to_client: LinkFaults = field(default_factory=LinkFaults)
    api: dict[str, ApiFault] = field(default_factory=dict)
    deny_documents: tuple[str, ...] = ()
    refuse_resume: bool = False
    idle_seconds: float | None = None
    duration_seconds: float | None = None
    websocket_seconds: float = 3600.0
    agent: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def from_json(cls, body: Any) -> Faults:
        """Raises ValueError with one sentence for anything that is not a known fault in its range."""
        values = _checked(cls, body, "faults")
        for name in ("to_agent", "to_client"):
            if name in values:
                values[name] = _link(values[name], name)
        if "api" in values:
            values["api"] = {
                name: ApiFault(**_checked(ApiFault, fault, f"api.{name}")) for name, fault in _dict(values["api"], "api").items()
            }
        if "deny_documents" in values:
            values["deny_documents"] = tuple(values["deny_documents"])
        return cls(**values)


def _link(body: Any, where: str) -> LinkFaults:
    link = LinkFaults(**_checked(LinkFaults, body, where))
    for name in ("loss", "duplicate", "reorder"):
        if not 0 <= getattr(link, name) <= 1:
            raise ValueError(f"the fault {where}.{name} must be a probability from 0 to 1, not {getattr(link, name)}")
    for name in ("latency_ms", "jitter_ms", "drop_after"):
        if getattr(link, name) < 0:
            raise ValueError(f"the fault {where}.{name} must not be negative")
    return link


def _checked(kind: type, body: Any, where: str) -> dict[str, Any]:
    known = {item.name: item for item in fields(kind)}
    for name, value in _dict(body, where).items():
        if name not in known:
            raise ValueError(f"{where} has no {name}; known are {', '.join(known)}")
        default = known[name].default
        if (
            isinstance(default, int | float)
            and not isinstance(default, bool)
            and (isinstance(value, bool) or not isinstance(value, int | float))
        ):
            raise ValueError(f"{where}.{name} must be a number")
        if isinstance(default, bool) and not isinstance(value, bool):
            raise ValueError(f"{where}.{name} must be true or false")
    return dict(body)


def _dict(body: Any, where: str) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise ValueError(f"{where} must be a JSON object")
    return body


class Link:
    """One direction of one session: frames go in, and come out when they are due, some of them never or twice."""

    def __init__(self, faults: LinkFaults, seed: str) -> None:
        self.faults = faults
        self.lost = 0
        self.duplicated = 0
        self.reordered = 0
        self._random = random.Random(seed)  # noqa: S311 - repeatable on purpose
        self._queue: list[tuple[float, int, bytes]] = []
        self._order = itertools.count()
        self._last_due = 0.0

    def put(self, now: float, data: bytes, *, reliable: bool = False) -> None:
        """One frame arrives. The service's own messages are `reliable`: late like the others, but never lost."""
        faults = self.faults
        if not reliable and faults.loss and self._random.random() < faults.loss:
            self.lost += 1
            return
        due = now + (faults.latency_ms + (self._random.random() * faults.jitter_ms if faults.jitter_ms else 0.0)) / 1000
        if not reliable and faults.reorder and self._random.random() < faults.reorder:
            self.reordered += 1
            heapq.heappush(self._queue, (due + _OVERTAKEN_SECONDS, next(self._order), data))
            return
        due = self._last_due = max(due, self._last_due)
        heapq.heappush(self._queue, (due, next(self._order), data))
        if not reliable and faults.duplicate and self._random.random() < faults.duplicate:
            self.duplicated += 1
            heapq.heappush(self._queue, (due, next(self._order), data))

    def take(self, now: float) -> list[bytes]:
        """Frames that are due, in the order in which they leave."""
        out = []
        while self._queue and self._queue[0][0] <= now:
            out.append(heapq.heappop(self._queue)[2])
        return out

    def next_due(self) -> float | None:
        """When to ask again."""
        return self._queue[0][0] if self._queue else None

    def clear(self) -> None:
        """Forget what is under way, as a broken connection does."""
        self._queue.clear()
