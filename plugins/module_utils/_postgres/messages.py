# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Messages of PostgreSQL's protocol, version 3, as bytes; pure, no socket.

https://www.postgresql.org/docs/17/protocol-message-formats.html. The simple query protocol only, with text results.
"""

from __future__ import annotations

import struct

TLS_REQUEST = struct.pack("!II", 8, 80877103)
TERMINATE = b"X" + struct.pack("!I", 4)

OK, SASL, SASL_CONTINUE, SASL_FINAL = 0, 10, 11, 12


def startup(user: str, database: str) -> bytes:
    """The first message. Strings are read as SQL has them, whatever the server's default."""
    options = {
        "user": user,
        "database": database,
        "application_name": "bluegreen.aws",
        "client_encoding": "UTF8",
        "options": "-c standard_conforming_strings=on -c client_min_messages=error",
    }
    body = b"".join(f"{name}\0{value}\0".encode() for name, value in options.items()) + b"\0"
    return struct.pack("!II", len(body) + 8, 196608) + body


def _message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!I", len(body) + 4) + body


def query(statement: str) -> bytes:
    """A statement."""
    return _message(b"Q", statement.encode() + b"\0")


def sasl_initial(mechanism: str, data: bytes) -> bytes:
    """The client's first message of a SASL login."""
    return _message(b"p", mechanism.encode() + b"\0" + struct.pack("!I", len(data)) + data)


def sasl_response(data: bytes) -> bytes:
    """A later message of a SASL login."""
    return _message(b"p", data)


def header(data: bytes) -> tuple:
    """(kind, length of the body) of a message's first five bytes."""
    return data[:1], struct.unpack("!I", data[1:5])[0] - 4


def authentication(body: bytes) -> tuple:
    """(kind of request, its data) of an Authentication message."""
    return struct.unpack("!I", body[:4])[0], body[4:]


def mechanisms(data: bytes) -> list:
    """Names of the SASL mechanisms that a server offers."""
    return [name.decode() for name in data.split(b"\0") if name]


def row(body: bytes) -> tuple:
    """The columns of a DataRow as texts; None for a null."""
    count = struct.unpack("!H", body[:2])[0]
    columns, at = [], 2
    for _index in range(count):
        length = struct.unpack("!i", body[at : at + 4])[0]
        at += 4
        columns.append(None if length < 0 else body[at : at + length].decode())
        at += max(length, 0)
    return tuple(columns)


def error(body: bytes) -> tuple:
    """(SQLSTATE, the server's words) of an ErrorResponse."""
    fields = {part[:1]: part[1:].decode(errors="replace") for part in body.split(b"\0") if part}
    return fields.get(b"C", "XX000"), fields.get(b"M", "no message")


def literal(text: str) -> str:
    """A text in a statement."""
    return "'" + text.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """A name in a statement."""
    return '"' + name.replace('"', '""') + '"'
