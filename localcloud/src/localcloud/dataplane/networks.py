# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One Docker network per VPC, with the VPC's CIDR or a substitute; made when the first instance needs it."""

from __future__ import annotations

import dataclasses
import ipaddress
import json
import logging
import os
import subprocess
import threading
import urllib.parse

import docker
import docker.errors
from docker.types import IPAMConfig, IPAMPool

from ..cloud import LABEL
from ..errors import LocalCloudError
from . import firewall
from .rules import Link

VPC_LABEL = f"{LABEL}.vpc"
MTU = 1400
POOL = [ipaddress.IPv4Network(cidr) for cidr in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "198.18.0.0/15")]

_log = logging.getLogger("localcloud.networks")


@dataclasses.dataclass(frozen=True)
class VpcNetwork:
    """The Docker network of a VPC. `cidr` differs from `vpc_cidr` when that was taken on this machine."""

    vpc_id: str
    name: str
    vpc_cidr: ipaddress.IPv4Network
    cidr: ipaddress.IPv4Network
    link: Link

    def place(self, address: str) -> str:
        """The address in this network for an address in the VPC: the same host part."""
        offset = int(ipaddress.IPv4Address(address)) - int(self.vpc_cidr.network_address)
        return str(self.cidr.network_address + offset)

    def place_range(self, cidr: str) -> list[str]:
        """The part of this network that a range of the VPC's addresses stands for; none for a range outside of it."""
        wanted = ipaddress.IPv4Network(cidr, strict=False)
        if wanted.supernet_of(self.vpc_cidr):
            return [str(self.cidr)]
        if not wanted.subnet_of(self.vpc_cidr):
            return []
        return [f"{self.place(str(wanted.network_address))}/{wanted.prefixlen}"]


def substitute(wanted: ipaddress.IPv4Network, taken: list[ipaddress.IPv4Network]) -> ipaddress.IPv4Network | None:
    """A free private network of the same prefix length, or None; searched from the top, where people have put the fewest."""
    for pool in POOL:
        if wanted.prefixlen < pool.prefixlen:
            continue
        size = 1 << (32 - wanted.prefixlen)
        start = int(pool.broadcast_address) + 1 - size
        while start >= int(pool.network_address):
            candidate = ipaddress.IPv4Network((start, wanted.prefixlen))
            obstacles = [other for other in taken if other.overlaps(candidate)]
            if not obstacles:
                return candidate
            # step below the lowest obstacle, aligned
            start = (min(int(other.network_address) for other in obstacles) // size) * size
            start = min(start, int(candidate.network_address)) - size
    return None


def taken_networks(client: docker.DockerClient) -> list[ipaddress.IPv4Network]:
    """Networks that this machine routes to or that Docker has given away; the default route is not one."""
    taken = []
    routes = subprocess.run(["ip", "-json", "-4", "route", "show", "table", "all"], capture_output=True, check=False).stdout
    for route in json.loads(routes or b"[]"):
        destination = route.get("dst", "default")
        if destination != "default" and route.get("type", "unicast") == "unicast":
            taken.append(ipaddress.IPv4Network(destination, strict=False))
    for network in client.networks.list():
        for pool in (network.attrs.get("IPAM") or {}).get("Config") or []:
            if ":" not in pool.get("Subnet", ":"):
                taken.append(ipaddress.IPv4Network(pool["Subnet"], strict=False))
    taken.extend(depended_on(_text("/etc/resolv.conf") + _text("/run/systemd/resolve/resolv.conf"), dict(os.environ)))
    return [network for network in taken if network.prefixlen > 0]


def depended_on(resolv_conf: str, environment: dict[str, str]) -> list[ipaddress.IPv4Network]:
    """Addresses behind the default route that this machine cannot do without: name servers (resolv.conf(5)) and proxies.

    A network that covers one of them would cut the machine off from it.
    """
    words = [line.split()[1] for line in resolv_conf.splitlines() if line.startswith("nameserver") and len(line.split()) > 1]
    proxies = [value for key, value in environment.items() if key.lower() in ("http_proxy", "https_proxy", "all_proxy")]
    words.extend(urllib.parse.urlsplit(proxy if "//" in proxy else f"//{proxy}").hostname or "" for proxy in proxies)
    found = []
    for word in words:
        try:
            found.append(ipaddress.IPv4Network(word))
        except ValueError:  # a name, or IPv6
            continue
    return found


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except OSError:
        return ""


class Networks:
    """The networks of one cloud; safe for threads."""

    def __init__(self, client: docker.DockerClient, cloud_name: str, short: str) -> None:
        self._client = client
        self._cloud = cloud_name
        self._short = short
        self._lock = threading.Lock()
        self._known: dict[str, VpcNetwork] = {}

    def place(self, vpc_id: str, vpc_cidr: str, address: str) -> str:
        """The address that an instance really gets for `address` in this VPC."""
        return self.ensure(vpc_id, vpc_cidr).place(address)

    def all(self) -> list[VpcNetwork]:
        """Every network that exists."""
        with self._lock:
            return list(self._known.values())

    def get(self, vpc_id: str) -> VpcNetwork | None:
        """The network of this VPC, or None when no instance has needed one yet."""
        with self._lock:
            return self._known.get(vpc_id)

    def gateway_of(self, name: str) -> str:
        """The gateway's address in the network of this name, where API and DNS answer; KeyError when there is no such network."""
        with self._lock:
            for network in self._known.values():
                if network.name == name:
                    return network.link.gateway
        raise KeyError(name)

    def ensure(self, vpc_id: str, vpc_cidr: str) -> VpcNetwork:
        """The VPC's network, made when there is none."""
        with self._lock:
            if vpc_id not in self._known:
                self._known[vpc_id] = self._create(vpc_id, ipaddress.IPv4Network(vpc_cidr))
            return self._known[vpc_id]

    def remove_except(self, vpc_ids: set[str]) -> None:
        """Remove networks of VPCs that are gone; one that still has containers stays until the next call."""
        with self._lock:
            gone = [network for vpc_id, network in self._known.items() if vpc_id not in vpc_ids]
        for network in gone:
            try:
                self._client.networks.get(network.name).remove()
            except docker.errors.NotFound:
                pass
            except docker.errors.APIError as error:
                _log.info("network %s stays for now: %s", network.name, error.explanation)
                continue
            with self._lock:
                self._known.pop(network.vpc_id, None)
            _log.info("removed network %s", network.name)

    def _create(self, vpc_id: str, wanted: ipaddress.IPv4Network) -> VpcNetwork:
        cidr: ipaddress.IPv4Network | None = wanted
        taken = taken_networks(self._client)
        for _ in range(5):
            obstacles = [network for network in taken if network.overlaps(wanted)]
            if cidr == wanted and obstacles:
                cidr = substitute(wanted, taken)
            if cidr is None:
                break
            try:
                network = self._create_docker_network(vpc_id, wanted, cidr)
            except docker.errors.APIError as error:
                if "overlap" not in str(error.explanation).lower():
                    raise LocalCloudError(f"Failed to create the network of {vpc_id} with {cidr}: {error.explanation}") from error
                taken.append(cidr)  # somebody was quicker, or Docker knows of one that we cannot see
                cidr = substitute(wanted, taken)
                continue
            if cidr != wanted:
                _log.warning(
                    "The CIDR %s of %s is taken on this machine by %s; its instances get addresses in %s instead, with the same host part.",
                    wanted, vpc_id, ", ".join(str(other) for other in obstacles) or "another Docker network", cidr,
                )  # fmt: skip
            return network
        raise LocalCloudError(f"Failed to create the network of {vpc_id}: {wanted} and every private network of its size is taken here.")

    def _create_docker_network(self, vpc_id: str, wanted: ipaddress.IPv4Network, cidr: ipaddress.IPv4Network) -> VpcNetwork:
        bridge = f"lc{self._short[:4]}{vpc_id[-8:]}"
        gateway = str(cidr.network_address + 1)
        name = f"localcloud-{self._cloud}-{vpc_id}"
        self._client.networks.create(
            name,
            driver="bridge",
            labels={LABEL: self._cloud, VPC_LABEL: vpc_id},
            options={"com.docker.network.driver.mtu": str(MTU), "com.docker.network.bridge.name": bridge},
            ipam=IPAMConfig(pool_configs=[IPAMPool(subnet=str(cidr), gateway=gateway)]),
        )
        firewall.allow_loopback(bridge)
        _log.info("created network %s with %s", name, cidr)
        return VpcNetwork(vpc_id=vpc_id, name=name, vpc_cidr=wanted, cidr=cidr, link=Link(bridge=bridge, gateway=gateway))
