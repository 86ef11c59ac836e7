# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Waits for containers to become healthy and says why one does not; starts and stops nothing."""

from __future__ import annotations

import socket

from .._compose import health, model
from .._compose.errors import ReleaseFailed
from .clock import moment

_CONNECT = 0.5  # seconds
_INTERVAL = 0.25  # seconds between two looks


class HealthWatch:
    """Looks at the containers of services until each is healthy, within one deadline for all of them."""

    def __init__(self, host, deadline: float):
        self._host = host
        self._deadline = deadline

    def wait(self, service: model.Service, compose_service: str, *, job: bool = False) -> list:
        """The containers of ``compose_service`` when all are healthy (a job: completed); else ReleaseFailed with their last lines."""
        clock = self._host.clock
        while True:
            found = [one for one in self._host.docker.containers() if one.service == compose_service]
            verdicts = [(one, *self._verdict(one, service, job)) for one in found]
            failed = [entry for entry in verdicts if entry[1] == health.FAILED]
            if failed:
                raise self._failure(compose_service, failed[0][0], failed[0][2])
            if len(found) >= service.replicas and all(state == health.HEALTHY for _one, state, _why in verdicts):
                self._host.event(f"{compose_service} {'has completed' if job else 'is healthy'}")
                return found
            if clock.monotonic() >= self._deadline:
                waiting = [entry for entry in verdicts if entry[1] != health.HEALTHY]
                if not waiting:
                    raise ReleaseFailed(
                        f"{compose_service} has {len(found)} of {service.replicas} containers; the others were removed by somebody."
                    )
                why = f"within {self._host.options.health_timeout} s: {waiting[0][2]}"
                raise self._failure(compose_service, waiting[0][0], why)
            clock.sleep(_INTERVAL)

    def _verdict(self, container, service: model.Service, job: bool) -> tuple:
        if job:
            return health.job_verdict(container)
        needs_ports = container.running and not service.has_healthcheck
        return health.verdict(
            container,
            has_healthcheck=service.has_healthcheck,
            running_for=(self._host.clock.utc() - moment(container.started)).total_seconds() if container.running else 0.0,
            settle=self._host.options.settle_time,
            closed_ports=closed_ports(container, service.required_ports) if needs_ports else (),
        )

    def _failure(self, compose_service: str, container, why: str) -> ReleaseFailed:
        lines = self._host.docker.logs(container).strip()
        said = f" Its last lines:\n{lines}" if lines else " It printed nothing."
        return ReleaseFailed(f"{compose_service} did not become healthy: {why}.{said}")


def closed_ports(container, ports: tuple) -> tuple:
    """Those ports on which the container accepts no connection."""
    address = next(iter(container.addresses.values()), "127.0.0.1")
    return tuple(port for port in ports if not _accepts(address, port))


def _accepts(address: str, port: int) -> bool:
    try:
        socket.create_connection((address, port), timeout=_CONNECT).close()
    except OSError:
        return False
    return True
