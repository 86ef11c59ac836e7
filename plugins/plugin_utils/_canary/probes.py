# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks the load balancer as a user would, at a steady rate, and counts what each colour answers. Threads over the standard library."""

from __future__ import annotations

import http.client
import queue
import ssl
import threading
import time
import urllib.parse

from ...module_utils._canary.samples import ANY, CANDIDATE, FAST, LIVE, Sample

WORKERS = 16
LONGEST_QUEUE = 64
LARGEST_BODY = 1 << 20


class Probes:
    """``colours``: {value of the response header: LIVE or CANDIDATE}. ``rate``: requests per second. ``timeout_s``: of one request."""

    def __init__(self, url: str, header: str, colours: dict, *, rate: float, timeout_s: float, headers=None, ca_file=None):
        parts = urllib.parse.urlsplit(url)
        self._secure = parts.scheme == "https"
        self._host, self._port = parts.hostname or "", parts.port
        self._path = urllib.parse.urlunsplit(("", "", parts.path or "/", parts.query, ""))
        self._header, self._colours, self._timeout = header, colours, timeout_s
        self._headers = {"User-Agent": "bluegreen-canary", "Accept": "*/*", **(headers or {})}
        self._tls = ssl.create_default_context(cafile=ca_file) if self._secure else None
        self._rate, self._factor = rate, 1.0
        self._due: queue.Queue = queue.Queue(LONGEST_QUEUE)
        self._lock = threading.Lock()
        self._counts: dict = {}
        self._late = 0
        self._stop = threading.Event()
        self._threads: list = []

    def start(self) -> None:
        self._threads = [threading.Thread(target=self._work, name=f"probe-{number}", daemon=True) for number in range(WORKERS)]
        self._threads.append(threading.Thread(target=self._pace, name="probe-pace", daemon=True))
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stop.set()

    def ask_more(self, factor: float) -> None:
        """So many times the usual rate from now on."""
        self._factor = factor

    def take(self) -> list:
        """Samples of what was answered since the last call; ANY's requests are all of them, its errors those that no colour signed."""
        with self._lock:
            counts, self._counts = self._counts, {}
        if not counts:
            return []
        total = sum(len(found["ms"]) + found["broken"] for found in counts.values())
        unsigned = counts.get(None, {"errors": 0})["errors"]
        samples = [Sample(FAST, ANY, total, unsigned)]
        for colour in (LIVE, CANDIDATE):
            # A colour that answered nothing says so: the judge wants to know what the live colour did at the same time.
            found = counts.get(colour) or {"ms": [], "errors": 0, "client_errors": 0}
            samples.append(Sample(FAST, colour, len(found["ms"]), found["errors"], found["client_errors"], tuple(found["ms"])))
        return samples

    def once(self) -> str | None:
        """Ask once, now: the colour that answered, or None. Counts like any other."""
        connection = self._connect()
        try:
            return self._ask(connection)[1]
        finally:
            connection.close()

    def _pace(self) -> None:
        following = time.monotonic()
        while not self._stop.is_set():
            following = max(following + 1 / (self._rate * self._factor), time.monotonic() - 0.5)
            self._stop.wait(max(0.0, following - time.monotonic()))
            try:
                self._due.put_nowait(True)
            except queue.Full:
                self._late += 1  # every worker waits for an answer: asking more would not learn more

    def _work(self) -> None:
        connection, used = None, False
        while not self._stop.is_set():
            try:
                self._due.get(timeout=0.5)
            except queue.Empty:
                continue
            if connection is None:
                connection, used = self._connect(), False
            keep, _colour = self._ask(connection, used)
            used = True
            if not keep:
                connection.close()
                connection = None
        if connection is not None:
            connection.close()

    def _connect(self):
        if self._secure:
            return http.client.HTTPSConnection(self._host, self._port, timeout=self._timeout, context=self._tls)
        return http.client.HTTPConnection(self._host, self._port, timeout=self._timeout)

    def _ask(self, connection, used: bool = False) -> tuple:
        """(whether the connection may be used again, the colour that answered)."""
        began = time.monotonic()
        try:
            connection.request("GET", self._path, headers=self._headers)
            response = connection.getresponse()
            response.read(LARGEST_BODY)
        except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
            connection.close()
            if used:
                # The other side closed an idle connection, which it may at any time (RFC 9112, 9.3.1): a GET is sent again.
                return self._ask(connection)
            self._count(None, None)
            return False, None
        except (http.client.HTTPException, OSError):
            self._count(None, None)
            return False, None
        colour = self._colours.get(response.headers.get(self._header, ""))
        self._count(colour, response.status, 1000 * (time.monotonic() - began))
        return not response.will_close, colour

    def _count(self, colour, status, ms: float = 0.0) -> None:
        with self._lock:
            found = self._counts.setdefault(colour, {"ms": [], "errors": 0, "client_errors": 0, "broken": 0})
            if status is None:
                found["broken"] += 1
            else:
                found["ms"].append(round(ms, 2))
            found["errors"] += status is None or status >= 500
            found["client_errors"] += status is not None and 400 <= status < 500
