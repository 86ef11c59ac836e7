"""A small HTTP service for the release tests: says its version, waits on request, upgrades connections, ends gracefully."""

from __future__ import annotations

import http.server
import os
import signal
import sys
import threading
import time
import urllib.parse
import urllib.request

VERSION = os.environ.get("VERSION", "?")
FAULT = os.environ.get("FAULT", "")  # never-healthy or crash


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        url = urllib.parse.urlparse(self.path)
        if self.headers.get("Upgrade"):
            return self.echo()
        if url.path == "/healthz" and FAULT == "never-healthy":
            return self.answer(503, "not healthy")
        if url.path == "/slow":
            time.sleep(float(urllib.parse.parse_qs(url.query)["seconds"][0]))
        if url.path == "/behind":
            with urllib.request.urlopen(os.environ["BEHIND"], timeout=10) as response:
                return self.answer(200, response.read().decode())
        return self.answer(200, VERSION)

    def echo(self):
        """After the upgrade every line comes back with the version before it."""
        self.send_response(101, "Switching Protocols")
        self.send_header("Connection", "Upgrade")
        self.send_header("Upgrade", self.headers["Upgrade"])
        self.end_headers()
        for line in self.rfile:
            self.wfile.write(VERSION.encode() + b" " + line)
        self.close_connection = True

    def answer(self, status, text):
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args):
        pass


def main():
    if FAULT == "crash":
        sys.stderr.write(f"cannot start with password {os.environ.get('APP_PASSWORD', '')}\n")
        sys.exit(3)
    http.server.ThreadingHTTPServer.request_queue_size = 512
    server = http.server.ThreadingHTTPServer(("", int(os.environ.get("PORT", "8080"))), Handler)
    server.daemon_threads = True
    signal.signal(signal.SIGTERM, lambda *_args: threading.Thread(target=server.shutdown).start())
    sys.stderr.write(f"version {VERSION} listens\n")
    server.serve_forever()


if __name__ == "__main__":
    main()
