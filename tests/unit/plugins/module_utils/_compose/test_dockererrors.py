# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Docker says when it fails. The integration tests meet a missing digest, a silent registry and an image without HAProxy for real."""

from __future__ import annotations

import pathlib

import pytest

from ansible_collections.bluegreen.aws.plugins.module_utils._compose import dockererrors
from ansible_collections.bluegreen.aws.plugins.module_utils._compose.errors import InvalidInput


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("failed to register layer: Error processing tar file(exit status 1): write /big: no space left on device", "the disk of the instance is full"),  # noqa: E501
        ("Error response from daemon: manifest for 127.0.0.1:5000/a@sha256:12 not found: manifest unknown: manifest unknown", "the registry does not have it"),  # noqa: E501
        ("Error response from daemon: manifest unknown", "the registry does not have it"),
        ("Error response from daemon: Head \"http://127.0.0.1:5000/v2/a/manifests/1\": no basic auth credentials", "the registry refuses access"),  # noqa: E501
        ("Error response from daemon: pull access denied for a, repository does not exist or may require 'docker login'",
         "the registry refuses access or does not have it"),
        ("Error response from daemon: Get \"https://127.0.0.1:1/v2/\": dial tcp 127.0.0.1:1: connect: connection refused", "the registry does not answer"),  # noqa: E501
        ("Error response from daemon: Get \"https://r.example/v2/\": dial tcp: lookup r.example: no such host", "the registry's name cannot be resolved"),  # noqa: E501
        ("Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?", "the Docker Engine does not run"),  # noqa: E501
        ("Error response from daemon: driver failed programming external connectivity on endpoint x: Bind for 0.0.0.0:80 failed: port is already allocated",  # noqa: E501
         "a port is taken by something else on the instance"),
        ('docker: Error response from daemon: OCI runtime create failed: exec: "haproxy": executable file not found in $PATH: unknown.\n\n'
         "Run 'docker run --help' for more information", "the image has no haproxy"),
    ],
)  # fmt: skip
def test_causes(text, cause):
    registry = "registry" in cause
    assert dockererrors.cause(text, registry=registry)[0] == cause


FROM_DAEMON = "Error response from daemon: "
SOCKET = (
    "Failed to ask Docker for its version: this user may not use the Docker Engine's socket (Docker: {}). "
    "Run as root (become: true), or put the user into the group docker."
)
DENIED = [
    SOCKET,
    SOCKET,
    "Failed to start backend-green: /entrypoint.sh in the container is not executable (Docker: {}). Make it executable in the image "
    "(RUN chmod +x /entrypoint.sh, or COPY --chmod=755); a mounted file needs its executable bit in the bundle.",
    "Failed to start backend-green: the Docker Engine may not create /srv/data, which the service mounts (Docker: {}). Create /srv/data on "
    "the instance and let the Engine's user reach it (rootless Docker, SELinux, a read-only file system), or mount another path.",
]
PERMISSIONS = (pathlib.Path(__file__).parents[3] / "fixtures/compose/permission_denied.txt").read_text().splitlines()


@pytest.mark.case("C3")
@pytest.mark.parametrize(("line", "expected"), list(zip(PERMISSIONS, DENIED, strict=True)))
def test_permission_denied_names_who_is_denied_what(line, expected):
    attempt, _bar, text = line.partition("|")
    assert dockererrors.sentence(attempt, text) == expected.format(text)


@pytest.mark.case("C3")
def test_a_registry_that_denies_is_the_fourth_sentence():
    text = FROM_DAEMON + "denied: User: arn:aws:sts::1:assumed-role/x is not authorized to perform: ecr:BatchGetImage"
    assert dockererrors.sentence("pull r.example/a:1 for service 'a'", text, registry=True) == (
        f"Failed to pull r.example/a:1 for service 'a': the registry refuses access (Docker: {text}). "
        "Check the role's ECR permissions (ecr:BatchGetImage, ecr:GetDownloadUrlForLayer) and registry: ecr."
    )


@pytest.mark.case("C3")
@pytest.mark.parametrize(
    ("text", "registry", "cause"),
    [
        ('exec: "/app/run": stat /app/run: no such file or directory: unknown', False, "the container has no program /app/run"),
        ("exec /entrypoint.sh: no such file or directory", False, "the container has no program /entrypoint.sh"),
        ("exec /app: exec format error", False, "the image's program is not made for this instance's processor"),
        ("invalid mount config for type \"bind\": bind source path does not exist: /srv/x", False,
         "/srv/x, which the service mounts, is not on the instance"),
        ("mkdir /srv/data: read-only file system", False, "the Docker Engine may not create /srv/data, which the service mounts"),
        ("listen tcp4 0.0.0.0:80: bind: permission denied", False, "the Docker Engine may not use a port below 1024"),
        ('Conflict. The container name "/db" is already in use by container "12".', False, "another container is named db"),
        ("network web declared as external, but could not be found", False, "the external network web does not exist"),
        ("failed to initialize logging driver: dial tcp: lookup logs: no such host", False,
         "the log driver does not start (dial tcp: lookup logs: no such host)"),
        ("could not find an available, non-overlapping IPv4 address pool among the defaults", False,
         "the Docker Engine has no free addresses for another network"),
        ("network app_x not found", False, "Error response from daemon: network app_x not found"),
        ("dial tcp 10.0.0.1:443: connect: connection refused", False,
         "Error response from daemon: dial tcp 10.0.0.1:443: connect: connection refused"),
        ("denied: Your authorization token has expired. Reauthenticate and try again.", True, "the login to the registry has expired"),
        ("no matching manifest for linux/arm64/v8 in the manifest list entries", True,
         "the image has no variant for this instance's platform (linux/arm64/v8)"),
        ('Get "https://r/v2/": x509: certificate signed by unknown authority', True,
         "the Docker Engine does not trust the registry's certificate"),
        ("Get https://r/v2/: unauthorized: incorrect username or password", True, "the registry refuses the user name or the password"),
        ("toomanyrequests: You have reached your pull rate limit. denied", True, "the registry limits the rate"),
    ],
)  # fmt: skip
def test_each_cause_is_named(text, registry, cause):
    words, remedy = dockererrors.cause(FROM_DAEMON + text, registry=registry)
    assert words == cause
    assert remedy.endswith(".") or words.startswith(FROM_DAEMON)


def test_a_sentence_has_attempt_cause_and_remedy():
    text = "Error response from daemon: manifest unknown\n"
    assert dockererrors.sentence("pull r.example/a:1 for service 'a'", text, registry=True) == (
        "Failed to pull r.example/a:1 for service 'a': the registry does not have it (Docker: Error response from daemon: manifest unknown). "  # noqa: E501
        "Push the image, or correct the digest or tag."
    )


def test_what_is_not_known_is_quoted():
    assert dockererrors.sentence("start a", "line\nsomething new.\n") == "Failed to start a: something new."
    assert dockererrors.sentence("start a", "") == "Failed to start a: no output."


@pytest.mark.parametrize(
    ("engine", "compose"), [("20.10.24+dfsg1", "2.20.0"), ("26.1.5", "2.26.1-4"), ("28.2.2", "5.6.1"), ("27.0", "v2.30.3")]
)
def test_versions_that_do(engine, compose):
    dockererrors.check_versions(engine, compose)


@pytest.mark.parametrize(
    ("engine", "compose", "words"),
    [
        ("19.03.15", "2.26.1", "Docker Engine 19.03.15 is too old"),
        ("26.1.5", "2.12.2", "docker compose 2.12.2 is too old; 2.20 or later is needed. Upgrade the Compose plugin. Nothing was changed."),
        ("26.1.5", "", "this instance has no 'docker compose'"),
        ("", "2.26.1", "Docker Engine of unknown version is too old"),
    ],
)
def test_versions_that_do_not(engine, compose, words):
    with pytest.raises(InvalidInput) as caught:
        dockererrors.check_versions(engine, compose)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    "text", ["no such thing\n\n", "no such thing.\nSee 'docker run --help'.\n", "no such thing\nRun 'docker --help'\n  \n"]
)
def test_the_last_line_is_the_last_that_says_something(text):
    assert dockererrors.last_line(text) == "no such thing"
