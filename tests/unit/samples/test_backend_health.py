"""Readiness: every reason not to be ready is in the answer."""

from __future__ import annotations

import asyncio

import pytest
from chat_backend import health
from chat_backend.health import Health, Verdict


async def good() -> None:
    pass


async def bad() -> None:
    raise RuntimeError("connection refused")


async def silent() -> None:
    await asyncio.Event().wait()


def verdict(*, waiting_for: str | None = None, draining: bool = False, **more) -> Verdict:
    checked = Health(more.pop("checks", {"store": good, "cache": good}), **more)
    checked.waiting_for, checked.draining = waiting_for, draining
    return asyncio.run(checked.verdict())


def test_ready_when_all_answer():
    assert verdict() == Verdict(True, {"store": "ok", "cache": "ok"})


@pytest.mark.parametrize(
    "state, checks",
    [
        ({"checks": {"store": good, "cache": bad}}, {"store": "ok", "cache": "connection refused"}),
        ({"waiting_for": "MySQL at mysql:3306: refused"}, {"process": "starting: waiting for MySQL at mysql:3306: refused"}),
        ({"draining": True}, {"process": "draining: a SIGTERM was received"}),
        ({"never_healthy": True}, {"process": "never healthy: FAULTS asks for it"}),
    ],
)
def test_not_ready(state, checks):
    assert verdict(**state) == Verdict(False, checks)


def test_a_dependency_that_does_not_answer_does_not_hold_the_check(monkeypatch):
    monkeypatch.setattr(health, "ANSWER_WITHIN", 0.05)
    assert verdict(checks={"store": silent}) == Verdict(False, {"store": "no answer within 0.05 s"})


def test_a_new_process_is_not_ready():
    assert not asyncio.run(Health({"store": good}).verdict()).ready
