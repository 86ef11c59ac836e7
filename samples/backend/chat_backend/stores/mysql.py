"""The store on MySQL or MariaDB, through aiomysql; knows nothing of HTTP."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Awaitable, Callable
from typing import Any

import aiomysql
import pymysql

from ..protocol import Draft, Message
from ..settings import Database
from .base import Store, StoreUnavailable, now_ms

_SCHEMA = (
    """CREATE TABLE IF NOT EXISTS rooms (
        name VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin PRIMARY KEY,
        newest BIGINT NOT NULL
    ) ENGINE=InnoDB""",
    """CREATE TABLE IF NOT EXISTS messages (
        room VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
        id BIGINT NOT NULL,
        author VARCHAR(40) NOT NULL,
        text VARCHAR(2000) NOT NULL,
        client_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
        at BIGINT NOT NULL,
        PRIMARY KEY (room, id),
        UNIQUE KEY client (room, client_id)
    ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4""",
    "CREATE TABLE IF NOT EXISTS counters (name VARCHAR(32) PRIMARY KEY, value BIGINT NOT NULL) ENGINE=InnoDB",
)
_COLUMNS = "room, id, author, text, client_id, at"
_LOST = (pymysql.err.OperationalError, pymysql.err.InterfaceError, OSError, asyncio.IncompleteReadError)
_ANSWER_WITHIN = 5.0
_POOL = 10


class MySQLStore(Store):
    def __init__(self, database: Database):
        self._database = database
        self._pool: aiomysql.Pool | None = None

    async def start(self) -> None:
        warnings.filterwarnings("ignore", category=pymysql.err.Warning)  # "table exists" is what IF NOT EXISTS is for

        async def create(cursor: Any) -> None:
            for statement in _SCHEMA:
                await cursor.execute(statement)

        await self._run(create)

    async def stop(self) -> None:
        if self._pool is not None:
            self._pool.terminate()
            await self._pool.wait_closed()

    async def ping(self) -> None:
        await self.newest("ping")

    async def append(self, draft: Draft) -> tuple[Message, bool]:
        async def work(cursor: Any) -> tuple[Message, bool]:
            # The room's row stays locked until the commit: ids become visible in their order, and a rollback leaves no gap.
            await cursor.execute("BEGIN")
            await cursor.execute(
                "INSERT INTO rooms (name, newest) VALUES (%s, LAST_INSERT_ID(1)) "
                "ON DUPLICATE KEY UPDATE newest = LAST_INSERT_ID(newest + 1)",
                (draft.room,),
            )
            message = Message(draft.room, cursor.lastrowid, draft.author, draft.text, draft.client_id, now_ms())
            try:
                await cursor.execute(
                    f"INSERT INTO messages ({_COLUMNS}) VALUES (%s, %s, %s, %s, %s, %s)",  # noqa: S608 - constant column names
                    tuple(message.as_dict().values()),
                )
            except pymysql.err.IntegrityError:
                await cursor.execute("ROLLBACK")
                await cursor.execute(
                    f"SELECT {_COLUMNS} FROM messages WHERE room = %s AND client_id = %s",  # noqa: S608 - constant column names
                    (draft.room, draft.client_id),
                )
                return Message(*await cursor.fetchone()), True
            await cursor.execute("COMMIT")
            return message, False

        # Repeating is harmless: a commit whose answer was lost is found again by its client_id.
        return await self._run(work)

    async def after(self, room: str, position: int, limit: int) -> list[Message]:
        async def work(cursor: Any) -> list[Message]:
            await cursor.execute(
                f"SELECT {_COLUMNS} FROM messages WHERE room = %s AND id > %s ORDER BY id LIMIT %s",  # noqa: S608 - constant column names
                (room, position, limit),
            )
            return [Message(*row) for row in await cursor.fetchall()]

        return await self._run(work)

    async def latest(self, room: str, limit: int) -> list[Message]:
        async def work(cursor: Any) -> list[Message]:
            await cursor.execute(
                f"SELECT {_COLUMNS} FROM messages WHERE room = %s ORDER BY id DESC LIMIT %s",  # noqa: S608 - constant column names
                (room, limit),
            )
            return [Message(*row) for row in reversed(await cursor.fetchall())]

        return await self._run(work)

    async def newest(self, room: str) -> int:
        async def work(cursor: Any) -> int:
            await cursor.execute("SELECT newest FROM rooms WHERE name = %s", (room,))
            row = await cursor.fetchone()
            return row[0] if row else 0

        return await self._run(work)

    async def next_guest(self) -> int:
        async def work(cursor: Any) -> int:
            await cursor.execute(
                "INSERT INTO counters (name, value) VALUES ('guest', LAST_INSERT_ID(1)) "
                "ON DUPLICATE KEY UPDATE value = LAST_INSERT_ID(value + 1)"
            )
            return cursor.lastrowid

        return await self._run(work)

    async def _run(self, work: Callable[[Any], Awaitable[Any]]) -> Any:
        """Do `work` on a connection, a second time on a fresh one when the first turns out to be lost."""
        try:
            async with asyncio.timeout(_ANSWER_WITHIN):
                try:
                    return await self._once(work)
                except _LOST:
                    return await self._once(work)
        except (*_LOST, pymysql.err.Error) as error:
            raise StoreUnavailable(f"MySQL at {self._database.host}:{self._database.port}: {_cause(error)}") from error

    async def _once(self, work: Callable[[Any], Awaitable[Any]]) -> Any:
        if self._pool is None:
            database = self._database
            self._pool = await aiomysql.create_pool(
                minsize=0, maxsize=_POOL, host=database.host, port=database.port, db=database.name, user=database.username,
                password=database.password, charset="utf8mb4", autocommit=True, connect_timeout=3,
            )  # fmt: skip
        connection = await self._pool.acquire()
        try:
            async with connection.cursor() as cursor:
                return await work(cursor)
        except BaseException:
            connection.close()  # its transaction and its place in the protocol are unknown
            raise
        finally:
            await self._pool.release(connection)


def _cause(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return f"no answer within {_ANSWER_WITHIN:g} s"
    return str(error.args[-1]) if error.args else type(error).__name__
