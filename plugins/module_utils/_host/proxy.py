# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""One service's running proxy: its file, its socket, which colour it serves; decides nothing about a release."""

from __future__ import annotations

import contextlib
import os
import socket

from .._compose import haproxy
from .._compose.errors import ComposeReleaseError
from .._compose.plan import Proxy
from . import files
from .clock import wait_until

_ANSWER = 5.0  # seconds for one runtime command
_SETTLE = 15.0  # seconds for an address to be known and a change of state to show
# What `set server` says when all is well; the last one when a server has no address yet, which DNS is about to give.
_FINE = ("IP changed", "port changed", "no need to change", "nothing changed", "Update for the current server address family")


class ProxyControl:
    """The proxy of one service, by the directory that it shares with the instance."""

    def __init__(self, directory: str, service: str, clock):
        self.directory = os.path.join(directory, service)
        self.service = service
        self._clock = clock
        self._file = os.path.join(self.directory, "haproxy.cfg")

    def text(self) -> str:
        return files.read(self._file)

    def write(self, text: str) -> None:
        try:
            files.make_directory(self.directory)
            files.write(self._file, text)
        except OSError as exc:
            raise files.failure(f"write the configuration of {self.service}'s proxy", exc) from exc

    def remove(self) -> None:
        files.remove_tree(self.directory)

    def ask(self, command: str) -> str:
        """Answer of the runtime API to one line of commands; OSError when the proxy does not run."""
        # A socket's path is at most 107 bytes long; through the directory's descriptor it always fits.
        handle = os.open(self.directory, os.O_RDONLY | os.O_DIRECTORY)
        try:
            with contextlib.closing(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)) as stream:
                stream.settimeout(_ANSWER)
                stream.connect(f"/proc/self/fd/{handle}/admin.sock")
                stream.sendall(command.encode() + b"\n")
                parts = []
                while True:
                    part = stream.recv(65536)
                    if not part:
                        return b"".join(parts).decode("utf-8", "replace")
                    parts.append(part)
        finally:
            os.close(handle)

    def servers(self) -> list:
        """The servers as the running proxy sees them; empty when it does not run."""
        try:
            return haproxy.parse_servers(self.ask("show servers state"))
        except OSError:
            return []

    def observe(self, ports: tuple = ()) -> Proxy:
        """Which colour gets the traffic: the running proxy's word, else its file's."""
        text = self.text()
        servers = self.servers()
        known = tuple(sorted({int(server.backend.rpartition("-")[2]) for server in servers}))
        live = haproxy.live_in_runtime(servers, known) if servers else ""
        return Proxy(live or haproxy.live_in_file(text), text)

    def sessions(self, colour: str) -> int:
        """Requests and connections on a colour; 0 when the proxy does not run, since then nobody is connected."""
        try:
            return haproxy.parse_sessions(self.ask("show stat"), colour)
        except OSError:
            return 0

    def wait_running(self, deadline: float) -> None:
        if not wait_until(self._clock, lambda: bool(self.servers()), deadline=deadline, interval=0.05):
            raise ComposeReleaseError(
                f"Failed to start the proxy of {self.service}: it does not answer on its socket. 'docker logs' of the container shows why."
            )

    def command(self, lines: list) -> None:
        """Runs several commands in one go."""
        if not lines:
            return
        try:
            answer = self.ask("; ".join(lines)).strip()
        except OSError as exc:
            raise ComposeReleaseError(f"Failed to command the proxy of {self.service}: {exc}. See whether its container runs.") from exc
        bad = [line for line in answer.splitlines() if line.strip() and not line.startswith(_FINE)]
        if bad:
            raise ComposeReleaseError(f"Failed to command the proxy of {self.service}: it answered '{bad[0].strip()}'.")

    def switch(self, shape: haproxy.Shape, colour: str, addresses: dict) -> None:
        """Moves the traffic to ``colour`` and returns when the proxy says so and its file too, which a proxy that restarts obeys.

        The traffic comes first: a full disk must not keep it where it is.
        """
        deadline = self._clock.monotonic() + _SETTLE
        commands = haproxy.address_commands(shape, colour, addresses)
        if commands and not wait_until(
            self._clock, lambda: self._knows(shape, colour, addresses, commands), deadline=deadline, interval=0.1
        ):
            raise ComposeReleaseError(
                f"Failed to move the traffic of {self.service} to {colour}: the proxy does not learn the new containers' addresses. "
                "See whether they share a network with it."
            )
        self.command(haproxy.switch_commands(shape, colour))
        if not wait_until(self._clock, lambda: haproxy.ready_in_runtime(self.servers(), colour), deadline=deadline, interval=0.02):
            raise ComposeReleaseError(f"Failed to move the traffic of {self.service} to {colour}: the proxy does not show it as ready.")
        self.write(haproxy.render(shape, colour))

    def _knows(self, shape: haproxy.Shape, colour: str, addresses: dict, commands: list) -> bool:
        """Tells the proxy the addresses and looks whether it has them. A server that has none yet takes its first from DNS only."""
        self.command(commands)
        found = {(server.backend, server.name): server.address for server in self.servers()}
        return all(
            found.get((haproxy.backend(port), server)) == addresses[target]
            for port in shape.ports
            for server, target in shape.servers(colour)
            if target in addresses
        )
