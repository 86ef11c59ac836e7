# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The awslogs driver: what a container writes goes to CloudWatch Logs, line by line; makes streams, and groups only when told to."""

from __future__ import annotations

import asyncio
import datetime
import logging
import re
import threading
import time
import typing as t

from .errors import resource_init
from .state import Members

Call = t.Callable[[str, str, Members], t.Awaitable[Members]]

FLUSH_SECONDS = 0.5
MOST_EVENTS = 1000
LONGEST_EVENT = 256 * 1024 - 26
_STAMP = re.compile(rb"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z ?")

_log = logging.getLogger("localcloud.ecs.logs")


def stream_name(options: dict[str, str], container: str, task_id: str) -> str:
    """prefix/container/task id, as on Fargate, where the prefix is required."""
    return f"{options['awslogs-stream-prefix']}/{container}/{task_id}"


def problem_of(options: dict[str, str]) -> str | None:
    """What is wrong with a container's log options."""
    for name in ("awslogs-group", "awslogs-region", "awslogs-stream-prefix"):
        if not options.get(name):
            return f"{name} is required for the awslogs log driver on Fargate"
    return None


class Lines:
    """Makes log events of the pieces that Docker gives, each of which begins with a time stamp; pure."""

    def __init__(self) -> None:
        self._text = b""
        self._when = 0

    def feed(self, piece: bytes) -> list[tuple[int, str]]:
        """(milliseconds since the epoch, line) for each line that is complete now."""
        events = []
        for line in piece.splitlines(keepends=True):
            found = _STAMP.match(line)
            if found:
                if not self._text:
                    self._when = _milliseconds(found)
                line = line[found.end() :]
            self._text += line
            if self._text.endswith(b"\n") or len(self._text) >= LONGEST_EVENT:
                events += self.rest()
        return events

    def rest(self) -> list[tuple[int, str]]:
        """The last line, which no line feed ended."""
        text, self._text = self._text.rstrip(b"\r\n")[:LONGEST_EVENT], b""
        return [(self._when, text.decode(errors="replace"))] if text else []


def _milliseconds(stamp: re.Match[bytes]) -> int:
    seconds = datetime.datetime.fromisoformat(stamp[1].decode()).replace(tzinfo=datetime.UTC).timestamp()
    return int(seconds) * 1000 + int((stamp[2] or b"0").ljust(9, b"0")[:3])


class Logs:
    """The driver of one cloud."""

    def __init__(self, call: Call, failed: type[Exception], read: t.Callable[[str], t.Iterator[bytes]]) -> None:
        """`read(container id)` gives what a container writes, from a thread, until it ends."""
        self._call = call
        self._failed = failed
        self._read = read

    async def open(self, options: dict[str, str], stream: str, denial: t.Callable[[str, str], str | None], arn: str) -> None:
        """Make the stream. Raises StartFailed as ECS words it when the group does not exist or the role may not."""
        where = "failed to validate logger args: create stream has been retried 1 times: failed to create Cloudwatch log stream:"
        group = options["awslogs-group"]
        if options.get("awslogs-create-group") == "true":
            if (refusal := denial("logs:CreateLogGroup", arn)) is not None:
                raise resource_init(f"{where} AccessDeniedException: {refusal} : exit status 1")
            try:
                await self._call("logs", "CreateLogGroup", {"logGroupName": group})
            except self._failed as error:
                if error.code != "ResourceAlreadyExistsException":  # type: ignore[attr-defined]
                    raise resource_init(f"{where} {error} : exit status 1") from error
        for action in ("logs:CreateLogStream", "logs:PutLogEvents"):
            if (refusal := denial(action, f"{arn}:log-stream:{stream}")) is not None:
                raise resource_init(f"{where} AccessDeniedException: {refusal} : exit status 1")
        try:
            await self._call("logs", "CreateLogStream", {"logGroupName": group, "logStreamName": stream})
        except self._failed as error:
            if error.code != "ResourceAlreadyExistsException":  # type: ignore[attr-defined]
                raise resource_init(f"{where} {error} : exit status 1") from error

    def follow(self, container_id: str, options: dict[str, str], stream: str) -> asyncio.Task[None]:
        """Send everything that a container writes; the task ends when the container has, and everything is sent."""
        return asyncio.create_task(self._follow(container_id, options["awslogs-group"], stream), name=f"logs-{container_id[:12]}")

    async def _follow(self, container_id: str, group: str, stream: str) -> None:
        loop = asyncio.get_running_loop()
        waiting: list[tuple[int, str]] = []
        some, ended = asyncio.Event(), asyncio.Event()

        def put(events: list[tuple[int, str]]) -> None:
            waiting.extend(events)
            some.set()

        def end() -> None:
            ended.set()
            some.set()

        def read() -> None:
            lines = Lines()
            try:
                for piece in self._read(container_id):
                    if events := lines.feed(piece):
                        loop.call_soon_threadsafe(put, events)
                if events := lines.rest():
                    loop.call_soon_threadsafe(put, events)
            except RuntimeError:  # the loop is closed: the cloud is going down
                return
            except Exception as error:  # a container that was removed under the reader
                _log.info("the log of %s ended: %s", container_id[:12], error)
            loop.call_soon_threadsafe(end)

        threading.Thread(target=read, name=f"ecs-log-{container_id[:12]}", daemon=True).start()
        while not ended.is_set() or waiting:
            some.clear()
            if not waiting:
                await some.wait()
                if not ended.is_set():
                    await asyncio.sleep(FLUSH_SECONDS)  # collect: one call carries many lines
            batch = waiting[:MOST_EVENTS]
            del waiting[: len(batch)]
            if batch:
                await self._put(group, stream, batch)

    async def _put(self, group: str, stream: str, batch: list[tuple[int, str]]) -> None:
        events = [{"timestamp": when or int(time.time() * 1000), "message": text} for when, text in batch]
        try:
            await self._call("logs", "PutLogEvents", {"logGroupName": group, "logStreamName": stream, "logEvents": events})
        except self._failed as error:  # somebody deleted the group: the lines are lost, as on AWS
            _log.info("%d lines of %s were not stored: %s", len(batch), stream, error)
