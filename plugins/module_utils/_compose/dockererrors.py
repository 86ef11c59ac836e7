# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""What Docker and Compose say when they fail, as a cause and a remedy; no I/O."""

from __future__ import annotations

import re

from .errors import InvalidInput

MINIMUM_COMPOSE = (2, 20)
MINIMUM_ENGINE = (20, 10)

_VERSION = re.compile(r"v?(\d+)\.(\d+)(?:\.(\d+))?")

# (what the text contains, cause, remedy); first match counts. Texts are Docker Engine 20.10 to 28 and registries' own.
_CAUSES = (
    (
        r"no space left on device|disk quota exceeded",
        "the disk of the instance is full",
        "Free space (docker image prune) or enlarge the volume, then release again.",
    ),
    (
        r"manifest unknown|manifest for .* not found|not found: manifest|name unknown|repository .* not found|: not found$",
        "the registry does not have it",
        "Push the image, or correct the digest or tag.",
    ),
    (r"pull access denied", "the registry refuses access or does not have it", "Check the reference and the login (registry: ecr)."),
    (
        r"no basic auth credentials|authorization failed|unauthorized|denied|authentication required",
        "the registry refuses access",
        "Check the role's ECR permissions (ecr:BatchGetImage, ecr:GetDownloadUrlForLayer) and registry: ecr.",
    ),
    (
        r"Cannot connect to the Docker daemon|Is the docker daemon running",
        "the Docker Engine does not run",
        "Start it: systemctl start docker.",
    ),
    (r"no such host|server misbehaving", "the registry's name cannot be resolved", "Check the reference and the instance's DNS."),
    (
        r"connection refused|timeout|context deadline exceeded|no route to host|network is unreachable",
        "the registry does not answer",
        "Check the route from the instance to the registry (NAT gateway or endpoint, security group), then release again.",
    ),
    (r"toomanyrequests|rate limit", "the registry limits the rate", "Wait, or use a mirror or a login, then release again."),
    (r"invalid reference format", "the reference is not valid", "Correct it: [host[:port]/]path[:tag][@sha256:digest]."),
    (
        r"port is already allocated|address already in use",
        "a port is taken by something else on the instance",
        "Stop what uses the port, or publish another one.",
    ),
    (
        r'"haproxy": executable file not found',
        "the image has no haproxy",
        "Name an image with HAProxy 2.4 or later in proxy_image.",
    ),
)


def cause(text: str) -> tuple:
    """(cause, remedy) of what a docker command printed; Docker's own last line and no remedy when it is not known."""
    for pattern, words, remedy in _CAUSES:
        if re.search(pattern, text, re.IGNORECASE | re.MULTILINE):
            return words, remedy
    return last_line(text), ""


def last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith(("Run 'docker ", "See 'docker "))]
    return lines[-1].rstrip(".") if lines else "no output"


def sentence(attempt: str, text: str) -> str:
    """``Failed to <attempt>: <cause>. <remedy>``, with Docker's own words when the cause is a translation."""
    words, remedy = cause(text)
    own = last_line(text)
    said = f" (Docker: {own})" if own != words else ""
    return f"Failed to {attempt}: {words}{said}. {remedy}".strip()


def version(text: str) -> tuple:
    """(major, minor) of a version text; (0, 0) when it has none."""
    match = _VERSION.search(text)
    return (int(match.group(1)), int(match.group(2))) if match else (0, 0)


def check_versions(engine: str, compose: str) -> None:
    """InvalidInput when the Engine or Compose is missing or too old."""
    if version(engine) < MINIMUM_ENGINE:
        raise InvalidInput(
            f"Cannot release: Docker Engine {engine or 'of unknown version'} is too old; 20.10 or later is needed. Upgrade Docker. "
            "Nothing was changed."
        )
    if not compose:
        raise InvalidInput(
            "Cannot release: this instance has no 'docker compose' (the Compose plugin); 2.20 or later is needed. "
            "Install docker-compose-plugin (Debian: docker-compose). Nothing was changed."
        )
    if version(compose) < MINIMUM_COMPOSE:
        raise InvalidInput(
            f"Cannot release: docker compose {compose} is too old; 2.20 or later is needed. Upgrade the Compose plugin. "
            "Nothing was changed."
        )
