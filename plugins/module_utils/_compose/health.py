# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Whether a container that was just started is healthy, has failed, or needs more time; no I/O, no clock."""

from __future__ import annotations

from .observed import Container

WAITING = "waiting"
HEALTHY = "healthy"
FAILED = "failed"

_CRASHES = 3  # restarts by Docker after which more waiting is pointless


def verdict(container: Container, *, has_healthcheck: bool, running_for: float, settle: float, closed_ports=()) -> tuple:
    """(state, what it waits for or why it failed).

    With a health check Docker's word counts. Without one the container has to run for ``settle`` seconds with its ports open.
    ``running_for`` is seconds since it was first seen running; ``closed_ports`` those that do not accept connections yet.
    """
    if container.state in ("exited", "dead"):
        if container.exit_code == 0 and container.restart_policy in ("", "no", "on-failure") and not container.health:
            return HEALTHY, "ended with exit code 0"
        return FAILED, f"ended with exit code {container.exit_code}"
    if container.restarts >= _CRASHES:
        return FAILED, f"crashed {container.restarts} times, last exit code {container.exit_code}"
    if container.state != "running":
        return WAITING, f"is {container.state or 'not there'}"
    if has_healthcheck:
        if container.health == "healthy":
            return HEALTHY, "its health check passed"
        if container.health == "unhealthy":
            return FAILED, "its health check failed"
        return WAITING, "its health check has not passed yet"
    if closed_ports:
        return WAITING, f"nothing listens on port {', '.join(map(str, closed_ports))} yet"
    if running_for < settle:
        return WAITING, f"has run for {running_for:.1f} of {settle:g} s"
    return HEALTHY, f"has run for {settle:g} s"


def job_verdict(container: Container) -> tuple:
    """The same for a container that has to run to completion."""
    if container.state in ("exited", "dead"):
        if container.exit_code == 0:
            return HEALTHY, "completed"
        return FAILED, f"ended with exit code {container.exit_code}"
    return WAITING, "has not completed yet"
