# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the containers of ECS's tests run (`python3 -c`): a server that tells what it sees, and does as it is told."""

from __future__ import annotations

import http.server
import json
import os
import signal
import socket
import threading
import time
import urllib.parse
import urllib.request

healthy = True
requests = 0


def who() -> str:
    """Who the credentials say that this task is."""
    import boto3

    return boto3.client("sts").get_caller_identity()["Arn"]


def metadata() -> dict:
    """The task as its metadata endpoint describes it."""
    with urllib.request.urlopen(os.environ["ECS_CONTAINER_METADATA_URI_V4"] + "/task", timeout=5) as answer:
        return json.load(answer)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        global healthy, requests
        requests += 1
        url = urllib.parse.urlsplit(self.path)
        status, body = 200, None
        if url.path == "/environment":
            body = dict(os.environ)
        elif url.path == "/who":
            body = who()
        elif url.path == "/metadata":
            body = metadata()
        elif url.path == "/health":
            status, body = (200, "fine") if healthy else (503, "ill")
        elif url.path == "/break":
            healthy = False
        elif url.path == "/slow":
            time.sleep(float(url.query))
        elif url.path == "/resolve":
            body = socket.gethostbyname(url.query)
        elif url.path == "/exit":
            threading.Timer(0.1, lambda: os._exit(int(url.query))).start()
        else:
            body = {"version": os.environ.get("VERSION"), "host": os.uname().nodename}
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *arguments: object) -> None:
        if self.path != "/health":
            print("request", self.path, flush=True)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True


def end(*_: object) -> None:
    """Give up no connection: the load balancer has stopped sending any before this signal comes."""
    print(f"got SIGTERM after {requests} requests", flush=True)
    os._exit(int(os.environ.get("EXIT_CODE", "0")))


signal.signal(signal.SIGTERM, end)
print("started", os.environ.get("VERSION"), flush=True)
Server(("0.0.0.0", 8080), Handler).serve_forever()
