# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the packet rules of one cloud as text for iptables-restore; pure."""

from __future__ import annotations

import dataclasses
import ipaddress


@dataclasses.dataclass(frozen=True, order=True)
class OpenPorts:
    """Ports that answer on a public address: all when `first` is None."""

    protocol: str
    first: int | None = None
    last: int | None = None


@dataclasses.dataclass(frozen=True)
class Exposure:
    """A public address and the instance behind it."""

    public_ip: str
    source_ip: str
    ports: frozenset[OpenPorts]


@dataclasses.dataclass(frozen=True)
class Guard:
    """An address inside a VPC that only some may reach, and no one else in the VPC; `openings` are sources (CIDRs) and ports."""

    address: str
    openings: frozenset[tuple[str, OpenPorts]]


@dataclasses.dataclass(frozen=True, order=True)
class Edge:
    """A port of a public address that leads to a port of 127.0.0.1."""

    public_ip: str
    port: int
    target: int


@dataclasses.dataclass(frozen=True)
class Link:
    """The bridge of a VPC's network and this machine's address on it."""

    bridge: str
    gateway: str


@dataclasses.dataclass(frozen=True)
class Chains:
    """Names of a cloud's chains; at most 28 characters each."""

    short: str

    @property
    def out(self) -> str:
        return f"LOCALCLOUD-{self.short}-OUT"

    @property
    def pre(self) -> str:
        return f"LOCALCLOUD-{self.short}-PRE"

    @property
    def post(self) -> str:
        return f"LOCALCLOUD-{self.short}-POST"

    @property
    def inp(self) -> str:
        return f"LOCALCLOUD-{self.short}-IN"

    @property
    def fwd(self) -> str:
        return f"LOCALCLOUD-{self.short}-FWD"

    @property
    def jumps(self) -> list[tuple[str, str, str]]:
        """(table, built-in chain, own chain)."""
        return [
            ("nat", "OUTPUT", self.out),
            ("nat", "PREROUTING", self.pre),
            ("nat", "POSTROUTING", self.post),
            ("filter", "OUTPUT", self.out),
            ("filter", "INPUT", self.inp),
            ("filter", "DOCKER-USER", self.fwd),  # Docker puts this chain before its own rules for each bridge
        ]


RESOLVER = "169.254.169.253"
"""The address at which AWS's resolver answers in every VPC, beside the gateway's."""

_PRIVATE = [ipaddress.IPv4Network(cidr) for cidr in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")]


def is_outside(cidr: str) -> bool:
    """Whether a rule's CIDR lets somebody in who is not in a private range; IPv4 only."""
    try:
        network = ipaddress.IPv4Network(cidr, strict=False)
    except ValueError:
        return False
    return not any(network.subnet_of(private) for private in _PRIVATE)


def ports_of(protocol: str, first: int | None, last: int | None) -> list[OpenPorts]:
    """A security group rule's protocol (`tcp`, `udp`, a number, `-1`) and ports as ports to open; none for other protocols."""
    protocol = {"6": "tcp", "17": "udp"}.get(str(protocol), str(protocol))
    if protocol == "-1":
        return [OpenPorts("tcp"), OpenPorts("udp")]
    if protocol not in ("tcp", "udp"):
        return []
    if first is None or (first <= 0 and (last or 0) >= 65535):
        return [OpenPorts(protocol)]
    return [OpenPorts(protocol, first, first if last is None else last)]


def render(
    chains: Chains, prefix: str, links: list[Link], exposures: list[Exposure], edges: list[Edge], confined: list[str],
    host_ports: list[int], dns_port: int, link_local: dict[str, int] | None = None, guards: list[Guard] | None = None,
) -> str:  # fmt: skip
    """All rules of a cloud.

    `confined` are addresses of instances without a way to the internet. `host_ports` listen on 127.0.0.1 and are reachable from
    instances at the gateway's address. `dns_port` of 127.0.0.1 is reachable there as port 53, and at the resolver's address.
    `link_local` are addresses whose port 80 leads to a port of 127.0.0.1. `guards` hold between containers; this machine reaches all.
    """
    nat: list[str] = []
    for exposure in sorted(exposures, key=lambda item: item.public_ip):
        for ports in sorted(exposure.ports, key=str):
            match = f"-d {exposure.public_ip}/32 {_match(ports)}"
            nat.append(f"-A {chains.out} {match} -j DNAT --to-destination {exposure.source_ip}")
    nat.extend(
        f"-A {chains.out} -d {edge.public_ip}/32 -p tcp --dport {edge.port} -j DNAT --to-destination 127.0.0.1:{edge.target}"
        for edge in sorted(edges)
    )
    filter_in: list[str] = []
    for link in sorted(links, key=lambda item: item.bridge):
        nat.extend(
            f"-A {chains.pre} -i {link.bridge} -d {link.gateway}/32 -p tcp --dport {port} -j DNAT --to-destination 127.0.0.1:{port}"
            for port in host_ports
        )
        nat.extend(
            f"-A {chains.pre} -i {link.bridge} -d {address}/32 -p {protocol} --dport 53 -j DNAT --to-destination 127.0.0.1:{dns_port}"
            for address in (link.gateway, RESOLVER)
            for protocol in ("udp", "tcp")
        )
        nat.extend(
            f"-A {chains.pre} -i {link.bridge} -d {address}/32 -p tcp --dport 80 -j DNAT --to-destination 127.0.0.1:{port}"
            for address, port in sorted((link_local or {}).items())
        )
        nat.append(f"-A {chains.post} -s 127.0.0.0/8 -o {link.bridge} -j MASQUERADE")
        # route_localnet, which the two kinds of rules above need, must not open the rest of loopback to instances
        filter_in.append(f"-A {chains.inp} -i {link.bridge} -d 127.0.0.0/8 -m conntrack --ctstate DNAT -j ACCEPT")
        filter_in.append(f"-A {chains.inp} -i {link.bridge} -d 127.0.0.0/8 -m conntrack ! --ctstate DNAT -j DROP")
    lines = [
        "*nat",
        *(f":{name} - [0:0]" for name in (chains.out, chains.pre, chains.post)),
        *nat,
        "COMMIT",
        "*filter",
        *(f":{name} - [0:0]" for name in (chains.out, chains.inp, chains.fwd)),
        # what is not opened must not reach a program of this machine that listens on 0.0.0.0
        f"-A {chains.out} -d {prefix}.0/24 -p tcp -j REJECT --reject-with tcp-reset",
        f"-A {chains.out} -d {prefix}.0/24 -j REJECT",
        *filter_in,
        *(line for guard in sorted(guards or [], key=lambda item: item.address) for line in _guard(chains.fwd, guard)),
        *(f"-A {chains.fwd} -i {link.bridge} -o {link.bridge} -j RETURN" for link in sorted(links, key=lambda item: item.bridge)),
        *(f"-A {chains.fwd} -s {address}/32 -j REJECT --reject-with icmp-net-unreachable" for address in sorted(confined)),
        "COMMIT",
    ]
    return "\n".join(lines) + "\n"


def _match(ports: OpenPorts) -> str:
    if ports.first is None:
        return f"-p {ports.protocol}"
    return f"-p {ports.protocol} --dport {ports.first}" + ("" if ports.first == ports.last else f":{ports.last}")


def _guard(chain: str, guard: Guard) -> list[str]:
    """What is not let in is dropped, as a security group does: the client waits until its own patience ends."""
    return [
        f"-A {chain} -d {guard.address}/32 -m conntrack --ctstate ESTABLISHED,RELATED -j RETURN",
        *(f"-A {chain} -s {source} -d {guard.address}/32 {_match(ports)} -j RETURN" for source, ports in sorted(guard.openings, key=str)),
        f"-A {chain} -d {guard.address}/32 -j DROP",
    ]
