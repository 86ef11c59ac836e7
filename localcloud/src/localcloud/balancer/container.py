# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The container of one load balancer: its image, its addresses in the VPC, its start and its end; knows nothing of HAProxy's commands."""

from __future__ import annotations

import contextlib
import logging
import shutil
import time

import docker
import docker.errors
from docker.types import EndpointConfig

from .. import images
from ..cloud import LABEL, Cloud, Interface
from ..dataplane.containers import SERVING_SHARES
from ..errors import LocalCloudError
from .render import HOME
from .runtime import Runtime

BALANCER_LABEL = f"{LABEL}.balancer"
START_SECONDS = 20.0

_log = logging.getLogger("localcloud.balancer")


def forget_all(cloud: Cloud) -> None:
    """Remove the directories of an earlier run's load balancers; their containers are gone already."""
    shutil.rmtree(cloud.state_dir / "alb", ignore_errors=True)


class Container:
    """The container `<cloud>-alb-<key>`; its directory is shared with this process."""

    def __init__(self, cloud: Cloud, key: str) -> None:
        self._cloud = cloud
        self._key = key
        self._name = f"localcloud-{cloud.name}-alb-{key}"
        self.directory = cloud.state_dir / "alb" / key
        self.runtime = Runtime(self.directory)

    def start(self, interfaces: list[Interface]) -> None:
        """Start it at the addresses of these interfaces; the directory has its configuration. Raises LocalCloudError."""
        image = images.ensure(self._cloud.docker, "balancer", _log.info)
        first, others = interfaces[0], interfaces[1:]
        self.remove_container()
        api = self._cloud.docker.api
        host = api.create_host_config(
            network_mode=first.network_name,
            binds=[f"{self.directory}:{HOME}:rw"],
            cap_add=["NET_ADMIN"],  # for the addresses beyond the first
            init=True,
            cpu_shares=SERVING_SHARES,
            sysctls={"net.ipv4.ip_local_port_range": "1024 65535"},
        )
        endpoint = EndpointConfig(api._version, ipv4_address=first.private_ip)
        try:
            made = api.create_container(
                image,
                name=self._name,
                hostname=f"alb-{self._key}",
                labels={**self._cloud.labels, BALANCER_LABEL: self._key},
                environment={"ADDRESSES": " ".join(interface.private_ip for interface in others)},
                host_config=host,
                networking_config=api.create_networking_config({first.network_name: endpoint}),
                mac_address=first.mac_address,
            )
            api.start(made["Id"])
        except docker.errors.APIError as error:
            raise LocalCloudError(f"Failed to start the container {self._name}: {error.explanation}") from error
        deadline = time.monotonic() + START_SECONDS
        while not self.runtime.is_up():
            if time.monotonic() > deadline or not self.is_running():
                raise LocalCloudError(f"HAProxy in {self._name} does not start: {self._words()}")
            time.sleep(0.05)  # the interval of a poll, not a guess at how long the start takes

    def is_running(self) -> bool:
        """Whether Docker says so."""
        try:
            return bool(self._cloud.docker.api.inspect_container(self._name)["State"]["Running"])
        except docker.errors.NotFound:
            return False

    def move(self, before: list[Interface], after: list[Interface]) -> None:
        """Take up and give up addresses; the first one is Docker's and stays. Raises LocalCloudError."""
        kept = {interface.private_ip for interface in after}
        known = {interface.private_ip for interface in before}
        changes = [("del", address) for address in sorted(known - kept)] + [("add", address) for address in sorted(kept - known)]
        for verb, address in changes:
            command = ["ip", "address", verb, f"{address}/32", "dev", "eth0"]
            code, output = self._cloud.docker.containers.get(self._name).exec_run(command)
            if code:
                raise LocalCloudError(f"Failed to {verb} the address {address} of {self._name}: {output.decode(errors='replace').strip()}")

    def remove(self) -> None:
        """End it at once and remove it with its directory."""
        self.remove_container()
        shutil.rmtree(self.directory, ignore_errors=True)

    def remove_container(self) -> None:
        """End it at once; nothing happens when there is none."""
        with contextlib.suppress(docker.errors.NotFound):
            self._cloud.docker.api.remove_container(self._name, v=True, force=True)

    def gateway(self, interface: Interface) -> str:
        """This machine's address in the network of an interface."""
        pools = self._cloud.docker.api.inspect_network(interface.network_name)["IPAM"]["Config"]
        return str(next(pool["Gateway"] for pool in pools if "Gateway" in pool))

    def _words(self) -> str:
        try:
            return self._cloud.docker.api.logs(self._name, tail=8).decode(errors="replace").strip()
        except docker.errors.DockerException as error:
            return str(error)
