# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting, with a clock that only moves when somebody sleeps."""

from __future__ import annotations

from ansible_collections.bluegreen.aws.plugins.module_utils._host import clock

from .machine import Clock


def test_it_asks_at_least_once_and_stops_at_the_deadline():
    fake, asked = Clock(), []
    assert clock.wait_until(fake, lambda: asked.append(1) or False, deadline=fake.now, interval=1) is False
    assert len(asked) == 1
    assert clock.wait_until(fake, lambda: asked.append(1) or False, deadline=fake.now + 3, interval=1) is False
    assert len(asked) == 5


def test_it_returns_when_it_is_true():
    fake, begun = Clock(), 1000.0
    assert clock.wait_until(fake, lambda: fake.now >= begun + 2, deadline=begun + 10, interval=0.5) is True
    assert fake.now == begun + 2


def test_times_as_docker_and_as_releases_write_them():
    moment = clock.moment("2026-11-21T04:15:30.123456789Z")
    assert clock.iso(moment) == "2026-11-21T04:15:30Z"
    assert clock.stamp(moment) == "20261121T041530Z"
    assert clock.parse_stamp("20261121T041530Z-ab12") == moment
