# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""What the releases of a directory are and what runs now, for people and monitoring; changes nothing."""

from __future__ import annotations

from .._compose import names
from .host import Host
from .lock import Lock


def read(host: Host) -> dict:
    """{current, releases (newest first), services (observed), lock, interrupted}."""
    store = host.store
    services: dict = {}
    for one in host.docker.containers():
        entry = services.setdefault(one.owner, {"service": one.owner, "live_colour": "", "managed": False, "containers": []})
        entry["managed"] = entry["managed"] or bool(one.role)
        if one.role == names.ROLE_PROXY:
            entry["live_colour"] = host.proxy(one.owner).observe().live
        entry["containers"].append(
            {
                "name": one.name,
                "role": one.role,
                "colour": one.colour,
                "state": one.state,
                "health": one.health,
                "release": one.release,
                "image": one.image,
            }
        )
    return {
        "current": store.current(),
        "releases": [item.shown() for item in reversed(store.records())],
        "services": [services[name] for name in sorted(services)],
        "lock": Lock(store.lock, host.clock).holder(),
        "interrupted": (store.journal() or {}).get("release", ""),
    }
