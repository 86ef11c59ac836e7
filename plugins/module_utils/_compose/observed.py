# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""What ``docker inspect`` says, as containers and image facts; no I/O."""

from __future__ import annotations

from dataclasses import dataclass, field

from . import names


@dataclass(frozen=True)
class Container:
    """One container of the project. Times are RFC 3339 texts as Docker gives them."""

    id: str
    name: str
    service: str  # the Compose service; of a worker it ends in the colour
    number: int = 1
    role: str = ""
    owner: str = ""  # the application's service it belongs to
    colour: str = ""
    release: str = ""
    fingerprint: str = ""
    config_hash: str = ""
    state: str = ""
    health: str = ""
    exit_code: int = 0
    restarts: int = 0
    started: str = ""
    restart_policy: str = ""
    image: str = ""  # reference it was created from
    image_id: str = ""
    addresses: dict = field(default_factory=dict)  # network -> IP address
    mounts: tuple = ()
    stop_grace: int = 10
    published: tuple = ()  # (host address, host port, protocol)

    @property
    def running(self) -> bool:
        return self.state == "running"


def container(item: dict) -> Container:
    """One element of ``docker inspect``."""
    config, state, host = item.get("Config") or {}, item.get("State") or {}, item.get("HostConfig") or {}
    labels = config.get("Labels") or {}
    service = labels.get(names.COMPOSE_SERVICE, "")
    networks = (item.get("NetworkSettings") or {}).get("Networks") or {}
    return Container(
        id=item["Id"],
        name=item.get("Name", "").lstrip("/"),
        service=service,
        number=int(labels.get(names.COMPOSE_NUMBER) or 1),
        role=labels.get(names.LABEL_ROLE, ""),
        owner=labels.get(names.LABEL_SERVICE, service),
        colour=labels.get(names.LABEL_COLOUR, ""),
        release=labels.get(names.LABEL_RELEASE, ""),
        fingerprint=labels.get(names.LABEL_FINGERPRINT, ""),
        config_hash=labels.get("com.docker.compose.config-hash", ""),
        state=state.get("Status", ""),
        health=(state.get("Health") or {}).get("Status", ""),
        exit_code=int(state.get("ExitCode") or 0),
        restarts=int(item.get("RestartCount") or 0),
        started=state.get("StartedAt", ""),
        restart_policy=(host.get("RestartPolicy") or {}).get("Name", ""),
        image=config.get("Image", ""),
        image_id=item.get("Image", ""),
        addresses={name: entry.get("IPAddress", "") for name, entry in networks.items() if entry.get("IPAddress")},
        mounts=tuple(mount.get("Source", "") for mount in item.get("Mounts") or []),
        stop_grace=int(config.get("StopTimeout") or 10),
        published=_published(host.get("PortBindings") or {}),
    )


def _published(bindings: dict) -> tuple:
    found = []
    for target, entries in bindings.items():
        protocol = target.partition("/")[2] or "tcp"
        found += [(entry.get("HostIp") or "", entry.get("HostPort") or "", protocol) for entry in entries or [] if entry.get("HostPort")]
    return tuple(found)


def of_project(items: list) -> list:
    """The project's containers, without those of ``docker compose run``, by name."""
    found = [
        container(item) for item in items if ((item.get("Config") or {}).get("Labels") or {}).get(names.COMPOSE_ONEOFF, "False") != "True"
    ]
    return sorted(found, key=lambda one: one.name)


def image_details(item: dict) -> dict:
    """Of one element of ``docker image inspect``: id, repo_digests, exposed TCP ports, has_volumes, has_healthcheck."""
    config = item.get("Config") or {}
    exposed = [text.partition("/") for text in (config.get("ExposedPorts") or {})]
    test = (config.get("Healthcheck") or {}).get("Test") or []
    return {
        "id": item["Id"],
        "repo_digests": item.get("RepoDigests") or [],
        "exposed": tuple(sorted(int(port) for port, _slash, protocol in exposed if protocol in ("", "tcp"))),
        "has_volumes": bool(config.get("Volumes")),
        "has_healthcheck": bool(test) and test[0] != "NONE",
    }
