"""What a room's readers follow: a position in the store's log, woken by hints; knows no socket and no cache.

Hints (published messages) may be lost, doubled or out of order: they only say that there is something new and often bring it
along. Whatever does not continue the known tail is read from the store, which alone decides. So a reader gets every message
exactly once and in order, however slow it is, and a slow one costs no memory.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Iterable

from .protocol import Message
from .stores.base import Store

TAIL = 256
PAGE = 200


class _Tail:
    """The newest messages of one room that are known here, without a gap."""

    def __init__(self, newest: int):
        self.newest = newest
        self.messages: deque[Message] = deque(maxlen=TAIL)
        self.changed = asyncio.Event()
        self.readers = 0

    def offer(self, message: Message) -> None:
        if message.id <= self.newest:
            return
        if message.id != self.newest + 1:
            self.messages.clear()
        self.messages.append(message)
        self._advance(message.id)

    def at_least(self, newest: int) -> None:
        if newest > self.newest:
            self.messages.clear()
            self._advance(newest)

    def after(self, position: int) -> list[Message] | None:
        """The messages after `position`, or None when the tail does not reach back so far."""
        if self.messages and self.messages[0].id <= position + 1:
            return [message for message in self.messages if message.id > position]
        return None

    def _advance(self, newest: int) -> None:
        self.newest = newest
        self.changed.set()
        self.changed = asyncio.Event()


class Feeds:
    """All rooms that somebody reads in this process."""

    def __init__(self, store: Store):
        self._store = store
        self._tails: dict[str, _Tail] = {}

    @property
    def rooms(self) -> Iterable[str]:
        return tuple(self._tails)

    def offer(self, message: Message) -> None:
        """Take a hint: a message that was committed."""
        tail = self._tails.get(message.room)
        if tail is not None:
            tail.offer(message)

    async def sweep(self) -> None:
        """Ask the store for the newest id of each room that is read, to make good for lost hints. Raises StoreUnavailable."""
        for room, tail in tuple(self._tails.items()):
            tail.at_least(await self._store.newest(room))

    async def follow(self, room: str, after: int) -> AsyncGenerator[Message, None]:
        """Every message of `room` with an id above `after`, in order, for ever; close it (aclosing) to leave the room.

        Raises StoreUnavailable when the store does.
        """
        tail = self._tails.get(room)
        if tail is None:
            tail = self._tails.setdefault(room, _Tail(0))
        tail.readers += 1
        try:
            tail.at_least(await self._store.newest(room))
            position = after
            while True:
                changed = tail.changed
                if position >= tail.newest:
                    await changed.wait()
                    continue
                page = tail.after(position)
                if page is None:
                    page = await self._store.after(room, position, PAGE)
                    if not page:  # a hint was ahead of the store, which a store put back to an older state can cause
                        await changed.wait()
                for message in page:
                    yield message
                    position = message.id
        finally:
            tail.readers -= 1
            if tail.readers == 0 and self._tails.get(room) is tail:
                del self._tails[room]
