# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Log events from the pieces that Docker gives."""

from __future__ import annotations

import asyncio
import typing as t

import pytest

from localcloud.ecs.errors import StartFailed
from localcloud.ecs.logs import Lines, Logs, problem_of, stream_name

STAMP = b"2026-11-21T11:00:00.123456789Z "
OTHER = b"2026-11-21T11:00:01Z "
WHEN = 1795258800123


def test_lines() -> None:
    lines = Lines()
    assert lines.feed(STAMP + b"one\n" + OTHER + b"two\r\n") == [(WHEN, "one"), (1795258801000, "two")]
    assert lines.feed(STAMP + b"\n") == []
    assert lines.feed(STAMP + b"three") == [] and lines.rest() == [(WHEN, "three")] and lines.rest() == []


def test_a_line_in_pieces_is_one_event() -> None:
    lines = Lines()
    assert lines.feed(STAMP + b"a" * 10) == []
    assert lines.feed(OTHER + b"b\n") == [(WHEN, "a" * 10 + "b")]


def test_an_endless_line_is_cut() -> None:
    lines = Lines()
    events = [event for _ in range(20) for event in lines.feed(STAMP + b"x" * 16384)]
    assert [len(text) for _, text in events] == [256 * 1024 - 26]


def test_bytes_that_are_no_text() -> None:
    assert Lines().feed(STAMP + b"\xff\n") == [(WHEN, "\ufffd")]


def test_names() -> None:
    options = {"awslogs-group": "/g", "awslogs-region": "r", "awslogs-stream-prefix": "app"}
    assert stream_name(options, "web", "123") == "app/web/123"
    assert problem_of(options) is None
    assert problem_of({**options, "awslogs-stream-prefix": ""}) == "awslogs-stream-prefix is required for the awslogs log driver on Fargate"


class Failed(Exception):
    """What a call raises."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


class Store:
    """A CloudWatch Logs with one group; keeps calls and lines."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.lines: list[str] = []

    async def __call__(self, service: str, operation: str, members: dict[str, t.Any]) -> dict[str, t.Any]:
        self.calls.append(operation)
        if members["logGroupName"] != "/g" and operation != "CreateLogGroup":
            raise Failed("ResourceNotFoundException", "The specified log group does not exist.")
        self.lines += [event["message"] for event in members.get("logEvents", [])]
        return {}


def test_everything_is_sent_before_the_task_ends() -> None:
    store = Store()
    pieces = [STAMP + f"line {number}\n".encode() for number in range(2500)] + [STAMP + b"the end"]
    logs = Logs(store, Failed, lambda container_id: iter(pieces))

    async def run() -> None:
        await logs.follow("c", {"awslogs-group": "/g"}, "s")

    asyncio.run(run())
    assert store.lines == [f"line {number}" for number in range(2500)] + ["the end"]
    assert len(store.calls) == 3, "one call carries many lines"


def test_a_group_that_does_not_exist() -> None:
    logs = Logs(Store(), Failed, lambda container_id: iter(()))
    with pytest.raises(StartFailed) as caught:
        asyncio.run(logs.open({"awslogs-group": "/none"}, "s", lambda action, resource: None, "arn"))
    assert caught.value.reason == (
        "ResourceInitializationError: failed to validate logger args: create stream has been retried 1 times: failed to create Cloudwatch "
        "log stream: ResourceNotFoundException: The specified log group does not exist. : exit status 1"
    )


def test_a_role_that_may_not() -> None:
    logs = Logs(Store(), Failed, lambda container_id: iter(()))
    with pytest.raises(StartFailed, match="AccessDeniedException: no"):
        asyncio.run(logs.open({"awslogs-group": "/g"}, "s", lambda action, resource: "no", "arn"))


def test_a_group_is_made_only_when_told_to() -> None:
    store = Store()
    logs = Logs(store, Failed, lambda container_id: iter(()))
    asyncio.run(logs.open({"awslogs-group": "/g"}, "s", lambda action, resource: None, "arn"))
    asyncio.run(logs.open({"awslogs-group": "/g", "awslogs-create-group": "true"}, "s", lambda action, resource: None, "arn"))
    assert store.calls == ["CreateLogStream", "CreateLogGroup", "CreateLogStream"]
