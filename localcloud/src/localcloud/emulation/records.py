# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""EC2's side of the data plane: which instances there are, what they are launched from, and how results are recorded."""

from __future__ import annotations

import logging
import typing as t

from ..dataplane.containers import Launch
from ..dataplane.networks import Networks
from ..dataplane.plan import Do, Record
from ..dataplane.rules import Exposure, Guard
from ..errors import LocalCloudError
from . import images
from .directory import MotoDirectory
from .instances import find, live_instances
from .interfaces import Interfaces
from .moto import LOCK

if t.TYPE_CHECKING:
    from ..settings import Settings

_log = logging.getLogger("localcloud.ec2")


class MotoRecords:
    """Reads and moves the states of moto's instances; safe for threads."""

    def __init__(self, settings: Settings, directory: MotoDirectory, interfaces: Interfaces) -> None:
        self._settings = settings
        self._directory = directory
        self._interfaces = interfaces

    def records(self) -> list[Record]:
        """Every instance that EC2 knows."""
        with LOCK:
            return [Record(instance.id, instance.state, instance.reboot_wanted) for instance in live_instances()]

    def exposures(self) -> list[Exposure]:
        """Public addresses and their open ports."""
        return self._directory.exposures() + self._interfaces.exposures()

    def confined(self) -> list[str]:
        """Addresses of instances without a way to the internet."""
        return self._directory.confined() + self._interfaces.confined()

    def guards(self) -> list[Guard]:
        """Addresses that only some may reach."""
        return self._interfaces.guards()

    def vpc_ids(self) -> set[str]:
        """VPCs that exist."""
        return self._directory.vpc_ids()

    def launch(self, instance_id: str, networks: Networks) -> Launch:
        """What to create the container of this instance from; LocalCloudError when it cannot be."""
        with LOCK:
            instance = find(instance_id)
            if instance is None or not instance.nics:
                raise LocalCloudError(f"Failed to launch {instance_id}: EC2 does not know it any more.")
            nic = instance.nics[0]
            vpc = instance.ec2_backend.get_vpc(nic.subnet.vpc_id)
            vpc_id, cidr = vpc.id, vpc.cidr_block
            address = str(nic.private_ip_address)
            mac = nic.mac_address
            region = instance.region_name
            ami = instance.ec2_backend.amis.get(instance.image_id)
            image = str(ami.image_location) if ami is not None and ami.image_location else images.DOCKER_IMAGE
        network = networks.ensure(vpc_id, cidr)
        gateway = network.link.gateway
        ports = self._settings.ports
        return Launch(
            instance_id=instance_id,
            image=image,
            address=address,
            hostname=f"ip-{address.replace('.', '-')}",
            mac_address=mac,
            network=network,
            settings={
                "instance_id": instance_id,
                "region": region,
                "gateway": gateway,
                "api_url": f"http://{gateway}:{ports.api}",
                "ssmmessages_url": f"http://{gateway}:{ports.ssmmessages}",
                "registry_port": ports.registry,
                "imds_port": self._settings.imds_port,
            },
        )

    def show(self, instance_id: str, step: Do, reason: str = "") -> None:
        """Record the result of a step, unless a call has meanwhile asked for something else."""
        with LOCK:
            instance = find(instance_id)
            if instance is None:
                return
            match step, instance.state:
                case Do.SHOW_RUNNING, "pending":
                    instance.enter("running")
                case Do.SHOW_STOPPED, "stopping":
                    instance.enter("stopped")
                case Do.SHOW_TERMINATED, "shutting-down":
                    instance.enter("terminated")
                case Do.RESTART, "running":
                    instance.reboot_wanted = False
                case Do.SHOW_DEAD, "running":
                    _log.warning("%s ended by itself", instance_id)
                    instance.died(data_left=True)
                case Do.SHOW_LOST, "running" | "pending" | "stopping" | "stopped":
                    _log.warning("%s was lost %s", instance_id, reason)
                    instance.died(data_left=False)
                    instance.enter("terminated")
                    if reason:
                        instance.state_reason.message = f"Server.InternalError: {reason}"
