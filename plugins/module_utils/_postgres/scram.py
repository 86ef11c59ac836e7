# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""SCRAM-SHA-256 as PostgreSQL uses it: the client's side of a login, and what a server keeps of a password; pure, nonces are given.

RFC 5802, RFC 7677; https://www.postgresql.org/docs/17/sasl-authentication.html. Without channel binding.
"""

from __future__ import annotations

import base64
import hashlib
import hmac

from .errors import PostgresError

MECHANISM = "SCRAM-SHA-256"
ITERATIONS = 4096


def _hmac(key: bytes, text: bytes) -> bytes:
    return hmac.new(key, text, hashlib.sha256).digest()


def _salted(password: str, salt: bytes, iterations: int) -> bytes:
    return hashlib.pbkdf2_hmac("sha256", password.encode(), salt, iterations)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def verifier(password: str, salt: bytes, iterations: int = ITERATIONS) -> str:
    """What `ALTER ROLE … PASSWORD` takes in the place of the password itself (pg_authid.rolpassword)."""
    salted = _salted(password, salt, iterations)
    stored = hashlib.sha256(_hmac(salted, b"Client Key")).digest()
    return f"{MECHANISM}${iterations}:{_text(salt)}${_text(stored)}:{_text(_hmac(salted, b'Server Key'))}"


class Login:
    """One login. `nonce` is 18 random bytes or more in Base64. PostgreSQL takes the user from the startup message."""

    def __init__(self, password: str, nonce: str, user: str = ""):
        self._password = password
        self._nonce = nonce
        self._bare = f"n={user},r={nonce}"
        self._server_signature = b""

    @property
    def first(self) -> bytes:
        """The client's first message."""
        return f"n,,{self._bare}".encode()

    def final(self, server_first: bytes) -> bytes:
        """The client's final message, for the server's first one. Raises PostgresError for a server that answers somebody else."""
        fields = dict(part.split("=", 1) for part in server_first.decode().split(","))
        if not fields.get("r", "").startswith(self._nonce) or fields["r"] == self._nonce:
            raise PostgresError("Failed to log in to the database: its server does not answer this login. Check host and port.")
        salted = _salted(self._password, base64.b64decode(fields["s"]), int(fields["i"]))
        client_key = _hmac(salted, b"Client Key")
        without_proof = f"c={_text(b'n,,')},r={fields['r']}"
        message = f"{self._bare},{server_first.decode()},{without_proof}".encode()
        signature = _hmac(hashlib.sha256(client_key).digest(), message)
        self._server_signature = _hmac(_hmac(salted, b"Server Key"), message)
        proof = bytes(left ^ right for left, right in zip(client_key, signature))  # noqa: B905 - strict came with Python 3.10
        return f"{without_proof},p={_text(proof)}".encode()

    def check(self, server_final: bytes) -> None:
        """Raises PostgresError for a server that does not know the password itself."""
        fields = dict(part.split("=", 1) for part in server_final.decode().split(","))
        if base64.b64decode(fields.get("v", "")) != self._server_signature:
            raise PostgresError("Failed to log in to the database: its server does not know the password. Check host and port.")
