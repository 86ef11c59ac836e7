# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""A connection to a PostgreSQL server from the machine that this runs on; needs nothing but Python. Decides nothing."""

from __future__ import annotations

import base64
import contextlib
import secrets
import socket
import ssl

from . import messages, scram
from .errors import PostgresError, ServerError

_LOG_IN = "log in"


class Connection:
    """A session. The password is in memory only. TLS is always used; with `ca_path` the server's certificate is checked too."""

    def __init__(self, host: str, port: int, user: str, password: str, database: str, *, ca_path: str = "", timeout: float = 10.0):
        self._where = f"database {database} on {host}:{port} as {user}"
        self._closed = False
        try:
            plain = socket.create_connection((host, port), timeout=timeout)
        except OSError as exc:
            raise PostgresError(
                f"Failed to connect to {host}:{port} from this instance: {exc}. Check that the database is available, and that its "
                "security group lets this instance's in at that port."
            ) from exc
        try:
            self._socket = self._secure(plain, host, ca_path)
        except OSError as exc:
            plain.close()
            raise PostgresError(f"Failed to encrypt the connection to {host}:{port}: {exc}. Check ca_path and the server's name.") from exc
        try:
            self._send(messages.startup(user, database))
            self._log_in(user, password)
            self._until_ready()
        except BaseException:
            self.close()
            raise

    @staticmethod
    def _secure(plain: socket.socket, host: str, ca_path: str) -> ssl.SSLSocket:
        plain.sendall(messages.TLS_REQUEST)
        answer = plain.recv(1)
        if answer != b"S":
            raise OSError("the server does not offer TLS")
        context = ssl.create_default_context(cafile=ca_path or None)
        if not ca_path:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context.wrap_socket(plain, server_hostname=host)

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_ignored) -> None:
        self.close()

    def close(self) -> None:
        """End the session; nothing happens when it has ended."""
        if not self._closed:
            self._closed = True
            with contextlib.suppress(OSError):
                self._socket.sendall(messages.TERMINATE)
            self._socket.close()

    def run(self, statement: str, what: str = "") -> list:
        """The rows of a statement's result as tuples of texts. Raises ServerError; `what` says what was tried."""
        self._send(messages.query(statement))
        return self._until_ready(what or "ask")

    # -- the protocol

    def _send(self, data: bytes) -> None:
        try:
            self._socket.sendall(data)
        except OSError as exc:
            raise PostgresError(f"Failed to talk to {self._where}: {exc}. Run it again.") from exc

    def _read(self, length: int) -> bytes:
        data = b""
        while len(data) < length:
            try:
                piece = self._socket.recv(length - len(data))
            except OSError as exc:
                raise PostgresError(f"Failed to talk to {self._where}: {exc}. Run it again.") from exc
            if not piece:
                raise PostgresError(f"Failed to talk to {self._where}: the server closed the connection. Run it again.")
            data += piece
        return data

    def _receive(self, attempt: str) -> tuple:
        kind, length = messages.header(self._read(5))
        body = self._read(length)
        if kind == b"E":
            raise ServerError(f"{attempt} {'to' if attempt == _LOG_IN else 'in'} {self._where}", *messages.error(body))
        return kind, body

    def _log_in(self, user: str, password: str) -> None:
        login = scram.Login(password, base64.b64encode(secrets.token_bytes(18)).decode())
        while True:
            kind, body = self._receive(_LOG_IN)
            if kind != b"R":
                raise PostgresError(f"Failed to log in to {self._where}: this is no PostgreSQL server. Check host and port.")
            request, data = messages.authentication(body)
            if request == messages.OK:
                return
            if request == messages.SASL and scram.MECHANISM in messages.mechanisms(data):
                self._send(messages.sasl_initial(scram.MECHANISM, login.first))
            elif request == messages.SASL_CONTINUE:
                self._send(messages.sasl_response(login.final(data)))
            elif request == messages.SASL_FINAL:
                login.check(data)
            else:  # anything weaker would hand the password to whoever answers at this address
                raise PostgresError(
                    f"Failed to log in to {self._where}: the server does not offer SCRAM-SHA-256. Set password_encryption to scram-sha-256 "
                    "and give the user its password again."
                )

    def _until_ready(self, attempt: str = _LOG_IN) -> list:
        rows, failure = [], None
        while True:
            try:
                kind, body = self._receive(attempt)
            except ServerError as exc:
                if attempt == _LOG_IN:
                    raise
                failure = exc  # the server says when it is ready again
                continue
            if kind == b"D":
                rows.append(messages.row(body))
            elif kind == b"Z":
                if failure is not None:
                    raise failure
                return rows
