# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The docker command line: what is run, and the sentence when it fails."""

from __future__ import annotations

import json

import pytest

from ansible_collections.bluegreen.aws.plugins.module_utils._compose.errors import ComposeReleaseError, InvalidInput
from ansible_collections.bluegreen.aws.plugins.module_utils._compose.redact import Redactor
from ansible_collections.bluegreen.aws.plugins.module_utils._host.docker import Docker
from ansible_collections.bluegreen.aws.plugins.module_utils._host.process import Result


class Run:
    """Answers by the words that a command starts with, and remembers the calls."""

    def __init__(self, **answers):
        self.answers = {key.replace("_", " "): value for key, value in answers.items()}
        self.calls = []

    def __call__(self, args, **kwargs):
        self.calls.append((args, kwargs))
        words = " ".join(args)
        for key, answer in self.answers.items():
            if key in words:
                return answer if isinstance(answer, Result) else Result(0, answer, "")
        return Result(0, "", "")


def docker(run, *secrets):
    return Docker(run, "popcon", Redactor(secrets))


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ({"docker_version": Result(127, "", "not found")}, "this instance has no docker command"),
        (
            {"docker_version": Result(1, "", "Cannot connect to the Docker daemon at unix:///x. Is the docker daemon running?")},
            "Start it: systemctl",
        ),
        ({"docker_version": "26.1.5", "compose_version": Result(1, "", "unknown command")}, "this instance has no 'docker compose'"),
        ({"docker_version": "26.1.5", "compose_version": "2.12.2"}, "docker compose 2.12.2 is too old"),
    ],
)
def test_versions(answers, words):
    with pytest.raises(InvalidInput, match=words):
        docker(Run(**answers)).check_versions()


@pytest.mark.case("C2")
@pytest.mark.parametrize(
    ("given", "value"), [({"VALUE": "a$$b", "SET": "set"}, "a$b"), ({"VALUE": "", "SET": "set"}, ""), ({"VALUE": "", "SET": ""}, None)]
)
def test_a_variable_as_compose_reads_it(given, value):
    run = Run(config=json.dumps({"services": {"probe": {"environment": given}}}))
    assert docker(run).variable("/opt/popcon", "/opt/popcon/.env", "DB_PASSWORD") == value
    args, options = run.calls[0]
    assert args[args.index("--env-file") + 1] == "/opt/popcon/.env" and "${DB_PASSWORD}" in options["stdin"]


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ("Error response from daemon: manifest unknown", "the registry does not have it"),
        ("failed to register layer: write /big: no space left on device", "the disk of the instance is full"),
    ],
)
def test_a_pull_that_fails(said, sentence):
    with pytest.raises(InvalidInput) as caught:
        docker(Run(docker_pull=Result(1, "", said))).pull("r.example/a:1", "backend", "")
    assert str(caught.value).startswith(f"Failed to pull r.example/a:1 for service 'backend': {sentence} (Docker: ")


def test_a_login_gives_the_password_through_standard_input():
    run = Run()
    docker(run).login("r.example", "AWS", "hunter2", "/tmp/private")
    args, kwargs = run.calls[0]
    assert "hunter2" not in " ".join(args) and "--password-stdin" in args
    assert (kwargs["stdin"], kwargs["env"]) == ("hunter2", {"DOCKER_CONFIG": "/tmp/private"})


def test_a_model_with_secrets_goes_through_standard_input():
    run = Run()
    docker(run).up(
        "/opt/popcon/releases/1", "/opt/popcon/releases/1/.env", {"services": {"a": {"environment": {"P": "hunter2"}}}}, "a", stop_timeout=3
    )
    args, kwargs = run.calls[0]
    assert "hunter2" not in " ".join(args) and "hunter2" in kwargs["stdin"]
    assert args[-5:] == ["--pull", "never", "--timeout", "3", "a"]
    assert args[args.index("--file") : args.index("--file") + 2] == ["--file", "-"]


def test_errors_show_no_secret():
    run = Run(up=Result(1, "", "invalid value hunter2"))
    with pytest.raises(ComposeReleaseError, match=r"Failed to start a: invalid value \*\*\*\*\*\*\*\*\."):
        docker(run, "hunter2").up("/x", "", {}, "a")


def test_an_invalid_compose_file():
    run = Run(config=Result(15, "", "validating /opt/popcon/releases/1/docker-compose.yml: services.a prots is not allowed"))
    with pytest.raises(InvalidInput) as caught:
        docker(run).configuration("/opt/popcon/releases/1", "", "/opt/popcon/releases/1/docker-compose.yml")
    assert str(caught.value) == (
        "Cannot release popcon: the compose file is not valid: validating docker-compose.yml: services.a prots is not allowed. "
        "Correct it ('docker compose config' shows the same). Nothing was changed."
    )


def test_containers():
    assert docker(Run(docker_ps="")).containers() == []
    item = {"Id": "1", "Name": "/a", "Config": {"Labels": {"com.docker.compose.service": "a"}}}
    run = Run(docker_ps="1\n2\n", docker_inspect=Result(1, json.dumps([item]), "No such container: 2"))
    assert [one.name for one in docker(run).containers()] == ["a"]


def test_an_engine_that_does_not_answer_is_not_an_empty_one():
    hangs = Result(124, "", "docker inspect took longer than 600 s")
    with pytest.raises(ComposeReleaseError, match="Failed to read the containers of popcon: docker inspect took longer than 600 s"):
        docker(Run(docker_ps="1", docker_inspect=hangs)).containers()
    with pytest.raises(ComposeReleaseError, match="Failed to list the containers of popcon: "):
        docker(Run(docker_ps=hangs)).containers()
    with pytest.raises(ComposeReleaseError, match="Failed to look for image a:1: "):
        docker(Run(image_inspect=hangs)).image("a:1")
    assert docker(Run(image_inspect=Result(1, "[]", "Error response from daemon: No such image: a:1"))).image("a:1") is None


def test_what_is_gone_already_is_stopped():
    one = docker(Run(docker_ps="1", docker_inspect=json.dumps([{"Id": "1", "Name": "/a", "Config": {}}]))).containers()[0]
    docker(Run(docker_rm=Result(1, "", "Error: No such container: 1"))).stop([one], 3)
    with pytest.raises(ComposeReleaseError, match="Failed to remove the containers a: driver failed"):
        docker(Run(docker_rm=Result(1, "", "driver failed"))).stop([one], 3)
    run = Run()
    docker(run).stop([], 3)
    assert run.calls == []


def test_hashes_and_processes():
    assert docker(Run(config="a 12\nb 34\n")).compose_hashes("/x", "/x/.env", "/x/c.yml") == {"a": "12", "b": "34"}
    one = docker(Run(docker_ps="1", docker_inspect=json.dumps([{"Id": "1", "Name": "/a", "Config": {}}]))).containers()[0]
    assert docker(Run(docker_top="PID\n1\n2\n")).processes(one) == 2
    assert docker(Run(docker_top=Result(1, "", ""))).processes(one) == 0
