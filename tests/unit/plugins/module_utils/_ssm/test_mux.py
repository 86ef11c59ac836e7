# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The multiplexer's client: channels, credit, and what it makes of frames; the other end is frames written by hand."""

from __future__ import annotations

import contextlib
import json
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.bluegreen.aws.plugins.module_utils._ssm import frames, mux
from ansible_collections.bluegreen.aws.plugins.module_utils._ssm.errors import ProtocolError
from ansible_collections.bluegreen.aws.plugins.module_utils._ssm.frames import Frame, Kind

HELLO = Frame(Kind.HELLO, 0, b'{"version": 1, "home": "/root"}')


@pytest.fixture
def client():
    return greeted()


def greeted():
    client = mux.MuxClient()
    client.receive(frames.encode_line([HELLO]))
    assert client.events() == [mux.Hello({"version": 1, "home": "/root"})]
    return client


def sent(client):
    decoder = frames.FrameDecoder()
    found = decoder.feed(client.data_to_send())
    assert decoder.pending == 0
    return found


def answer(client, *items):
    client.receive(frames.encode_line(list(items)))
    return client.events()


def test_nothing_before_hello():
    with pytest.raises(ProtocolError, match="has not said hello"):
        mux.MuxClient().execute(["id"])


def test_other_version():
    with pytest.raises(ProtocolError, match="speaks version 2"):
        mux.MuxClient().receive(frames.encode_line([Frame(Kind.HELLO, 0, b'{"version": 2}')]))


def test_command(client):
    number = client.execute(["sh", "-c", "caf\udce9"], terminal=True)
    client.write(number, b"abc")
    client.close_stdin(number)
    execute, data, end = sent(client)
    assert (execute.kind, execute.channel) == (Kind.EXEC, number)
    assert json.loads(execute.payload) == {"argv": ["sh", "-c", "caf\udce9"], "pty": True}
    assert data == Frame(Kind.STDIN, number, b"abc")
    assert end == Frame(Kind.STDIN_EOF, number)
    assert client.busy
    events = answer(
        client, Frame(Kind.STDOUT, number, b"o"), Frame(Kind.STDERR, number, b"e"), Frame(Kind.EXIT, number, struct.pack(">i", -9))
    )
    assert events == [mux.Stdout(number, b"o"), mux.Stderr(number, b"e"), mux.Exit(number, -9)]
    assert not client.busy


def test_channels_are_never_used_twice(client):
    assert [client.execute(["x"]) for _unused in range(3)] == [1, 2, 3]


def test_input_waits_for_credit(client):
    number = client.execute(["cat"])
    client.write(number, b"x" * (mux.UPLOAD_CREDIT + 1000))
    client.close_stdin(number)
    items = sent(client)[1:]
    assert sum(len(item.payload) for item in items) == mux.UPLOAD_CREDIT
    assert all(item.kind == Kind.STDIN and len(item.payload) <= mux.CHUNK for item in items)
    assert client.queued(number) == 1000
    assert answer(client, Frame(Kind.WINDOW, number, struct.pack(">I", 600))) == [mux.Writable(number)]
    assert sent(client) == []  # a chunk goes whole: the broker knows it by its contents
    answer(client, Frame(Kind.WINDOW, number, struct.pack(">I", 600)))
    assert [(item.kind, len(item.payload)) for item in sent(client)] == [(Kind.STDIN, 1000), (Kind.STDIN_EOF, 0)]


@given(st.lists(st.one_of(st.binary(max_size=60), st.integers(mux.LONG_LINE - 2, 3 * mux.CHUNK).map(lambda size: b"z" * size)), max_size=6))
def test_chunks_are_all_of_it_and_long_lines_are_cut_alike(parts):
    data = b"\n".join(parts)
    cut = mux.chunks(data)
    assert b"".join(cut) == data
    assert all(0 < len(one) <= mux.CHUNK for one in cut)
    line = b"m" * 100_001 + b"\n"
    assert mux.chunks(b"head\n" + line)[1:] == mux.chunks(line)
    assert [one for one in mux.chunks(b"other head\n\n" + line + b"tail\n") if b"m" in one] == mux.chunks(line)


def test_credit_is_given_back_for_what_was_taken(client):
    number = client.execute(["x"])
    sent(client)
    answer(client, *[Frame(Kind.STDOUT, number, bytes(mux.CREDIT // 8)) for _unused in range(2)])
    assert sent(client) == [Frame(Kind.WINDOW, number, struct.pack(">I", mux.CREDIT // 4))]


def test_put(client):
    number = client.put("/etc/x", 5, "digest", mode=0o644)
    client.put_data(number, b"hello")
    client.finish_put(number)
    announced, data, end = sent(client)
    assert (announced.kind, json.loads(announced.payload)) == (Kind.PUT, {"path": "/etc/x", "size": 5, "sha256": "digest", "mode": 0o644})
    assert (data, end) == (Frame(Kind.DATA, number, b"hello"), Frame(Kind.END, number))
    assert answer(client, Frame(Kind.RESULT, number, b'{"same": false}')) == [mux.Result(number, {"same": False})]
    assert client.busy
    assert answer(client, Frame(Kind.RESULT, number, b'{"done": true}')) == [mux.Result(number, {"done": True})]
    assert not client.busy


@pytest.mark.parametrize("values", [{"same": True}, {"error": "No space left on device"}])
def test_put_that_ends_early(client, values):
    number = client.put("/x", 5, "digest")
    assert answer(client, Frame(Kind.RESULT, number, json.dumps(values).encode())) == [mux.Result(number, values)]
    sent(client)
    client.put_data(number, b"late")
    client.finish_put(number)
    assert sent(client) == []
    assert not client.busy


def test_get(client):
    number = client.get("/x")
    end = Frame(Kind.END, number, b'{"size": 3, "sha256": "d"}')
    events = answer(client, Frame(Kind.RESULT, number, b'{"size": 3, "mode": 420}'), Frame(Kind.DATA, number, b"abc"), end)
    assert events == [mux.Result(number, {"size": 3, "mode": 420}), mux.Data(number, b"abc"), mux.End(number, 3, "d")]


def test_frames_of_an_unknown_channel_are_ignored(client):
    assert answer(client, Frame(Kind.STDOUT, 99, b"x"), Frame(Kind.WINDOW, 99, b"\0\0\0\1")) == []


def test_signal_ping_and_bye(client):
    number = client.execute(["x"])
    sent(client)
    client.signal(number, 15)
    client.ping(b"p")
    client.bye()
    assert sent(client) == [Frame(Kind.SIGNAL, number, b"\x0f"), Frame(Kind.PING, 0, b"p"), Frame(Kind.BYE)]
    assert answer(client, Frame(Kind.PONG, 0, b"p")) == [mux.Pong(b"p")]


BAD = [
    Frame(Kind.EXIT, 1, b"12"),
    Frame(Kind.WINDOW, 1, b""),
    Frame(Kind.END, 1, b"{}"),
    Frame(Kind.RESULT, 1, b"[]"),
    Frame(Kind.HELLO, 0, b"x"),
    Frame(Kind.EXEC, 1, b""),
]


@pytest.mark.parametrize("frame", BAD, ids=str)
def test_bad_frames(client, frame):
    client.execute(["x"])
    with pytest.raises(ProtocolError):
        answer(client, frame)


@given(st.lists(st.builds(Frame, st.integers(1, 20), st.integers(0, 3), st.binary(max_size=30)), max_size=6))
def test_any_frames_give_events_or_a_protocol_error(items):
    client = greeted()
    client.execute(["x"])
    client.get("/y")
    client.put("/z", 1, "d")
    with contextlib.suppress(ProtocolError):
        answer(client, *items)


@pytest.mark.parametrize("values", [{"size": 5}, {"sha256": "x"}, {"size": "5", "sha256": "x"}, {"size": 5, "sha256": None}])
def test_the_end_of_a_file_needs_a_size_and_a_digest(client, values):
    number = client.get("/x")
    sent(client)
    with pytest.raises(ProtocolError, match="has no size or no digest"):
        answer(client, Frame(Kind.END, number, json.dumps(values).encode()))
