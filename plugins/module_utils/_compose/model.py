# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Reads a resolved compose configuration and says how each service is treated in a release; no I/O."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field

from . import images
from .errors import InvalidInput
from .names import COLOURS, worker_service

# How a service is treated.
PROXIED = "proxied"  # side by side behind a proxy that owns its name and ports
ROLLING = "rolling"  # side by side without a proxy: nothing is known to connect to it
RECREATED = "recreated"  # the old one stops first, as `docker compose up` does
STATEFUL = "stateful"  # stays, on the image that it has, unless its own definition changed
JOB = "job"  # runs to completion before the services that wait for it

SIDE_BY_SIDE = (PROXIED, ROLLING)

AUTO, REPLACE, RECREATE, STAY = "auto", "replace", "recreate", "stay"
STRATEGIES = (AUTO, REPLACE, RECREATE, STAY)
MODES = ("http", "tcp")


@dataclass(frozen=True)
class Treatment:
    """What the caller wants for one service."""

    strategy: str = AUTO
    mode: str = "http"
    ports: tuple = ()


@dataclass(frozen=True)
class ImageFacts:
    """What is known of a service's image. ``pinned`` is empty when the image is not on the instance (check mode)."""

    reference: str
    pinned: str = ""
    image_id: str = ""
    exposed: tuple = ()
    has_volumes: bool = False
    has_healthcheck: bool = False


@dataclass(frozen=True)
class Service:
    """One service of the application, and how it is treated."""

    name: str
    kind: str
    definition: dict
    image: ImageFacts
    mode: str = "http"
    ports: tuple = ()  # container ports that the proxy serves
    required_ports: tuple = ()  # have to be open before the container counts as healthy
    replicas: int = 1
    needs: dict = field(default_factory=dict)  # service -> condition
    follows: tuple = ()  # services whose namespaces or volumes it borrows
    has_healthcheck: bool = False


def order(services: dict) -> list:
    """Names so that each comes after what it needs; ties by name."""
    done: list = []
    left = {name: {need for need in service_needs(item) if need in services} for name, item in services.items()}
    while left:
        ready = sorted(name for name, needs in left.items() if not needs - set(done))
        if not ready:
            raise InvalidInput(
                f"Cannot release: the services {', '.join(sorted(left))} depend on each other in a circle. Break the circle."
            )
        done.extend(ready)
        for name in ready:
            del left[name]
    return done


def service_needs(definition: dict) -> dict:
    """Service -> condition of ``depends_on``; a borrowed namespace counts as service_started."""
    needs = {name: (item or {}).get("condition", "service_started") for name, item in (definition.get("depends_on") or {}).items()}
    for name in _borrowed(definition):
        needs.setdefault(name, "service_started")
    return needs


def _borrowed(definition: dict) -> list:
    found = []
    for key in ("network_mode", "ipc", "pid"):
        value = definition.get(key) or ""
        if value.startswith("service:"):
            found.append(value.partition(":")[2])
    for item in definition.get("volumes_from") or []:
        parts = item.split(":")
        if parts[0] != "container":
            found.append(parts[0])
    return found


def replicas(definition: dict) -> int:
    scale = definition.get("scale")
    if scale is None:
        scale = (definition.get("deploy") or {}).get("replicas")
    return 1 if scale is None else int(scale)


def relocate(project: dict, root: str, bundled, directory: str) -> dict:
    """A copy in which a relative bind mount of something that is not in the bundle points into ``directory`` instead of the release.

    ``./data:/var/lib/mysql`` is the application's data. It stays where plain Compose, run in ``directory``, would have put it,
    and does not start empty with each release. ``bundled`` holds the bundle's relative paths, directories included.
    """
    result = dict(project, services={})
    for name, definition in (project.get("services") or {}).items():
        mounts = []
        for mount in definition.get("volumes") or []:
            relative = inside(mount.get("source") or "", root) if mount.get("type") == "bind" else None
            if relative is not None and relative not in bundled:
                if relative in ("", ".") or relative.split("/")[0] in ("releases", "current", ".bluegreen"):
                    raise InvalidInput(
                        f"Cannot release service '{name}': it mounts './{relative}', where the releases themselves are kept. "
                        "Mount a file or directory of the bundle, another relative directory, or a named volume."
                    )
                mount = dict(mount, source=posixpath.join(directory, relative))
            mounts.append(mount)
        result["services"][name] = dict(definition, volumes=mounts) if mounts else definition
    return result


def inside(path: str, root: str):
    """Path relative to ``root``, or None when it is outside."""
    clean = posixpath.normpath(path)
    root = posixpath.normpath(root)
    if clean == root:
        return ""
    return clean[len(root) + 1 :] if clean.startswith(root + "/") else None


def attached(definition: dict) -> list:
    """(section, name) of the top-level secrets and configs that a service uses."""
    return [
        (section, entry if isinstance(entry, str) else entry.get("source", ""))
        for section in ("secrets", "configs")
        for entry in definition.get(section) or []
    ]


def ports_of(definition: dict, exposed: tuple) -> tuple:
    """TCP container ports: published, ``expose`` and the image's, sorted."""
    found = {int(item["target"]) for item in definition.get("ports") or [] if item.get("protocol", "tcp") == "tcp"}
    return tuple(sorted(found | set(_expose(definition)) | set(exposed)))


def published(definition: dict) -> tuple:
    """(host address, host port, protocol) of every published port that has a fixed one."""
    return tuple(
        (item.get("host_ip") or "", str(item["published"]), item.get("protocol", "tcp"))
        for item in definition.get("ports") or []
        if item.get("published")
    )


def same_port(first: tuple, second: tuple) -> bool:
    """Whether two published ports exclude each other."""
    anywhere = ("", "0.0.0.0", "::")  # noqa: S104  not bound here, only compared
    return first[1:] == second[1:] and (first[0] == second[0] or first[0] in anywhere or second[0] in anywhere)


def _expose(definition: dict) -> list:
    found = []
    for item in definition.get("expose") or []:
        text, _slash, protocol = str(item).partition("/")
        if protocol in ("", "tcp"):
            first, _dash, last = text.partition("-")
            found.extend(range(int(first), int(last or first) + 1))
    return found


def state_reason(definition: dict, image: ImageFacts, root: str) -> str:
    """Why the service keeps data; empty when it does not."""
    for mount in definition.get("volumes") or []:
        kind = mount.get("type")
        if mount.get("read_only"):
            continue
        if kind == "volume":
            return f"volume {mount.get('source') or 'without a name'} at {mount.get('target')}"
        if kind in ("bind", "cluster", "npipe") and inside(mount.get("source") or "", root) is None:
            return f"writable mount {mount.get('source')} at {mount.get('target')}"
    if image.has_volumes:
        return "its image declares a volume"
    return ""


def _not_side_by_side(definition: dict) -> str:
    """Why two of it cannot run at once; empty when they can."""
    mode = definition.get("network_mode") or ""
    if mode:
        return f"network_mode is {mode}"
    for key in ("ipc", "pid"):
        if (definition.get(key) or "").startswith("service:"):
            return f"{key} is {definition[key]}"
    if definition.get("mac_address"):
        return "it has a fixed MAC address"
    if any(item.get("protocol", "tcp") != "tcp" for item in definition.get("ports") or []):
        return "it publishes a UDP port, which the proxy cannot serve"
    return ""


def may_be_proxied(treatment: Treatment) -> bool:
    """Whether a service that is treated so can come to stand behind a proxy, whatever its image turns out to be."""
    return treatment.strategy not in (STAY, RECREATE)


def classify(project: dict, facts: dict, treatments: dict, root: str) -> tuple:
    """All services in start order, and warnings.

    ``project`` is the relocated configuration, ``facts`` image facts by service, ``root`` the release's directory.
    """
    definitions = {name: item for name, item in (project.get("services") or {}).items() if replicas(item) > 0}
    if not definitions:
        raise InvalidInput("Cannot release: the compose file has no service that runs. Add one, or check its profiles.")
    unknown = sorted(set(treatments) - set(definitions))
    if unknown:
        raise InvalidInput(f"Cannot release: services names {', '.join(unknown)}, which the compose file does not have. Correct the names.")
    for name in definitions:
        for colour in COLOURS:
            if worker_service(name, colour) in definitions:
                raise InvalidInput(
                    f"Cannot release: the compose file has services '{name}' and '{worker_service(name, colour)}', and the release needs "
                    f"the second name for the containers of '{name}'. Rename one of them."
                )
    jobs = {
        need
        for item in definitions.values()
        for need, condition in service_needs(item).items()
        if condition == "service_completed_successfully"
    }
    lenders = {lender: name for name, item in definitions.items() for lender in _borrowed(item)}
    warnings: list = []
    result = []
    for name in order(definitions):
        treatment = treatments.get(name, Treatment())
        result.append(_service(name, definitions[name], facts[name], treatment, root, name in jobs, lenders.get(name), warnings))
    return result, warnings


def _service(name, definition, image, treatment, root, is_job, borrower, warnings) -> Service:
    kind, warning = _kind(definition, image, treatment, root, is_job, borrower)
    ports = tuple(treatment.ports) or ports_of(definition, image.exposed)
    if kind == PROXIED and not ports:
        kind = ROLLING
    if warning:
        warnings.append(f"{name} is {'recreated' if kind == RECREATED else kind}, not replaced side by side: {warning}.")
    if kind in SIDE_BY_SIDE and definition.get("container_name"):
        owner = "its proxy" if kind == PROXIED else "none of its containers"
        warnings.append(f"{name}: the name '{definition['container_name']}' is given to {owner}; two containers of {name} run at once.")
    own = definition.get("healthcheck") or {}
    disabled = own.get("disable") or (own.get("test") or [""])[0] == "NONE"
    return Service(
        name=name,
        kind=kind,
        definition=definition,
        image=image,
        mode=treatment.mode,
        ports=ports,
        required_ports=tuple(treatment.ports) or ports_of(definition, ()),
        replicas=replicas(definition),
        needs=service_needs(definition),
        follows=tuple(_borrowed(definition)),
        has_healthcheck=not disabled and bool(own.get("test") or image.has_healthcheck),
    )


def _kind(definition, image, treatment, root, is_job, borrower) -> tuple:
    """(kind, warning)."""
    if is_job:
        return JOB, ""
    state = state_reason(definition, image, root)
    if treatment.strategy == STAY or (treatment.strategy == AUTO and state):
        return STATEFUL, ""
    obstacle = _not_side_by_side(definition)
    if borrower:
        obstacle = obstacle or f"{borrower} shares its namespaces or volumes"
    if treatment.strategy == REPLACE and obstacle:
        raise InvalidInput(
            f"Cannot replace a service side by side as its strategy asks: {obstacle}. Use the strategy auto or recreate for it, "
            "or change its compose definition."
        )
    if treatment.strategy == RECREATE:
        return RECREATED, ""
    if obstacle:
        return RECREATED, obstacle
    return PROXIED, ""


def reference_of(name: str, definition: dict, overrides: dict) -> str:
    """The image reference that a service is to use, or InvalidInput when it names none."""
    reference = definition.get("image") or ""
    wanted = overrides.get(name)
    if wanted and not (wanted.startswith("sha256:") and not reference):
        return images.override(name, reference, wanted)
    if not reference:
        raise InvalidInput(
            f"Cannot release service '{name}': it has no image (only build), and nothing is built on the instance. "
            "Give it an image: in the compose file, or one in images."
        )
    return reference
