# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Gets a release ready: bundle, .env, resolved compose file, images, what is wanted of each service; touches nothing that runs."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field

from .._compose import dotenv, fingerprint, haproxy, model, transform
from .._compose.errors import InvalidInput
from .._compose.names import COLOURS
from .._compose.plan import Wanted
from . import aws, files, pull
from .store import ENVIRONMENT, RECORD

# Without Parameter Store nobody says which values are secret; these keys, and addresses with a password, are taken for it.
_SECRET_KEY = re.compile(r"pass|secret|token|key|credential|private|auth", re.IGNORECASE)
_SECRET_VALUE = re.compile(r"://[^/\s]*:[^/\s]*@")


@dataclass(frozen=True)
class Content:
    """Where a release's content is, and how it is to be read."""

    root: str
    compose_file: str
    overrides: dict = field(default_factory=dict)
    pins: dict = field(default_factory=dict)
    treatments: dict = field(default_factory=dict)
    secret_keys: object = None  # keys whose value is a SecureString; None when nobody said which are secret


@dataclass(frozen=True)
class Prepared:
    """A release that could be started: everything in it is known to exist."""

    content: Content
    project: dict
    services: list
    contents: dict
    environment: dict  # key -> keyed digest
    bundle: str
    project_directory: str
    environment_file: str
    values: dict = field(default_factory=dict)  # (section, name) of a secret or config that is no file of the bundle -> keyed digest

    def service(self, name: str) -> model.Service:
        return next(item for item in self.services if item.name == name)


def fetch_environment(host) -> tuple:
    """(values by key or None, keys of secrets, where they are) from Parameter Store; None when the release has no parameters."""
    path, named = host.options.parameters_path, host.options.parameters
    if not path and not named:
        return None, None, ""
    client = aws.make_client("ssm", host.options.region, host.options.endpoint_url)
    values: dict = {}
    secret: set = set()
    by_key: dict = {}
    if path:
        path = "/" + path.strip("/")
        values, secret = aws.read_parameters(client, path)
        by_key = dotenv.values_by_key(sorted(values), path)
    if named:
        found, hidden = aws.read_named_parameters(client, list(named.values()))
        values, secret = {**values, **found}, secret | hidden
        by_key = {**by_key, **named}  # a name that was written down wins over one that was found
    where = " and ".join(words for words, given in ((f"below {path}", path), ("named in the option parameters", named)) if given)
    host.redact.add(values[name] for name in secret)
    host.event(f"read {len(by_key)} parameters {where}")
    return {key: values[name] for key, name in by_key.items()}, sorted(key for key, name in by_key.items() if name in secret), where


def write_bundle(host, root: str):
    """The application's files in ``root``, and its ``.env`` with mode 0600; keys are compared before anything else happens.

    Returns the keys of secrets, or None when the ``.env`` is the bundle's own.
    """
    options = host.options
    values, secret_keys, where = fetch_environment(host)
    if options.files:
        files.write_bundle(options.files, root)
    else:
        files.copy_bundle(options.source, root)
    example = os.path.join(root, options.example_file)
    if values is not None:
        if os.path.exists(example):
            dotenv.check_keys(dotenv.keys(files.read(example)), list(values), example=options.example_file, where=where)
        else:
            host.warn(
                f"The bundle has no {options.example_file}; the parameters {where} were not compared with what the application needs."
            )
        files.write(os.path.join(root, ENVIRONMENT), dotenv.render(values), 0o600)
    elif os.path.exists(os.path.join(root, ENVIRONMENT)):
        os.chmod(os.path.join(root, ENVIRONMENT), 0o600)
    if not os.path.isfile(os.path.join(root, options.compose_file)):
        raise InvalidInput(
            f"Cannot release {options.project}: the bundle has no {options.compose_file}. Give compose_file, or add the file. "
            "Nothing was changed."
        )
    return secret_keys


def load(host, content: Content, containers: list, *, check: bool = False) -> Prepared:
    """Reads a release's content completely: configuration, images, services."""
    root = content.root
    environment_file = os.path.join(root, ENVIRONMENT)
    text = files.read(environment_file)
    values = dotenv.read(text)
    host.redact.add(value for key, value in values.items() if _is_secret(key, value, content.secret_keys))
    environment_file = environment_file if text else ""
    project = host.docker.configuration(root, environment_file, os.path.join(root, content.compose_file))
    digests, paths = files.contents(root, skip=(RECORD, ENVIRONMENT))
    outside = _values(host, project, root, environment_file)
    project = model.relocate(project, root, paths | {ENVIRONMENT} if text else paths, host.store.directory)
    proxied = any(model.may_be_proxied(content.treatments.get(name, model.Treatment())) for name in project["services"])
    facts = pull.resolve(host, project, overrides=content.overrides, pins=content.pins, containers=containers, check=check, proxied=proxied)
    services, warnings = model.classify(project, facts, content.treatments, root)
    for warning in warnings:
        host.warn(warning)
    return Prepared(
        content=content,
        project=project,
        services=services,
        contents=dict(digests, **({ENVIRONMENT: fingerprint.digest(host.key, text)} if text else {})),
        environment=fingerprint.environment_digests(host.key, values),
        bundle=fingerprint.digest(host.key, digests),
        project_directory=root,
        environment_file=environment_file,
        values={key: fingerprint.digest(host.key, value) for key, value in outside.items()},
    )


def _values(host, project: dict, root: str, environment_file: str) -> dict:
    """What containers get through secrets and configs that come from a variable, or from a file of the instance, by (section, name).

    The values of secrets are hidden from now on, those in files of the bundle too.
    """
    result = {}
    for section in ("secrets", "configs"):
        for name, item in (project.get(section) or {}).items():
            path = item.get("file") or ""
            if item.get("environment"):
                result[section, name] = _variable(host, section, name, item["environment"], root, environment_file)
            elif path and model.inside(path, root) is None and os.path.isfile(path):
                result[section, name] = files.digest(path)
            if section == "secrets":
                host.redact.add([result[section, name] if item.get("environment") else files.read(path) if os.path.isfile(path) else ""])
    return result


def _variable(host, section: str, name: str, variable: str, root: str, environment_file: str) -> str:
    """A variable's value as Compose will hand it to the container; InvalidInput when there is none."""
    value = host.docker.variable(root, environment_file, variable)
    if value is None:
        raise InvalidInput(
            f"Cannot release {host.options.project}: {section}.{name} takes its content from the variable {variable}, which is not in "
            f".env. Add a parameter {variable}, or correct {section}.{name}. Nothing was changed."
        )
    return value


def _is_secret(key: str, value: str, secret_keys) -> bool:
    if secret_keys is not None:
        return key in secret_keys
    return bool(_SECRET_KEY.search(key) or _SECRET_VALUE.search(value))


def shape(host, service: model.Service) -> haproxy.Shape:
    return haproxy.Shape(host.options.project, service.name, service.ports, service.mode, {colour: service.replicas for colour in COLOURS})


def wanted(host, prepared: Prepared, containers: list) -> tuple:
    """(Wanted per service in start order, observed proxies by service)."""
    hashes = {}
    if any(not one.role for one in containers):
        hashes = host.docker.compose_hashes(
            prepared.project_directory, prepared.environment_file, os.path.join(prepared.content.root, prepared.content.compose_file)
        )
    result, proxies = [], {}
    for service in prepared.services:
        proxy_fingerprint = text = ""
        if service.kind == model.PROXIED:
            control = host.proxy(service.name)
            proxies[service.name] = observed = control.observe()
            proxy_fingerprint = fingerprint.digest(host.key, transform.proxy(service, host.options.proxy_image, control.directory))
            text = haproxy.render(shape(host, service), observed.live)
        result.append(
            Wanted(
                service,
                fingerprint.fingerprint(host.key, service, prepared.project, prepared.content.root, prepared.contents, prepared.values),
                proxy_fingerprint,
                text,
                hashes.get(service.name, ""),
            )
        )
    return result, proxies
