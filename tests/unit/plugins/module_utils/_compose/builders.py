# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Builders of compose configurations, containers and wanted services, shaped as Compose and Docker give them."""

from __future__ import annotations

from ansible_collections.bluegreen.aws.plugins.module_utils._compose import model, names
from ansible_collections.bluegreen.aws.plugins.module_utils._compose.observed import Container
from ansible_collections.bluegreen.aws.plugins.module_utils._compose.plan import Wanted

ROOT = "/opt/popcon/releases/20261121T041530Z-ab12"
KEY = b"k" * 32


def project(**services):
    """A resolved configuration, as 'docker compose config --format json' prints it."""
    for item in services.values():
        item.setdefault("networks", {"default": None})
        item.setdefault("image", "registry.example:5000/popcon:1")
    return {
        "name": "popcon",
        "services": services,
        "networks": {"default": {"name": "popcon_default"}},
        "volumes": {"db": {"name": "popcon_db"}},
    }


def published(target, port, address="", protocol="tcp"):
    result = {"mode": "ingress", "target": target, "published": str(port), "protocol": protocol}
    return dict(result, host_ip=address) if address else result


VOLUME = {"type": "volume", "source": "db", "target": "/var/lib/mysql", "volume": {}}


def facts(reference="registry.example:5000/popcon:1", pinned="registry.example:5000/popcon@sha256:" + "1" * 64, **more):
    return model.ImageFacts(reference=reference, pinned=pinned, image_id="sha256:" + "a" * 64, **more)


def classify(config, treatments=None, **images):
    known = {name: images.get(name, facts()) for name in config["services"]}
    return model.classify(config, known, treatments or {}, ROOT)


def service(name="backend", kind=model.PROXIED, definition=None, ports=(8080,), **more):
    return model.Service(
        name=name, kind=kind, definition=definition or {"image": "x"}, image=more.pop("image", facts()), ports=ports, **more
    )


def want(name="backend", kind=model.PROXIED, mark="i.e.m.d", **more):
    return Wanted(service(name, kind, **more), mark, "p", "text")


def container(name, owner="", role=names.ROLE_WORKER, colour="", state="running", mark="i.e.m.d", **more):
    compose = names.worker_service(owner or name, colour) if colour else owner or name
    return Container(id=f"id-{name}", name=f"popcon-{name}", service=compose, role=role, owner=owner or name, colour=colour, state=state,
                     fingerprint=mark, release=more.pop("release", "r1"), **more)  # fmt: skip
