# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Several clients on one executor: nobody gets another's bytes, credit is end to end, who leaves is cancelled. No IO."""

from __future__ import annotations

import hashlib
import json
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.bluegreen.aws.plugins.module_utils._ssm import frames, mux, relay
from ansible_collections.bluegreen.aws.plugins.module_utils._ssm.errors import ProtocolError
from ansible_collections.bluegreen.aws.plugins.module_utils._ssm.frames import Frame, Kind
from ansible_collections.bluegreen.aws.plugins.module_utils._ssm.relay import Relay, ShellRelay

HELLO = json.dumps({"version": frames.VERSION, "home": "/root"}).encode()


class Instance:
    """Echoes every command's input and ends with the number that its arguments name; keeps the frames that it got."""

    def __init__(self, one):
        self.relay, self.decoder, self.got, self.input, self.codes = one, frames.FrameDecoder(), [], {}, {}
        one.receive(frames.encode_line([Frame(Kind.HELLO, 0, HELLO)]))
        assert isinstance(one.events()[0], mux.Hello)

    def turn(self):
        for frame in self.decoder.feed(self.relay.data_to_send()):
            self.got.append(frame)
            answers = []
            if frame.kind == Kind.EXEC:
                self.codes[frame.channel] = int(json.loads(frame.payload)["argv"][0])
            elif frame.kind in (Kind.STDIN, Kind.PIECE):
                credit = struct.pack(">I", len(frame.payload))
                answers = [Frame(Kind.STDOUT, frame.channel, frame.payload), Frame(Kind.WINDOW, frame.channel, credit)]
            elif frame.kind == Kind.STDIN_EOF:
                answers = [Frame(Kind.EXIT, frame.channel, struct.pack(">i", self.codes[frame.channel]))]
            if answers:
                self.relay.receive(frames.encode_line(answers))

    def kinds(self):
        return [(Kind(frame.kind), frame.channel) for frame in self.got]


class Worker:
    """A MuxClient and what came for it."""

    def __init__(self, one, name):
        self.relay, self.name, self.decoder = one, name, frames.FrameDecoder()
        self.client = mux.MuxClient(deflate=False)
        self.client.take(Frame(Kind.HELLO, 0, relay.describe(one.hello)))
        self.client.events()
        self.output, self.code = {}, {}

    def turn(self):
        for frame in self.decoder.feed(self.client.data_to_send()):
            self.relay.request(self.name, frame)

    def deliver(self, frame):
        self.client.take(frame)
        for event in self.client.events():
            if isinstance(event, mux.Stdout):
                self.output[event.channel] = self.output.get(event.channel, b"") + event.data
            elif isinstance(event, mux.Exit):
                self.code[event.channel] = event.code


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 120), st.binary(max_size=300)), min_size=1, max_size=30), st.randoms())
def test_nobody_gets_anothers_bytes(commands, chance):
    one = Relay()
    instance = Instance(one)
    workers = [Worker(one, f"worker {number}") for number in range(4)]
    expected = []
    for number, code, data in commands:
        worker = workers[number]
        channel = worker.client.execute([str(code)])
        worker.client.write(channel, data)
        worker.client.close_stdin(channel)
        expected.append((worker, channel, code, data))
        if chance.random() < 0.5:
            worker.turn()
    for _round in range(10):
        for worker in chance.sample(workers, 4):
            worker.turn()
        instance.turn()
        for name, frame in one.deliveries():
            next(worker for worker in workers if worker.name == name).deliver(frame)
    for worker, channel, code, data in expected:
        assert (worker.code[channel], worker.output.get(channel, b"")) == (code, data)
    assert not one.busy
    assert one.waiting() == set()


def test_the_instance_is_sent_a_piece_once_as_long_as_it_remembers_it():
    memory = relay.Memory(limit=100_000)
    pieces = [Frame(Kind.STDIN, 1, bytes([number]) * 40_000) for number in range(3)]
    assert memory.recall(pieces[0]).kind == Kind.PIECE
    known = memory.recall(pieces[0])
    assert known == Frame(Kind.KNOWN, 1, hashlib.sha256(pieces[0].payload).digest()[:16] + struct.pack(">I", 40_000))
    assert [memory.recall(one).kind for one in pieces[1:]] == [Kind.PIECE, Kind.PIECE]  # the third makes it forget the first
    assert [memory.recall(one).kind for one in (pieces[2], pieces[0], pieces[1])] == [Kind.KNOWN, Kind.PIECE, Kind.PIECE]


def test_credit_is_the_clients():
    one = Relay()
    instance = Instance(one)
    one.request("a", Frame(Kind.EXEC, 7, b'{"argv": ["0"]}'))
    one.request("a", Frame(Kind.WINDOW, 7, struct.pack(">I", 1000)))
    instance.turn()
    assert instance.kinds() == [(Kind.EXEC, 1), (Kind.WINDOW, 1)]
    one.receive(frames.encode_line([Frame(Kind.STDOUT, 1, b"x" * 30000)]))
    assert one.data_to_send() == b""  # the relay itself gives no credit for what the client has not read


@pytest.mark.parametrize("opening", [Kind.EXEC, Kind.PUT, Kind.GET])
def test_who_leaves_is_cancelled_and_gets_nothing_more(opening):
    one = Relay()
    instance = Instance(one)
    one.request("a", Frame(opening, 1, b'{"argv": ["0"]}'))
    one.request("b", Frame(Kind.EXEC, 1, b'{"argv": ["0"]}'))
    assert one.waiting() == {"a", "b"}
    assert one.detach("a") == 1
    instance.turn()
    assert instance.kinds() == [(opening, 1), (Kind.EXEC, 2), (Kind.CANCEL, 1)]
    one.receive(frames.encode_line([Frame(Kind.STDOUT, 1, b"late"), Frame(Kind.EXIT, 1, struct.pack(">i", -1))]))
    assert one.deliveries() == []
    assert one.waiting() == {"b"}


@pytest.mark.parametrize("values", [{"error": "no"}, {"done": True}, {"same": True}])
def test_a_transfer_ends_with_its_result(values):
    one = Relay()
    Instance(one)
    one.request("a", Frame(Kind.PUT, 3, b"{}"))
    one.receive(frames.encode_line([Frame(Kind.RESULT, 1, b'{"same": false}')]))
    assert one.busy
    one.receive(frames.encode_line([Frame(Kind.RESULT, 1, json.dumps(values).encode())]))
    assert not one.busy
    assert [frame.channel for _client, frame in one.deliveries()] == [3, 3]
    one.request("a", Frame(Kind.PUT, 3, b"{}"))  # the number is free again


@pytest.mark.parametrize("kind", [Kind.HELLO, Kind.STDOUT, Kind.EXIT, Kind.BYE, Kind.LOST, 77])
def test_frames_that_no_client_sends(kind):
    with pytest.raises(ProtocolError):
        Relay().request("a", Frame(kind, 1))


def test_a_channel_is_opened_once():
    one = Relay()
    one.request("a", Frame(Kind.EXEC, 1, b"{}"))
    with pytest.raises(ProtocolError, match="twice"):
        one.request("a", Frame(Kind.EXEC, 1, b"{}"))


@given(st.binary(max_size=200))
def test_any_bytes_from_the_instance(data):
    one = Relay()
    try:
        one.receive(data + b"\n")
    except ProtocolError:
        return
    one.deliveries()


def ask(one, client, channel, word, data=b""):
    one.request(client, Frame(Kind.EXEC, channel, json.dumps({"argv": ["sh", "-c", word]}).encode()))
    if data:
        one.request(client, Frame(Kind.STDIN, channel, data))
    one.request(client, Frame(Kind.STDIN_EOF, channel))


def test_the_serial_shell_takes_one_command_after_the_other():
    one = ShellRelay()
    ask(one, "a", 1, "echo 'a'", b"in")
    ask(one, "b", 1, "two")
    assert one.next_command() == (b"sh -c 'echo '\"'\"'a'\"'\"''", b"in")
    assert one.next_command() is None
    one.ended(3, b"out", b"")
    assert one.next_command() == (b"sh -c two", b"")
    one.ended(0, b"", b"err")
    frames_of = [(client, Kind(frame.kind), frame.payload) for client, frame in one.deliveries()]
    assert frames_of == [
        ("a", Kind.WINDOW, struct.pack(">I", 2)),
        ("a", Kind.STDOUT, b"out"),
        ("a", Kind.EXIT, struct.pack(">i", 3)),
        ("b", Kind.STDERR, b"err"),
        ("b", Kind.EXIT, struct.pack(">i", 0)),
    ]
    assert not one.busy


def test_the_serial_shell_forgets_who_leaves():
    one = ShellRelay()
    ask(one, "a", 1, "one")
    ask(one, "a", 2, "two")
    ask(one, "b", 1, "three")
    one.next_command()
    assert one.detach("a") == 1, "the one that waits"
    one.ended(0, b"x", b"")
    assert one.deliveries() == []
    assert one.next_command() == (b"sh -c three", b"")


def test_killing_what_runs_in_the_serial_shell_breaks_it_and_killing_what_waits_does_not():
    one = ShellRelay()
    ask(one, "a", 1, "one")
    ask(one, "b", 1, "two")
    one.next_command()
    one.request("b", Frame(Kind.SIGNAL, 1, bytes([9])))
    assert not one.broken
    assert one.waiting() == {"a"}
    one.request("a", Frame(Kind.SIGNAL, 1, bytes([9])))
    assert one.broken


def test_memory_that_is_just_full_keeps_everything():
    memory = relay.Memory(limit=6)
    pieces = [Frame(Kind.PIECE, 1, text) for text in (b"abc", b"def")]
    assert [memory.recall(piece).kind for piece in pieces * 2] == [Kind.PIECE, Kind.PIECE, Kind.KNOWN, Kind.KNOWN]
    memory.recall(Frame(Kind.PIECE, 1, b"g"))
    assert memory.recall(pieces[0]).kind == Kind.PIECE, "the oldest was forgotten"
