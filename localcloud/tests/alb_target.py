# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Targets for tests of load balancers: an HTTP server per port of the command line, which says what it was asked and echoes WebSockets.

GET /health   200, or what POST /control/health?code=503 has set
GET /status/N the status N                 GET /slow?ms=N   answers after N ms
GET /ws       a WebSocket: text comes back with the port in front
GET anything  JSON: port, path, headers    POST anything    the same, and the length of the body
"""

from __future__ import annotations

import base64
import hashlib
import http.server
import json
import struct
import sys
import threading
import time
import typing as t
import urllib.parse


class Target(http.server.BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    health: t.ClassVar[dict[int, int]] = {}
    checks: t.ClassVar[dict[int, list[dict[str, str]]]] = {}

    @property
    def port(self) -> int:
        return self.server.server_address[1]

    def do_GET(self) -> None:
        where = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(where.query))
        if where.path == "/health":
            self.checks.setdefault(self.port, []).append(self.told())
            del self.checks[self.port][:-5]
            self.say(self.health.get(self.port, 200), {})
        elif where.path == "/ws" and self.headers.get("Upgrade", "").lower() == "websocket":
            self.echo()
        elif where.path == "/control/checks":
            self.say(200, {"checks": self.checks.get(self.port, [])})
        elif where.path.startswith("/status/"):
            self.say(int(where.path.rpartition("/")[2]), {"port": self.port})
        else:
            if where.path == "/slow":
                time.sleep(int(query["ms"]) / 1000)
            if where.path == "/cut":
                self.close_connection = True
                return
            extra = {"Set-Cookie": "app=1; Path=/"} if where.path == "/login" else {}
            self.say(200, {"port": self.port, "path": self.path, "headers": self.told()}, extra)

    def told(self) -> dict[str, str]:
        """The request's headers; names in lower case."""
        return {name.lower(): value for name, value in self.headers.items()}

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        where = urllib.parse.urlsplit(self.path)
        if where.path == "/control/health":
            self.health[self.port] = int(dict(urllib.parse.parse_qsl(where.query))["code"])
        self.say(200, {"port": self.port, "length": len(body)})

    do_PUT = do_DELETE = do_POST

    def say(self, status: int, content: object, extra: dict[str, str] | None = None) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(body)), **(extra or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def echo(self) -> None:
        """RFC 6455, text frames of less than 126 bytes."""
        digest = hashlib.sha1((self.headers["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode(), usedforsecurity=False)
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", base64.b64encode(digest.digest()).decode())
        self.end_headers()
        self.close_connection = True
        while len(head := self.rfile.read(2)) == 2 and head[0] & 0x0F == 1:
            mask = self.rfile.read(4)
            text = bytes(byte ^ mask[index % 4] for index, byte in enumerate(self.rfile.read(head[1] & 0x7F)))
            answer = f"{self.port}:".encode() + text
            self.wfile.write(struct.pack("!BB", 0x81, len(answer)) + answer)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Server(http.server.ThreadingHTTPServer):
    """Takes many connections at once."""

    request_queue_size = 256
    daemon_threads = True


if __name__ == "__main__":
    for number in sys.argv[1:]:
        threading.Thread(target=Server(("0.0.0.0", int(number)), Target).serve_forever).start()
