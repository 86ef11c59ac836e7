"""What goes wrong during a release, against a real Engine: the old one goes on, one sentence says why, and the next run continues."""

from __future__ import annotations

import json
import os
import re
import signal

import pytest

from .conftest import APP, COMPOSE, docker
from .load import Load


def targets(application):
    return [(application.frontend, "/"), (application.backend, "/"), (application.frontend, "/behind")]


def workers(application):
    return {name for name in application.containers() if "blue" in name or "green" in name}


FAULTS = [
    ("never-healthy", "its health check failed"),
    pytest.param("crash", "ended with exit code 3", marks=pytest.mark.thorough),
]


@pytest.mark.parametrize(("fault", "why"), FAULTS)
def test_a_release_that_never_becomes_healthy(application, fault, why):
    live = application.run()["record"]["id"]
    environment = (application.directory / "current" / ".env").read_text()
    before = workers(application)
    application.values.update(FAULT=fault, APP_IMAGE=f"{APP}:2")
    with Load(targets(application), rate=90) as result:
        error = application.run(rc=1)
    assert result.failures == []
    assert result.versions == {"1"}
    assert re.search(f"^Release \\S+ of {application.project} failed, and release {live} goes on unchanged: "
                     f"backend-green did not become healthy: {why}. Its last lines:$", error, re.MULTILINE)  # fmt: skip
    assert application.current() == live
    assert (application.directory / "current" / ".env").read_text() == environment
    assert workers(application) == before
    failed = next(item for item in application.run("info")["releases"] if item["id"] != live)
    assert failed["result"] == "failed" and why in failed["error"]
    assert not (application.directory / "releases" / failed["id"] / ".env").exists()
    if fault == "crash":
        assert "cannot start with password ********" in error
    application.values.update(FAULT="")
    assert application.run()["changed"] is True
    assert application.get() == "2"


def test_the_first_release_that_fails_leaves_nothing_but_the_volume(application):
    application.values["FAULT"] = "crash"
    error = application.run(rc=1)
    assert "failed, and nothing is live: backend-blue did not become healthy" in error
    assert application.running() == set()
    assert application.current() == ""
    application.values["FAULT"] = ""
    application.run()
    assert application.get() == "1"


# What the progress says just before the process is killed; what runs afterwards, before anybody looks.
MOMENTS = [
    pytest.param("starting backend-green", marks=pytest.mark.thorough),
    "backend-green is healthy",
    pytest.param("frontend-green is healthy", marks=pytest.mark.thorough),
    pytest.param("backend: traffic goes to green", marks=pytest.mark.thorough),
    "is live",
    pytest.param("has drained", marks=pytest.mark.thorough),
]


@pytest.mark.parametrize("words", MOMENTS)
def test_a_killed_release_is_put_right_by_the_next_run(application, words):
    first = application.run()["record"]["id"]
    application.values["APP_IMAGE"] = f"{APP}:2"
    with Load(targets(application), rate=60) as result:
        code, _output = application.kill_when(words)
        assert code == -signal.SIGKILL
        again = application.run()
    assert result.failures == []
    assert application.get() == application.get(application.frontend, "/behind") == "2"
    assert len(workers(application)) == 2
    assert all(item["result"] in ("succeeded", "interrupted") for item in application.run("info")["releases"])
    assert application.run("info")["interrupted"] == ""
    assert application.run()["changed"] is False
    if words in ("is live", "has drained"):
        assert again["changed"] is False
    else:
        assert again["record"]["previous"] == first
        assert (
            "was interrupted" in application.run("info")["releases"][1]["error"]
            or "killed" in application.run("info")["releases"][1]["error"]
        )


@pytest.mark.thorough
def test_after_a_kill_the_old_release_can_be_asked_for_again(application):
    first = application.run()
    application.values["APP_IMAGE"] = f"{APP}:2"
    application.kill_when("backend: traffic goes to green")
    application.values["APP_IMAGE"] = f"{APP}:1"
    with Load(targets(application), rate=60) as result:
        again = application.run()
    assert result.failures == []
    assert again["changed"] is False
    assert again["record"]["id"] == first["record"]["id"]
    assert application.get() == "1"
    assert workers(application) == {"backend-blue-1", "frontend-blue-1"}


@pytest.mark.parametrize("number", [pytest.param(signal.SIGTERM, marks=pytest.mark.thorough), signal.SIGHUP])
def test_a_release_that_is_asked_to_end_takes_back_what_it_did(application, number):
    live = application.run()["record"]["id"]
    application.values["APP_IMAGE"] = f"{APP}:2"
    code, output = application.kill_when("backend-green is healthy", number)
    assert code == 1
    assert f"interrupted, and release {live} goes on unchanged: interrupted by {number.name}" in output
    assert application.current() == live
    assert workers(application) == {"backend-blue-1", "frontend-blue-1"}
    assert application.run("info")["releases"][0]["result"] == "interrupted"


def test_two_releases_at_once(application):
    application.run()
    application.values["APP_IMAGE"] = f"{APP}:2"
    first = application.start(actor="alice")
    lock = application.directory / ".bluegreen" / "lock.json"
    application.wait_for(lambda: lock.exists() and json.loads(lock.read_text())["pid"] == first.pid)
    error = application.run(rc=1, lock_timeout=0)
    assert re.fullmatch(
        rf"Cannot start release of {application.project}: alice holds the lock of {application.directory} since \S+Z "
        rf"\(release of {application.project}, process {first.pid} on this instance\)\. Wait for it, or break it with 'kill {first.pid}'; "
        r"the next release undoes what was half done\.\n",
        error,
    )
    assert application.run("info")["lock"]["actor"] == "alice"
    first.communicate()
    assert first.returncode == 0
    assert application.get() == "2"


@pytest.mark.thorough
def test_a_stateful_service_that_does_not_start_again_comes_back_as_it_was(application):
    live = application.run()["record"]["id"]
    application.write(COMPOSE.replace('volumes: ["db:/var/lib/db"]', 'volumes: ["db:/var/lib/db"]\n    command: [sh, -c, "exit 7"]'))
    error = application.run(rc=1)
    assert f"release {live} goes on unchanged: db did not become healthy: ended with exit code 7" in error
    assert "db-1" in application.running()
    assert application.current() == live
    application.write(COMPOSE)
    assert application.run()["changed"] is False


WRONG = {
    "image": (
        lambda app: app.values.update(APP_IMAGE=f"{APP}:9"),
        "Cannot release service 'backend': image bluegreen-test/app:9 is not on the instance, and pull is never. Pull it, or allow pulling.",  # noqa: E501
    ),
    "compose": (
        lambda app: app.write(COMPOSE.replace("ports:", "prots:")),
        "Cannot release {project}: the compose file is not valid: ",
    ),
    "missing": (
        lambda app: (app.source / "docker-compose.yml").unlink(),
        "Cannot release {project}: the bundle has no docker-compose.yml. Give compose_file, or add the file. Nothing was changed.",
    ),
    "unknown service": (
        lambda app: app.options.update(services={"front": {}}),
        "Cannot release: services names front, which the compose file does not have. Correct the names.",
    ),
    "proxy": (
        lambda app: app.options.update(proxy_image=f"{APP}:1"),
        "Failed to check the proxy's configuration with image bluegreen-test/app:1: the image has no haproxy",
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_wrong_input_is_found_before_anything_is_touched(application, what):
    spoil, sentence = WRONG[what]
    if what != "proxy":
        application.run()
    before = application.containers()
    spoil(application)
    error = application.run(rc=1 if what == "proxy" else 2)
    assert sentence.format(project=application.project) in error
    assert application.containers() == before


def test_a_docker_compose_that_is_too_old(application, tmp_path):
    shim = tmp_path / "shim"
    shim.mkdir()
    real = os.path.realpath(docker_path())
    (shim / "docker").write_text(f'#!/bin/sh\n[ "$1 $2" = "compose version" ] && echo 2.12.2 && exit 0\nexec {real} "$@"\n')
    (shim / "docker").chmod(0o755)
    before = os.environ["PATH"]
    os.environ["PATH"] = f"{shim}:{before}"
    try:
        error = application.run(rc=2)
    finally:
        os.environ["PATH"] = before
    assert (
        error
        == "Cannot release: docker compose 2.12.2 is too old; 2.20 or later is needed. Upgrade the Compose plugin. Nothing was changed.\n"
    )
    assert application.containers() == {}


def docker_path():
    import shutil

    return shutil.which("docker")


@pytest.mark.thorough
def test_an_image_that_is_gone_does_not_stop_a_rollback_sentence(application):
    application.run()
    error = application.run("rollback", rc=2)
    assert re.search(r"Cannot roll back: release \S+ is the first one\. Releases that succeeded: \S+\.", error)
    error = application.run("rollback", "--release", "20200101T000000Z-0000", rc=2)
    assert "it is not kept here" in error
    assert docker("ps", "--quiet") != ""
