# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carrying a plan out, beyond what test_release.py shows: draining, and steps that fail on the way back."""

from __future__ import annotations

import pytest

from ansible_collections.bluegreen.aws.plugins.module_utils._compose.errors import ComposeReleaseError, ReleaseFailed
from ansible_collections.bluegreen.aws.plugins.module_utils._host import release

from .machine import bundle, make_host

ONE = "sha256:" + "1" * 64


def deploy(machine, report=None, spoil=None, **options):
    host = make_host(machine, **options)
    host._report = report
    if spoil:
        spoil(host)
    return release.perform(host)


def test_the_old_one_drains_before_it_stops(machine):
    deploy(machine, files=bundle())
    machine.sessions["blue-1"] = 2
    begun = machine.clock.now

    def report(entry):
        if "traffic goes" in entry["event"] and machine.clock.now > begun + 1:
            machine.sessions.clear()

    outcome = deploy(machine, report, files=bundle(IMAGE="app:2"), drain_timeout=7)
    said = [entry["event"] for entry in outcome.timeline]
    assert "backend-blue still has 2 connections after 7 s; they end now" in said
    assert machine.clock.now >= begun + 7
    assert said.index("removed popcon-backend-blue-1") > said.index("backend-blue still has 2 connections after 7 s; they end now")


def test_a_step_back_that_fails_does_not_stop_the_others(machine):
    deploy(machine, files=bundle())
    machine.sick.add("sha256:" + "2" * 64)

    def spoil(host):
        real = host.docker.stop

        def stop(containers, timeout):
            if any("backend-green" in one.name for one in containers):
                raise ComposeReleaseError("Failed to remove the containers popcon-backend-green-1: no.")
            real(containers, timeout)

        host.docker.stop = stop

    with pytest.raises(ReleaseFailed) as caught:
        deploy(machine, spoil=spoil, files=bundle(IMAGE="app:2"))
    assert "Taking it back was not complete: Failed to remove the containers popcon-backend-green-1: no." in str(caught.value)
    assert machine.serving("backend") == {ONE}
    machine.sick.clear()
    deploy(machine, files=bundle())
    assert "popcon-backend-green-1" not in machine.running


def test_a_drain_that_fails_does_not_take_the_release_back(machine):
    deploy(machine, files=bundle())

    def spoil(host):
        def stop(containers, timeout):
            if containers:
                raise ComposeReleaseError("Failed to remove the containers: no.")

        host.docker.stop = stop

    outcome = deploy(machine, spoil=spoil, files=bundle(IMAGE="app:2"))
    assert "is live, but its predecessor could not be removed completely: Failed to remove the containers: no." in outcome.warnings[0]
    assert machine.serving("backend") != {ONE}
    deploy(machine, files=bundle(IMAGE="app:2"))
    assert "popcon-backend-blue-1" not in machine.running
