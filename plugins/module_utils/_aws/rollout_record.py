# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""What the world outside may know of a rollout, and what a human may tell it: two parameters in Parameter Store.

``<name>/state`` holds the rollback weights before each shift, so that the next run, on any machine, can put right what a dead one left.
``<name>/command`` holds the latest word of a human.
"""

from __future__ import annotations

import json
import time
import uuid

from .._canary.rollout import FINISHED
from .errors import attempt

LONGEST = 4000  # bytes; a standard parameter holds 4096


class Record:
    """``client``: botocore's ssm client."""

    def __init__(self, client, name: str):
        self._client = client
        self.name = "/" + name.strip("/")

    def read(self) -> dict | None:
        """The latest state, or None when there was no rollout yet. A text that is not ours is None too."""
        return _parsed(_get(self._client, f"{self.name}/state"))

    def write(self, state: dict) -> None:
        """Replace the state; `why` is cut when the whole does not fit into a parameter."""
        text = json.dumps(state, sort_keys=True)
        if len(text.encode()) > LONGEST:
            text = json.dumps({**state, "why": str(state.get("why", ""))[:500] + " …"}, sort_keys=True)
        _put(self._client, f"{self.name}/state", text)

    def command(self) -> dict | None:
        """{"id", "command", "by", "at"} of the latest command, or None."""
        return _parsed(_get(self._client, f"{self.name}/command"))

    def tell(self, command: str, by: str, at: str) -> str:
        """Leave a command for the rollout that runs; its id."""
        name = uuid.uuid4().hex
        _put(self._client, f"{self.name}/command", json.dumps({"id": name, "command": command, "by": by, "at": at}))
        return name


def await_end(record: Record, timeout_s: float) -> dict:
    """The rollout's state, once it has ended or after ``timeout_s``."""
    deadline = time.monotonic() + timeout_s
    while True:
        state = record.read() or {}
        if state.get("state") in FINISHED or time.monotonic() >= deadline:
            return state
        time.sleep(0.25)


def _parsed(text):
    try:
        found = json.loads(text) if text else None
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


@attempt("read parameter {name} (ssm:GetParameter)")
def _get(client, name):
    try:
        return client.get_parameter(Name=name)["Parameter"]["Value"]
    except client.exceptions.ParameterNotFound:
        return None


@attempt("write parameter {name} (ssm:PutParameter)")
def _put(client, name, text):
    client.put_parameter(Name=name, Value=text, Type="String", Overwrite=True, Description="Rollout")
