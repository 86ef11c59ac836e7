# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stream to the service: plain, through a proxy, with TLS, and how each failure reads."""

from __future__ import annotations

import datetime
import socket
import ssl
import threading

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ansible_collections.bluegreen.aws.plugins.plugin_utils._ssm import stream
from ansible_collections.bluegreen.aws.plugins.plugin_utils._ssm.errors import StreamError
from ansible_collections.bluegreen.aws.plugins.plugin_utils._ssm.stream import Stream


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


class Server(threading.Thread):
    """Accepts one connection on loopback and runs `handle(socket)`."""

    def __init__(self, handle):
        super().__init__(daemon=True)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.handle = handle
        self.start()

    def run(self):
        connection, _address = self.listener.accept()
        with connection:
            try:
                self.handle(connection)
            except OSError:
                return

    def close(self):
        self.listener.close()
        self.join(5)


@pytest.fixture
def serve():
    servers = []

    def start(handle):
        servers.append(Server(handle))
        return servers[-1].port

    yield start
    for server in servers:
        server.close()


def echo(connection):
    while data := connection.recv(65536):
        connection.sendall(data)


def read(opened, count):
    data = b""
    while len(data) < count:
        assert opened.wait(5.0)
        data += opened.read()
    return data


def test_plain(serve):
    opened = Stream.connect(f"ws://127.0.0.1:{serve(echo)}/x", timeout=5.0)
    opened.write(b"hello")
    assert read(opened, 5) == b"hello"
    assert opened.read() == b""
    assert opened.wait(0.0) is False
    opened.close()
    opened.close()


def test_more_than_the_socket_takes_is_kept(serve):
    release = threading.Event()

    def slow(connection):
        release.wait(10)
        total = 0
        while total < 20_000_000:
            total += len(connection.recv(1 << 20))
        connection.sendall(b"all")

    opened = Stream.connect(f"ws://127.0.0.1:{serve(slow)}/", timeout=5.0)
    opened.write(bytes(20_000_000))
    assert opened.wants_write
    release.set()
    while not opened.wait(5.0):
        pass  # it goes on writing meanwhile
    assert not opened.wants_write
    assert opened.read() == b"all"
    opened.close()


def test_closed_by_the_other_side(serve):
    opened = Stream.connect(f"ws://127.0.0.1:{serve(lambda connection: None)}/", timeout=5.0)
    assert opened.wait(5.0)
    with pytest.raises(StreamError, match="was closed by the other side"):
        opened.read()
    opened.close()


def test_nobody_listens():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(StreamError) as caught:
        Stream.connect(f"ws://127.0.0.1:{port}/", timeout=5.0)
    assert str(caught.value) == (
        f"Cannot open the session's stream to 127.0.0.1:{port}: Connection refused; check the network, the proxy settings and, "
        "in a private network, the ssmmessages endpoint."
    )


@pytest.mark.parametrize("url", ["http://example.com/", "wss:///nothing", ""])
def test_not_a_websocket_url(url):
    with pytest.raises(StreamError, match="is not a websocket URL"):
        Stream.connect(url, timeout=1.0)


def proxy(answer, seen):
    def handle(connection):
        request = b""
        while b"\r\n\r\n" not in request:
            request += connection.recv(65536)
        seen.append(request)
        connection.sendall(answer)
        echo(connection)

    return handle


def test_proxy(serve, monkeypatch):
    seen = []
    port = serve(proxy(b"HTTP/1.1 200 Connection established\r\n\r\nfirst", seen))
    monkeypatch.setenv("HTTP_PROXY", f"http://user:p%40ss@127.0.0.1:{port}")
    opened = Stream.connect("ws://stream.invalid:8080/x", timeout=5.0)
    assert seen[0].startswith(b"CONNECT stream.invalid:8080 HTTP/1.1\r\nHost: stream.invalid:8080\r\n")
    assert b"Proxy-Authorization: Basic dXNlcjpwQHNz\r\n" in seen[0]
    assert read(opened, 5) == b"first"
    opened.close()


def test_proxy_that_refuses(serve, monkeypatch):
    port = serve(proxy(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", []))
    monkeypatch.setenv("HTTP_PROXY", f"http://user:secret@127.0.0.1:{port}")
    with pytest.raises(StreamError, match="the proxy 127.0.0.1 answered 407 Proxy Authentication Required") as caught:
        Stream.connect("ws://stream.invalid/x", timeout=5.0)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("scheme", "environment", "expected"),
    [
        ("wss", {}, None),
        ("wss", {"HTTPS_PROXY": "http://p:1"}, "http://p:1"),
        ("wss", {"https_proxy": "http://p:1"}, "http://p:1"),
        ("wss", {"HTTP_PROXY": "http://p:1"}, None),
        ("ws", {"HTTP_PROXY": "http://p:1"}, "http://p:1"),
        ("wss", {"ALL_PROXY": "http://p:1"}, "http://p:1"),
        ("wss", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": ".amazonaws.com"}, None),
        ("wss", {"HTTPS_PROXY": "http://p:1", "no_proxy": "other.example"}, "http://p:1"),
    ],
)
def test_which_proxy(scheme, environment, expected):
    assert stream.proxy_for(scheme, "ssmmessages.eu-central-1.amazonaws.com", environment) == expected


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A self-signed certificate for localhost."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("tls")
    (folder / "certificate.pem").write_bytes(built.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return folder


def secure(folder):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "certificate.pem", folder / "key.pem")
    return lambda connection: echo(context.wrap_socket(connection, server_side=True))


def test_tls(serve, certificate):
    port = serve(secure(certificate))
    opened = Stream.connect(f"wss://localhost:{port}/x", timeout=5.0, ca_bundle=str(certificate / "certificate.pem"))
    opened.write(b"x" * 300_000)
    assert read(opened, 300_000) == b"x" * 300_000
    opened.close()


def test_tls_that_is_not_trusted(serve, certificate):
    with pytest.raises(StreamError, match="its certificate is not trusted .*; set AWS_CA_BUNDLE to the certificates of your proxy."):
        Stream.connect(f"wss://localhost:{serve(secure(certificate))}/x", timeout=5.0)


@pytest.mark.case("B10")
@pytest.mark.parametrize("url", ["ws://localhost:99999/x", "ws://[localhost/x", f"ws://{'a' * 70}.example/x"])
def test_an_address_that_can_be_none_is_a_stream_error(url):
    with pytest.raises(StreamError, match="Cannot open the session's stream"):
        Stream.connect(url, timeout=5.0)
