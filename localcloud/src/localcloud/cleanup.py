# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Removes everything that one cloud has left on this machine, found by label and name, and nothing else."""

from __future__ import annotations

import concurrent.futures
import contextlib
import dataclasses
import socket

import docker
import docker.errors

from .cloud import LABEL
from .dataplane import firewall, hosts, rules
from .dataplane.containers import cgroup_parent, remove_cgroups
from .settings import short_of


@dataclasses.dataclass(frozen=True)
class Removed:
    """How many things of each kind were removed."""

    containers: int
    networks: int
    volumes: int
    rules: bool
    names: bool

    def __bool__(self) -> bool:
        return bool(self.containers or self.networks or self.volumes or self.rules or self.names)

    def __str__(self) -> str:
        parts = [_count(self.containers, "container"), _count(self.networks, "network"), _count(self.volumes, "volume")]
        if self.rules:
            parts.append("packet rules")
        if self.names:
            parts.append("names in /etc/hosts")
        return ", ".join(part for part in parts if part) or "nothing"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}" if number else ""


def remove_everything(client: docker.DockerClient, name: str, api_port: int | None) -> Removed:
    """Remove containers with their volumes, then networks, named volumes, packet rules, names and control groups of a cloud.

    `api_port` is None when the cloud's settings are lost.
    """
    own = f"{LABEL}={name}"
    labels = [own]
    if api_port is not None:  # containers that MiniStack itself started carry its own label: the address it serves on
        labels.append(f"ministack.instance={socket.gethostname()}:{api_port}")
    ids = {item["Id"] for label in labels for item in client.api.containers(all=True, filters={"label": label})}
    with concurrent.futures.ThreadPoolExecutor(max_workers=6) as pool:
        list(pool.map(lambda container_id: _remove_container(client, container_id), ids))
    networks = client.networks.list(filters={"label": own})
    for network in networks:
        for container_id in client.api.inspect_network(network.id)["Containers"]:
            with contextlib.suppress(docker.errors.APIError):
                network.disconnect(container_id, force=True)
        with contextlib.suppress(docker.errors.NotFound):
            network.remove()
    volumes = client.volumes.list(filters={"label": own})
    for volume in volumes:
        with contextlib.suppress(docker.errors.NotFound):
            volume.remove(force=True)
    had_rules = firewall.remove(rules.Chains(short_of(name)))
    remove_cgroups(cgroup_parent(name))
    return Removed(len(ids), len(networks), len(volumes), had_rules, hosts.remove(name))


def _remove_container(client: docker.DockerClient, container_id: str) -> None:
    try:
        client.api.remove_container(container_id, v=True, force=True)
    except docker.errors.NotFound:
        return
    except docker.errors.APIError as error:
        if "already in progress" not in str(error.explanation):
            raise
