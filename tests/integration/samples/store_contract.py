"""What every store promises, tried on the one that the environment chooses; runs inside the backend's image and prints one line."""

from __future__ import annotations

import asyncio
import os
import uuid

from chat_backend.protocol import Draft
from chat_backend.settings import load_settings
from chat_backend.stores import open_store
from chat_backend.stores.base import StoreUnavailable


def require(condition: bool, promise: str) -> None:
    if not condition:
        raise SystemExit(f"broken promise: {promise}")


async def started(settings):
    store = open_store(settings)
    for _ in range(300):
        try:
            await store.start()
            return store
        except StoreUnavailable as error:
            cause = error
            await asyncio.sleep(0.2)
    raise SystemExit(f"the store never answered: {cause}")


class Insistent:
    """A store asked again when it did not answer, as its callers may: a busy machine is no broken promise."""

    def __init__(self, store):
        self._store = store

    def __getattr__(self, name):
        async def ask(*words):
            for _ in range(20):
                try:
                    return await getattr(self._store, name)(*words)
                except StoreUnavailable as error:
                    cause = error
            raise SystemExit(f"the store stopped answering: {cause}")

        return ask


async def main() -> None:
    settings = load_settings(os.environ)
    first = Insistent(await started(settings))
    second = Insistent(open_store(settings))
    await asyncio.gather(first.start(), second.start())  # the schema is there already, twice at once
    await first.ping()
    room = f"r-{uuid.uuid4().hex[:10]}"
    require(await first.newest(room) == 0 and await first.after(room, 0, 10) == [], "a new room is empty")

    def draft(number: int, client_id: str | None = None) -> Draft:
        return Draft(room, "지민", f"텍스트 🎈 '{number}'", client_id or f"c{number}")

    stores = (first, second)
    written = await asyncio.gather(*(stores[number % 2].append(draft(number)) for number in range(40)))
    require(sorted(message.id for message, _ in written) == list(range(1, 41)), "ids of concurrent writers have no gap and no twin")
    require(not (await first.append(Draft(f"{room}n", "a", "t", "c")))[1], "a new message is new")
    again = await asyncio.gather(*(stores[number % 2].append(draft(0)) for number in range(6)))
    require(all(known and message == written[0][0] for message, known in again), "a known client_id gives the stored message")
    twins = await asyncio.gather(*(stores[number % 2].append(draft(99, "twin")) for number in range(6)))
    require(len({message.id for message, _ in twins}) == 1 and sum(not known for _, known in twins) <= 1, "one of twins is stored")
    require(await second.newest(room) == 41, "duplicates leave no gap")
    everything = await second.after(room, 0, 100)
    require([message.id for message in everything] == list(range(1, 42)), "messages come in the order of their ids")
    require({message.id: message for message in everything}[written[7][0].id] == written[7][0], "a message comes back as it was stored")
    require([message.id for message in await first.after(room, 10, 5)] == [11, 12, 13, 14, 15], "a page starts after its position")
    require([message.id for message in await second.latest(room, 3)] == [39, 40, 41], "the newest come in order")
    require(await first.latest(f"{room}x", 3) == [], "an empty room has no newest")
    require(await first.after(f"{room}x", 0, 10) == [], "rooms are apart")
    guests = await asyncio.gather(*(stores[number % 2].next_guest() for number in range(12)))
    require(len(set(guests)) == 12, "no guest number comes twice")
    await asyncio.gather(first.stop(), second.stop())
    print("kept all promises")


asyncio.run(main())
