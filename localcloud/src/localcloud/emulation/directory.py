# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads instances, their metadata and their way to the outside from moto's state; changes nothing."""

from __future__ import annotations

import base64
import binascii
import dataclasses
import datetime
import typing as t

from ..cloud import Instance
from ..dataplane.rules import Exposure, OpenPorts, is_outside, ports_of
from . import identity
from .instances import LiveInstance, backends, find, live_instances
from .moto import LOCK

EVERYWHERE = "0.0.0.0/0"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Metadata:
    """What the metadata service of one instance tells."""

    instance: Instance
    account_id: str
    region: str
    hostname: str
    mac: str
    interface_id: str
    instance_type: str
    security_groups: list[str]
    security_group_ids: list[str]
    subnet_cidr: str
    vpc_cidr: str
    zone_id: str
    launch_index: int
    key_name: str | None
    user_data: bytes | None = dataclasses.field(repr=False)
    profile_id: str | None
    endpoint_enabled: bool
    tokens_required: bool
    hop_limit: int
    tags_enabled: bool


class MotoDirectory:
    """The instances of the cloud; safe for threads. `containers` names the container of each instance."""

    def __init__(self, containers: t.Callable[[], dict[str, str]]) -> None:
        self._containers = containers

    def get(self, instance_id: str) -> Instance | None:
        """The instance with this id, or None."""
        with LOCK:
            found = find(instance_id)
            return self._view(found) if found else None

    def all(self) -> list[Instance]:
        """Every instance, in the order of launch."""
        with LOCK:
            return [self._view(instance) for instance in live_instances()]

    def by_address(self, address: str) -> Instance | None:
        """The live instance that has this address in its network, or None."""
        with LOCK:
            found = self._live_at(address)
            return self._view(found) if found else None

    def metadata(self, address: str) -> Metadata | None:
        """What the metadata service tells the instance with this address, or None."""
        with LOCK:
            found = self._live_at(address)
            return self._metadata(found) if found else None

    def exposures(self) -> list[Exposure]:
        """Every public address behind which an instance runs, with the ports that its security groups open to the outside."""
        with LOCK:
            return [
                Exposure(instance.public_ip, instance.private_ip, frozenset(open_ports(instance.nics[0].group_set)))
                for instance in live_instances()
                if instance.state == "running" and instance.public_ip and instance.private_ip and _has_internet_gateway(instance)
            ]

    def confined(self) -> list[str]:
        """Addresses of live instances without a way to the internet."""
        with LOCK:
            return [
                str(instance.private_ip)
                for instance in live_instances()
                if instance.state in ("pending", "running") and instance.private_ip and not _reaches_internet(instance)
            ]

    def vpc_ids(self) -> set[str]:
        """Every VPC that exists."""
        with LOCK:
            return {vpc_id for backend in backends() for vpc_id in backend.vpcs}

    @staticmethod
    def _live_at(address: str) -> LiveInstance | None:
        alive = [instance for instance in live_instances() if instance.state not in ("terminated", "shutting-down")]
        return next((instance for instance in alive if instance.private_ip == address), None)

    def _view(self, instance: LiveInstance) -> Instance:
        gone = instance.state == "terminated"
        profile = instance.iam_instance_profile or {}
        known = identity.find_profile(arn=profile.get("Arn")) if profile else None
        address = None if gone or not instance.nics else instance.private_ip
        return Instance(
            id=instance.id,
            state=instance.state,
            private_ip=address,
            source_ip=address,
            public_ip=None if gone else instance.public_ip,
            container_id=self._containers().get(instance.id),
            vpc_id=instance.vpc_id,
            subnet_id=instance.subnet_id,
            availability_zone=str(instance.availability_zone),
            image_id=instance.image_id,
            profile_arn=profile.get("Arn"),
            role_name=known.role_name if known else None,
            launch_time=instance.launch_time.replace(tzinfo=instance.launch_time.tzinfo or datetime.UTC),
            tags={tag["key"]: tag["value"] for tag in instance.get_tags()},
            reaches_internet=not gone and _reaches_internet(instance),
        )

    def _metadata(self, instance: LiveInstance) -> Metadata:
        nic = instance.nics[0]
        vpc = instance.ec2_backend.get_vpc(nic.subnet.vpc_id)
        options = instance.metadata_options
        groups = sorted(nic.group_set, key=lambda group: group.id)
        profile = instance.iam_instance_profile or {}
        known = identity.find_profile(arn=profile.get("Arn")) if profile else None
        return Metadata(
            instance=self._view(instance),
            account_id=instance.owner_id,
            region=instance.region_name,
            hostname=instance.private_dns_name,
            mac=nic.mac_address,
            interface_id=nic.id,
            instance_type=instance.instance_type,
            security_groups=[group.name for group in groups],
            security_group_ids=[group.id for group in groups],
            subnet_cidr=nic.subnet.cidr_block,
            vpc_cidr=vpc.cidr_block,
            zone_id=nic.subnet.availability_zone_id,
            launch_index=int(instance.ami_launch_index),
            key_name=instance.key_name,
            user_data=decode_user_data(instance.user_data),
            profile_id=known.id if known else None,
            endpoint_enabled=options.http_endpoint != "disabled",
            tokens_required=options.http_tokens == "required",
            hop_limit=int(options.http_put_response_hop_limit),
            tags_enabled=options.instance_metadata_tags == "enabled",
        )


def decode_user_data(value: t.Any) -> bytes | None:
    """The bytes of user data, which the API carries in Base64; None when there is none."""
    text = "" if value is None else str(value)
    if not text:
        return None
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        return text.encode()  # a client that did not encode it


def open_ports(groups: t.Iterable[t.Any]) -> list[OpenPorts]:
    """The ports that security groups of moto's open to the outside."""
    opened: list[OpenPorts] = []
    for group in groups:
        for rule in group.ingress_rules:
            if rule.cidr_ipv4 and is_outside(rule.cidr_ipv4):
                opened.extend(ports_of(rule.ip_protocol, rule.from_port, rule.to_port))
    return opened


def _routes(backend: t.Any, vpc_id: str | None, subnet_id: str | None) -> list[t.Any]:
    tables = [table for table in backend.route_tables.values() if table.vpc_id == vpc_id]
    own = [table for table in tables if subnet_id in table._associations.values()]
    main = [table for table in tables if table.main_association_id]
    return [route for table in (own or main)[:1] for route in table.routes]


def has_internet_gateway(backend: t.Any, vpc_id: str | None, subnet_id: str | None) -> bool:
    """Whether the subnet's route table leads to an internet gateway; the caller holds moto's lock."""
    return any(_leads_to_gateway(route) for route in _routes(backend, vpc_id, subnet_id))


def reaches_internet(backend: t.Any, vpc_id: str | None, subnet_id: str | None, public_ip: str | None) -> bool:
    """Whether packets from an interface of this subnet get out; the caller holds moto's lock."""
    default = [route for route in _routes(backend, vpc_id, subnet_id) if route.destination_cidr_block == EVERYWHERE]
    if any(route.nat_gateway is not None for route in default):
        return True
    return bool(public_ip) and any(_leads_to_gateway(route) for route in default)


def _leads_to_gateway(route: t.Any) -> bool:
    return route.gateway is not None and str(route.gateway.id).startswith("igw-")


def _has_internet_gateway(instance: LiveInstance) -> bool:
    return has_internet_gateway(instance.ec2_backend, instance.vpc_id, instance.subnet_id)


def _reaches_internet(instance: LiveInstance) -> bool:
    return reaches_internet(instance.ec2_backend, instance.vpc_id, instance.subnet_id, instance.public_ip)
