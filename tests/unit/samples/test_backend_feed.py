"""A room's readers get every message exactly once and in order, whatever happens to the hints."""

from __future__ import annotations

import asyncio
import contextlib
import random

import pytest
from chat_backend.feed import PAGE, TAIL, Feeds
from chat_backend.protocol import Draft, Message
from chat_backend.stores.base import StoreUnavailable
from chat_backend.stores.memory import MemoryStore


def draft(number: int, room: str = "lobby") -> Draft:
    return Draft(room, "Ada", f"text {number}", f"c{number}")


async def write(store: MemoryStore, count: int) -> list[Message]:
    return [(await store.append(draft(number)))[0] for number in range(count)]


async def read(feeds: Feeds, after: int, count: int) -> list[int]:
    ids: list[int] = []
    async with contextlib.aclosing(feeds.follow("lobby", after)) as messages:
        async for message in messages:
            ids.append(message.id)
            if len(ids) == count:
                return ids
    raise AssertionError("a feed never ends by itself")


def run(work):
    return asyncio.run(asyncio.wait_for(work, 10))


def test_the_store_keeps_one_message_per_client_id():
    async def scenario():
        store = MemoryStore()
        first, known = await store.append(draft(1))
        again, known_again = await store.append(draft(1))
        assert (first, known, known_again) == (again, False, True)
        assert await store.newest("lobby") == 1

    run(scenario())


@pytest.mark.parametrize("after", [0, 1, PAGE, TAIL + 5])
def test_a_reader_resumes_after_its_last_id(after):
    async def scenario():
        store = MemoryStore()
        await write(store, TAIL + 10)
        assert await read(Feeds(store), after, TAIL + 10 - after) == list(range(after + 1, TAIL + 11))

    run(scenario())


@pytest.mark.parametrize("seed", range(8))
def test_hints_may_be_lost_doubled_and_out_of_order(seed):
    """Several readers start at various times and positions while messages are stored; hints are maltreated, sweeps make good."""

    async def scenario():
        chance = random.Random(seed)
        store = MemoryStore()
        feeds = Feeds(store)
        total = 600
        starts = [0, 0, 3, 50]
        readers = []
        held_back: list[Message] = []
        for number in range(total):
            message, _ = await store.append(draft(number))
            if number % 100 == 50 and starts:
                after = starts.pop()
                readers.append((after, asyncio.create_task(read(feeds, after, total - after))))
            held_back.append(message)
            for _ in range(chance.randrange(3)):
                feeds.offer(held_back[chance.randrange(len(held_back))])
            if chance.random() < 0.2:
                held_back.clear()
            if chance.random() < 0.05:
                await asyncio.sleep(0)
        await feeds.sweep()
        for after, task in readers:
            assert await task == list(range(after + 1, total + 1))
        assert not list(feeds.rooms)

    run(scenario())


def test_a_waiting_reader_is_woken_by_a_hint_alone():
    async def scenario():
        store = MemoryStore()
        feeds = Feeds(store)
        reader = asyncio.create_task(read(feeds, 0, 1))
        while not feeds.rooms:
            await asyncio.sleep(0)
        message, _ = await store.append(draft(1))
        feeds.offer(message)
        assert await reader == [1]

    run(scenario())


def test_a_hint_from_the_future_of_a_store_that_was_put_back_does_not_spin():
    async def scenario():
        store = MemoryStore()
        feeds = Feeds(store)
        reader = asyncio.create_task(read(feeds, 0, 1))
        while not feeds.rooms:
            await asyncio.sleep(0)
        feeds.offer(Message("lobby", 5, "Ada", "lost with the old disk", "c5", 0))
        for _ in range(50):
            await asyncio.sleep(0)  # a reader that spins would ask the store again and again here
        assert not reader.done()
        reader.cancel()

    run(scenario())


def test_a_store_that_fails_ends_the_reader_with_its_cause():
    class Broken(MemoryStore):
        async def newest(self, room):
            raise StoreUnavailable("MySQL at mysql:3306: gone")

    async def scenario():
        with pytest.raises(StoreUnavailable, match="gone"):
            await read(Feeds(Broken()), 0, 1)

    run(scenario())
