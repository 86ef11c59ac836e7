"""A stopping process listens until its traffic has ended, and not for ever."""

from __future__ import annotations

import asyncio

import chat_backend.drain
import chat_frontend.drain
import pytest


class Clock:
    """Time that passes only in `sleep`; requests come at the given moments."""

    def __init__(self, requests=()):
        self.now = 100.0
        self.requests = [100.0 + moment for moment in requests]

    def __call__(self) -> float:
        return self.now

    def connect(self, traffic):
        self.traffic = traffic

    async def sleep(self, seconds: float) -> None:
        end = self.now + seconds
        for moment in [moment for moment in self.requests if self.now < moment <= end]:
            self.now = moment
            self.traffic.seen()
        self.now = end


@pytest.mark.parametrize("module", [chat_backend.drain, chat_frontend.drain])
@pytest.mark.parametrize(
    "requests, quiet, after",
    [
        ([], True, 1.0),
        ([0.5], True, 1.5),
        ([0.5, 1.4, 2.3], True, 3.3),
        ([number / 2 for number in range(100)], False, 10.0),
    ],
)
def test_it_ends_when_it_is_quiet(module, requests, quiet, after):
    clock = Clock(requests)
    traffic = module.Traffic(clock)
    clock.connect(traffic)
    assert asyncio.run(traffic.quiet(1.0, 10.0, clock.sleep)) is quiet
    assert clock.now - 100.0 == pytest.approx(after)


def test_a_quiet_past_does_not_shorten_the_notice():
    clock = Clock()
    traffic = chat_backend.drain.Traffic(clock)
    clock.now += 60
    assert asyncio.run(traffic.quiet(1.0, 10.0, clock.sleep))
    assert clock.now == 161.0
