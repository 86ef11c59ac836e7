# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Receives the logs of all proxies over UDP, one socket per network, and hands each line on; understands none of them."""

from __future__ import annotations

import logging
import socket
import threading
import typing as t

BUFFER = 32 * 1024 * 1024
"""Bytes of lines that may wait: a burst of some ten thousand requests."""

_log = logging.getLogger("localcloud.balancer")


class Collector:
    """The sockets of one cloud; safe for threads. `take` is called in a socket's thread with each line."""

    def __init__(self, take: t.Callable[[bytes], None]) -> None:
        self._take = take
        self._lock = threading.Lock()
        self._sockets: dict[str, socket.socket] = {}

    def listen(self, gateway: str) -> str:
        """Listen at this machine's address in a network, if that is not done yet; return `address:port`."""
        with self._lock:
            if gateway not in self._sockets:
                made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                made.setsockopt(socket.SOL_SOCKET, getattr(socket, "SO_RCVBUFFORCE", 33), BUFFER)
                made.bind((gateway, 0))
                self._sockets[gateway] = made
                threading.Thread(target=self._receive, args=(made,), name=f"alb-log-{gateway}", daemon=True).start()
            address, port = self._sockets[gateway].getsockname()
            return f"{address}:{port}"

    def close(self) -> None:
        """Stop listening."""
        with self._lock:
            for made in self._sockets.values():
                made.close()
            self._sockets.clear()

    def _receive(self, source: socket.socket) -> None:
        while True:
            try:
                line = source.recv(65536)
            except OSError:
                return  # closed
            try:
                self._take(line)
            except Exception:  # a line that nobody expected must not end the log
                _log.exception("a line of a proxy's log could not be read: %r", line[:500])
