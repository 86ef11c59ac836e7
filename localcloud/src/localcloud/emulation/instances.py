# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Gives moto's EC2 instances a life cycle that follows their containers; installs itself in moto and starts no container."""

from __future__ import annotations

import copy
import dataclasses
import ipaddress
import typing as t

import moto.ec2.models.elastic_ip_addresses
import moto.ec2.models.elastic_network_interfaces
import moto.ec2.models.iam_instance_profile
import moto.ec2.models.instances
import moto.ec2.models.subnets
import moto.ec2.responses.instances
import moto.ec2.utils
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models import ec2_backends
from moto.ec2.models.instances import Instance, InstanceBackend, InstanceState, MetadataOptions, StateReason

from . import identity
from .addresses import PublicAddresses, mac_of

CODES = {"pending": 0, "running": 16, "shutting-down": 32, "terminated": 48, "stopping": 64, "stopped": 80}


@dataclasses.dataclass(frozen=True)
class Hooks:
    """What the data plane does for a new instance: `place` maps an address in a VPC (id, CIDR) to the one it really gets."""

    place: t.Callable[[str, str, str], str]


_hooks: list[Hooks] = []


class IncorrectInstanceStateError(EC2ClientError):
    """An instance that cannot do this in its state."""

    def __init__(self, instance_id: str, action: str) -> None:
        super().__init__("IncorrectInstanceState", f"The instance '{instance_id}' is not in a state from which it can be {action}.")


class LiveInstance(Instance):
    """An instance whose state moves on when its container does.

    `reboot_wanted` asks the data plane for a restart; `cidr_address` is the address inside the subnet, which differs from the private
    address when the VPC's CIDR was taken on this machine.
    """

    def __init__(self, ec2_backend: t.Any, image_id: str, user_data: t.Any, security_groups: list[t.Any], **kwargs: t.Any) -> None:
        template = _template(ec2_backend, kwargs)
        _fill_from_template(kwargs, template)
        if not kwargs.get("subnet_id") and not any("SubnetId" in nic or "NetworkInterfaceId" in nic for nic in kwargs.get("nics") or []):
            kwargs["subnet_id"] = _default_subnet(ec2_backend, kwargs.get("placement"))
        self.reboot_wanted = False
        self.cidr_address: str | None = None
        self._keep_interface = {
            int(nic.get("DeviceIndex", 0)) for nic in kwargs.get("nics") or [] if str(nic.get("DeleteOnTermination")).lower() == "false"
        }
        super().__init__(ec2_backend, image_id, user_data, security_groups, **kwargs)
        self.enter("pending")
        profile = template.get("IamInstanceProfile") or {}
        if profile and not self.iam_instance_profile:
            found = identity.filter_iam_instance_profiles(self.owner_id, "aws", profile.get("Arn"), profile.get("Name"))
            self.iam_instance_profile = {"Arn": found.arn, "Id": found.id}

    def prep_nics(self, *args: t.Any, **kwargs: t.Any) -> None:
        """As moto, then: real addresses, and interfaces that go with their instance unless told otherwise."""
        super().prep_nics(*args, **kwargs)
        for index, nic in self.nics.items():
            nic.delete_on_termination = index not in self._keep_interface
        primary = self.nics[0]
        self.security_groups = self.security_groups or list(primary.group_set)  # those that the interface names are the instance's
        self.cidr_address = primary.private_ip_address
        vpc = self.ec2_backend.get_vpc(primary.subnet.vpc_id)
        real = _hooks[0].place(vpc.id, vpc.cidr_block, self.cidr_address) if _hooks else self.cidr_address
        primary.mac_address = mac_of(real)
        if real != self.cidr_address:
            primary.private_ip_address = real
            for address in primary.private_ip_addresses:
                if address.get("PrivateIpAddress") == self.cidr_address:
                    address["PrivateIpAddress"] = real

    def enter(self, state: str, reason_code: str = "", reason: str = "") -> None:
        """Be in this state from now on."""
        self._state = InstanceState(state, CODES[state])
        if reason_code:
            self.state_reason = StateReason(f"{reason_code}: {reason}", reason_code)

    def start(self) -> InstanceState:
        """StartInstances."""
        previous = copy.copy(self._state)
        if previous.name in ("running", "pending"):
            return previous
        if previous.name != "stopped":
            raise IncorrectInstanceStateError(self.id, "started")
        super().start()
        self.enter("pending")
        return previous

    def stop(self) -> InstanceState:
        """StopInstances."""
        previous = copy.copy(self._state)
        if previous.name in ("stopped", "stopping"):
            return previous
        if previous.name != "running":
            raise IncorrectInstanceStateError(self.id, "stopped")
        super().stop()
        self.reboot_wanted = False
        self.enter("stopping")
        return previous

    def terminate(self) -> InstanceState:
        """TerminateInstances."""
        previous = copy.copy(self._state)
        if previous.name in ("terminated", "shutting-down"):
            return previous
        for address in self.ec2_backend.addresses:
            if address.instance is self and address.association_id:
                self.ec2_backend.disassociate_address(association_id=address.association_id)
        primary = self.nics[0]
        subnet, own_address = primary.subnet, primary.delete_on_termination
        super().terminate()
        if own_address and self.cidr_address != primary.private_ip_address:
            subnet.del_subnet_ip(self.cidr_address)
        self._private_ips = set()  # given back: a finalizer must not do it again when another instance has the address
        self.enter("shutting-down")
        return previous

    def reboot(self) -> None:
        """RebootInstances."""
        if self.state == "running":
            self.reboot_wanted = True
        elif self.state != "pending":
            raise IncorrectInstanceStateError(self.id, "rebooted")

    def died(self, *, data_left: bool) -> None:
        """Its container ended without being asked to: what EC2 shows of a machine that switched itself off, or was lost."""
        if data_left and self.instance_initiated_shutdown_behavior == "stop":
            for nic in self.nics.values():
                nic.stop()
            self.enter("stopped", "Client.InstanceInitiatedShutdown", "Instance initiated shutdown")
            return
        self.terminate()
        if data_left:
            self.enter("shutting-down", "Client.InstanceInitiatedShutdown", "Instance initiated shutdown")
        else:
            self.enter("shutting-down", "Server.InternalError", "Internal error, the container was removed")

    @property
    def public_dns_name(self) -> str | None:
        """The public address: a name in amazonaws.com would not resolve to this machine."""
        return self.public_ip


def _template(backend: t.Any, kwargs: dict[str, t.Any]) -> dict[str, t.Any]:
    wanted = kwargs.get("launch_template")
    return backend._get_template_from_args(wanted).data if wanted else {}


def _fill_from_template(kwargs: dict[str, t.Any], template: dict[str, t.Any]) -> None:
    """What moto does not take from a launch template: metadata options and network interfaces."""
    if template.get("MetadataOptions") and not kwargs.get("metadata_options"):
        kwargs["metadata_options"] = dict(template["MetadataOptions"])
    interfaces = template.get("NetworkInterfaces")
    if interfaces and not kwargs.get("nics"):
        kwargs["nics"] = [{"DeviceIndex": 0, **_typed(nic)} for nic in interfaces]


def _typed(nic: dict[str, t.Any]) -> dict[str, t.Any]:
    typed = dict(nic)
    for flag in ("AssociatePublicIpAddress", "DeleteOnTermination"):
        if isinstance(typed.get(flag), str):
            typed[flag] = typed[flag].lower() == "true"
    return typed


def _default_subnet(backend: t.Any, zone: str | None) -> str | None:
    subnets = [subnet for by_zone in backend.subnets.values() for subnet in by_zone.values() if subnet.default_for_az]
    subnets.sort(key=lambda subnet: subnet.availability_zone)
    for subnet in subnets:
        if zone in (None, subnet.availability_zone):
            return subnet.id
    return None


def _modify_metadata_options(
    self: InstanceBackend,
    instance_id: str,
    http_tokens: str | None = None,
    hop_limit: int | None = None,
    http_endpoint: str | None = None,
    dry_run: bool | None = False,
    http_protocol: str | None = None,
    metadata_tags: str | None = None,
) -> MetadataOptions:
    """As moto's, but options that are not given stay as they are."""
    options = self.get_instance(instance_id).metadata_options
    options.http_tokens = http_tokens or options.http_tokens
    options.http_put_response_hop_limit = int(hop_limit or options.http_put_response_hop_limit)
    options.http_endpoint = http_endpoint or options.http_endpoint
    options.http_protocol_ipv6 = http_protocol or options.http_protocol_ipv6
    options.instance_metadata_tags = metadata_tags or options.instance_metadata_tags
    return options


def _request_ip(original: t.Callable[..., None]) -> t.Callable[..., None]:
    def request_ip(self: t.Any, ip: str, instance: t.Any) -> None:
        address = ipaddress.ip_address(ip)
        if address not in self.cidr:
            raise EC2ClientError("InvalidParameterValue", f"Address {ip} does not fall within the subnet's address range")
        if int(address) - int(self.cidr.network_address) < 4 or address == self.cidr.broadcast_address:
            raise EC2ClientError("InvalidParameterValue", f"Address {ip} is in subnet's reserved address range")
        if ip in self._subnet_ips:
            raise EC2ClientError("InvalidIPAddress.InUse", f"Address {ip} is in use.")
        original(self, ip, instance)

    return request_ip


def _free_private_address(cidr: str | None = None, ipv6: bool = False) -> str:
    """An address of a subnet that nothing has; stands in for moto's random one. Finds the subnet by its CIDR."""
    if cidr is None or ipv6:
        return moto.ec2.utils.random_private_ip(cidr, ipv6)
    for backend in backends():
        for by_zone in backend.subnets.values():
            for subnet in by_zone.values():
                if subnet.cidr_block == cidr:
                    return subnet.get_available_subnet_ip(instance=None)
    return moto.ec2.utils.random_private_ip(cidr)


def backends() -> list[t.Any]:
    """The state of EC2 in every region that was used; the caller holds moto's lock."""
    return [backend for account in list(ec2_backends.values()) for backend in list(account.values())]


other_public_addresses: list[t.Callable[[], set[str]]] = []
"""Each tells the public addresses that somebody else has taken from the same range."""


def public_addresses_in_use() -> set[str]:
    """Every public address that an instance, an Elastic IP or an edge holds."""
    used: set[str] = set().union(*(taken() for taken in other_public_addresses))
    for backend in backends():
        used |= {address.public_ip for address in backend.addresses}
        used |= {nic.public_ip for nic in backend.enis.values() if nic.public_ip}
    return used


def live_instances() -> list[LiveInstance]:
    """Every instance of every region, in the order of launch; the caller holds moto's lock."""
    found = [instance for backend in backends() for reservation in backend.reservations.values() for instance in reservation.instances]
    return sorted(found, key=lambda instance: instance.launch_time)


def find(instance_id: str) -> LiveInstance | None:
    """The instance with this id; the caller holds moto's lock."""
    return next((instance for instance in live_instances() if instance.id == instance_id), None)


def install(public_prefix: str, hooks: Hooks) -> None:
    """Replace the names in moto that make instances and addresses; once per process."""
    addresses = PublicAddresses(public_prefix, public_addresses_in_use)
    _hooks[:] = [hooks]
    moto.ec2.models.instances.Instance = LiveInstance  # type: ignore[misc]
    moto.ec2.models.elastic_ip_addresses.random_ip = addresses.take
    moto.ec2.models.elastic_network_interfaces.random_public_ip = addresses.take
    moto.ec2.models.elastic_network_interfaces.random_private_ip = _free_private_address
    moto.ec2.models.iam_instance_profile.filter_iam_instance_profiles = identity.filter_iam_instance_profiles
    moto.ec2.responses.instances.filter_iam_instance_profiles = identity.filter_iam_instance_profiles
    InstanceBackend.modify_instance_metadata_options = _modify_metadata_options  # type: ignore[method-assign]
    subnet = moto.ec2.models.subnets.Subnet
    subnet.request_ip = _request_ip(subnet.request_ip)  # type: ignore[method-assign]
