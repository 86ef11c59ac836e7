"""Which headers a proxy passes on; pure."""

from __future__ import annotations

from collections.abc import Iterable

# RFC 9110, section 7.6.1: these speak of one connection, not of the message.
_OF_THE_PROXY = ("proxy-authenticate", "proxy-authorization", "proxy-connection")
_HOP_BY_HOP = frozenset(("connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", *_OF_THE_PROXY))
_FORWARDED = ("x-forwarded-for", "x-forwarded-proto", "x-forwarded-host")
IDEMPOTENT = frozenset(("GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"))


def request_headers(given: Iterable[tuple[str, str]], *, peer: str | None, scheme: str, host: str) -> list[tuple[str, str]]:
    """What goes to the backend: the client's headers, and who the client is."""
    given = list(given)
    before = ", ".join(value for name, value in given if name.lower() == "x-forwarded-for")
    known = {name.lower(): value for name, value in given}
    dropped = _named(given) | _HOP_BY_HOP | {"host", "content-length", *_FORWARDED}
    kept = [(name, value) for name, value in given if name.lower() not in dropped and not name.lower().startswith("sec-websocket-")]
    return [
        *kept,
        ("X-Forwarded-For", ", ".join(filter(None, (before, peer)))),
        ("X-Forwarded-Proto", known.get("x-forwarded-proto", scheme)),
        ("X-Forwarded-Host", known.get("x-forwarded-host", host)),
    ]


def response_headers(given: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """What goes to the client. The body's length stays: it is passed on byte by byte."""
    given = list(given)
    dropped = _named(given) | _HOP_BY_HOP | {"date", "server"}
    return [(name, value) for name, value in given if name.lower() not in dropped]


def _named(given: list[tuple[str, str]]) -> frozenset[str]:
    """The headers that the Connection header declares to be of this connection."""
    values = (value for name, value in given if name.lower() == "connection")
    return frozenset(token.strip().lower() for value in values for token in value.split(","))
