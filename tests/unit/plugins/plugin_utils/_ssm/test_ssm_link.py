# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A worker's end: what it makes of a broker's answers, of its silence and of its end. The broker is the other end of a socket."""

from __future__ import annotations

import json
import socket
import threading

import pytest

from ansible_collections.bluegreen.aws.plugins.module_utils._ssm import frames, mux, relay
from ansible_collections.bluegreen.aws.plugins.module_utils._ssm.frames import Frame, Kind
from ansible_collections.bluegreen.aws.plugins.plugin_utils._ssm import link as link_module
from ansible_collections.bluegreen.aws.plugins.plugin_utils._ssm.errors import SessionLost, SsmError, TargetNotReady
from ansible_collections.bluegreen.aws.plugins.plugin_utils._ssm.link import Link

HELLO = Frame(Kind.HELLO, 0, relay.describe({"version": frames.VERSION, "executable": "/usr/bin/python3"}))
LOST = Frame(Kind.LOST, 0, json.dumps({"error": "Offline.", "kind": "TargetNotReady"}).encode())


class Broker:
    """Answers each connection with the frames that the test gives for it, then hangs up or waits."""

    def __init__(self, *answers, hang_up=False):
        self.answers, self.hang_up, self.asked, self.ends = list(answers), hang_up, [], []

    def connect(self, path):
        ours, theirs = socket.socketpair()
        answers = self.answers.pop(0)
        threading.Thread(target=self._serve, args=(theirs, answers), daemon=True).start()
        self.ends.append(theirs)
        return ours

    def _serve(self, connection, answers):
        self.asked += frames.FrameDecoder().feed(connection.recv(65536))
        connection.sendall(b"".join(map(frames.encode_frame, answers)))
        if self.hang_up or not answers:
            connection.close()


@pytest.fixture
def make(monkeypatch):
    def new(broker):
        monkeypatch.setattr(link_module.rendezvous, "connect_or_start", broker.connect)
        monkeypatch.setattr(link_module.rendezvous, "connect", broker.connect)
        monkeypatch.setattr(link_module.rendezvous, "socket_path", lambda persist: "path")
        lines = []
        link = Link({"account": {}, "session": {"target": "i-1"}}, lines.append, connect_timeout=1.0)
        link.lines = lines
        return link

    return new


def test_hello_and_the_log(make):
    broker = Broker([Frame(Kind.LOG, 0, b"session is up"), HELLO])
    link = make(broker)
    link.start()
    assert (link.alive, link.multiplexed, link.lines) == (True, True, ["session is up"])
    wish = json.loads(broker.asked[0].payload)
    assert (broker.asked[0].kind, wish["session"], wish["owner"] > 0) == (Kind.HELLO, {"target": "i-1"}, True)


def test_a_session_that_cannot_be_had_keeps_its_kind(make):
    link = make(Broker([LOST]))
    with pytest.raises(TargetNotReady, match=r"^Offline\.$"):
        link.start()
    assert not link.alive


def test_a_broker_that_ends_before_it_answers_is_replaced_once(make):
    link = make(Broker([], [HELLO]))
    link.start()
    assert link.alive
    with pytest.raises(SessionLost, match="broker is gone"):
        make(Broker([], [])).start()


def test_a_broker_that_says_nothing(make, monkeypatch):
    monkeypatch.setattr(link_module, "PATIENCE", -0.8)
    link = make(Broker([Frame(Kind.LOG, 0, b"x")]))
    with pytest.raises(SsmError, match="has not answered for"):
        link.start()


def test_events_deadlines_and_the_end(make):
    broker = Broker([HELLO])
    link = make(broker)
    link.start()
    number = link.mux.execute(["x"])
    link.flush()
    assert link.next_event(0.0) is None
    broker.ends[0].sendall(frames.encode_frame(Frame(Kind.STDOUT, number, b"out")))
    assert link.next_event(None) == mux.Stdout(number, b"out")
    broker.ends[0].close()
    with pytest.raises(SessionLost, match="broker is gone"):
        link.next_event(None)
    with pytest.raises(SessionLost):
        link.flush()


def test_nonsense_is_a_lost_session(make):
    broker = Broker([HELLO])
    link = make(broker)
    link.start()
    broker.ends[0].sendall(b"\xff" * 20)
    with pytest.raises(SessionLost):
        link.next_event(None)


def held(link):
    link.start()
    data = bytearray()
    return link.fetch({"pid": 7, "descriptor": 9}, data.extend), bytes(data)


def test_fetch(make):
    end = Frame(Kind.END, 0, b'{"size": 4, "sha256": "d"}')
    broker = Broker([HELLO], [Frame(Kind.DATA, 0, b"ab"), Frame(Kind.DATA, 0, b"cd"), end])
    assert held(make(broker)) == ((4, "d"), b"abcd")
    wish = json.loads(broker.asked[1].payload)
    assert (wish["pid"], wish["descriptor"], wish["python"]) == (7, 9, "/usr/bin/python3")


@pytest.mark.parametrize("answers", [[LOST], [Frame(Kind.DATA, 0, b"ab")], []], ids=["refused", "cut", "gone"])
def test_a_fetch_that_fails_is_no_lost_session(make, answers):
    with pytest.raises(SsmError) as caught:
        held(make(Broker([HELLO], answers, hang_up=True)))
    assert not isinstance(caught.value, SessionLost)


def test_reset_waits_until_the_broker_has_done_it(make):
    broker = Broker([], [])
    link = make(broker)
    link.reset()
    assert (broker.asked[0].kind, link.alive) == (Kind.RESET, False)
