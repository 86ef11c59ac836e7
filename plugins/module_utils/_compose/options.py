# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""The options of a release as data, from the module or from a configuration file of the command line; no I/O."""

from __future__ import annotations

from dataclasses import dataclass, field, fields

from . import dotenv, model
from .errors import InvalidInput
from .names import check_project

PRESENT, ROLLED_BACK = "present", "rolled_back"


@dataclass(frozen=True)
class Options:
    """One release. Times are seconds. The names are the module's options."""

    project: str
    directory: str
    state: str = PRESENT
    source: str = ""
    files: dict = field(default_factory=dict)
    compose_file: str = "docker-compose.yml"
    example_file: str = ".env.example"
    parameters_path: str = ""
    parameters: dict = field(default_factory=dict)
    images: dict = field(default_factory=dict)
    pull: str = "always"
    registry: str = "none"
    services: dict = field(default_factory=dict)
    proxy_image: str = "docker.io/library/haproxy:3.2"
    health_timeout: int = 120
    settle_time: int = 3
    drain_timeout: int = 60
    stop_timeout: object = None
    lock_timeout: int = 10
    keep_releases: int = 5
    release: str = ""
    actor: str = ""
    config_version: str = ""
    install_cli: str = ""
    region: str = ""
    endpoint_url: str = ""

    def treatments(self) -> dict:
        return {name: treatment(name, item or {}) for name, item in self.services.items()}


def treatment(name: str, item: dict) -> model.Treatment:
    """One entry of ``services``, or InvalidInput."""
    unknown = sorted(set(item) - {"strategy", "mode", "ports"})
    if unknown:
        raise InvalidInput(f"Cannot release: services.{name} has the unknown key {', '.join(unknown)}. Known are strategy, mode and ports.")
    strategy, mode = item.get("strategy") or model.AUTO, item.get("mode") or "http"
    if strategy not in model.STRATEGIES:
        raise InvalidInput(f"Cannot release: services.{name}.strategy is '{strategy}'. Use one of {', '.join(model.STRATEGIES)}.")
    if mode not in model.MODES:
        raise InvalidInput(f"Cannot release: services.{name}.mode is '{mode}'. Use one of {', '.join(model.MODES)}.")
    try:
        ports = tuple(sorted(int(port) for port in item.get("ports") or ()))
    except (TypeError, ValueError):
        raise InvalidInput(
            f"Cannot release: services.{name}.ports is not a list of port numbers. Give numbers, for example [8080]."
        ) from None
    return model.Treatment(strategy, mode, ports)


def from_dict(data: dict) -> Options:
    """Options, or InvalidInput. A value of None means not given."""
    known = {item.name: item for item in fields(Options)}
    unknown = sorted(set(data) - set(known))
    if unknown:
        raise InvalidInput(f"Cannot release: unknown option {', '.join(unknown)}. Known are {', '.join(sorted(known))}.")
    given = {key: value for key, value in data.items() if value is not None}
    for key in ("project", "directory"):
        if not given.get(key):
            raise InvalidInput(
                f"Cannot release: {key} is not given. "
                f"Give the {'Compose project name' if key == 'project' else 'directory of the releases'}."
            )
    options = Options(**given)
    check_project(options.project)
    if not options.directory.startswith("/"):
        raise InvalidInput(
            f"Cannot release {options.project}: directory '{options.directory}' is not absolute. Give a path that starts with '/'."
        )
    for key, choices in (("state", (PRESENT, ROLLED_BACK)), ("pull", ("always", "missing", "never")), ("registry", ("ecr", "none"))):
        if getattr(options, key) not in choices:
            raise InvalidInput(f"Cannot release {options.project}: {key} is '{getattr(options, key)}'. Use one of {', '.join(choices)}.")
    for key in ("health_timeout", "settle_time", "drain_timeout", "lock_timeout", "stop_timeout"):
        value = getattr(options, key)
        if value is not None and value < 0:
            raise InvalidInput(f"Cannot release {options.project}: {key} is {value}. Give seconds, 0 or more.")
    if options.keep_releases < 1:
        raise InvalidInput(f"Cannot release {options.project}: keep_releases is {options.keep_releases}. Keep at least 1.")
    if options.state == PRESENT:
        if bool(options.source) == bool(options.files):
            raise InvalidInput(
                f"Cannot release {options.project}: {'both source and files are' if options.source else 'neither source nor files is'} "
                "given. Give one of them."
            )
        for path in options.files:
            if path.startswith("/") or ".." in path.split("/") or not path:
                raise InvalidInput(f"Cannot release {options.project}: '{path}' in files leaves the bundle. Give a relative path.")
    _check_parameters(options)
    options.treatments()
    return options


def _check_parameters(options: Options) -> None:
    """InvalidInput for a key that is no variable's name, or a parameter without a name."""
    for key, name in options.parameters.items():
        if not dotenv.is_key(key):
            raise InvalidInput(
                f"Cannot release {options.project}: '{key}' in parameters is not a variable name (letters, digits and '_'). Rename the key."
            )
        if not isinstance(name, str) or not name.strip("/"):
            raise InvalidInput(
                f"Cannot release {options.project}: parameters.{key} names no parameter. Give its full name, for example /app/dev/{key}."
            )
