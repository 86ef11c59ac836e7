# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Compose definitions of the containers that a release runs: workers by colour, their proxy, and services taken as they are; no I/O."""

from __future__ import annotations

import copy

from . import model, names

MOUNT = "/bluegreen"  # where a proxy finds its configuration and keeps its socket

_OWN_ADDRESS = ("aliases", "ipv4_address", "ipv6_address", "link_local_ips", "mac_address")
# depends_on is ours to keep: a release starts services itself, in order. build: nothing is built on an instance.
_DROPPED = ("depends_on", "build", "profiles", "pull_policy", "develop")


def _base(service: model.Service, image: str) -> dict:
    definition = copy.deepcopy({key: value for key, value in service.definition.items() if key not in _DROPPED and value is not None})
    definition["image"] = image
    return definition


def _labelled(definition: dict, labels: dict) -> dict:
    definition["labels"] = dict(definition.get("labels") or {}, **labels)
    return definition


def labels(service: str, role: str, release: str, fingerprint: str, colour: str = "") -> dict:
    """What a container says about itself. Nothing in it depends on a secret's value without the instance's key."""
    result = {
        names.LABEL_SERVICE: service,
        names.LABEL_ROLE: role,
        names.LABEL_RELEASE: release,
        names.LABEL_FINGERPRINT: fingerprint,
    }
    if colour:
        result[names.LABEL_COLOUR] = colour
    return result


def worker(service: model.Service, image: str, colour: str, release: str, fingerprint: str) -> dict:
    """One colour of a service: the application's definition without ports, fixed names and fixed addresses.

    A service without a proxy keeps its name as an alias, so that whoever does connect to it still can.
    """
    definition = _base(service, image)
    for key in ("ports", "container_name"):
        definition.pop(key, None)
    networks = {}
    for network, settings in (definition.get("networks") or {"default": None}).items():
        kept = {key: value for key, value in (settings or {}).items() if key not in _OWN_ADDRESS}
        if service.kind == model.ROLLING:
            kept["aliases"] = [service.name, *((settings or {}).get("aliases") or [])]
        networks[network] = kept or None
    definition["networks"] = networks
    # So that an application can show which colour answered; one that sets it itself keeps its own.
    definition["environment"] = {"COLOUR": colour, **(definition.get("environment") or {})}
    return _labelled(definition, labels(service.name, names.ROLE_WORKER, release, fingerprint, colour))


def plain(service: model.Service, image: str, release: str, fingerprint: str) -> dict:
    """A service as the application defines it, its image pinned."""
    role = names.ROLE_JOB if service.kind == model.JOB else names.ROLE_PLAIN
    definition = _base(service, image)
    if role == names.ROLE_JOB:
        definition["restart"] = "no"  # it is to end; Docker must not start it again
    return _labelled(definition, labels(service.name, role, release, fingerprint))


def proxy(service: model.Service, image: str, directory: str) -> dict:
    """The proxy of a service, without labels: its name, aliases, addresses and published ports; no environment, no secret.

    ``directory`` on the instance holds its configuration and socket.
    """
    source = service.definition
    definition: dict = {
        "image": image,
        "entrypoint": ["haproxy"],
        "command": ["-W", "-db", "-f", f"{MOUNT}/haproxy.cfg"],
        "user": "0:0",
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true"],
        "read_only": True,
        "sysctls": {"net.ipv4.ip_unprivileged_port_start": "0"},
        # Only names of containers are looked up, and an answer that does not come must not hold the proxy up.
        "dns_search": ["."],
        "dns_opt": ["timeout:1", "attempts:1"],
        "restart": "unless-stopped",
        "stop_signal": "SIGUSR1",
        "stop_grace_period": "5s",
        "healthcheck": {"disable": True},
        "networks": copy.deepcopy(source.get("networks") or {"default": None}),
        "volumes": [{"type": "bind", "source": directory, "target": MOUNT}],
    }
    for key in ("ports", "container_name", "logging"):
        if source.get(key):
            definition[key] = copy.deepcopy(source[key])
    return definition


def compose_model(project: dict, definitions: dict) -> dict:
    """A complete compose file for ``definitions``, with the application's networks, volumes, secrets and configs."""
    result = {"name": project["name"], "services": definitions}
    for key in ("networks", "volumes", "secrets", "configs"):
        if project.get(key):
            result[key] = project[key]
    return result
