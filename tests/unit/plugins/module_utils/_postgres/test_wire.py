# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A connection against a server of a few lines, which checks the login as PostgreSQL does; TLS is left to the tests with a real one."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import socket
import struct
import threading

import pytest

from ansible_collections.bluegreen.aws.plugins.module_utils._postgres import scram, wire
from ansible_collections.bluegreen.aws.plugins.module_utils._postgres.errors import PostgresError, ServerError

PASSWORD = "a-Password"


def message(kind, body=b""):
    return kind + struct.pack("!I", len(body) + 4) + body


def authentication(number, data=b""):
    return message(b"R", struct.pack("!I", number) + data)


def refusal(code, words):
    return message(b"E", b"SERROR\0C%s\0M%s\0\0" % (code.encode(), words.encode()))


def row(*columns):
    body = struct.pack("!H", len(columns))
    return message(b"D", body + b"".join(struct.pack("!i", len(column)) + column for column in columns))


READY = message(b"Z", b"I")


class Fake:
    """Lets one client in and answers one query with `answer`; `offers` are the login mechanisms."""

    def __init__(self, answer=b"", *, offers=b"SCRAM-SHA-256\0\0", verifier=None, greeting=b"S", hangs_up=False):
        self.hangs_up = hangs_up
        self.answer, self.offers, self.greeting = answer, offers, greeting
        self.verifier = verifier or scram.verifier(PASSWORD, b"0123456789abcdef")
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.statements = []
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self):
        client, _address = self.listener.accept()
        client.settimeout(5)
        gone = (OSError, struct.error, ValueError)
        with client, self.listener, contextlib.suppress(*gone):
            self._talk(client)

    def _read(self, client, *, kind=True):
        head = client.recv(5 if kind else 4, socket.MSG_WAITALL)
        length = struct.unpack("!I", head[-4:])[0] - 4
        return head[:1], client.recv(length, socket.MSG_WAITALL) if length else b""

    def _talk(self, client):
        client.recv(8, socket.MSG_WAITALL)
        client.sendall(self.greeting)
        self._read(client, kind=False)
        client.sendall(authentication(10, self.offers))
        _kind, first = self._read(client)
        bare = first[first.index(b"n,,") + 3 :]
        nonce = bare.split(b"r=")[1] + b"server"
        salt, keys = self.verifier.split("$")[1].split(":")[1], self.verifier.split("$")[2]
        server_first = b"r=%s,s=%s,i=4096" % (nonce, salt.encode())
        client.sendall(authentication(11, server_first))
        _kind, final = self._read(client)
        without_proof, _p, proof = final.rpartition(b",p=")
        signed = bare + b"," + server_first + b"," + without_proof
        stored, server_key = (base64.b64decode(part) for part in keys.split(":"))
        signature = hmac.new(stored, signed, hashlib.sha256).digest()
        client_key = bytes(a ^ b for a, b in zip(base64.b64decode(proof), signature, strict=True))
        if hashlib.sha256(client_key).digest() != stored:
            client.sendall(refusal("28P01", "password authentication failed"))
            return
        signed_back = base64.b64encode(hmac.new(server_key, signed, hashlib.sha256).digest())
        client.sendall(authentication(12, b"v=" + signed_back) + authentication(0) + message(b"S", b"x\0y\0") + READY)
        while True:
            kind, body = self._read(client)
            if kind != b"Q":
                return
            self.statements.append(body.rstrip(b"\0").decode())
            client.sendall(self.answer)
            if self.hangs_up:
                return


@pytest.fixture
def connect(monkeypatch):
    """Connects without TLS, but after the request for it."""

    def plainly(plain, host, ca_path):
        plain.sendall(bytes(8))
        assert plain.recv(1) == b"S"
        return plain

    monkeypatch.setattr(wire.Connection, "_secure", staticmethod(plainly))
    return lambda fake, password=PASSWORD: wire.Connection("127.0.0.1", fake.port, "keeper", password, "shop", timeout=5)


def test_rows_come_back(connect):
    fake = Fake(message(b"T", b"..") + row(b"a", b"1") + row(b"b", b"2") + message(b"C", b"SELECT 2\0") + READY)
    with connect(fake) as connection:
        assert connection.run("SELECT x") == [("a", "1"), ("b", "2")]
    assert fake.statements == ["SELECT x"]


def test_a_wrong_password(connect):
    with pytest.raises(ServerError) as error:
        connect(Fake(), "wrong")
    assert error.value.code == "28P01"
    assert str(error.value).startswith("Failed to log in to database shop on 127.0.0.1:") and "Parameter Store" in str(error.value)


def test_a_server_that_has_only_the_verifier_s_half(connect):
    """It can let us in without knowing the password; then it is not ours."""
    stored, _server = scram.verifier(PASSWORD, b"0123456789abcdef").split("$")[2].split(":")
    half = f"SCRAM-SHA-256$4096:{base64.b64encode(b'0123456789abcdef').decode()}${stored}:{base64.b64encode(bytes(32)).decode()}"
    with pytest.raises(PostgresError, match="does not know the password"):
        connect(Fake(verifier=half))


def test_a_server_without_scram(connect):
    with pytest.raises(PostgresError, match="does not offer SCRAM-SHA-256. Set password_encryption"):
        connect(Fake(offers=b"SOMETHING\0\0"))


def test_what_the_server_refuses_and_that_it_goes_on(connect):
    fake = Fake(refusal("42501", "permission denied") + READY)
    with connect(fake) as connection:
        for _again in range(2):
            with pytest.raises(ServerError) as error:
                connection.run("CREATE ROLE x", "create role x")
            assert str(error.value).startswith("Failed to create role x in database shop")
    assert len(fake.statements) == 2


def test_a_connection_that_ends_in_the_middle(connect):
    with connect(Fake(b"D\0\0", hangs_up=True)) as connection, pytest.raises(PostgresError, match="the server closed the connection"):
        connection.run("SELECT 1")


def test_nobody_listens():
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    listener.close()
    with pytest.raises(PostgresError) as error:
        wire.Connection("127.0.0.1", port, "keeper", PASSWORD, "shop", timeout=2)
    assert str(error.value).startswith(f"Failed to connect to 127.0.0.1:{port} from this instance: ")
    assert "security group lets this instance's in" in str(error.value)


def test_a_server_without_tls():
    with pytest.raises(PostgresError, match="Failed to encrypt the connection to 127.0.0.1:.*does not offer TLS"):
        wire.Connection("127.0.0.1", Fake(greeting=b"N").port, "keeper", PASSWORD, "shop", timeout=2)
