# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state of a target from what HAProxy's health checks found, as Elastic Load Balancing names states and reasons; pure.

HAProxy begins with a server that is up; a load balancer begins with one that is not, and needs a single good check to use it. So a new
server is put down, and taken up when its first check succeeds; from then on HAProxy's own thresholds decide.
"""

from __future__ import annotations

import dataclasses
import enum

from .model import Check


class Phase(enum.Enum):
    """Where a target is in its life with the load balancer."""

    INITIAL = "initial"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"
    DRAINING = "draining"


@dataclasses.dataclass(frozen=True)
class Reading:
    """One server in `show stat`: columns status, check_status (without the mark of a check under way) and check_code."""

    status: str
    check_status: str
    check_code: str

    @property
    def succeeded(self) -> bool:
        """Whether the last check that ended found the target well."""
        return self.check_status in ("L7OK", "L6OK", "L4OK", "L7OKC")

    @property
    def failed(self) -> bool:
        """Whether it found it ill."""
        return self.check_status not in ("", "INI", "UNK", "CHECKED") and not self.succeeded


def following(phase: Phase, reading: Reading, check: Check, seconds: float) -> Phase:
    """The phase after a reading. `seconds` is how long the target has been in its phase."""
    match phase:
        case Phase.INITIAL:
            if reading.succeeded:
                return Phase.HEALTHY
            # HAProxy counts no failures of a server that is down; the first check came at once, the others after each interval
            return Phase.UNHEALTHY if reading.failed and seconds >= (check.fall - 1) * check.interval else phase
        case Phase.HEALTHY:
            return Phase.UNHEALTHY if reading.status.startswith("DOWN") else phase
        case Phase.UNHEALTHY:
            return Phase.HEALTHY if reading.status.startswith("UP") else phase
    return phase


def reason(phase: Phase, reading: Reading | None) -> tuple[str | None, str | None]:
    """The API's reason and description of a phase."""
    match phase:
        case Phase.INITIAL if reading is None or not reading.failed:
            return "Elb.RegistrationInProgress", "Target registration is in progress"
        case Phase.INITIAL:
            return "Elb.InitialHealthChecking", "Initial health checks in progress"
        case Phase.DRAINING:
            return "Target.DeregistrationInProgress", "Target deregistration is in progress"
        case Phase.UNHEALTHY:
            found = reading.check_status if reading is not None else ""
            if found == "L7STS":
                return "Target.ResponseCodeMismatch", f"Health checks failed with these codes: [{reading.check_code if reading else ''}]"
            if found.endswith("TOUT"):
                return "Target.Timeout", "Request timed out"
            return "Target.FailedHealthChecks", "Health checks failed"
    return None, None
