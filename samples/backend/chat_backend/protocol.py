"""The chat's messages and the frames that clients send; checks and shapes them, does no I/O.

Client to server, each frame a JSON object:
  {"type": "join", "room": R, "after": N}      N is the last id the client has; left out, the newest HISTORY messages come first
  {"type": "send", "room": R, "author": A, "text": T, "client_id": C}    C is the client's own unique id: sending it again is harmless
  {"type": "ping"}
Server to client: welcome, joined, message, ack, error, pong (see websocket.py).

Ids count up from 1 in each room without a gap, in the order of commit. So a client that has id N misses nothing when it asks for
everything after N, and a ledger can prove that nothing was lost (no gap) and nothing doubled (no id or client_id twice).
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from typing import Any

HISTORY = 50
TEXT_LIMIT = 2000
AUTHOR_LIMIT = 40
_ROOM = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_CLIENT_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


class BadFrame(ValueError):
    """A client sent something that is not in the protocol; the message says what, and `client_id` which message if that is known."""

    def __init__(self, reason: str, client_id: str | None = None):
        super().__init__(reason)
        self.client_id = client_id


@dataclass(frozen=True)
class Draft:
    """A message before the store has numbered it."""

    room: str
    author: str
    text: str
    client_id: str


@dataclass(frozen=True)
class Message:
    """A stored message; `at` is milliseconds since the epoch."""

    room: str
    id: int
    author: str
    text: str
    client_id: str
    at: int

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Join:
    room: str
    after: int | None


@dataclass(frozen=True)
class Ping:
    pass


def parse_frame(text: str) -> Join | Draft | Ping:
    """Read one frame. Raises BadFrame."""
    frame = parse_object(text)
    kind = frame.get("type")
    if kind == "join":
        after = frame.get("after")
        return Join(room_name(frame.get("room")), None if after is None else position(after))
    if kind == "send":
        return parse_draft(frame)
    if kind == "ping":
        return Ping()
    raise BadFrame(f"type is {kind!r}; it must be join, send or ping")


def parse_object(text: str) -> dict[str, Any]:
    """Read a JSON object. Raises BadFrame."""
    try:
        frame = json.loads(text)
    except ValueError:
        raise BadFrame("not JSON") from None
    if not isinstance(frame, dict):
        raise BadFrame("not a JSON object")
    return frame


def parse_draft(frame: dict[str, Any], *, client_id: str | None = None) -> Draft:
    """Read a message to store; `client_id` is used when the frame has none. Raises BadFrame."""
    given = frame.get("client_id", client_id)
    if not isinstance(given, str) or not _CLIENT_ID.fullmatch(given):
        raise BadFrame("client_id must be 1 to 64 letters, digits, - or _")
    try:
        return Draft(
            room_name(frame.get("room")),
            _text(frame, "author", AUTHOR_LIMIT),
            _text(frame, "text", TEXT_LIMIT),
            given,
        )
    except BadFrame as error:
        raise BadFrame(str(error), given) from None


def room_name(value: Any) -> str:
    """Check a room's name. Raises BadFrame."""
    if not isinstance(value, str) or not _ROOM.fullmatch(value):
        raise BadFrame("room must be 1 to 32 small letters, digits or -")
    return value


def position(value: Any) -> int:
    """Check a last id. Raises BadFrame."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 19:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**63:
        raise BadFrame("after must be a message id, 0 or more")
    return value


def _text(frame: dict[str, Any], name: str, limit: int) -> str:
    value = frame.get(name)
    if not isinstance(value, str) or not value.strip() or len(value) > limit:
        raise BadFrame(f"{name} must be 1 to {limit} characters")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise BadFrame(f"{name} holds half of a surrogate pair") from None
    if "\0" in value:
        raise BadFrame(f"{name} holds a NUL character")
    return value.strip()
