# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One host in the broker: who is told what when a session comes, goes, or never was. The driver is a fake, the sockets are real."""

from __future__ import annotations

import json
import select
import socket
import struct
import threading
from typing import ClassVar

import pytest

from ansible_collections.bluegreen.aws.plugins.module_utils._ssm import bringup, channel, frames, session
from ansible_collections.bluegreen.aws.plugins.module_utils._ssm.errors import ProtocolError
from ansible_collections.bluegreen.aws.plugins.module_utils._ssm.frames import Frame, Kind
from ansible_collections.bluegreen.aws.plugins.plugin_utils._ssm.clock import Clock
from ansible_collections.bluegreen.aws.plugins.plugin_utils._ssm.driver import SessionOptions
from ansible_collections.bluegreen.aws.plugins.plugin_utils._ssm.errors import SessionLost, TargetNotReady
from ansible_collections.bluegreen.aws.plugins.plugin_utils._ssm.serving import Client, Serving

HELLO = json.dumps({"version": frames.VERSION, "home": "/root"}).encode()


class Driver:
    """Comes up (or says why not), keeps what was sent, and does in `pump` what the test told it."""

    made: ClassVar[list] = []

    def __init__(self, api, options, *, clock, log, client, interrupted):
        self.relay, self.others, self.ended = client(), {}, threading.Event()
        self.idle_since = clock.monotonic()
        self.sent = bytearray()
        self.failure = api.pop("failure", None)
        self.events = []
        self.session = type("Session", (), {"state": session.State.MULTIPLEXED})
        Driver.made.append(self)

    def start(self):
        if self.failure is not None:
            raise self.failure
        self.relay.receive(frames.encode_line([Frame(Kind.HELLO, 0, HELLO)]))
        self.relay.events()

    def pump(self, timeout):
        self.sent += self.relay.data_to_send()
        if self.failure is not None:
            failure, self.failure = self.failure, None
            raise failure
        poll = select.poll()
        for descriptor, events in self.others.items():
            poll.register(descriptor, events)
        poll.poll(50)

    def next_event(self, deadline):
        return self.events.pop(0) if self.events else None

    def end(self):
        self.ended.set()


class Worker:
    """The other end of a client's socket."""

    def __init__(self, serving):
        self.socket, theirs = socket.socketpair()
        self.socket.settimeout(5)
        self.decoder, self.frames = frames.FrameDecoder(), []
        serving.adopt(Client(theirs, frames.FrameDecoder(), []), SessionOptions(target="i-1"))

    def expect(self, kind):
        while not self.frames:
            data = self.socket.recv(65536)
            assert data, "hung up"
            self.frames += self.decoder.feed(data)
        frame = self.frames.pop(0)
        assert Kind(frame.kind) is kind
        return json.loads(frame.payload)

    def execute(self):
        self.socket.sendall(frames.encode_frame(Frame(Kind.EXEC, 1, b'{"argv": ["x"]}')))


@pytest.fixture
def world():
    Driver.made = []
    api = {}
    serving = Serving("i-1", api, Clock(), new_driver=Driver)
    serving.start()
    yield serving, api
    serving.stop()
    serving.join(5)
    assert not serving.is_alive()
    assert all(driver.ended.wait(5) for driver in Driver.made if driver.failure is None)


def eventually(condition):
    for _turn in range(200):
        if condition():
            return
        threading.Event().wait(0.02)
    raise AssertionError


def test_workers_share_one_session(world):
    workers = [Worker(world[0]) for _number in range(3)]
    assert [worker.expect(Kind.HELLO)["multiplexed"] for worker in workers] == [True] * 3
    assert len(Driver.made) == 1


def test_a_session_that_cannot_be_had_is_told_to_all_who_wait_and_tried_again_for_the_next(world):
    serving, api = world
    api["failure"] = TargetNotReady("The agent is offline.")
    worker = Worker(serving)
    assert worker.expect(Kind.LOST) == {"error": "The agent is offline.", "kind": "TargetNotReady"}
    threading.Event().wait(0.2)
    assert len(Driver.made) == 1  # also before the worker has hung up
    worker.socket.close()
    Worker(serving).expect(Kind.HELLO)
    assert len(Driver.made) == 2


def test_a_loss_is_told_only_to_those_whose_command_was_sent(world):
    serving, _api = world
    busy, idle = Worker(serving), Worker(serving)
    busy.expect(Kind.HELLO)
    idle.expect(Kind.HELLO)
    busy.execute()
    eventually(lambda: Driver.made[0].sent)
    Driver.made[0].failure = SessionLost("The session was lost")
    assert busy.expect(Kind.LOST) == {"error": "The session was lost", "kind": "SessionLost"}
    idle.execute()
    eventually(lambda: len(Driver.made) == 2 and Driver.made[1].sent)
    assert idle.frames == []


def test_a_session_that_the_service_closes_while_idle_is_replaced_quietly(world):
    serving, _api = world
    worker = Worker(serving)
    worker.expect(Kind.HELLO)
    Driver.made[0].events.append(channel.Closed("Idle."))
    assert Driver.made[0].ended.wait(5)
    worker.execute()
    eventually(lambda: len(Driver.made) == 2 and Driver.made[1].sent)


def test_a_worker_that_leaves_has_its_command_cancelled(world):
    worker = Worker(world[0])
    worker.expect(Kind.HELLO)
    worker.execute()
    eventually(lambda: Driver.made[0].sent)
    worker.socket.close()
    eventually(lambda: [frame.kind for frame in frames.FrameDecoder().feed(bytes(Driver.made[0].sent))] == [Kind.EXEC, Kind.CANCEL])


def test_a_worker_that_breaks_the_protocol_is_hung_up_on(world):
    bad, good = Worker(world[0]), Worker(world[0])
    bad.expect(Kind.HELLO)
    good.expect(Kind.HELLO)
    bad.socket.sendall(frames.encode_frame(Frame(Kind.STDOUT, 1, b"x")))
    assert bad.socket.recv(1) == b""
    good.execute()
    eventually(lambda: Driver.made[0].sent)


def test_reset_ends_the_session_and_tells_who_waits(world):
    serving, _api = world
    worker = Worker(serving)
    worker.expect(Kind.HELLO)
    worker.execute()
    eventually(lambda: Driver.made[0].sent)
    serving.reset()
    assert Driver.made[0].ended.is_set()
    assert worker.expect(Kind.LOST)["error"] == "The session with i-1 was reset"


@pytest.mark.case("B10")
@pytest.mark.parametrize("error", [ProtocolError("No answer of a websocket."), KeyError("StreamUrl"), RuntimeError("what nobody foresaw")])
def test_whatever_goes_wrong_is_this_commands_error_and_the_next_has_a_fresh_session(world, error):
    serving, api = world
    api["failure"] = error
    lost = Worker(serving).expect(Kind.LOST)
    assert lost["error"] == f"The session with i-1 was lost: {type(error).__name__}: {str(error).rstrip('.')}"
    assert serving.is_alive()
    worker = Worker(serving)
    worker.expect(Kind.HELLO)
    worker.execute()
    eventually(lambda: Driver.made[-1].sent)
    Driver.made[-1].failure = error
    assert worker.expect(Kind.LOST)["kind"] == "SessionLost"
    Worker(serving).expect(Kind.HELLO)
    assert serving.is_alive()


@pytest.mark.case("B10")
def test_a_thread_that_fails_does_not_keep_a_reset_waiting(world):
    serving, api = world
    api["failure"] = RuntimeError("what nobody foresaw")
    Worker(serving).expect(Kind.LOST)
    serving.reset()
    assert serving.is_alive()


@pytest.mark.case("B10")
def test_a_nul_in_a_command_for_the_serial_shell_is_that_commands_error(world, monkeypatch):
    serving, _api = world
    requests = []

    def start(driver):
        driver.session.state = session.State.SHELL
        driver.session.shell_execute = lambda *request: (bringup.shell_request(*request), requests.append(request))

    monkeypatch.setattr(Driver, "start", start)
    worker = Worker(serving)
    assert worker.expect(Kind.HELLO)["multiplexed"] is False
    for channel_number, argv in ((1, ["echo", "a\0b"]), (2, ["echo", "fine"])):
        frame = Frame(Kind.EXEC, channel_number, json.dumps({"argv": argv}).encode())
        worker.socket.sendall(frames.encode_frame(frame) + frames.encode_frame(Frame(Kind.STDIN_EOF, channel_number)))
    eventually(lambda: requests == [(b"echo fine", b"")])
    while len(worker.frames) < 2:
        worker.frames += worker.decoder.feed(worker.socket.recv(65536))
    assert [(frame.kind, frame.channel, frame.payload) for frame in worker.frames[:2]] == [
        (Kind.STDERR, 1, b"Cannot start the command: embedded null byte\n"),
        (Kind.EXIT, 1, struct.pack(">i", 127)),
    ]
    assert serving.is_alive()
