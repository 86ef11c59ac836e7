# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verdicts on containers."""

from __future__ import annotations

import pytest

from ansible_collections.bluegreen.aws.plugins.module_utils._compose import health

from .builders import container


def judge(has_healthcheck=False, running_for=10.0, closed_ports=(), **state):
    return health.verdict(
        container("a", **state), has_healthcheck=has_healthcheck, running_for=running_for, settle=3, closed_ports=closed_ports
    )


@pytest.mark.parametrize(
    ("given", "verdict"),
    [
        ({"has_healthcheck": True, "health": "healthy"}, ("healthy", "its health check passed")),
        ({"has_healthcheck": True, "health": "starting"}, ("waiting", "its health check has not passed yet")),
        ({"has_healthcheck": True, "health": "unhealthy"}, ("failed", "its health check failed")),
        ({}, ("healthy", "has run for 3 s")),
        ({"running_for": 3.0}, ("healthy", "has run for 3 s")),
        ({"running_for": 1.0}, ("waiting", "has run for 1.0 of 3 s")),
        ({"closed_ports": (80, 81)}, ("waiting", "nothing listens on port 80, 81 yet")),
        ({"state": "created"}, ("waiting", "is created")),
        ({"state": "exited", "exit_code": 3}, ("failed", "ended with exit code 3")),
        ({"state": "exited", "restart_policy": "no"}, ("healthy", "ended with exit code 0")),
        ({"state": "exited", "restart_policy": "always"}, ("failed", "ended with exit code 0")),
        ({"state": "restarting", "restarts": 3, "exit_code": 1}, ("failed", "crashed 3 times, last exit code 1")),
        ({"state": "restarting", "restarts": 1, "exit_code": 1}, ("waiting", "is restarting")),
    ],
)
def test_verdicts(given, verdict):
    assert judge(**given) == verdict


@pytest.mark.parametrize(
    ("given", "state"),
    [
        ({"state": "exited"}, "healthy"),
        ({"state": "exited", "exit_code": 1}, "failed"),
        ({"state": "dead", "exit_code": 137}, "failed"),
        ({}, "waiting"),
    ],
)
def test_jobs(given, state):
    assert health.job_verdict(container("job", **given))[0] == state
