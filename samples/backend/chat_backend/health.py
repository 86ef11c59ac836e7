"""Whether this process should get traffic: its state and its stores' answers; knows nothing of HTTP."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

ANSWER_WITHIN = 2.0


@dataclass(frozen=True)
class Verdict:
    """`checks` has one entry per dependency: `ok`, or the cause in words."""

    ready: bool
    checks: Mapping[str, str]


class Health:
    """Readiness. `started` is False until the schema exists; `draining` is True after SIGTERM; both decide before any check runs."""

    def __init__(self, checks: Mapping[str, Callable[[], Awaitable[None]]], *, never_healthy: bool = False):
        self._checks = checks
        self._never_healthy = never_healthy
        self.waiting_for: str | None = "the first connection to the store"
        self.draining = False
        self.since = time.time()

    async def verdict(self) -> Verdict:
        """Ask every dependency side by side; one that does not answer within ANSWER_WITHIN seconds has failed."""
        if self.draining:
            return Verdict(False, {"process": "draining: a SIGTERM was received"})
        if self._never_healthy:
            return Verdict(False, {"process": "never healthy: FAULTS asks for it"})
        if self.waiting_for is not None:
            return Verdict(False, {"process": f"starting: waiting for {self.waiting_for}"})
        answers = await asyncio.gather(*(self._ask(check) for check in self._checks.values()))
        checks = dict(zip(self._checks, answers, strict=True))
        return Verdict(all(answer == "ok" for answer in answers), checks)

    async def _ask(self, check: Callable[[], Awaitable[None]]) -> str:
        try:
            async with asyncio.timeout(ANSWER_WITHIN):
                await check()
        except TimeoutError:
            return f"no answer within {ANSWER_WITHIN:g} s"
        except Exception as error:  # whatever a driver raises, the answer of a health check is a sentence
            return str(error) or type(error).__name__
        return "ok"
