"""Tells the other processes about new messages, through Redis or Valkey publish/subscribe; what it loses, a sweep of the store finds."""

from __future__ import annotations

import asyncio
import json
import logging

import redis.asyncio
import redis.exceptions

from .feed import Feeds
from .protocol import Message
from .settings import Cache
from .stores.base import StoreUnavailable

_LOG = logging.getLogger("fanout")
_CHANNEL = "chat:messages"
_LOST = (redis.exceptions.RedisError, OSError)
SWEEP_EVERY = 2.0
_RETRY_AFTER = 0.5


class CacheUnavailable(Exception):
    """The cache did not answer; the message says which and why."""


class Fanout:
    """Between this process's feeds and those of the others. Without a cache only the sweep connects them."""

    def __init__(self, cache: Cache | None, feeds: Feeds):
        self._cache = cache
        self._feeds = feeds
        self._client: redis.asyncio.Redis | None = None
        if cache is not None:
            self._client = redis.asyncio.Redis(
                host=cache.host, port=cache.port, socket_connect_timeout=2, socket_timeout=2, health_check_interval=10
            )

    async def ping(self) -> None:
        """Make sure that the cache answers. Raises CacheUnavailable."""
        if self._client is None:
            return
        try:
            await self._client.ping()
        except _LOST as error:
            raise CacheUnavailable(f"cache at {self._cache.host}:{self._cache.port}: {error or type(error).__name__}") from error

    async def announce(self, message: Message) -> None:
        """Tell this process's readers and the others'. A cache that fails delays the others until their sweep, no more."""
        self._feeds.offer(message)
        if self._client is None:
            return
        try:
            await self._client.publish(_CHANNEL, json.dumps(message.as_dict()))
        except _LOST as error:
            _LOG.warning("message announced to this process only", extra={"room": message.room, "id": message.id, "cause": str(error)})

    async def run(self) -> None:
        """Listen and sweep until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._sweep())
            if self._client is not None:
                tasks.create_task(self._listen())

    async def close(self) -> None:
        if self._client is not None:
            await self._client.aclose()

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_EVERY)
            try:
                await self._feeds.sweep()
            except StoreUnavailable as error:
                _LOG.warning("sweep put off", extra={"cause": str(error)})

    async def _listen(self) -> None:
        while True:
            try:
                async with self._client.pubsub(ignore_subscribe_messages=True) as subscription:
                    await subscription.subscribe(_CHANNEL)
                    while True:
                        hint = await subscription.get_message(timeout=1.0)
                        if hint is not None:
                            self._feeds.offer(Message(**json.loads(hint["data"])))
            except _LOST as error:
                _LOG.warning("subscription lost, trying again", extra={"cause": str(error)})
                await asyncio.sleep(_RETRY_AFTER)
