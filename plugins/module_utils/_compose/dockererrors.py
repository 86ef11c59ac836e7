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

# (what the text contains, cause, remedy); the first match counts. Texts are Docker Engine's of 20.10 to 28, runc's, and registries' own.
# {0}, {1}: what the pattern's groups caught.
_ENGINE = (
    (
        r"no space left on device|disk quota exceeded",
        "the disk of the instance is full",
        "Free space (docker image prune) or enlarge the volume, then release again.",
    ),
    (
        r"permission denied while trying to connect to the docker (?:daemon socket|API)",
        "this user may not use the Docker Engine's socket",
        "Run as root (become: true), or put the user into the group docker.",
    ),
    (
        r"Cannot connect to the Docker daemon|Is the docker daemon running",
        "the Docker Engine does not run",
        "Start it: systemctl start docker.",
    ),
)
_REGISTRY = (
    (
        r"no matching manifest for (\S+)",
        "the image has no variant for this instance's platform ({0})",
        "Build and push the image for that platform.",
    ),
    (
        r"manifest unknown|manifest for .* not found|not found: manifest|name unknown|repository .* not found|: not found$",
        "the registry does not have it",
        "Push the image, or correct the digest or tag.",
    ),
    (r"toomanyrequests|rate limit", "the registry limits the rate", "Wait, or use a mirror or a login, then release again."),
    (r"token has expired|expired token", "the login to the registry has expired", "Log in again (registry: ecr does), then release again."),
    (r"pull access denied", "the registry refuses access or does not have it", "Check the reference and the login (registry: ecr)."),
    (
        r"incorrect username or password",
        "the registry refuses the user name or the password",
        "Correct the login, or use registry: ecr with the instance's role.",
    ),
    (
        r"no basic auth credentials|authorization failed|unauthorized|denied|authentication required|403 Forbidden",
        "the registry refuses access",
        "Check the role's ECR permissions (ecr:BatchGetImage, ecr:GetDownloadUrlForLayer) and registry: ecr.",
    ),
    (
        r"certificate signed by unknown authority|x509:|server gave HTTP response to HTTPS client",
        "the Docker Engine does not trust the registry's certificate",
        "Install the registry's CA below /etc/docker/certs.d, or list the registry in insecure-registries of /etc/docker/daemon.json.",
    ),
    (r"no such host|server misbehaving", "the registry's name cannot be resolved", "Check the reference and the instance's DNS."),
    (
        r"connection refused|timeout|took longer than|context deadline exceeded|no route to host|network is unreachable|\bEOF$",
        "the registry does not answer",
        "Check the route from the instance to the registry (NAT gateway or endpoint, security group), then release again.",
    ),
)
_RUN = (
    (
        r'"haproxy": executable file not found',
        "the image has no haproxy",
        "Name an image with HAProxy 2.4 or later in proxy_image.",
    ),
    (
        r"exec format error",
        "the image's program is not made for this instance's processor",
        "Build and push the image for the instance's platform.",
    ),
    (
        r'exec: "([^"]+)": permission denied',
        "{0} in the container is not executable",
        "Make it executable in the image (RUN chmod +x {0}, or COPY --chmod=755); a mounted file needs its executable bit in the bundle.",
    ),
    (
        r'exec: "([^"]+)": (?:executable file not found|stat .*no such file or directory)|exec ([^"\s]+): no such file or directory',
        "the container has no program {0}",
        "Correct command or entrypoint, or the first line (#!) of the script; Windows line ends (CRLF) give this too.",
    ),
    (
        r"(?:error while creating mount source path|mkdir) '?([^':]+)'?: .*(?:permission denied|read-only file|operation not permitted)",
        "the Docker Engine may not create {0}, which the service mounts",
        "Create {0} on the instance and let the Engine's user reach it (rootless Docker, SELinux, a read-only file system), "
        "or mount another path.",
    ),
    (
        r"bind source path does not exist: (\S+)|failed to mount local volume: mount (\S+?):\S+ .*no such file or directory",
        "{0}, which the service mounts, is not on the instance",
        "Add it to the bundle, create it on the instance, or correct the mount.",
    ),
    (
        r"Are you trying to mount a directory onto a file|: not a directory(?:: unknown)?",
        "a mount puts a directory over a file, or a file over a directory",
        "Correct source or target of the mount; Docker makes a directory of a source that is not there.",
    ),
    (
        r"cannot expose privileged port|bind: permission denied",
        "the Docker Engine may not use a port below 1024",
        "Publish a higher port, or run Docker as root.",
    ),
    (
        r"port is already allocated|address already in use",
        "a port is taken by something else on the instance",
        "Stop what uses the port, or publish another one.",
    ),
    (
        r'The container name "/?([^"]+)" is already in use',
        "another container is named {0}",
        "Remove it (docker rm), or choose another container_name.",
    ),
    (
        r"network (\S+) declared as external, but could not be found",
        "the external network {0} does not exist",
        "Create it: docker network create {0}.",
    ),
    (
        r'external volume "([^"]+)" not found',
        "the external volume {0} does not exist",
        "Create it: docker volume create {0}.",
    ),
    (
        r"could not find an available.*address pool|Pool overlaps with other one",
        "the Docker Engine has no free addresses for another network",
        "Remove networks that nothing uses (docker network prune), or give the network a subnet of its own.",
    ),
    (
        r"cannot join (?:network|PID|IPC).*(?:non running|not running)|cannot join (?:network|PID|IPC) (?:namespace )?of",
        "the container whose namespace it shares does not run",
        "See why that one ended (docker logs), then release again.",
    ),
    (
        r"failed to initialize logging driver: (.*)",
        "the log driver does not start ({0})",
        "Correct logging of the service, or start what it sends to.",
    ),
    (r"Cannot allocate memory|out of memory", "the instance has no memory left", "Use a larger instance, or lower what the services need."),
    (r"operation not permitted", "the Docker Engine or the kernel forbids it", "Check cap_add, privileged, security_opt and devices."),
    (r"No such image", "the image is not on the instance", "Release again with pull: always or missing."),
)
_ANYWHERE = ((r"invalid reference format", "the reference is not valid", "Correct it: [host[:port]/]path[:tag][@sha256:digest]."),)


def cause(text: str, *, registry: bool = False) -> tuple:
    """(cause, remedy) of what a docker command printed; Docker's own last line and no remedy when it is not known.

    ``registry``: the command talked to a registry. "denied" of a registry and "permission denied" of a program are two things.
    """
    for pattern, words, remedy in (*_ENGINE, *(_REGISTRY if registry else _RUN), *_ANYWHERE):
        match = re.search(pattern, text, re.IGNORECASE | re.MULTILINE)
        if match:
            caught = [group.rstrip(".") for group in match.groups() if group] or [""]
            return words.format(*caught), remedy.format(*caught)
    return last_line(text), ""


def last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith(("Run 'docker ", "See 'docker "))]
    return lines[-1].rstrip(".") if lines else "no output"


def sentence(attempt: str, text: str, *, registry: bool = False) -> str:
    """``Failed to <attempt>: <cause>. <remedy>``, with Docker's own words when the cause is a translation."""
    words, remedy = cause(text, registry=registry)
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
