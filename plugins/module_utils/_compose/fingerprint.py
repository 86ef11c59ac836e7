# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Keyed fingerprints that tell whether a service's containers still are what the release wants, and what differs; no I/O.

The key stays on the instance, so a fingerprint in ``docker inspect`` or in a record gives no way to guess a secret.
"""

from __future__ import annotations

import hashlib
import hmac
import json

from . import model

_BUNDLE = "bundle:"
_PARTS = ("image", "environment", "mounted files", "definition")


def digest(key: bytes, value) -> str:
    """Sixteen hexadecimal digits of HMAC-SHA256 over the value's canonical JSON."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hmac.new(key, text.encode("utf-8", "surrogateescape"), hashlib.sha256).hexdigest()[:16]


def image_identity(service: model.Service) -> str:
    """What of the image counts: the exact image; for a service that stays, what its compose file says.

    A moved tag does not recreate a database; a digest that somebody wrote down does.
    """
    if service.kind == model.STATEFUL:
        return service.image.reference
    return service.image.pinned or service.image.reference


def fingerprint(key: bytes, service: model.Service, project: dict, root: str, contents: dict, values: dict) -> str:
    """Four digests, one for each of image, environment, mounted files and the rest of the definition.

    ``contents`` maps the bundle's relative paths to digests; whatever names a path below ``root`` (a mount, a secret's file, a volume's
    device) counts by what it holds, not by where the release is. ``values`` has what secrets and configs hold that are no file of the
    bundle, by (section, name).
    """
    definition = {
        name: value
        for name, value in service.definition.items()
        if name not in ("image", "environment", "depends_on", "build", "profiles", "pull_policy", "develop") and value is not None
    }
    attached = _attached(definition, project, root)
    files: dict = {relative: _below(relative, contents) for relative in _paths([_without_root(definition, root), attached])}
    files.update({f"{section} {name}": values[section, name] for section, name in model.attached(definition) if (section, name) in values})
    parts = [
        image_identity(service),
        definition_environment(service.definition),
        files,
        [service.kind, service.mode, _without_root(definition, root), attached],
    ]
    return ".".join(digest(key, part) for part in parts)


def definition_environment(definition: dict):
    return definition.get("environment") or {}


def _below(relative: str, contents: dict) -> dict:
    return {path: value for path, value in contents.items() if path == relative or relative == "" or path.startswith(relative + "/")}


def _attached(definition: dict, project: dict, root: str) -> dict:
    """Top-level networks, volumes, secrets and configs that the service uses."""
    networks = definition.get("networks") or {}
    volumes = [mount.get("source") for mount in definition.get("volumes") or [] if mount.get("type") == "volume"]
    found = {
        "networks": {name: (project.get("networks") or {}).get(name) for name in networks},
        "volumes": {name: (project.get("volumes") or {}).get(name) for name in volumes if name},
        **{f"{section} {name}": (project.get(section) or {}).get(name) for section, name in model.attached(definition)},
    }
    return _without_root(found, root)


def _paths(value) -> set:
    """Paths within the bundle that occur anywhere in a value in which ``_without_root`` has marked them."""
    if isinstance(value, dict):
        return set().union(*map(_paths, value.values()))
    if isinstance(value, list):
        return set().union(*map(_paths, value))
    return {value[len(_BUNDLE) :]} if isinstance(value, str) and value.startswith(_BUNDLE) else set()


def _without_root(value, root: str):
    """The same with paths below the release's directory made relative."""
    if isinstance(value, dict):
        return {name: _without_root(item, root) for name, item in value.items() if item is not None and item != {} and item != []}
    if isinstance(value, list):
        return [_without_root(item, root) for item in value]
    if isinstance(value, str):
        relative = model.inside(value, root) if value.startswith("/") else None
        return value if relative is None else _BUNDLE + relative
    return value


def differences(before: str, after: str) -> list:
    """Names of the parts that differ between two fingerprints."""
    old, new = before.split("."), after.split(".")
    if len(old) != len(_PARTS):
        return ["definition"]
    return [name for number, name in enumerate(_PARTS) if old[number] != new[number]]


def environment_digests(key: bytes, values: dict) -> dict:
    """A digest per key, so that a diff can name the keys that changed."""
    return {name: digest(key, [name, value]) for name, value in values.items()}
