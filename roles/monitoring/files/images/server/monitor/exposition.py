# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prometheus' text format over HTTP, for programs that have a handful of series; knows nothing of what they mean."""

from __future__ import annotations

import http.server
import threading
import typing as t

Labels = t.Mapping[str, str]


def line(name: str, labels: Labels, value: float) -> str:
    """One sample. https://prometheus.io/docs/instrumenting/exposition_formats/"""
    escaped = {key: text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") for key, text in labels.items()}
    inner = ",".join(f'{key}="{text}"' for key, text in escaped.items())
    return f"{name}{{{inner}}} {value}" if inner else f"{name} {value}"


class Series:
    """Series without labels, each set or added to by the program."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._values: dict[str, float] = {}
        self._heads: dict[str, str] = {}

    def set(self, name: str, value: float, kind: str, description: str) -> None:
        with self._lock:
            self._values[name] = value
            self._heads[name] = f"# HELP {name} {description}\n# TYPE {name} {kind}"

    def add(self, name: str) -> None:
        """One more. The series has to have been set."""
        with self._lock:
            self._values[name] += 1

    def text(self) -> str:
        with self._lock:
            return "".join(f"{self._heads[name]}\n{line(name, {}, value)}\n" for name, value in self._values.items())


def serve(port: int, text: t.Callable[[], str]) -> http.server.ThreadingHTTPServer:
    """Answer every GET on a port with the text, from a thread of its own; port 0 takes a free one."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # the name is http.server's
            body = text().encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_unused: t.Any) -> None:
            """A line for every scrape tells nobody anything."""

    server = http.server.ThreadingHTTPServer(("", port), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server
