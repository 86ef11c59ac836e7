# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a target's health is after a check, and why."""

from __future__ import annotations

import pytest

from localcloud.balancer.health import Phase, Reading, following, reason
from localcloud.balancer.model import Check

CHECK = Check(secure=False, port=None, path="/", interval=10, timeout=5, rise=5, fall=3, codes="200")
GOOD = Reading("UP", "L7OK", "200")
BAD = Reading("DOWN", "L7STS", "503")


@pytest.mark.parametrize(
    ("phase", "reading", "seconds", "after"),
    [
        (Phase.INITIAL, Reading("DOWN", "INI", ""), 100, Phase.INITIAL),
        (Phase.INITIAL, Reading("DOWN 1/5", "L7OK", "200"), 0.1, Phase.HEALTHY),
        (Phase.INITIAL, BAD, 19.9, Phase.INITIAL),
        (Phase.INITIAL, BAD, 20, Phase.UNHEALTHY),
        (Phase.HEALTHY, Reading("UP 1/3", "L7STS", "503"), 5, Phase.HEALTHY),
        (Phase.HEALTHY, BAD, 5, Phase.UNHEALTHY),
        (Phase.UNHEALTHY, Reading("DOWN 3/5", "L7OK", "200"), 5, Phase.UNHEALTHY),
        (Phase.UNHEALTHY, GOOD, 5, Phase.HEALTHY),
        (Phase.DRAINING, GOOD, 5, Phase.DRAINING),
    ],
)
def test_phases(phase, reading, seconds, after):
    assert following(phase, reading, CHECK, seconds) is after


@pytest.mark.parametrize(
    ("phase", "reading", "code", "words"),
    [
        (Phase.HEALTHY, GOOD, None, None),
        (Phase.INITIAL, None, "Elb.RegistrationInProgress", "Target registration is in progress"),
        (Phase.INITIAL, BAD, "Elb.InitialHealthChecking", "Initial health checks in progress"),
        (Phase.UNHEALTHY, BAD, "Target.ResponseCodeMismatch", "Health checks failed with these codes: [503]"),
        (Phase.UNHEALTHY, Reading("DOWN", "L7TOUT", ""), "Target.Timeout", "Request timed out"),
        (Phase.UNHEALTHY, Reading("DOWN", "L4TOUT", ""), "Target.Timeout", "Request timed out"),
        (Phase.UNHEALTHY, Reading("DOWN", "L4CON", ""), "Target.FailedHealthChecks", "Health checks failed"),
        (Phase.DRAINING, BAD, "Target.DeregistrationInProgress", "Target deregistration is in progress"),
    ],
)
def test_reasons(phase, reading, code, words):
    assert reason(phase, reading) == (code, words)
