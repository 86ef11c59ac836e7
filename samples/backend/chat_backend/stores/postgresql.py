"""The store on PostgreSQL, through asyncpg; knows nothing of HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg

from ..protocol import Draft, Message
from ..settings import Database
from .base import Store, StoreUnavailable, now_ms

_SCHEMA = """
CREATE TABLE IF NOT EXISTS rooms (name text PRIMARY KEY, newest bigint NOT NULL);
CREATE TABLE IF NOT EXISTS messages (
    room text NOT NULL, id bigint NOT NULL, author text NOT NULL, text text NOT NULL, client_id text NOT NULL, at bigint NOT NULL,
    PRIMARY KEY (room, id), UNIQUE (room, client_id)
);
CREATE TABLE IF NOT EXISTS counters (name text PRIMARY KEY, value bigint NOT NULL);
"""
_SCHEMA_LOCK = 7_461_203  # any number that is the same in all processes of the application
_COLUMNS = "room, id, author, text, client_id, at"
_LOST = (asyncpg.PostgresConnectionError, asyncpg.InterfaceError, asyncpg.CannotConnectNowError, asyncpg.AdminShutdownError, OSError)
_ANSWER_WITHIN = 5.0
_POOL = 10


class PostgreSQLStore(Store):
    def __init__(self, database: Database):
        self._database = database
        self._pool: asyncpg.Pool | None = None

    async def start(self) -> None:
        async def create(connection: Any) -> None:
            # Two processes that create the same table at once collide in the catalogue, IF NOT EXISTS or not.
            async with connection.transaction():
                await connection.execute("SELECT pg_advisory_xact_lock($1)", _SCHEMA_LOCK)
                await connection.execute(_SCHEMA)

        await self._run(create)

    async def stop(self) -> None:
        if self._pool is not None:
            self._pool.terminate()

    async def ping(self) -> None:
        await self.newest("ping")

    async def append(self, draft: Draft) -> tuple[Message, bool]:
        async def work(connection: Any) -> tuple[Message, bool]:
            try:
                # The room's row stays locked until the commit: ids become visible in their order, and a rollback leaves no gap.
                async with connection.transaction():
                    number = await connection.fetchval(
                        "INSERT INTO rooms (name, newest) VALUES ($1, 1) "
                        "ON CONFLICT (name) DO UPDATE SET newest = rooms.newest + 1 RETURNING newest",
                        draft.room,
                    )
                    message = Message(draft.room, number, draft.author, draft.text, draft.client_id, now_ms())
                    await connection.execute(
                        f"INSERT INTO messages ({_COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6)",  # noqa: S608 - constant column names
                        *message.as_dict().values(),
                    )
                return message, False
            except asyncpg.UniqueViolationError:
                row = await connection.fetchrow(
                    f"SELECT {_COLUMNS} FROM messages WHERE room = $1 AND client_id = $2",  # noqa: S608 - constant column names
                    draft.room,
                    draft.client_id,
                )
                return Message(*row), True

        # Repeating is harmless: a commit whose answer was lost is found again by its client_id.
        return await self._run(work)

    async def after(self, room: str, position: int, limit: int) -> list[Message]:
        async def work(connection: Any) -> list[Message]:
            rows = await connection.fetch(
                f"SELECT {_COLUMNS} FROM messages WHERE room = $1 AND id > $2 ORDER BY id LIMIT $3",  # noqa: S608 - constant column names
                room,
                position,
                limit,
            )
            return [Message(*row) for row in rows]

        return await self._run(work)

    async def latest(self, room: str, limit: int) -> list[Message]:
        async def work(connection: Any) -> list[Message]:
            rows = await connection.fetch(
                f"SELECT {_COLUMNS} FROM messages WHERE room = $1 ORDER BY id DESC LIMIT $2",  # noqa: S608 - constant column names
                room,
                limit,
            )
            return [Message(*row) for row in reversed(rows)]

        return await self._run(work)

    async def newest(self, room: str) -> int:
        async def work(connection: Any) -> int:
            return await connection.fetchval("SELECT newest FROM rooms WHERE name = $1", room) or 0

        return await self._run(work)

    async def next_guest(self) -> int:
        async def work(connection: Any) -> int:
            return await connection.fetchval(
                "INSERT INTO counters (name, value) VALUES ('guest', 1) "
                "ON CONFLICT (name) DO UPDATE SET value = counters.value + 1 RETURNING value"
            )

        return await self._run(work)

    async def _run(self, work: Callable[[Any], Awaitable[Any]]) -> Any:
        """Do `work` on a connection, a second time on a fresh one when the first turns out to be lost."""
        try:
            async with asyncio.timeout(_ANSWER_WITHIN):
                try:
                    return await self._once(work)
                except _LOST:
                    if self._pool is not None:
                        await self._pool.expire_connections()
                    return await self._once(work)
        except (*_LOST, asyncpg.PostgresError) as error:
            cause = f"no answer within {_ANSWER_WITHIN:g} s" if isinstance(error, TimeoutError) else str(error) or type(error).__name__
            raise StoreUnavailable(f"PostgreSQL at {self._database.host}:{self._database.port}: {cause}") from error

    async def _once(self, work: Callable[[Any], Awaitable[Any]]) -> Any:
        if self._pool is None:
            database = self._database
            self._pool = await asyncpg.create_pool(
                min_size=0, max_size=_POOL, host=database.host, port=database.port, database=database.name, user=database.username,
                password=database.password, timeout=3, command_timeout=_ANSWER_WITHIN,
            )  # fmt: skip
        async with self._pool.acquire() as connection:
            return await work(connection)
