"""A store in this process's memory, for trying out and for tests; nothing survives the process."""

from __future__ import annotations

from ..protocol import Draft, Message
from .base import Store, now_ms


class MemoryStore(Store):
    def __init__(self) -> None:
        self._rooms: dict[str, list[Message]] = {}
        self._known: dict[tuple[str, str], Message] = {}
        self._guests = 0

    async def start(self) -> None:
        pass

    async def stop(self) -> None:
        pass

    async def ping(self) -> None:
        pass

    async def append(self, draft: Draft) -> tuple[Message, bool]:
        known = self._known.get((draft.room, draft.client_id))
        if known is not None:
            return known, True
        log = self._rooms.setdefault(draft.room, [])
        message = Message(draft.room, len(log) + 1, draft.author, draft.text, draft.client_id, now_ms())
        log.append(message)
        self._known[draft.room, draft.client_id] = message
        return message, False

    async def after(self, room: str, position: int, limit: int) -> list[Message]:
        return self._rooms.get(room, [])[position : position + limit]

    async def latest(self, room: str, limit: int) -> list[Message]:
        return self._rooms.get(room, [])[-limit:]

    async def newest(self, room: str) -> int:
        return len(self._rooms.get(room, []))

    async def next_guest(self) -> int:
        self._guests += 1
        return self._guests
