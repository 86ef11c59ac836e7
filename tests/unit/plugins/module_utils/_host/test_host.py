# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the parts of a run share."""

from __future__ import annotations

from .machine import make_host


def test_events_are_timed_reported_and_show_no_secret(machine):
    host, seen = make_host(machine, state="rolled_back"), []
    host._report = seen.append
    host.redact.add(["hunter2"])
    machine.clock.sleep(1.5)
    host.event("password hunter2")
    assert host.timeline == seen == [{"seconds": 1.5, "event": "password ********"}]


def test_a_warning_is_said_once(machine):
    host = make_host(machine, state="rolled_back")
    host.warn("a")
    host.warn("a")
    assert host.warnings == ["a"]
