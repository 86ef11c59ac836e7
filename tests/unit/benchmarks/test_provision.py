# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""bench-provision's critical path, and the verdicts of bench-provision and bench-noop."""

from __future__ import annotations

import types

import provision
import pytest


def task(role, begin, end, file="main.yml"):
    return {"role": role, "begin": begin, "end": end, "file": file}


# Seconds since the start. Every stage takes a second of the controller; the database is ready at 70, the cache at 50.
TASKS = [
    task("preflight", 0, 1),
    task("network", 1, 3),
    task("database", 3, 4),
    task("cache", 4, 5),
    task("load_balancer", 5, 26),
    task("registry", 26, 27),
    task("image", 27, 37),
    task("deploy_bucket", 37, 38),
    task("monitoring", 38, 39),
    task("fleet", 39, 40),
    task("database", 40, 70, "ready.yml"),
    task("parameters", 70, 72),
    task("database_bootstrap", 72, 75),
    task("fleet", 75, 76),
    task("fleet", 76, 90, "ready.yml"),
    task("verify", 90, 95),
]


@pytest.fixture
def watch():
    seen = {"database": 4.0, "cache": 5.0, "nat": 2.0, "balancer": 6.0, "monitoring": 40.0, "backend": 76.0}
    ready = {"database": 64.0, "cache": 45.0, "nat": 17.0, "balancer": 26.0, "monitoring": 55.0, "backend": 90.0}
    return types.SimpleNamespace(seen=seen, ready=ready, seconds=lambda name: ready[name] - seen[name])


@pytest.mark.case("E2")
def test_a_stage_begins_when_what_it_needs_is_there(watch):
    seconds, stages = provision.critical_path(TASKS, watch)
    end = dict(stages)
    assert end["network"] == 3
    assert end["database"] == 3 + 1 + 60, "its creation, beside which everything else can be made"
    assert end["cache"] == 3 + 1 + 40
    assert end["way out"] == 3 + 14
    assert end["load balancer"] == 3 + 21
    assert end["images"] == 11, "they need no network"
    assert end["monitoring group"] == 24 + 1 + 15
    assert end["parameters"] == 64 + 2
    assert end["databases"] == 64 + 3
    assert end["backend group"] == 67 + 1 + 14
    assert seconds == end["verified"] == 82 + 5
    assert [when for _name, when in stages] == sorted(end.values())


@pytest.mark.case("E2")
@pytest.mark.parametrize(("wall", "code"), [(87.0, 0), (104.4, 0), (105.0, 1)])
def test_up_to_1_2_of_the_critical_path_is_reached(monkeypatch, capsys, watch, wall, code):
    monkeypatch.setattr(provision.subprocess, "run", lambda *_words, **_more: None)
    monkeypatch.setattr(provision.cloud, "environment", lambda _name: {})
    watch.start = watch.stop = lambda: None
    monkeypatch.setattr(provision, "Watch", lambda _env: watch)
    monkeypatch.setattr(provision, "timed", lambda *_words: (wall, TASKS))
    assert provision.first(types.SimpleNamespace(scale=1.0)) == code
    assert capsys.readouterr().out.splitlines()[-1] == f"result: wall_over_critical={wall / 87:.2f} wall_s={wall:.0f} critical_s=87"


@pytest.mark.case("E5")
@pytest.mark.parametrize(("ours", "code"), [(20.0, 0), (25.0, 0), (26.0, 1)])
def test_at_most_half_of_the_stock_tasks_time_is_reached(monkeypatch, capsys, ours, code):
    order = []
    monkeypatch.setattr(provision, "bring_up", lambda system, _name: order.append(system) or {})
    monkeypatch.setattr(provision, "launched", lambda _env: {})
    monkeypatch.setattr(provision, "calls", lambda _env: (0, 0.0))

    def timed(words, _env, quiet):
        assert quiet
        order.append("site" if words is provision.SITE else "stock")
        return (ours if words is provision.SITE else 50.0), []

    monkeypatch.setattr(provision, "timed", timed)
    assert provision.noop(types.SimpleNamespace(repeat=3)) == code
    assert order == ["wealist", *["site", "stock"] * 3], "it is settled first, and both are measured in turn"
    assert capsys.readouterr().out.splitlines()[-1] == f"result: seconds={ours:.1f} aws_calls=0 vs_stock={ours / 50:.2f} overhead=1.00"
