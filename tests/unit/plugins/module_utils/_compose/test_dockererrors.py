# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Docker says when it fails. The integration tests meet a missing digest, a silent registry and an image without HAProxy for real."""

from __future__ import annotations

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
    assert dockererrors.cause(text)[0] == cause


def test_a_sentence_has_attempt_cause_and_remedy():
    text = "Error response from daemon: manifest unknown\n"
    assert dockererrors.sentence("pull r.example/a:1 for service 'a'", text) == (
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
