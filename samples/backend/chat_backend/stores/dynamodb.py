"""The store on DynamoDB, through botocore in threads; knows nothing of HTTP.

Table of messages: partition key `room` (S), sort key `id` (N). A message and the note of its client_id (an item of its own whose
`room` is `client#<room>#<client_id>`) are written in one transaction; that nobody else took the same id is its condition.
Table of the counter: partition key `name` (S). An environment owns its tables; they are created here only when told to.
"""

from __future__ import annotations

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import botocore.exceptions
import botocore.session
from botocore.config import Config

from ..protocol import Draft, Message
from ..settings import Tables
from .base import Store, StoreUnavailable, now_ms

_ATTEMPTS = 20
_CONNECTIONS = 20
_CONFLICT = ("TransactionCanceledException", "TransactionConflictException", "TransactionInProgressException")


class DynamoDBStore(Store):
    def __init__(self, tables: Tables):
        self._tables = tables
        self._client: Any = None
        self._threads = ThreadPoolExecutor(_CONNECTIONS, "dynamodb")
        self._asked = ThreadPoolExecutor(1, "dynamodb-ping")  # whether it answers is not asked behind all who wait for it

    async def start(self) -> None:
        await self._run(self._start)

    async def stop(self) -> None:
        if self._client is not None:
            self._client.close()
        self._threads.shutdown(wait=False)
        self._asked.shutdown(wait=False)

    async def ping(self) -> None:
        await self._run(self._newest, "ping", threads=self._asked)

    async def append(self, draft: Draft) -> tuple[Message, bool]:
        return await self._run(self._append, draft)

    async def after(self, room: str, position: int, limit: int) -> list[Message]:
        return await self._run(self._after, room, position, limit)

    async def latest(self, room: str, limit: int) -> list[Message]:
        return await self._run(self._latest, room, limit)

    async def newest(self, room: str) -> int:
        return await self._run(self._newest, room)

    async def next_guest(self) -> int:
        return await self._run(self._next_guest)

    async def _run(self, work: Any, *args: Any, threads: ThreadPoolExecutor | None = None) -> Any:
        try:
            return await asyncio.get_running_loop().run_in_executor(threads or self._threads, work, *args)
        except botocore.exceptions.NoRegionError:
            raise StoreUnavailable("DynamoDB: no region is set; set AWS_REGION") from None
        except botocore.exceptions.ClientError as error:
            code = error.response["Error"].get("Code", "unknown error")
            raise StoreUnavailable(f"DynamoDB table {self._tables.messages}: {code}") from error
        except botocore.exceptions.BotoCoreError as error:
            raise StoreUnavailable(f"DynamoDB table {self._tables.messages}: {error}") from error

    def _start(self) -> None:
        if self._client is None:
            session = botocore.session.get_session()
            retries = {"mode": "standard", "total_max_attempts": 2}
            config = Config(connect_timeout=2, read_timeout=3, retries=retries, max_pool_connections=_CONNECTIONS + 1)
            self._client = session.create_client("dynamodb", config=config, region_name=_region(session))
        if self._tables.create:
            self._create(self._tables.messages, (("room", "S", "HASH"), ("id", "N", "RANGE")))
            self._create(self._tables.user_counter, (("name", "S", "HASH"),))

    def _create(self, name: str, keys: tuple[tuple[str, str, str], ...]) -> None:
        try:
            self._client.create_table(
                TableName=name,
                BillingMode="PAY_PER_REQUEST",
                AttributeDefinitions=[{"AttributeName": key, "AttributeType": kind} for key, kind, _ in keys],
                KeySchema=[{"AttributeName": key, "KeyType": role} for key, _, role in keys],
            )
            self._client.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 30})
        except self._client.exceptions.ResourceInUseException:
            pass

    def _append(self, draft: Draft) -> tuple[Message, bool]:
        note = {"room": {"S": f"client#{draft.room}#{draft.client_id}"}, "id": {"N": "0"}}
        for _ in range(_ATTEMPTS):
            known = self._client.get_item(TableName=self._tables.messages, Key=note, ConsistentRead=True).get("Item")
            if known is not None:
                (message,) = self._after(draft.room, int(known["message_id"]["N"]) - 1, 1)
                return message, True
            message = Message(draft.room, self._newest(draft.room) + 1, draft.author, draft.text, draft.client_id, now_ms())
            try:
                self._client.transact_write_items(
                    TransactItems=[self._put(_item(message)), self._put({**note, "message_id": {"N": str(message.id)}})]
                )
            except botocore.exceptions.ClientError as error:
                if error.response["Error"].get("Code") in _CONFLICT:
                    continue  # somebody took the id, or the same message came twice: look again
                raise
            return message, False
        raise StoreUnavailable(f"DynamoDB table {self._tables.messages}: {_ATTEMPTS} writers in a row were faster in room {draft.room}")

    def _put(self, item: dict[str, Any]) -> dict[str, Any]:
        return {"Put": {"TableName": self._tables.messages, "Item": item, "ConditionExpression": "attribute_not_exists(room)"}}

    def _after(self, room: str, position: int, limit: int) -> list[Message]:
        return [_message(item) for item in self._query(room, "room = :room AND id > :position", {":position": {"N": str(position)}}, limit)]

    def _latest(self, room: str, limit: int) -> list[Message]:
        return [_message(item) for item in reversed(self._query(room, "room = :room", {}, limit, ScanIndexForward=False))]

    def _newest(self, room: str) -> int:
        items = self._query(room, "room = :room", {}, 1, ScanIndexForward=False)
        return int(items[0]["id"]["N"]) if items else 0

    def _query(self, room: str, condition: str, values: dict[str, Any], limit: int, **more: Any) -> list[dict[str, Any]]:
        answer = self._client.query(
            TableName=self._tables.messages,
            KeyConditionExpression=condition,
            ExpressionAttributeValues={":room": {"S": room}, **values},
            ConsistentRead=True,
            Limit=limit,
            **more,
        )
        return answer["Items"]

    def _next_guest(self) -> int:
        answer = self._client.update_item(
            TableName=self._tables.user_counter,
            Key={"name": {"S": "guest"}},
            UpdateExpression="ADD #value :one",
            ExpressionAttributeNames={"#value": "value"},
            ExpressionAttributeValues={":one": {"N": "1"}},
            ReturnValues="UPDATED_NEW",
        )
        return int(answer["Attributes"]["value"]["N"])


def _region(session: Any) -> str | None:
    # botocore reads AWS_DEFAULT_REGION alone, while containers are told AWS_REGION.
    return session.get_config_variable("region") or os.environ.get("AWS_REGION")


def _item(message: Message) -> dict[str, Any]:
    return {
        "room": {"S": message.room}, "id": {"N": str(message.id)}, "author": {"S": message.author}, "text": {"S": message.text},
        "client_id": {"S": message.client_id}, "at": {"N": str(message.at)},
    }  # fmt: skip


def _message(item: dict[str, Any]) -> Message:
    text = {name: item[name]["S"] for name in ("room", "author", "text", "client_id")}
    return Message(**text, id=int(item["id"]["N"]), at=int(item["at"]["N"]))
