# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A byte stream to the session service: TCP, a proxy's CONNECT and TLS; knows nothing of websockets."""

from __future__ import annotations

import base64
import os
import select
import socket
import ssl
from urllib.parse import unquote, urlsplit

from .errors import StreamError

READ_SIZE = 262144
MAX_PROXY_ANSWER = 65536


def proxy_for(scheme: str, host: str, environment=None) -> str | None:
    """Return the proxy that the environment names for a host, as the AWS command line would choose it."""
    environment = os.environ if environment is None else environment
    names = ("HTTPS_PROXY", "https_proxy") if scheme == "wss" else ("HTTP_PROXY", "http_proxy")
    proxy = next((environment[name] for name in (*names, "ALL_PROXY", "all_proxy") if environment.get(name)), None)
    if proxy is None:
        return None
    from urllib.request import proxy_bypass_environment

    excluded = environment.get("no_proxy") or environment.get("NO_PROXY") or ""
    return None if proxy_bypass_environment(host, {"no": excluded}) else proxy


def tls_context(ca_bundle: str | None) -> ssl.SSLContext:
    """Return a context that trusts `ca_bundle`, or the system's certificates, or botocore's when the system has none."""
    context = ssl.create_default_context(cafile=ca_bundle)
    if ca_bundle is None and not context.get_ca_certs():
        from botocore.httpsession import where

        context.load_verify_locations(cafile=where())
    return context


class Stream:
    """Non-blocking reads and buffered writes; StreamError when the peer is gone."""

    def __init__(self, connection: socket.socket):
        connection.setblocking(False)
        self._socket = connection
        self._outgoing = bytearray()

    @classmethod
    def connect(cls, url: str, *, timeout: float, ca_bundle=None) -> Stream:
        """Open a stream to the host of a ws:// or wss:// URL; `timeout` in seconds is for each step."""
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "wss" else 80)
        except ValueError as error:
            raise StreamError(f"Cannot open the session's stream: {url[:100]!r} is no URL ({error}); check the API endpoint.") from error
        if parts.scheme not in ("ws", "wss") or not host:
            raise StreamError(f"Cannot open the session's stream: {parts.scheme}://{host} is not a websocket URL; check the API endpoint.")
        proxy = proxy_for(parts.scheme, host)
        try:
            if proxy is None:
                connection = socket.create_connection((host, port), timeout=timeout)
            else:
                connection = _through_proxy(proxy, host, port, timeout)
            try:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                if parts.scheme == "wss":
                    context = tls_context(ca_bundle() if callable(ca_bundle) else ca_bundle)
                    connection = context.wrap_socket(connection, server_hostname=host)
            except BaseException:
                connection.close()
                raise
        except ssl.SSLCertVerificationError as error:
            raise StreamError(
                f"Cannot open the session's stream to {host}: its certificate is not trusted ({error.verify_message}); "
                "set AWS_CA_BUNDLE to the certificates of your proxy."
            ) from error
        except (OSError, ValueError) as error:  # ValueError: a host's name, of the service or of a proxy, that can be none
            raise StreamError(
                f"Cannot open the session's stream to {host}:{port}: {getattr(error, 'strerror', None) or error}; check the network, "
                "the proxy settings and, in a private network, the ssmmessages endpoint."
            ) from error
        return cls(connection)

    def fileno(self) -> int:
        return self._socket.fileno()

    @property
    def wants_write(self) -> bool:
        return bool(self._outgoing)

    def write(self, data: bytes) -> None:
        self._outgoing += data
        self.flush()

    def flush(self) -> None:
        try:
            while self._outgoing:
                del self._outgoing[: self._socket.send(self._outgoing)]
        except (BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError):
            pass
        except OSError as error:
            raise StreamError(f"The session's stream broke: {error.strerror or error}.") from error

    def read(self) -> bytes:
        """Return what has arrived, b"" when nothing has."""
        try:
            data = self._socket.recv(READ_SIZE)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return b""
        except OSError as error:
            raise StreamError(f"The session's stream broke: {error.strerror or error}.") from error
        if not data:
            raise StreamError("The session's stream was closed by the other side.")
        return data

    def wait(self, timeout: float | None, others: dict | None = None) -> bool:
        """Wait until there is something to read; return whether there is. Buffered writes go on meanwhile.

        `others`, descriptors with the poll events wanted of them, end the wait too.
        """
        if isinstance(self._socket, ssl.SSLSocket) and self._socket.pending():
            return True
        poll = select.poll()
        poll.register(self._socket, select.POLLIN | (select.POLLOUT if self._outgoing else 0))
        for descriptor, events in (others or {}).items():
            poll.register(descriptor, events)
        ready = dict(poll.poll(None if timeout is None else max(0, timeout * 1000)))
        events = ready.get(self._socket.fileno(), 0)
        if events & select.POLLOUT:
            self.flush()
        return bool(events & ~select.POLLOUT)

    def close(self) -> None:
        try:
            self._socket.close()
        except OSError:
            self._socket = None


def _through_proxy(proxy, host, port, timeout):
    parts = urlsplit(proxy if "//" in proxy else "http://" + proxy)
    secure = parts.scheme == "https"
    connection = socket.create_connection((parts.hostname, parts.port or (443 if secure else 80)), timeout=timeout)
    try:
        if secure:
            connection = tls_context(None).wrap_socket(connection, server_hostname=parts.hostname)
        _ask_proxy(connection, parts, f"[{host}]:{port}" if ":" in host else f"{host}:{port}")
    except BaseException:
        connection.close()
        raise
    return connection


def _ask_proxy(connection, parts, target):
    request = f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n"
    if parts.username:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        request += f"Proxy-Authorization: Basic {base64.b64encode(pair.encode()).decode()}\r\n"
    connection.sendall((request + "\r\n").encode("latin-1"))
    answer = b""
    while b"\r\n\r\n" not in answer:
        byte = connection.recv(1)  # not a byte more: what follows belongs to the tunnel
        if not byte or len(answer) > MAX_PROXY_ANSWER:
            raise OSError(f"the proxy {parts.hostname} closed the connection")
        answer += byte
    status = answer.split(b"\r\n")[0].split(b" ", 2)
    if len(status) < 2 or status[1] != b"200":
        raise OSError(f"the proxy {parts.hostname} answered {b' '.join(status[1:]).decode('latin-1')}")
