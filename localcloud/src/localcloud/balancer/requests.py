# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One line of a proxy's log as a record of one request, and what CloudWatch and the access log count it as; pure."""

from __future__ import annotations

import dataclasses
import json

from .render import OPEN

NOBODY = "<NOSRV>"
"""HAProxy's name of the server of a request that got to none."""


@dataclasses.dataclass(frozen=True)
class Request:
    """One request. Times are in microseconds since the epoch, None when it did not get so far; `group` is None without a target group.

    `status` is what the client got, `target_status` what the target said. `cause` is HAProxy's termination state: what ended the request,
    and when.
    """

    balancer: str
    front: str
    rule: str | None
    group: str | None
    target: str | None
    status: int
    target_status: int | None
    cause: str
    arrived: int | None
    forwarded: int | None
    answered: int | None
    ended: int
    received_bytes: int
    sent_bytes: int
    client: str
    method: str
    uri: str
    version: str
    host: str
    agent: str
    cipher: str
    tls: str
    sni: str
    trace: str
    redirect: str

    @property
    def by_target(self) -> bool:
        """Whether the answer is the target's."""
        return self.target_status is not None and self.target_status == self.status

    @property
    def connection_failed(self) -> bool:
        """Whether a target was chosen and could not be connected to."""
        return self.target is not None and self.cause[:2] in ("SC", "sC")

    @property
    def response_seconds(self) -> float | None:
        """From when the request left for the target until the target began to answer: the metric TargetResponseTime."""
        if self.forwarded is None or self.answered is None:
            return None
        return max(0, self.answered - self.forwarded) / 1_000_000


def parse(line: bytes) -> Request:
    """The record of a line; ValueError when it is none."""
    found = json.loads(line.rstrip(b"\n\0"))
    target = found.get("target") or NOBODY
    version = str(found.get("version") or "")
    return Request(
        balancer=found["lb"],
        front=str(found["front"]).removesuffix("~"),
        rule=_text(found.get("rule")) or None,
        group=None if found["group"] == found["front"] or target == NOBODY else found["group"],
        target=None if target == NOBODY else target.removeprefix(OPEN),
        status=int(found["status"] or 0),
        target_status=_number(found.get("target_status")),
        cause=found["term"],
        arrived=_number(found.get("arrived")),
        forwarded=_number(found.get("forwarded")),
        answered=_number(found.get("answered")),
        ended=int(found["ended"]),
        received_bytes=int(found["received"] or 0),
        sent_bytes=int(found["sent"] or 0),
        client=f"{found['ip']}:{found['port']}",
        method=_text(found.get("method")),
        uri=_text(found.get("uri")),
        version=version,
        host=_text(found.get("host")),
        agent=_text(found.get("agent")),
        cipher=_text(found.get("cipher")),
        tls=_text(found.get("tls")),
        sni=_text(found.get("sni")),
        trace=_text(found.get("trace")),
        redirect=_text(found.get("redirect")),
    )


def _text(value: object) -> str:
    return "" if value in (None, "-") else str(value)


def _number(value: object) -> int | None:
    text = _text(value)
    return int(text) if text.lstrip("-").isdigit() else None
