"""One client's WebSocket: frames in, messages of the joined rooms out; protocol.py says what they look like.

Server to client:
  {"type": "welcome", "guest": N, "version": …, "colour": …, "hostname": …}
  {"type": "joined", "room": R, "after": N}     messages of R with ids above N follow
  {"type": "message", "room": …, "id": …, "author": …, "text": …, "client_id": …, "at": …}
  {"type": "ack", "client_id": C, "room": R, "id": N, "duplicate": bool}     stored, whatever happens next
  {"type": "error", "reason": …, "client_id": C or null, "retry": bool}
  {"type": "pong"}
Closed with 1001 when the process drains or the connection is old enough, 1013 when the store cannot be read: come back, with the last id.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import WSCloseCode, WSMsgType, web

from .feed import Feeds
from .protocol import HISTORY, BadFrame, Draft, Join, Ping, parse_frame
from .stores.base import Store, StoreUnavailable

_LOG = logging.getLogger("websocket")
FRAME_LIMIT = 16 * 1024
_PING_EVERY = 20.0
_ROOMS_LIMIT = 20


class Connection:
    """`post` stores and announces a message: it returns (message, was it known)."""

    def __init__(self, socket: web.WebSocketResponse, store: Store, feeds: Feeds, post: Callable[[Draft], Awaitable[Any]]):
        self._socket = socket
        self._store = store
        self._feeds = feeds
        self._post = post
        self._followers: dict[str, asyncio.Task[None]] = {}

    async def run(self, welcome: dict[str, Any]) -> None:
        """Serve until either side closes."""
        try:
            await self._send({"type": "welcome", **welcome})
            async for frame in self._socket:
                if frame.type is not WSMsgType.TEXT:
                    await self._socket.close(code=WSCloseCode.UNSUPPORTED_DATA, message=b"text frames only")
                    return
                await self._take(frame.data)
        except ConnectionError:
            pass  # the client is gone
        finally:
            for task in self._followers.values():
                task.cancel()
            await asyncio.gather(*self._followers.values(), return_exceptions=True)

    async def close(self, code: int, reason: str) -> None:
        """Say goodbye and wait, bounded, for the client's goodbye."""
        with contextlib.suppress(ConnectionError):
            await self._socket.close(code=code, message=reason.encode())

    async def _take(self, text: str) -> None:
        client_id = None
        try:
            match parse_frame(text):
                case Join() as join:
                    await self._join(join)
                case Draft() as draft:
                    client_id = draft.client_id
                    message, known = await self._post(draft)
                    await self._send({"type": "ack", "client_id": client_id, "room": message.room, "id": message.id, "duplicate": known})
                case Ping():
                    await self._send({"type": "pong"})
        except BadFrame as error:
            await self._send({"type": "error", "reason": str(error), "client_id": error.client_id, "retry": False})
        except StoreUnavailable as error:
            _LOG.warning("frame refused", extra={"cause": str(error)})
            await self._send({"type": "error", "reason": "the store does not answer", "client_id": client_id, "retry": True})

    async def _join(self, join: Join) -> None:
        if join.room not in self._followers and len(self._followers) >= _ROOMS_LIMIT:
            raise BadFrame(f"at most {_ROOMS_LIMIT} rooms can be joined")
        after = join.after
        if after is None:
            after = max(0, await self._store.newest(join.room) - HISTORY)
        previous = self._followers.pop(join.room, None)
        if previous is not None:
            previous.cancel()
            await asyncio.gather(previous, return_exceptions=True)
        await self._send({"type": "joined", "room": join.room, "after": after})
        self._followers[join.room] = asyncio.create_task(self._follow(join.room, after))

    async def _follow(self, room: str, after: int) -> None:
        try:
            async with contextlib.aclosing(self._feeds.follow(room, after)) as messages:
                async for message in messages:
                    await self._send({"type": "message", **message.as_dict()})
        except StoreUnavailable as error:
            _LOG.warning("reader sent away", extra={"room": room, "cause": str(error)})
            await self.close(WSCloseCode.TRY_AGAIN_LATER, "the store does not answer")
        except ConnectionError:
            pass  # run() sees the same

    async def _send(self, frame: dict[str, Any]) -> None:
        await self._socket.send_json(frame)


def new_socket() -> web.WebSocketResponse:
    """A response with our limits: pings find dead clients, and a close waits a bounded time for the client's."""
    return web.WebSocketResponse(heartbeat=_PING_EVERY, max_msg_size=FRAME_LIMIT, timeout=2.0, autoclose=True)
