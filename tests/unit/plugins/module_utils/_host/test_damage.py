# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records that cannot be read and disks that are full: what is live stays, the traffic moves, and one sentence says what to do."""

from __future__ import annotations

import errno
import os

import pytest

from ansible_collections.bluegreen.aws.plugins.module_utils._compose.errors import ComposeReleaseError, InvalidInput, ReleaseFailed
from ansible_collections.bluegreen.aws.plugins.module_utils._host import files, release
from ansible_collections.bluegreen.aws.plugins.module_utils._host.recover import recover

from .machine import Killed, bundle, make_host

ONE, TWO = "sha256:" + "1" * 64, "sha256:" + "2" * 64


def deploy(machine, check=False, **options):
    return release.perform(make_host(machine, **options), check=check)


def spoil(machine, identifier, text="{half"):
    path = os.path.join(machine.directory, "releases", identifier, "release.json")
    with open(path, "w") as stream:
        stream.write(text)
    return path


@pytest.mark.case("B8")
def test_a_live_release_whose_record_is_damaged_stays(machine):
    live = deploy(machine, files=bundle()).record["id"]
    path = spoil(machine, live)
    outcome = deploy(machine, files=bundle(IMAGE="app:2"), keep_releases=1)
    assert outcome.warnings[0] == (
        f"The record of the live release {live} ({path}) cannot be read: it is no JSON: Expecting property name enclosed in double "
        "quotes: line 1 column 2 (char 1). The release and what runs of it are kept, and no old release is removed meanwhile. "
        "Restore the file from a backup, or release again: jobs run once more, and a rollback to it is not possible."
    )
    assert os.path.exists(os.path.join(machine.directory, "releases", live, ".env"))
    assert machine.serving("backend") == {TWO}
    deploy(machine, files=bundle(IMAGE="app:2", KEY="another-secret"), keep_releases=1)
    assert os.path.exists(os.path.join(machine.directory, "releases", live, ".env"))


@pytest.mark.case("B8")
def test_a_rollback_over_a_damaged_record_says_so_and_touches_nothing(machine):
    deploy(machine, files=bundle())
    live = deploy(machine, files=bundle(IMAGE="app:2")).record["id"]
    path = spoil(machine, live)
    before = dict(machine.running)
    with pytest.raises(InvalidInput) as caught:
        deploy(machine, state="rolled_back")
    assert str(caught.value).startswith(f"Cannot roll back: the record of release {live} ({path}) cannot be read: it is no JSON: ")
    assert str(caught.value).endswith("Restore the file from a backup, or release the version that you want. Nothing was changed.")
    assert machine.running == before


@pytest.mark.case("B8")
def test_a_release_that_runs_without_any_record_is_kept_and_named(machine):
    live = deploy(machine, files=bundle()).record["id"]
    os.unlink(os.path.join(machine.directory, "releases", live, "release.json"))
    os.unlink(os.path.join(machine.directory, "current"))
    host = make_host(machine, state="rolled_back")
    recover(host)
    assert os.path.exists(os.path.join(machine.directory, "releases", live, ".env"))
    assert host.warnings == [
        f"Release {live} runs and has no record ({machine.directory}/releases/{live}/release.json); it is kept. "
        "Restore the file from a backup, or release again."
    ]


@pytest.mark.case("B8")
def test_with_a_damaged_journal_what_runs_is_asked(machine):
    deploy(machine, files=bundle())
    machine.revive()
    machine.kill_at = 10**6
    total = machine.calls
    deploy(machine, files=bundle(IMAGE="app:2"))
    steps = machine.calls - total
    for number in range(5, steps, 4):
        deploy(machine, files=bundle())
        machine.revive()
        machine.kill_at = number
        with pytest.raises(Killed):
            deploy(machine, files=bundle(IMAGE="app:2"))
        machine.revive()
        journal = os.path.join(machine.directory, ".bluegreen", "journal.json")
        if os.path.exists(journal):
            with open(journal, "w") as stream:
                stream.write("{half")
        served = machine.serving("backend")
        assert served
        current = make_host(machine, state="rolled_back").store.current()
        recover(make_host(machine, state="rolled_back"))
        assert machine.serving("backend") and machine.serving("frontend"), number
        assert os.path.exists(os.path.join(machine.directory, "releases", current, ".env"))
        deploy(machine, files=bundle(IMAGE="app:2"))
        assert machine.serving("backend") == machine.serving("frontend") == {TWO}
        assert len([name for name in machine.running if "backend-" in name]) == 2


class Full:
    """A disk that takes no file from the moment on that a step of the outside world is made."""

    def __init__(self, machine, monkeypatch, when):
        self.on = False
        before, tick = files.write, machine.tick

        def write(path, text, mode=0o600):
            if self.on:
                raise OSError(errno.ENOSPC, "No space left on device", path)
            before(path, text, mode)

        def watched(what):
            self.on = self.on or when in what
            tick(what)

        monkeypatch.setattr(files, "write", write)
        monkeypatch.setattr(machine, "tick", watched)


@pytest.mark.case("B9")
def test_on_a_full_disk_the_traffic_goes_back_first_and_every_failure_is_reported(machine, monkeypatch):
    live = deploy(machine, files=bundle()).record["id"]
    full = Full(machine, monkeypatch, "proxy frontend set server port-8080/green-1 state ready")
    with pytest.raises(ReleaseFailed) as caught:
        deploy(machine, files=bundle(IMAGE="app:2"))
    text = str(caught.value)
    proxies = f"{machine.directory}/.bluegreen/proxy"
    remedy = "Free space (docker image prune) or enlarge the volume, then run again."
    assert f"failed, and release {live} goes on unchanged: Failed to write the configuration of frontend's proxy: " in text
    for service in ("frontend", "backend"):
        where = f"{proxies}/{service}/haproxy.cfg"
        assert f"Failed to write the configuration of {service}'s proxy: No space left on device ({where}). {remedy}" in text
    assert "Failed to record the failed release: No space left on device" in text
    assert machine.serving("frontend") == machine.serving("backend") == {ONE}
    assert [name for name in machine.running if "green" in name] == []
    assert make_host(machine, state="rolled_back").store.current() == live
    full.on = False
    monkeypatch.undo()
    deploy(machine, files=bundle(IMAGE="app:2"))
    assert machine.serving("frontend") == machine.serving("backend") == {TWO}


@pytest.mark.case("B9")
def test_a_full_disk_before_anything_moved_is_one_sentence(machine, monkeypatch):
    deploy(machine, files=bundle())
    deploy(machine, files=bundle(IMAGE="app:2"))
    full = Full(machine, monkeypatch, "ps")
    with pytest.raises(ComposeReleaseError, match=r"^Failed to carry out the rollback of popcon: No space left on device \(.*\)\. Free"):
        deploy(machine, state="rolled_back")
    assert machine.serving("backend") == {TWO} and full.on


@pytest.mark.case("B9")
def test_a_full_disk_after_the_release_is_live_does_not_end_it(machine, monkeypatch):
    deploy(machine, files=bundle())
    Full(machine, monkeypatch, "link current")
    outcome = deploy(machine, files=bundle(IMAGE="app:2"))
    assert "is live, but its record could not be written: Failed to finish it: No space left on device" in outcome.warnings[0]
    assert machine.serving("backend") == {TWO}
    assert "popcon-backend-blue-1" not in machine.running
    monkeypatch.undo()
    assert deploy(machine, files=bundle(IMAGE="app:2")).changed is False


@pytest.mark.case("B9")
def test_a_link_that_moved_before_its_step_failed_goes_back(machine, monkeypatch):
    live = deploy(machine, files=bundle()).record["id"]
    real, calls = files.link, []

    def link(target, path):
        real(target, path)
        calls.append(target)
        if len(calls) == 1:
            raise OSError(errno.EIO, "Input/output error", path)

    monkeypatch.setattr(files, "link", link)
    with pytest.raises(ReleaseFailed, match=r"Failed to write the release's files: Input/output error"):
        deploy(machine, files=bundle(IMAGE="app:2"))
    assert make_host(machine, state="rolled_back").store.current() == live
    assert machine.serving("backend") == {ONE}
