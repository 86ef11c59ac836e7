# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One large file in the broker: what the worker is told, and that the side session is terminated whatever happens. The driver is a fake."""

from __future__ import annotations

import json
import socket

import pytest

from ansible_collections.bluegreen.aws.plugins.module_utils._ssm import channel, frames, side
from ansible_collections.bluegreen.aws.plugins.module_utils._ssm.frames import Kind
from ansible_collections.bluegreen.aws.plugins.plugin_utils._ssm import fetching
from ansible_collections.bluegreen.aws.plugins.plugin_utils._ssm.errors import DocumentRefused, SessionLost
from ansible_collections.bluegreen.aws.plugins.plugin_utils._ssm.fetching import Fetching

WISH = {"session": {"target": "i-1", "reason": "test"}, "python": "/usr/bin/python3", "pid": 7, "descriptor": 9}


class Clock:
    now = 0.0

    def monotonic(self):
        return self.now


class Driver:
    """Gives the events of a list; an exception is raised, None is a second of silence."""

    def __init__(self, clock, events):
        self.clock, self.events, self.ended = clock, list(events), 0
        self.options = None

    def __call__(self, api, options, **_others):
        self.options = options
        return self

    def start(self):
        for event in self.events[:1]:
            if isinstance(event, DocumentRefused):
                raise event

    def next_event(self, deadline):
        if not self.events or self.events[0] is None:
            del self.events[:1]
            self.clock.now = deadline
            return None
        event = self.events.pop(0)
        if isinstance(event, Exception):
            raise event
        return event

    def end(self):
        self.ended += 1


def serve(events, stopping=lambda: False, **changes):
    clock = Clock()
    driver = Driver(clock, events)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        done = Fetching(None, clock, stopping, new_driver=driver).serve(theirs, {**WISH, **changes})
        theirs.close()
        received = b""
        while data := ours.recv(65536):
            received += data
    return done, frames.FrameDecoder().feed(received), driver


def test_a_file():
    done, got, driver = serve([side.Block(b"ab"), None, side.Block(b"cd"), side.Finished(4, "digest")])
    assert [(frame.kind, frame.payload) for frame in got[:-1]] == [(Kind.DATA, b"ab"), (Kind.DATA, b"cd")]
    assert (done, got[-1].kind, json.loads(got[-1].payload)) == (True, Kind.END, {"size": 4, "sha256": "digest"})
    assert driver.ended == 1
    assert driver.options.command.endswith(" 7 9")


@pytest.mark.parametrize(
    ("events", "says"),
    [
        ([DocumentRefused("Not allowed.")], "Not allowed."),
        ([side.Block(b"x"), SessionLost("Cut off")], "Cut off"),
        ([side.Failed("no such descriptor")], "ended early: no such descriptor"),
        ([channel.Closed("Terminated.")], "ended early: Terminated."),
        ([None] * 100, f"for {fetching.STALLED:.0f} s"),
    ],
    ids=["refused", "lost", "failed", "closed", "stalled"],
)
def test_failures(events, says):
    done, got, driver = serve(events)
    assert (done, got[-1].kind, driver.ended) == (False, Kind.LOST, 1)
    assert says in json.loads(got[-1].payload)["error"]


def test_the_end_of_the_run_ends_it():
    done, got, driver = serve([side.Block(b"x")] * 3, stopping=lambda: True)
    assert (done, [frame.kind for frame in got], driver.ended) == (False, [Kind.LOST], 1)


def test_an_interpreter_that_cannot_be_named_starts_no_session():
    done, _got, driver = serve([], python="/opt/py thon")
    assert (done, driver.options) == (False, None)
