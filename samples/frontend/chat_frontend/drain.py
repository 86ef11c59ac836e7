"""When a process that is to stop may stop listening: once nobody sends requests any more; sleeps as it is told, serves nothing."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable


class Traffic:
    """Remembers when the last request came. `clock` gives seconds; health checks do not count as traffic."""

    def __init__(self, clock: Callable[[], float] = time.monotonic):
        self._clock = clock
        self._last = clock()

    def seen(self) -> None:
        """A request came."""
        self._last = self._clock()

    async def quiet(self, for_seconds: float, at_most: float, sleep: Callable[[float], Awaitable[None]]) -> bool:
        """Wait until no request has come for `for_seconds`, but `at_most` seconds in all; whether it became quiet.

        So a load balancer that is slow to notice loses nothing, and one that has noticed costs no time.
        """
        start = self._clock()
        while True:
            now = self._clock()
            due = max(self._last, start) + for_seconds
            if now >= due:
                return True
            if now >= start + at_most:
                return False
            await sleep(min(due, start + at_most) - now)
