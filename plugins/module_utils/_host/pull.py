# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Finds the image of every service: what is pulled, what is pinned, what it says of itself; starts nothing."""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor

from .._compose import fingerprint, images, model, names
from .._compose.errors import InvalidInput
from . import aws, files, scratch

_AT_ONCE = 3  # pulls side by side


def resolve(host, project: dict, *, overrides: dict, pins: dict, containers: list, check: bool, proxied: bool = True) -> dict:
    """ImageFacts by service.

    ``pins`` is what an earlier release recorded: it wins over asking what a tag means now. A service that stays and whose compose file
    names the same image as when it was started keeps that very image, and nothing is pulled for it. ``proxied``: a service may get a proxy.
    """
    references = {name: model.reference_of(name, item, overrides) for name, item in project["services"].items() if model.replicas(item) > 0}
    unknown = sorted(set(overrides) - set(project["services"]))
    if unknown:
        raise InvalidInput(f"Cannot release: images names {', '.join(unknown)}, which the compose file does not have. Correct the names.")
    kept = {name: one for name, one in _staying(host, project, references, containers).items() if name not in pins}
    wanted = {name: pins.get(name, reference) for name, reference in references.items() if name not in kept}
    if not check:
        pull_missing(host, wanted, always=not pins, proxied=proxied)
    facts = {}
    for name, reference in references.items():
        found = host.docker.image(kept[name].image_id if name in kept else wanted[name])
        if found is None and not check:
            raise InvalidInput(
                f"Cannot release service '{name}': image {wanted[name]} is not on the instance, and pull is never. "
                "Pull it, or allow pulling."
            )
        pinned = ""
        if name in kept:
            pinned = kept[name].image if images.is_pinned(kept[name].image) else kept[name].image_id
        elif found:
            pinned = images.pin(wanted[name], found["id"], found["repo_digests"])
        elif images.is_pinned(wanted[name]):
            pinned = wanted[name]
        guess = found or _last_image(host, name, containers)
        facts[name] = model.ImageFacts(
            reference=reference,
            pinned=pinned,
            image_id=found["id"] if found else "",
            exposed=tuple(guess["exposed"]) if guess else (),
            has_volumes=bool(guess and guess["has_volumes"]),
            has_healthcheck=bool(guess and guess["has_healthcheck"]),
        )
    return facts


def _staying(host, project: dict, references: dict, containers: list) -> dict:
    """Containers of services that stay, by service, where the image's reference is what it was."""
    found = {}
    for one in containers:
        if one.service not in references or one.role not in ("", names.ROLE_PLAIN):
            continue
        reference = references[one.service]
        if one.role:
            same = one.fingerprint.split(".")[0] == fingerprint.digest(host.key, reference)
        else:
            details = host.docker.image(one.image_id) or {}
            facts = model.ImageFacts(reference, has_volumes=bool(details.get("has_volumes")))
            same = one.image == reference and bool(model.state_reason(project["services"][one.service], facts, ""))
        if same and host.docker.image(one.image_id):
            found[one.service] = one
    return found


def _last_image(host, name: str, containers: list):
    """Facts of the image that runs now, as the best guess for one that is not pulled yet."""
    for one in containers:
        if one.owner == name and one.role != names.ROLE_PROXY:
            return host.docker.image(one.image_id)
    return None


def pull_missing(host, wanted: dict, *, always: bool, proxied: bool) -> None:
    """Pulls, by service, what has to be pulled, and the proxy's image when it may be needed; one login for all, forgotten afterwards."""
    todo: dict = {}
    for name, reference in sorted(wanted.items()):
        local = host.docker.image(reference)
        fresh = host.options.pull == "always" and always and not images.is_pinned(reference)
        if host.options.pull != "never" and (not local or fresh):
            todo.setdefault(reference, name)
    if proxied and host.options.pull != "never" and not host.docker.image(host.options.proxy_image):
        todo.setdefault(host.options.proxy_image, "proxy")
    if not todo:
        return
    with scratch.directory("bluegreen-login-") as directory:
        config = ""
        if host.options.registry == "ecr":
            config = directory
            client = aws.make_client("ecr", host.options.region, host.options.endpoint_url)
            logins = aws.registry_logins(client, sorted(todo))
            _write_config(directory, [registry for registry, _user, _password in logins])
            for registry, user, password in logins:
                host.redact.add([password])
                host.docker.login(registry, user, password, config)
                host.event(f"logged in to {registry}")
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            jobs = [(reference, pool.submit(host.docker.pull, reference, name, config)) for reference, name in todo.items()]
        for reference, job in jobs:
            job.result()
            host.event(f"pulled {reference}")


def _write_config(directory: str, registries: list) -> None:
    """Credential helpers and other logins of the user go on working beside the temporary login, which no helper may keep."""
    own = files.read_json(os.path.join(os.environ.get("DOCKER_CONFIG") or os.path.expanduser("~/.docker"), "config.json")) or {}
    helpers = dict(own.get("credHelpers") or {}, **{registry: "" for registry in registries})
    files.write(os.path.join(directory, "config.json"), json.dumps(dict(own, credHelpers=helpers)))
