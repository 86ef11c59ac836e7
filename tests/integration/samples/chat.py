"""A chat client for tests: speaks the protocol of chat_backend.protocol over an independent WebSocket library."""

from __future__ import annotations

import asyncio
import json
import uuid

import websockets


class Client:
    """`frames` are all frames received in order; `closed` is the close code once the server has closed."""

    def __init__(self, url: str):
        self._url = url.replace("http://", "ws://") + "/ws"
        self.frames: list[dict] = []
        self.closed: int | None = None
        self.closed_at = 0.0
        self._news = asyncio.Condition()

    async def __aenter__(self) -> Client:
        self._socket = await websockets.connect(self._url)
        self._reader = asyncio.create_task(self._read())
        await self.until(lambda: self.of("welcome"))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._socket.close()
        await self._reader

    async def _read(self) -> None:
        try:
            async for text in self._socket:
                async with self._news:
                    self.frames.append(json.loads(text))
                    self._news.notify_all()
        except websockets.ConnectionClosed:
            pass
        async with self._news:
            self.closed, self.closed_at = self._socket.close_code, asyncio.get_running_loop().time()
            self._news.notify_all()

    def of(self, kind: str) -> list[dict]:
        return [frame for frame in self.frames if frame["type"] == kind]

    @property
    def ids(self) -> list[int]:
        return [frame["id"] for frame in self.of("message")]

    async def until(self, condition, timeout: float = 10.0) -> None:
        async with self._news, asyncio.timeout(timeout):
            await self._news.wait_for(condition)

    async def frame(self, **frame: object) -> None:
        await self._socket.send(json.dumps(frame))

    async def join(self, room: str, after: int | None = None) -> None:
        await self.frame(type="join", room=room, **({} if after is None else {"after": after}))
        await self.until(lambda: [frame for frame in self.of("joined") if frame["room"] == room])

    async def say(self, room: str, text: str, client_id: str | None = None) -> dict:
        """Send a message and wait for its acknowledgement."""
        client_id = client_id or uuid.uuid4().hex
        before = len(self.of("ack"))
        await self.frame(type="send", room=room, author="Test", text=text, client_id=client_id)
        await self.until(lambda: len(self.of("ack")) > before)
        return self.of("ack")[before]


def new_room() -> str:
    return f"room-{uuid.uuid4().hex[:10]}"
