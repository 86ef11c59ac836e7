# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every service may know of the running cloud: its settings and its instances; no service logic and no I/O."""

from __future__ import annotations

import dataclasses
import datetime
import pathlib
import typing as t

if t.TYPE_CHECKING:
    import docker

    from .certificates import Authority
    from .names import Names

LABEL = "localcloud"
"""Label on every container, network and volume; its value is the cloud's name."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Ports:
    """TCP ports on 127.0.0.1, and, relayed under the same number, on the gateway address of every VPC's network."""

    api: int
    registry: int
    ssmmessages: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class Instance:
    """One EC2 instance as it is at this moment; a view, not a handle.

    `state` is EC2's name of the state (`pending`, `running`, `shutting-down`, `terminated`, `stopping`, `stopped`).
    `container_id` is None while there is no container. `source_ip` is the address that packets of the instance carry: `private_ip`, except
    in a VPC whose CIDR was taken on this machine. `reaches_internet` is true with a route to an internet gateway and a public
    address, or with a route to a NAT gateway.
    """

    id: str
    state: str
    private_ip: str | None
    source_ip: str | None
    public_ip: str | None
    container_id: str | None
    vpc_id: str | None
    subnet_id: str | None
    availability_zone: str
    image_id: str
    profile_arn: str | None
    role_name: str | None
    launch_time: datetime.datetime
    tags: dict[str, str]
    reaches_internet: bool


class InstanceDirectory(t.Protocol):
    """Reads the instances of the cloud; safe to call from any thread."""

    def get(self, instance_id: str) -> Instance | None:
        """The instance with this id, or None; terminated ones are known until EC2 forgets them."""

    def all(self) -> list[Instance]:
        """Every instance that EC2 still knows, in the order of launch."""

    def by_address(self, address: str) -> Instance | None:
        """The instance whose packets carry this source address, or None; never a terminated one."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Interface:
    """A network interface that a service (a load balancer, a task, a cache node) holds; EC2's API shows it as requester-managed.

    `private_ip` is the address that the container behind it must get in the Docker network `network_name`; `public_ip` is a loopback
    address on which the ports that the security groups open to the outside answer.
    """

    id: str
    private_ip: str
    public_ip: str | None
    mac_address: str
    vpc_id: str
    subnet_id: str
    availability_zone: str
    group_ids: tuple[str, ...]
    network_name: str


@dataclasses.dataclass(frozen=True)
class Subnet:
    """A subnet, as far as a service that places something in it has to know it."""

    id: str
    vpc_id: str
    availability_zone: str


class InterfaceMaker(t.Protocol):
    """Makes interfaces in a VPC's subnets; safe for threads; makes the VPC's Docker network when there is none."""

    def create(
        self, subnet_id: str, *, group_ids: t.Sequence[str] = (), description: str, public: bool = False, guard: str = ""
    ) -> Interface:
        """A new interface; KeyError when there is no such subnet or security group, LocalCloudError when it has no address left.

        With a `guard`, nothing in the VPC reaches it but what its security groups let in, and the interfaces with the same guard.
        """

    def subnet(self, subnet_id: str) -> Subnet:
        """The subnet of this id; KeyError when there is none."""

    def delete(self, interface_id: str) -> None:
        """Give its addresses back; nothing happens when it is gone."""

    def set_groups(self, interface_id: str, group_ids: t.Sequence[str]) -> None:
        """Put it into other security groups."""


class TargetGroups(t.Protocol):
    """Target groups of load balancers for the services whose resources are targets; safe for threads.

    A target is an address or an instance id, with a port. Every method but `exists` raises KeyError for an ARN of no target group.
    Whoever calls holds no lock that EC2's records need (moto's), which these methods take themselves.
    """

    def register_targets(self, target_group_arn: str, targets: list[tuple[str, int]]) -> None:
        """Let them get requests once they are healthy."""

    def register_instance(self, target_group_arn: str, instance_id: str) -> None:
        """The same for an instance, at the target group's own port. Raises ValueError when it cannot be a target."""

    def deregister_targets(self, target_group_arn: str, targets: list[tuple[str, int]]) -> None:
        """Let them drain; those that are not registered do not matter."""

    def target_health(self, target_group_arn: str) -> dict[tuple[str, int], str]:
        """Target -> its state in the API: initial, healthy, unhealthy, draining or unused."""

    def exists(self, target_group_arn: str) -> bool:
        """Whether there is a target group with this ARN."""


class NoTargetGroups:
    """A cloud without load balancers."""

    def register_targets(self, target_group_arn: str, targets: list[tuple[str, int]]) -> None:
        """Raise KeyError."""
        raise KeyError(target_group_arn)

    def register_instance(self, target_group_arn: str, instance_id: str) -> None:
        """Raise KeyError."""
        raise KeyError(target_group_arn)

    def deregister_targets(self, target_group_arn: str, targets: list[tuple[str, int]]) -> None:
        """Raise KeyError."""
        raise KeyError(target_group_arn)

    def target_health(self, target_group_arn: str) -> dict[tuple[str, int], str]:
        """Raise KeyError."""
        raise KeyError(target_group_arn)

    def exists(self, target_group_arn: str) -> bool:
        """False."""
        return False


class EdgeMaker(t.Protocol):
    """Gives public addresses to services that stand in no VPC; safe for threads."""

    def open(self, ports: dict[int, int]) -> str:
        """A new loopback address; `ports` maps its TCP ports to those of 127.0.0.1 that answer."""

    def close(self, address: str) -> None:
        """Give an address back; nothing happens when it is not open."""


@dataclasses.dataclass(kw_only=True)
class Cloud:
    """One running cloud; handed to each service's `create`. Nothing in it changes but `target_groups`, which a service provides."""

    name: str
    account_id: str
    region: str
    state_dir: pathlib.Path
    ports: Ports
    docker: docker.DockerClient
    instances: InstanceDirectory
    interfaces: InterfaceMaker
    edges: EdgeMaker
    names: Names
    """What a name stands for: resolved on this machine (/etc/hosts) with the public addresses, in VPCs with the private ones."""
    dns_server: t.Callable[[str], str]
    """Docker network's name → address of the name server for a container in it, for `dns=[…]`; it answers `names` and forwards the
    rest. KeyError when the network does not exist: make an interface first."""
    certificates: Authority
    """Signs what the cloud's services serve over TLS; clients trust its file in the state directory. `pem(arn)` is a certificate of
    ACM with its key, `use` and `release` keep it from being deleted."""
    changed: t.Callable[[], None] = dataclasses.field(default=lambda: None)
    """Tell the data plane that EC2's records may have changed; safe for threads."""
    link_local: t.Callable[[str, int], None] = dataclasses.field(default=lambda address, port: None)
    """Let port 80 of a link-local address lead, from inside every VPC, to a port of 127.0.0.1; safe for threads."""
    target_groups: TargetGroups = dataclasses.field(default_factory=NoTargetGroups)

    @property
    def api_url(self) -> str:
        """Where the API answers on this machine."""
        return f"http://127.0.0.1:{self.ports.api}"

    @property
    def labels(self) -> dict[str, str]:
        """Labels for every Docker object that belongs to this cloud; `down` removes what carries them."""
        return {LABEL: self.name}
