# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Applies and removes the packet rules of one cloud with iptables; decides nothing."""

from __future__ import annotations

import pathlib
import subprocess

from ..errors import LocalCloudError
from .rules import Chains

WAIT = ["-w", "5"]


def _iptables(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["iptables", *WAIT, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)


class Firewall:
    """The rules of one cloud; applied only when their text changes."""

    def __init__(self, chains: Chains) -> None:
        self._chains = chains
        self._applied: str | None = None

    def apply(self, text: str) -> None:
        """Replace all rules of this cloud at once."""
        if text == self._applied:
            return
        done = subprocess.run(["iptables-restore", *WAIT, "--noflush"], input=text.encode(), stderr=subprocess.PIPE, check=False)
        if done.returncode:
            cause = done.stderr.decode(errors="replace").strip()
            raise LocalCloudError(f"Failed to set packet rules: {cause}. Root and a kernel with netfilter are needed.")
        if self._applied is None:
            for table, builtin, own in self._chains.jumps:
                if _iptables("-t", table, "-C", builtin, "-j", own).returncode == 0:
                    continue
                inserted = _iptables("-t", table, "-I", builtin, "-j", own)
                if inserted.returncode:
                    cause = inserted.stderr.decode(errors="replace").strip()
                    raise LocalCloudError(f"Failed to use the chain {builtin} of table {table}: {cause}. Let Docker manage iptables.")
        self._applied = text


def remove(chains: Chains) -> bool:
    """Remove what a cloud has in iptables; True when there was anything."""
    found = False
    for table, builtin, own in chains.jumps:
        while _iptables("-t", table, "-D", builtin, "-j", own).returncode == 0:
            found = True
        if _iptables("-t", table, "-F", own).returncode == 0:
            found = True
            _iptables("-t", table, "-X", own)
    return found


def allow_loopback(bridge: str) -> None:
    """Let packets between loopback addresses and this bridge be routed; the rules say which ones are."""
    pathlib.Path(f"/proc/sys/net/ipv4/conf/{bridge}/route_localnet").write_text("1")
