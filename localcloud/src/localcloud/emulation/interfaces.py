# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Network interfaces that services hold in a VPC, kept in moto's EC2 so that its API shows them; starts no container."""

from __future__ import annotations

import typing as t

from moto.ec2.models.elastic_network_interfaces import NetworkInterface

from ..cloud import Interface, Subnet
from ..dataplane.networks import Networks, VpcNetwork
from ..dataplane.rules import Exposure, Guard, OpenPorts, ports_of
from ..errors import LocalCloudError
from .addresses import mac_of
from .directory import has_internet_gateway, open_ports, reaches_internet
from .instances import backends
from .moto import LOCK


class Interfaces:
    """The interfaces of one cloud that belong to no instance; safe for threads."""

    def __init__(self, region: str, networks: Networks, changed: t.Callable[[], None]) -> None:
        self._region = region
        self._networks = networks
        self._changed = changed
        self._held: dict[str, tuple[NetworkInterface, str]] = {}
        """Interface id → moto's interface and its address inside the subnet's own CIDR."""
        self._guards: dict[str, str] = {}
        """Guarded interface's id → what it has in common with those that may always reach it."""

    def create(
        self, subnet_id: str, *, group_ids: t.Sequence[str] = (), description: str, public: bool = False, guard: str = ""
    ) -> Interface:
        """A new interface; KeyError when there is no such subnet or security group, LocalCloudError when it has no address left."""
        with LOCK:
            backend, subnet = self._subnet(subnet_id)
            for group_id in group_ids:
                if backend.get_security_group_from_id(group_id) is None:
                    raise KeyError(group_id)
            vpc = backend.get_vpc(subnet.vpc_id)
            network = self._networks.ensure(vpc.id, vpc.cidr_block)
            try:
                address = subnet.get_available_subnet_ip(instance=None)
            except StopIteration:
                raise LocalCloudError(f"Failed to make an interface in {subnet_id}: the subnet has no free address.") from None
            nic = backend.create_network_interface(
                subnet, address, group_ids=list(group_ids), description=description, public_ip_auto_assign=public
            )
            nic.requester_managed = True
            nic.status = "in-use"
            real = network.place(address)
            nic.private_ip_address = real
            nic.mac_address = mac_of(real)
            for item in nic.private_ip_addresses:
                item["PrivateIpAddress"] = real
            self._held[nic.id] = (nic, address)
            if guard:
                self._guards[nic.id] = guard
            found = Interface(
                id=nic.id,
                private_ip=real,
                public_ip=nic.public_ip,
                mac_address=nic.mac_address,
                vpc_id=vpc.id,
                subnet_id=subnet.id,
                availability_zone=subnet.availability_zone,
                group_ids=tuple(group.id for group in nic.group_set),
                network_name=network.name,
            )
        self._changed()
        return found

    def subnet(self, subnet_id: str) -> Subnet:
        """The subnet of this id; KeyError when there is none."""
        with LOCK:
            _, subnet = self._subnet(subnet_id)
            return Subnet(subnet.id, subnet.vpc_id, subnet.availability_zone)

    def delete(self, interface_id: str) -> None:
        """Give its addresses back; nothing happens when it is gone."""
        with LOCK:
            nic, address = self._held.pop(interface_id, (None, ""))
            self._guards.pop(interface_id, None)
            if nic is not None:
                nic.ec2_backend.enis.pop(interface_id, None)
                nic.subnet.del_subnet_ip(address)
        self._changed()

    def set_groups(self, interface_id: str, group_ids: t.Sequence[str]) -> None:
        """Put it into other security groups; KeyError when the interface or a group does not exist."""
        with LOCK:
            nic, _ = self._held[interface_id]
            groups = {group_id: nic.ec2_backend.get_security_group_from_id(group_id) for group_id in group_ids}
            for group_id, group in groups.items():
                if group is None:
                    raise KeyError(group_id)
            nic._group_set = list(groups.values())
        self._changed()

    def exposures(self) -> list[Exposure]:
        """Every public address of an interface, with the ports that its security groups open to the outside."""
        with LOCK:
            return [
                Exposure(str(nic.public_ip), str(nic.private_ip_address), frozenset(open_ports(nic.group_set)))
                for nic, _ in self._held.values()
                if nic.public_ip and has_internet_gateway(nic.ec2_backend, nic.subnet.vpc_id, nic.subnet.id)
            ]

    def confined(self) -> list[str]:
        """Addresses of interfaces without a way to the internet."""
        with LOCK:
            return [
                str(nic.private_ip_address)
                for nic, _ in self._held.values()
                if not reaches_internet(nic.ec2_backend, nic.subnet.vpc_id, nic.subnet.id, nic.public_ip)
            ]

    def guards(self) -> list[Guard]:
        """Guarded interfaces, with what their security groups and their fellows let in."""
        with LOCK:
            found = []
            for interface_id, name in self._guards.items():
                nic, _ = self._held[interface_id]
                fellows = [other for other, known in self._guards.items() if known == name and other != interface_id]
                addresses = [str(self._held[other][0].private_ip_address) for other in fellows]
                openings = {(f"{address}/32", OpenPorts("tcp")) for address in addresses}
                network = self._networks.get(nic.subnet.vpc_id)
                if network is not None:
                    openings |= set(openings_of(nic.group_set, nic.ec2_backend.enis.values(), network))
                found.append(Guard(str(nic.private_ip_address), frozenset(openings)))
            return found

    def _subnet(self, subnet_id: str) -> tuple[t.Any, t.Any]:
        for backend in backends():
            if backend.region_name == self._region:
                for by_zone in backend.subnets.values():
                    if subnet_id in by_zone:
                        return backend, by_zone[subnet_id]
        raise KeyError(subnet_id)


def openings_of(groups: t.Iterable[t.Any], interfaces: t.Iterable[t.Any], network: VpcNetwork) -> t.Iterator[tuple[str, OpenPorts]]:
    """Sources and ports that security groups of moto's let in; a source group is the addresses of the interfaces that are in it."""
    interfaces = list(interfaces)
    for group in groups:
        for rule in group.ingress_rules:
            source = (rule.source_group or {}).get("GroupId")
            members = [nic for nic in interfaces if source and source in {other.id for other in nic.group_set}]
            sources = [f"{nic.private_ip_address}/32" for nic in members if nic.private_ip_address]
            if rule.cidr_ipv4:
                sources += network.place_range(rule.cidr_ipv4)
            for ports in ports_of(rule.ip_protocol, rule.from_port, rule.to_port):
                yield from ((address, ports) for address in sources)
