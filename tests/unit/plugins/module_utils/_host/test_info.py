# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is shown of the releases and of what runs."""

from __future__ import annotations

from ansible_collections.bluegreen.aws.plugins.module_utils._host import info, release

from .machine import bundle, make_host


def test_what_is_shown(machine):
    empty = info.read(make_host(machine, state="rolled_back"))
    assert empty == {"current": "", "releases": [], "services": [], "lock": None, "interrupted": ""}
    done = release.perform(make_host(machine, files=bundle()))
    shown = info.read(make_host(machine, state="rolled_back"))
    assert shown["current"] == shown["releases"][0]["id"] == done.record["id"]
    services = {item["service"]: item for item in shown["services"]}
    assert services["backend"]["live_colour"] == "blue" and services["backend"]["managed"]
    assert {(one["name"], one["role"]) for one in services["backend"]["containers"]} == {
        ("popcon-backend-1", "proxy"),
        ("popcon-backend-blue-1", "worker"),
    }
    assert "hunter2" not in str(shown)
