# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Public addresses of services that stand in no VPC, each a loopback address whose ports lead to ports of this program."""

from __future__ import annotations

import threading
import typing as t

from ..dataplane.rules import Edge
from . import instances
from .addresses import PublicAddresses
from .moto import LOCK


class Edges:
    """The edges of one cloud; safe for threads."""

    def __init__(self, public_prefix: str, changed: t.Callable[[], None]) -> None:
        self._addresses = PublicAddresses(public_prefix, instances.public_addresses_in_use)
        self._changed = changed
        self._lock = threading.Lock()
        self._open: dict[str, dict[int, int]] = {}
        instances.other_public_addresses.append(lambda: set(self._open))

    def open(self, ports: dict[int, int]) -> str:
        """A new address; `ports` maps its TCP ports to those of 127.0.0.1 that answer."""
        with LOCK, self._lock:
            address = self._addresses.take()
            self._open[address] = dict(ports)
        self._changed()
        return address

    def close(self, address: str) -> None:
        """Give an address back; nothing happens when it is not open."""
        with self._lock:
            self._open.pop(address, None)
        self._changed()

    def all(self) -> list[Edge]:
        """Every port of every address."""
        with self._lock:
            return [Edge(address, port, target) for address, ports in self._open.items() for port, target in ports.items()]
