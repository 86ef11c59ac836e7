"""The chat's frames: what is taken, what is refused, and that nothing else ever comes out."""

from __future__ import annotations

import json

import pytest
from chat_backend.protocol import BadFrame, Draft, Join, Ping, parse_draft, parse_frame
from hypothesis import given
from hypothesis import strategies as st

SEND = {"type": "send", "room": "lobby", "author": "Ada", "text": "Hello", "client_id": "c-1"}


@pytest.mark.parametrize(
    "frame, parsed",
    [
        ({"type": "ping"}, Ping()),
        ({"type": "join", "room": "lobby"}, Join("lobby", None)),
        ({"type": "join", "room": "lobby", "after": 0}, Join("lobby", 0)),
        ({"type": "join", "room": "a-1", "after": "17"}, Join("a-1", 17)),
        (SEND, Draft("lobby", "Ada", "Hello", "c-1")),
        ({**SEND, "text": "  안녕하세요 🎈 "}, Draft("lobby", "Ada", "안녕하세요 🎈", "c-1")),
    ],
)
def test_frames(frame, parsed):
    assert parse_frame(json.dumps(frame)) == parsed


@pytest.mark.parametrize(
    "text, reason",
    [
        ("{", "not JSON"),
        ("[1]", "not a JSON object"),
        ('{"type": "shout"}', "type is 'shout'; it must be join, send or ping"),
        ('{"type": "join", "room": "Lobby"}', "room must be 1 to 32 small letters, digits or -"),
        ('{"type": "join", "room": "a/b"}', "room must be 1 to 32 small letters, digits or -"),
        ('{"type": "join", "room": "a", "after": -1}', "after must be a message id, 0 or more"),
        ('{"type": "join", "room": "a", "after": true}', "after must be a message id, 0 or more"),
        ('{"type": "join", "room": "a", "after": 99999999999999999999}', "after must be a message id, 0 or more"),
        (json.dumps({**SEND, "text": "  "}), "text must be 1 to 2000 characters"),
        (json.dumps({**SEND, "text": "x" * 2001}), "text must be 1 to 2000 characters"),
        (json.dumps({**SEND, "author": None}), "author must be 1 to 40 characters"),
        (json.dumps({**SEND, "text": "a\0b"}), "text holds a NUL character"),
        (json.dumps({**SEND, "text": "\ud800"}), "text holds half of a surrogate pair"),
        (json.dumps({**SEND, "client_id": "a b"}), "client_id must be 1 to 64 letters, digits, - or _"),
    ],
)
def test_refusals(text, reason):
    with pytest.raises(BadFrame) as caught:
        parse_frame(text)
    assert str(caught.value) == reason


def test_a_refusal_names_the_message_it_is_about():
    with pytest.raises(BadFrame) as caught:
        parse_frame(json.dumps({**SEND, "room": "NO"}))
    assert caught.value.client_id == "c-1"


def test_a_message_over_rest_may_leave_its_id_to_the_server():
    frame = {name: value for name, value in SEND.items() if name != "client_id"}
    assert parse_draft(frame, client_id="made-up").client_id == "made-up"


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)
_NEAR = st.fixed_dictionaries(
    {"type": st.sampled_from(["join", "send", "ping", "x"])},
    optional={"room": _JSON | st.just("lobby"), "after": _JSON, "author": _JSON, "text": _JSON, "client_id": _JSON | st.just("c")},
)


@given(st.text() | _JSON.map(json.dumps) | _NEAR.map(json.dumps))
def test_anything_is_a_frame_or_a_refusal(text):
    try:
        frame = parse_frame(text)
    except BadFrame:
        return
    assert isinstance(frame, (Join, Draft, Ping))
