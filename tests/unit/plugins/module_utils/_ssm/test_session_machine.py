# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Channel, bring-up and multiplexer as one machine: the states of session.py, over a channel that never loses anything."""

from __future__ import annotations

import pytest
from terminal_machine import NONCE, OpenChannel

from ansible_collections.bluegreen.aws.plugins.module_utils._ssm import channel, frames, mux, session
from ansible_collections.bluegreen.aws.plugins.module_utils._ssm.errors import ProtocolError
from ansible_collections.bluegreen.aws.plugins.module_utils._ssm.frames import Frame, Kind

HELLO = frames.encode_line([Frame(Kind.HELLO, 0, b'{"version": 1}')])


@pytest.fixture
def wire():
    return OpenChannel()


def machine(wire, loader=None):
    return session.Session(wire, NONCE, "print('source')", loader)


def say(item, data):
    item.receive(data, 0.0)
    return item.events()


def test_becomes_multiplexed(wire):
    item = machine(wire)
    assert say(item, b"banner ") == []
    assert item.noise == "banner"
    assert say(item, f"{NONCE} py\n".encode()) == []
    assert item.state is session.State.LOADING
    assert int(wire.input[:8]) == len(wire.input) - 8
    assert say(item, HELLO) == [session.Up(multiplexed=True)]
    item.mux.ping(b"x")
    item.messages_to_send(0.0)
    assert wire.input.endswith(frames.encode_frame(Frame(Kind.PING, 0, b"x")))


def test_token_and_hello_in_one_piece(wire):
    assert say(machine(wire), f"{NONCE} py\n".encode() + HELLO) == [session.Up(multiplexed=True)]


def test_loader_is_typed_once_when_the_shell_speaks(wire):
    item = machine(wire, loader="the loader")
    assert wire.input == b""
    say(item, b"$ ")
    say(item, b"more")
    assert wire.input == b" the loader\n"


def test_becomes_a_shell(wire):
    item = machine(wire)
    assert say(item, f"{NONCE} sh base64\n".encode()) == [session.Up(multiplexed=False)]
    item.shell_execute(b"id", b"in")
    assert wire.input == b"E 2 2\nidin"
    with pytest.raises(ProtocolError, match="not waiting"):
        item.shell_execute(b"id", b"")
    assert say(item, b"O aGk=\nEXIT 3\n") == [session.ShellExit(3, b"hi", b"")]
    with pytest.raises(ProtocolError, match="speaks unasked"):
        say(item, b"O aGk=\n")


def test_events_of_the_multiplexer_pass(wire):
    item = machine(wire)
    say(item, f"{NONCE} py\n".encode() + HELLO)
    number = item.mux.execute(["x"])
    assert say(item, frames.encode_line([Frame(Kind.STDOUT, number, b"o")])) == [mux.Stdout(number, b"o")]


def test_closed(wire):
    item = machine(wire)
    wire.receive = lambda data, now: wire._events.append(channel.Closed("idle"))
    assert say(item, b"") == [channel.Closed("idle")]
    assert item.state is session.State.CLOSED
