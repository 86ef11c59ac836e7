# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""The proxy's configuration and runtime commands as text, and what its answers mean; no I/O.

One HAProxy stands before one service. Its file is the durable truth: a restarted proxy does what the file says. The runtime
API makes the same change at once, without a reload. Reference: https://docs.haproxy.org/3.0/management.html#9.3
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from .names import COLOURS, container_name, other, worker_service

_SERVER = re.compile(r"^ +server (blue|green)-(\d+) (\S+)(.*)$", re.MULTILINE)

# srv_admin_state bits that keep traffic away: forced/inherited maintenance, forced/inherited drain, no address.
_AWAY = 0x01 | 0x02 | 0x08 | 0x10 | 0x20

_GLOBAL = """\
global
    stats socket /bluegreen/admin.sock mode 600 level admin
    hard-stop-after 1h
    maxconn 8192

resolvers docker
    nameserver engine 127.0.0.11:53
    resolve_retries 3
    timeout resolve 1s
    timeout retry 1s
    hold valid 1s
    hold timeout 1h
    hold refused 1h
    hold other 1h
    hold obsolete 5s

defaults
    timeout connect 5s
    timeout client 1h
    timeout server 1h
    retries 3
    option redispatch
    default-server resolvers docker resolve-prefer ipv4
"""

# A fresh connection for each request: an idle one that the worker closes at the wrong moment would cost a request.
# A request without an answer is repeated only where repeating is safe.
_HTTP = """\
    mode http
    timeout http-request 60s
    timeout http-keep-alive 60s
    timeout tunnel 24h
    option http-server-close
    option forwardfor
    retry-on conn-failure empty-response
"""

_TCP = """\
    mode tcp
    timeout tunnel 24h
"""


# A proxy that starts or reloads looks the live containers up before it serves; the others are not there, and are not waited for.
_LIVE = "init-addr libc,none"
_IDLE = "init-addr none disabled"


@dataclass(frozen=True)
class Shape:
    """What a proxy serves: the service, its ports, its mode, and how many containers each colour has."""

    project: str
    service: str
    ports: tuple
    mode: str
    replicas: dict  # colour -> number

    def servers(self, colour: str) -> list:
        """(server name, container name) of a colour."""
        return [
            (f"{colour}-{number}", container_name(self.project, worker_service(self.service, colour), number))
            for number in range(1, self.replicas.get(colour, 0) + 1)
        ]


def backend(port: int) -> str:
    return f"port-{port}"


def render(shape: Shape, live: str) -> str:
    """The whole file; servers of the colour that is not live are disabled."""
    lines = [f"# {shape.project}/{shape.service}, written by a compose release. live: {live}", _GLOBAL.rstrip()]
    lines.append((_HTTP if shape.mode == "http" else _TCP).rstrip())
    for port in shape.ports:
        lines += ["", f"frontend in-{port}", f"    bind :{port}", f"    default_backend {backend(port)}", "", f"backend {backend(port)}"]
        if shape.mode == "http":
            lines.append("    http-request disable-l7-retry unless METH_GET")
        for colour in COLOURS:
            for server, target in shape.servers(colour):
                lines.append(f"    server {server} {target}:{port} {_LIVE if colour == live else _IDLE}")
    return "\n".join(lines) + "\n"


def live_in_file(text: str) -> str:
    """The colour whose servers are enabled in a configuration; empty when there is none or no clear answer."""
    found = {match.group(1) for match in _SERVER.finditer(text) if "disabled" not in match.group(4)}
    return found.pop() if len(found) == 1 else ""


def replicas_in_file(text: str) -> dict:
    """Number of servers per colour in a configuration."""
    result: dict = {}
    for match in _SERVER.finditer(text):
        result[match.group(1)] = max(result.get(match.group(1), 0), int(match.group(2)))
    return result


def address_commands(shape: Shape, colour: str, addresses: dict) -> list:
    """Commands that tell the proxy where the containers of a colour are; ``addresses`` is IP by container name."""
    return [
        f"set server {backend(port)}/{server} addr {addresses[target]} port {port}"
        for port in shape.ports
        for server, target in shape.servers(colour)
        if target in addresses
    ]


def switch_commands(shape: Shape, colour: str) -> list:
    """Commands that move the traffic to ``colour``: first it is ready everywhere, then the other drains, so that nobody finds nobody."""
    ready = [f"set server {backend(port)}/{server} state ready" for port in shape.ports for server, _name in shape.servers(colour)]
    drain = [f"set server {backend(port)}/{server} state drain" for port in shape.ports for server, _name in shape.servers(other(colour))]
    return ready + drain


def maintenance_commands(shape: Shape, colour: str) -> list:
    """Commands that put a colour's servers away; its containers are gone."""
    return [f"set server {backend(port)}/{server} state maint" for port in shape.ports for server, _name in shape.servers(colour)]


def _table(answer: str, first: str) -> list:
    lines = [line for line in answer.splitlines() if line.strip()]
    for number, line in enumerate(lines):
        if line.startswith("# " + first):
            separator = "," if "," in line else None
            head = line[2:].split(separator)
            return [dict(zip(head, row.split(separator))) for row in lines[number + 1 :]]  # noqa: B905  strict= is Python 3.10
    return []


@dataclass(frozen=True)
class Server:
    """One server as the running proxy sees it."""

    backend: str
    name: str
    address: str
    takes_traffic: bool


def parse_servers(answer: str) -> list:
    """Answer of ``show servers state``."""
    return [
        Server(row["be_name"], row["srv_name"], row["srv_addr"], not int(row["srv_admin_state"]) & _AWAY)
        for row in _table(answer, "be_id")
        if "srv_admin_state" in row
    ]


def live_in_runtime(servers: list, ports: tuple) -> str:
    """The one colour that takes traffic on every port; empty when there is no clear answer."""
    colours = set()
    for port in ports:
        here = {server.name.partition("-")[0] for server in servers if server.backend == backend(port) and server.takes_traffic}
        if len(here) != 1:
            return ""
        colours |= here
    return colours.pop() if len(colours) == 1 else ""


def ready_in_runtime(servers: list, colour: str) -> bool:
    """Whether some server of the colour takes traffic on every backend, and none of the other does."""
    backends = {server.backend for server in servers}
    with_it = {server.backend for server in servers if server.takes_traffic and server.name.startswith(colour + "-")}
    against = [server for server in servers if server.takes_traffic and not server.name.startswith(colour + "-")]
    return bool(backends) and backends == with_it and not against


def parse_sessions(answer: str, colour: str) -> int:
    """Sessions that a colour still has, from the answer of ``show stat``."""
    total = 0
    for row in _table(answer, "pxname"):
        if row.get("svname", "").startswith(colour + "-"):
            total += int(row.get("scur") or 0) + int(row.get("qcur") or 0)
    return total


def ports_in_file(text: str) -> tuple:
    """Ports that a configuration serves."""
    return tuple(sorted(int(port) for port in re.findall(r"^    bind :(\d+)$", text, re.MULTILINE)))


def mode_in_file(text: str) -> str:
    match = re.search(r"^    mode (http|tcp)$", text, re.MULTILINE)
    return match.group(1) if match else "http"
