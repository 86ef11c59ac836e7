# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The websocket client: RFC 6455's own examples, the independent implementation `websockets` as peer, and arbitrary bytes."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import OP_BINARY, OP_CLOSE, OP_CONT, OP_PING, OP_TEXT, Frame
from websockets.server import ServerProtocol

from ansible_collections.bluegreen.aws.plugins.module_utils._ssm import websocket
from ansible_collections.bluegreen.aws.plugins.module_utils._ssm.errors import ProtocolError

RESPONSE = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
)


def entropy(count):
    return b"the sample nonce"[:count]  # RFC 6455 section 1.3


def opened():
    client = websocket.WebSocketClient("example.com", "/chat", entropy)
    client.data_to_send()
    client.receive(RESPONSE)
    assert client.events() == [websocket.Opened()]
    return client


def test_opening_request_of_the_rfc():
    request = websocket.WebSocketClient("example.com:8080", "/v1/data-channel/s?role=publish_subscribe", entropy).data_to_send()
    assert request.startswith(b"GET /v1/data-channel/s?role=publish_subscribe HTTP/1.1\r\nHost: example.com:8080\r\n")
    assert b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" in request
    assert b"Sec-WebSocket-Version: 13\r\n" in request
    assert request.endswith(b"\r\n\r\n")
    assert b"Extensions" not in request and b"Origin" not in request


def test_opening_answer_byte_by_byte():
    client = websocket.WebSocketClient("example.com", "/", entropy)
    for position in range(len(RESPONSE)):
        client.receive(RESPONSE[position : position + 1])
    assert client.events() == [websocket.Opened()]


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (RESPONSE.replace(b"s3pP", b"s3pQ"), "does not belong"),
        (RESPONSE.replace(b"Upgrade: websocket", b"Upgrade: h2c"), "does not belong"),
        (RESPONSE.replace(b"\r\n\r\n", b"\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n"), "extension"),
        (b"SSH-2.0-OpenSSH\r\n\r\n", "not HTTP"),
        (b"x" * 70000, "does not end"),
    ],
)
def test_bad_opening_answers(answer, text):
    client = websocket.WebSocketClient("example.com", "/", entropy)
    with pytest.raises(ProtocolError, match=text):
        client.receive(answer)
    assert client.state is websocket.State.CLOSED


def test_refused():
    client = websocket.WebSocketClient("example.com", "/", entropy)
    client.receive(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
    assert client.events() == [websocket.Rejected(403, "Forbidden")]


@pytest.mark.parametrize("part", ["exa mple", "a\r\nX: y", "ü"])
def test_url_that_would_break_the_request(part):
    with pytest.raises(ProtocolError):
        websocket.WebSocketClient(part, "/", entropy)
    with pytest.raises(ProtocolError):
        websocket.WebSocketClient("host", "/" + part, entropy)


# RFC 6455 section 5.7
FRAMES = [
    ("text", bytes.fromhex("810548656c6c6f"), [websocket.Text("Hello")]),
    ("fragments", bytes.fromhex("010348656c80026c6f"), [websocket.Text("Hello")]),
    ("binary 256", bytes.fromhex("827e0100") + bytes(256), [websocket.Binary(bytes(256))]),
    ("binary 64k", bytes.fromhex("827f0000000000010000") + bytes(65536), [websocket.Binary(bytes(65536))]),
    ("pong", bytes.fromhex("8a0548656c6c6f"), [websocket.Pong(b"Hello")]),
    ("close", bytes.fromhex("880503e8427965"), [websocket.Closed(1000, "Bye")]),
    ("close without a code", bytes.fromhex("8800"), [websocket.Closed(1005, "")]),
    ("control between fragments", bytes.fromhex("0203414243") + bytes.fromhex("8a00") + bytes.fromhex("800144"), None),
]


@pytest.mark.parametrize(("data", "events"), [row[1:] for row in FRAMES], ids=[row[0] for row in FRAMES])
@pytest.mark.parametrize("step", [1, 7, 10**9])
def test_frames(data, events, step):
    client = opened()
    for position in range(0, len(data), step):
        client.receive(data[position : position + step])
    assert client.events() == (events or [websocket.Pong(b""), websocket.Binary(b"ABCD")])


def test_masked_frame_of_the_rfc():
    assert websocket.encode_frame(1, b"Hello", bytes.fromhex("37fa213d")) == bytes.fromhex("818537fa213d7f9f4d5158")


def test_ping_is_answered():
    client = opened()
    client.receive(bytes.fromhex("890548656c6c6f"))
    assert client.data_to_send() == websocket.encode_frame(10, b"Hello", entropy(4))


def test_close_is_answered_and_final():
    client = opened()
    client.receive(bytes.fromhex("880203e8"))
    assert client.data_to_send() == websocket.encode_frame(8, b"\x03\xe8", entropy(4))
    with pytest.raises(ProtocolError):
        client.send_binary(b"x")
    client.receive(b"anything")
    assert client.events() == [websocket.Closed(1000, "")]


BAD = {
    "masked": "8185000000000000000000",
    "reserved bit": "c10548656c6c6f",
    "unknown opcode": "830548656c6c6f",
    "fragmented control": "090548656c6c6f",
    "long control": "897e0100",
    "fragmented close": "080203e8",
    "continuation of nothing": "800144",
    "two messages at once": "020141" + "820142",
    "half a close code": "880103",
    "text that is not utf-8": "8102fffe",
    "too long": "827f00000000ffffffff",
}


@pytest.mark.parametrize("data", BAD.values(), ids=BAD.keys())
def test_protocol_errors(data):
    client = opened()
    with pytest.raises(ProtocolError):
        client.receive(bytes.fromhex(data))
    assert client.state is websocket.State.CLOSED


@given(st.lists(st.binary(max_size=40), max_size=10))
def test_any_bytes_give_events_or_a_protocol_error(chunks):
    for client in (websocket.WebSocketClient("h", "/", entropy), opened()):
        with contextlib.suppress(ProtocolError):
            for chunk in chunks:
                client.receive(chunk)


class TestAgainstWebsockets:
    """Two machines back to back: ours and the `websockets` package's server."""

    def pair(self):
        server = ServerProtocol()
        client = websocket.WebSocketClient("localhost", "/x", lambda count: b"\x01" * count)
        server.receive_data(client.data_to_send())
        (request,) = server.events_received()
        server.send_response(server.accept(request))
        client.receive(b"".join(server.data_to_send()))
        assert client.events() == [websocket.Opened()]
        return client, server

    @pytest.mark.parametrize("size", [0, 1, 125, 126, 65535, 65536, 200_000])
    def test_binary_both_ways(self, size):
        client, server = self.pair()
        data = bytes(range(256)) * (size // 256) + bytes(range(size % 256))
        client.send_binary(data)
        server.receive_data(client.data_to_send())
        (frame,) = server.events_received()
        assert (frame.opcode, bytes(frame.data)) == (OP_BINARY, data)
        server.send_binary(data)
        client.receive(b"".join(server.data_to_send()))
        assert client.events() == [websocket.Binary(data)]

    def test_text_ping_fragments_and_close(self):
        client, server = self.pair()
        client.send_text("{}")
        client.ping(b"k")
        server.receive_data(client.data_to_send())
        text, ping = server.events_received()
        assert (text.opcode, bytes(text.data), ping.opcode) == (OP_TEXT, b"{}", OP_PING)
        client.receive(b"".join(server.data_to_send()))
        assert client.events() == [websocket.Pong(b"k")]
        server.send_binary(b"a", fin=False)
        server.send_continuation(b"b", fin=True)
        server.send_close(1000, "Bye")
        client.receive(b"".join(server.data_to_send()))
        assert client.events() == [websocket.Binary(b"ab"), websocket.Closed(1000, "Bye")]
        server.receive_data(client.data_to_send())
        assert [frame.opcode for frame in server.events_received()] == [OP_CLOSE]
        assert Frame(OP_CONT, b"").opcode == OP_CONT


def test_fragments_count_together_against_the_longest_message(monkeypatch):
    monkeypatch.setattr(websocket, "MAX_MESSAGE", 6)
    client = opened()
    client.receive(bytes.fromhex("0203") + b"abc")
    with pytest.raises(ProtocolError, match="longer than 6 bytes"):
        client.receive(bytes.fromhex("8004") + b"defg")


def test_a_response_in_two_pieces_opens_once_it_is_whole():
    client = websocket.WebSocketClient("example.com", "/chat", entropy)
    client.receive(RESPONSE[:40])
    assert (client.state, client.events()) == (websocket.State.CONNECTING, [])
    client.receive(RESPONSE[40:] + bytes.fromhex("810548656c6c6f"))
    assert client.events() == [websocket.Opened(), websocket.Text("Hello")]
