"""What every store does, and its one error; no driver is known here."""

from __future__ import annotations

import abc
import time

from ..protocol import Draft, Message


class StoreUnavailable(Exception):
    """The store did not answer; the message says which and why, without a secret. What was asked may be asked again."""


class Store(abc.ABC):
    """A log per room. Ids count up from 1 without a gap in commit order; `append` with a known client_id changes nothing."""

    @abc.abstractmethod
    async def start(self) -> None:
        """Connect, and create the schema where it is missing. Raises StoreUnavailable."""

    @abc.abstractmethod
    async def stop(self) -> None:
        """Close all connections."""

    @abc.abstractmethod
    async def ping(self) -> None:
        """Make sure that the store answers. Raises StoreUnavailable."""

    @abc.abstractmethod
    async def append(self, draft: Draft) -> tuple[Message, bool]:
        """Store a message; returns it as stored, and whether it was there already. Raises StoreUnavailable."""

    @abc.abstractmethod
    async def after(self, room: str, position: int, limit: int) -> list[Message]:
        """The oldest `limit` messages with an id above `position`, in order. Raises StoreUnavailable."""

    @abc.abstractmethod
    async def latest(self, room: str, limit: int) -> list[Message]:
        """The newest `limit` messages, in order. Raises StoreUnavailable."""

    @abc.abstractmethod
    async def newest(self, room: str) -> int:
        """The id of the newest message, 0 when there is none. Raises StoreUnavailable."""

    @abc.abstractmethod
    async def next_guest(self) -> int:
        """A number that no guest had before. Raises StoreUnavailable."""


def now_ms() -> int:
    """Milliseconds since the epoch."""
    return time.time_ns() // 1_000_000
