# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Names and labels that a release gives to containers, services and itself; no I/O, no clock."""

from __future__ import annotations

import re

from .errors import InvalidInput

BLUE = "blue"
GREEN = "green"
COLOURS = (BLUE, GREEN)

# What Compose writes on its containers.
COMPOSE_PROJECT = "com.docker.compose.project"
COMPOSE_SERVICE = "com.docker.compose.service"
COMPOSE_NUMBER = "com.docker.compose.container-number"
COMPOSE_ONEOFF = "com.docker.compose.oneoff"

# What a release writes on its containers. They are the only memory of what runs: the live state is read from them.
LABEL_SERVICE = "bluegreen.service"
LABEL_ROLE = "bluegreen.role"
LABEL_COLOUR = "bluegreen.colour"
LABEL_RELEASE = "bluegreen.release"
LABEL_FINGERPRINT = "bluegreen.fingerprint"

ROLE_WORKER = "worker"
ROLE_PROXY = "proxy"
ROLE_PLAIN = "plain"
ROLE_JOB = "job"

_RELEASE = re.compile(r"^\d{8}T\d{6}Z-[0-9a-f]{4}$")
_PROJECT = re.compile(r"^[a-z0-9][a-z0-9_-]*$")


def other(colour: str) -> str:
    """The colour that is not this one; blue when there is none."""
    return GREEN if colour == BLUE else BLUE


def worker_service(service: str, colour: str) -> str:
    """Compose service of one colour's containers."""
    return f"{service}-{colour}"


def container_name(project: str, service: str, number: int) -> str:
    """The name that Compose gives to a container; Docker's DNS answers for it."""
    return f"{project}-{service}-{number}"


def release_id(stamp: str, suffix: str) -> str:
    """Sortable id from a UTC time ``YYYYmmddTHHMMSSZ`` and four hexadecimal digits that tell two in one second apart."""
    return f"{stamp}-{suffix}"


def is_release_id(text: str) -> bool:
    return bool(_RELEASE.fullmatch(text))


def check_project(name: str) -> str:
    """The name, or InvalidInput. Rule: https://docs.docker.com/compose/how-tos/project-name/"""
    if not _PROJECT.fullmatch(name):
        raise InvalidInput(
            f"Cannot release project '{name}': a Compose project name has only lower-case letters, digits, '-' and '_' "
            "and starts with a letter or digit. Choose such a name."
        )
    return name
