# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whole releases on a machine in memory; above all: killed before any of its steps, the next run always gets to the end."""

from __future__ import annotations

import pytest

from ansible_collections.bluegreen.aws.plugins.module_utils._compose.errors import Busy, InvalidInput, ReleaseFailed
from ansible_collections.bluegreen.aws.plugins.module_utils._host import release

from .machine import Killed, Machine, bundle, make_host

ONE, TWO = "sha256:" + "1" * 64, "sha256:" + "2" * 64


def deploy(machine, check=False, files=None, **options):
    state = options.get("state", "present")
    if state == "present":
        options["files"] = files or bundle()
    host = make_host(machine, **options)
    return release.perform(host, check=check)


def workers(machine):
    return {name: item["Config"]["Image"] for name, item in machine.running.items() if "blue" in name or "green" in name}


def assert_settled(machine, image):
    """One worker of image per service, the traffic on it, nothing left over."""
    assert set(workers(machine).values()) == {image}
    assert len(workers(machine)) == 2
    assert machine.serving("frontend") == machine.serving("backend") == {image}
    info = make_host(machine, state="rolled_back")
    assert info.store.journal() is None
    current = {record.id: record for record in info.store.records()}[info.store.current()]
    assert current.result == "succeeded"
    assert current.images["backend"] == image
    assert not [record for record in info.store.records() if record.result == "running"]


def test_two_releases_and_back(machine):
    first = deploy(machine)
    assert {item["service"]: item["action"] for item in first.services} == {
        "db": "create", "migrate": "run", "backend": "create", "frontend": "create",
    }  # fmt: skip
    assert_settled(machine, ONE)
    assert deploy(machine).changed is False
    second = deploy(machine, files=bundle(IMAGE="app:2"))
    assert second.changed and second.record["previous"] == first.record["id"]
    assert_settled(machine, TWO)
    back = deploy(machine, state="rolled_back")
    assert (back.record["action"], back.record["restores"]) == ("rollback", first.record["id"])
    assert_settled(machine, ONE)
    assert deploy(machine, state="rolled_back", release=first.record["id"]).changed is False


def test_the_traffic_moves_after_everything_is_healthy_and_the_old_stops_last(machine):
    deploy(machine)
    machine.history.clear()
    deploy(machine, files=bundle(IMAGE="app:2"))
    steps = [step for step in machine.history if step.startswith(("up", "stop", "proxy", "link"))]
    moves = [number for number, step in enumerate(steps) if "state ready" in step]
    assert max(number for number, step in enumerate(steps) if step.startswith("up")) < min(moves)
    assert min(number for number, step in enumerate(steps) if step.startswith("stop")) > max(moves)
    assert steps.index("link current") > max(moves)
    assert "backend" in steps[min(moves)] and "frontend" in steps[max(moves)]


def test_check_mode_touches_nothing(machine, tmp_path):
    outcome = deploy(machine, check=True)
    assert outcome.changed and machine.running == {} and not (tmp_path / "opt").exists()
    deploy(machine)
    before = dict(machine.running)
    assert deploy(machine, check=True).changed is False
    outcome = deploy(machine, check=True, files=bundle(IMAGE="app:2"))
    assert outcome.changed and outcome.record["images"]["backend"] == TWO and machine.running == before


def test_a_changed_secret_is_named_and_not_shown(machine):
    deploy(machine)
    outcome = deploy(machine, files=bundle(KEY="hunter3-hunter3"))
    actions = {item["service"]: item["action"] for item in outcome.services}
    assert actions == {"db": "none", "migrate": "run", "backend": "replace", "frontend": "none"}
    assert (outcome.before["environment"]["KEY"], outcome.after["environment"]["KEY"]) == ("value (before)", "value (after)")
    assert "hunter" not in str(outcome)


def test_a_sick_release_is_taken_back(machine, tmp_path):
    live = deploy(machine).record["id"]
    machine.sick.add(TWO)
    with pytest.raises(ReleaseFailed) as caught:
        deploy(machine, files=bundle(IMAGE="app:2"))
    assert f"release {live} goes on unchanged: backend-green did not become healthy: its health check failed. Its last lines:" in str(
        caught.value
    )
    assert_settled(machine, ONE)
    failed = make_host(machine, state="rolled_back").store.records()[-1]
    assert failed.result == "failed"
    assert not (tmp_path / "opt" / "releases" / failed.id / ".env").exists()
    machine.sick.clear()
    deploy(machine, files=bundle(IMAGE="app:2"))
    assert_settled(machine, TWO)


def test_a_first_release_that_is_sick_leaves_nothing(machine):
    machine.sick.add(ONE)
    with pytest.raises(ReleaseFailed, match="failed, and nothing is live"):
        deploy(machine)
    assert [name for name in machine.running if "migrate" not in name] == []


def steps_of(machine, tmp_path, **options):
    """Number of steps that the release of the second version takes."""
    deploy(machine)
    machine.revive()
    deploy(machine, **options)
    return machine.calls


def kill(machine, number, **options):
    """Whether the release was killed, and did not end before its step ``number``."""
    machine.revive()
    machine.kill_at = number
    try:
        deploy(machine, **options)
    except Killed:
        return True
    finally:
        machine.revive()
    return False


@pytest.mark.parametrize("then", [1, 2])
def test_killed_before_any_step_the_next_run_gets_to_the_end(machine, tmp_path, then):
    """Every kill point of a redeployment; afterwards either version can be asked for. The old one serves until the traffic moves."""
    total = steps_of(machine, tmp_path, files=bundle(IMAGE="app:2"))
    assert total > 40
    for number in range(1, total + 1):
        deploy(machine, files=bundle(IMAGE="app:1"))
        assert_settled(machine, ONE)
        assert kill(machine, number, files=bundle(IMAGE="app:2"))
        for service in ("frontend", "backend"):
            assert machine.serving(service), f"nobody serves {service} after a kill before step {number}"
        deploy(machine, files=bundle(IMAGE=f"app:{then}"))
        assert_settled(machine, ONE if then == 1 else TWO)


def test_the_recovery_can_be_killed_too(machine, tmp_path):
    total = steps_of(machine, tmp_path, files=bundle(IMAGE="app:2"))
    for number in range(total // 2, total, 3):
        deploy(machine, files=bundle(IMAGE="app:1"))
        assert kill(machine, number, files=bundle(IMAGE="app:2"))
        for again in range(3, 40, 5):
            kill(machine, again, files=bundle(IMAGE="app:2"))
            assert machine.serving("frontend") and machine.serving("backend")
        deploy(machine, files=bundle(IMAGE="app:2"))
        assert_settled(machine, TWO)


def test_a_first_release_killed_before_any_step(machine, tmp_path):
    deploy(machine)
    total = machine.calls
    for number in range(1, total + 1):
        fresh = Machine(tmp_path / f"opt-{number}")
        machine.__dict__.update(fresh.__dict__)
        assert kill(machine, number)
        deploy(machine)
        assert_settled(machine, ONE)


def test_old_releases_and_their_images_go(machine):
    for number in range(6):
        deploy(machine, files=bundle(KEY=f"hunter-{number}-hunter"), keep_releases=2)
    store = make_host(machine, state="rolled_back").store
    in_use = {item["Config"]["Labels"]["bluegreen.release"] for item in machine.running.values()}
    newest = {record.id for record in store.records()[-2:]}
    assert {record.id for record in store.records()} == newest | in_use  # what a container may still mount stays
    assert len(in_use - newest) == 1
    assert not [step for step in machine.history if step.startswith("rmi")]  # all share the live image
    deploy(machine, files=bundle(IMAGE="app:2"), keep_releases=2)
    deploy(machine, files=bundle(IMAGE="app:2", KEY="another-secret"), keep_releases=2)
    assert f"rmi {ONE}" in machine.history


def test_a_second_one_has_to_wait(machine):
    deploy(machine)
    host = make_host(machine, state="rolled_back")
    lock = release.Lock(host.store.lock, machine.clock)
    lock.acquire("alice", "release of popcon", 0)
    with pytest.raises(Busy, match="Cannot start release of popcon: alice holds the lock of"):
        deploy(machine, lock_timeout=0)
    lock.release()
    assert deploy(machine).changed is False


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"images": {"nobody": "x"}}, "images names nobody"),
        ({"images": {"backend": "app:9"}}, "image app:9 is not on the instance, and pull is never"),
        ({"files": {"docker-compose.yaml": "{}"}}, "the bundle has no docker-compose.yml"),
        ({"state": "rolled_back"}, "no release is recorded as live here"),
    ],
)
def test_wrong_input_leaves_no_trace(machine, tmp_path, options, words):
    with pytest.raises(InvalidInput, match=words):
        deploy(machine, **options)
    assert machine.running == {}
    assert list((tmp_path / "opt" / "releases").iterdir()) == []
