# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Creates, starts, stops and removes the container of an instance; knows Docker and nothing of EC2."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import logging
import os
import pathlib
import threading
import typing as t

import docker
import docker.errors
from docker.types import EndpointConfig

from ..cloud import LABEL
from .networks import VpcNetwork
from .plan import Found

INSTANCE_LABEL = f"{LABEL}.instance"
STOP_SECONDS = 8
CGROUPS = pathlib.Path("/sys/fs/cgroup")
SERVING_SHARES = 16384
"""Weight of the processor for what serves, beside 1024 of an instance that boots: on AWS each has its own, here unpacking images would
starve databases and load balancers."""

CAPABILITIES = [
    "SYS_ADMIN", "NET_ADMIN", "SYS_PTRACE", "SYS_CHROOT", "MKNOD", "NET_RAW", "SYS_MODULE", "DAC_READ_SEARCH", "SYSLOG",
    "LINUX_IMMUTABLE", "SYS_NICE", "IPC_LOCK",
]  # fmt: skip
"""What an Engine inside a container needs where `--privileged` is refused."""

_log = logging.getLogger("localcloud.containers")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Launch:
    """Everything that a container is created from."""

    instance_id: str
    image: str
    address: str
    hostname: str
    mac_address: str
    network: VpcNetwork
    settings: dict[str, t.Any]


def cgroup_parent(cloud_name: str) -> str:
    """The control group of all Engines inside this cloud's instances, on machines with version 1."""
    return f"/localcloud-{cloud_name}"


def uses_cgroup_v1() -> bool:
    """Whether this machine has control groups of version 1."""
    return not (CGROUPS / "cgroup.controllers").exists()


def prefer_containers_of_instances(cloud_name: str) -> None:
    """With version 1 what runs in the Engines inside instances is beside the Engines themselves, not below them; so it needs the weight."""
    group = CGROUPS / "cpu" / cgroup_parent(cloud_name).lstrip("/")
    with contextlib.suppress(OSError):  # as on a machine without this controller: then all are equal
        group.mkdir(exist_ok=True)
        (group / "cpu.shares").write_text(str(SERVING_SHARES))


def remove_cgroups(path: str) -> None:
    """Remove the empty control groups that dead Engines left behind."""
    for tree in CGROUPS.glob(f"*/{path.lstrip('/')}"):
        for folder, _, _ in os.walk(tree, topdown=False):
            with contextlib.suppress(OSError):  # not empty: something is alive in it
                os.rmdir(folder)


class Containers:
    """The containers of one cloud's instances; safe for threads."""

    def __init__(self, client: docker.DockerClient, cloud_name: str) -> None:
        self._client = client
        self._cloud = cloud_name
        self._privileged: bool | None = None
        self._probing = threading.Lock()

    def list(self) -> list[Found]:
        """The containers of all instances."""
        listed = self._client.api.containers(all=True, filters={"label": [f"{LABEL}={self._cloud}", INSTANCE_LABEL]})
        return [Found(item["Labels"][INSTANCE_LABEL], item["Id"], item["State"]) for item in listed]

    def create(self, launch: Launch) -> str:
        """Create and start a container; return its id."""
        with self._probing:  # the first one finds out how
            if self._privileged is None:
                try:
                    container_id = self._create(launch, privileged=True)
                    self._privileged = True
                    return container_id
                except docker.errors.APIError as error:
                    if not _refuses_capabilities(error):
                        raise
                    _log.info("privileged containers are refused here (%s); using a list of capabilities", error.explanation)
                    self.remove(launch.instance_id)
                    self._privileged = False
        return self._create(launch, privileged=self._privileged)

    def _create(self, launch: Launch, *, privileged: bool) -> str:
        api = self._client.api
        v1 = uses_cgroup_v1()
        settings = dict(launch.settings, cgroup_parent=f"{cgroup_parent(self._cloud)}/{launch.instance_id}" if v1 else "")
        host: dict[str, t.Any] = {"network_mode": launch.network.name, "tmpfs": {"/run": "rw,exec,mode=755"}, "privileged": privileged}
        host["dns"] = [launch.network.link.gateway]  # Docker's own DNS passes on to it what is no container's name
        if v1:
            host["binds"] = ["/sys/fs/cgroup:/sys/fs/cgroup:rw"]
            prefer_containers_of_instances(self._cloud)
        if not privileged:
            host["cap_add"] = CAPABILITIES
            host["security_opt"] = ["seccomp=unconfined", "apparmor=unconfined"]
            host["device_cgroup_rules"] = ["a *:* rwm"]
        host_config = api.create_host_config(**host)
        if not privileged:
            host_config |= {"MaskedPaths": [], "ReadonlyPaths": []}  # what the client's systempaths=unconfined stands for
        if not v1:
            host_config["CgroupnsMode"] = "private"
        endpoint = EndpointConfig(api._version, ipv4_address=launch.address)
        container = api.create_container(
            launch.image,
            name=f"localcloud-{self._cloud}-{launch.instance_id}",
            hostname=launch.hostname,
            labels={LABEL: self._cloud, INSTANCE_LABEL: launch.instance_id},
            environment={"LOCALCLOUD_INSTANCE": json.dumps(settings)},
            host_config=host_config,
            networking_config=api.create_networking_config({launch.network.name: endpoint}),
            mac_address=launch.mac_address,
            volumes=["/var/lib/docker"],
        )
        api.start(container["Id"])
        return container["Id"]

    def start(self, container_id: str) -> None:
        """Start a stopped container."""
        self._client.api.start(container_id)

    def stop(self, container_id: str) -> None:
        """Shut it down; its data stays."""
        self._client.api.stop(container_id, timeout=STOP_SECONDS)

    def restart(self, container_id: str) -> None:
        """Shut it down and start it again."""
        self._client.api.restart(container_id, timeout=STOP_SECONDS)

    def remove(self, instance_id: str) -> None:
        """End it at once and remove it with its data; nothing happens when there is none."""
        with contextlib.suppress(docker.errors.NotFound):
            self._client.api.remove_container(f"localcloud-{self._cloud}-{instance_id}", v=True, force=True)
        remove_cgroups(f"{cgroup_parent(self._cloud)}/{instance_id}")


def _refuses_capabilities(error: docker.errors.APIError) -> bool:
    text = str(error.explanation).lower()
    return "caps" in text or "capabilit" in text or "operation not permitted" in text
