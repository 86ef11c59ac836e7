# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hands out the public addresses of one cloud, each a loopback address of its own, and hardware addresses; pure."""

from __future__ import annotations

import itertools
import typing as t


def mac_of(address: str) -> str:
    """The MAC address of an interface with this IPv4 address, in Docker's own form.

    An address that is used again must not have another one: this machine and the containers remember the old one for half a minute.
    """
    return "02:42:" + ":".join(f"{int(octet):02x}" for octet in address.split("."))


class AddressesExhaustedError(Exception):
    """All 253 public addresses of this cloud are in use."""


class PublicAddresses:
    """Addresses `<prefix>.2` to `<prefix>.254`, in turn, so that one is not used again soon."""

    def __init__(self, prefix: str, in_use: t.Callable[[], set[str]]) -> None:
        self._in_use = in_use
        self._turn = itertools.cycle([f"{prefix}.{host}" for host in range(2, 255)])

    def take(self) -> str:
        """The next free address; `in_use` must name it from now on."""
        used = self._in_use()
        for address in itertools.islice(self._turn, 253):
            if address not in used:
                return address
        raise AddressesExhaustedError("All public addresses of this cloud are in use.")
