# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The boot of an instance: what it says and does when all is there, and when something is missing."""

from __future__ import annotations

import types

import pytest

from ansible_collections.bluegreen.aws.plugins.module_utils._compose import description
from ansible_collections.bluegreen.aws.plugins.module_utils._compose.errors import InvalidInput, ReleaseFailed
from ansible_collections.bluegreen.aws.plugins.module_utils._host import boot, fleet

from .machine import Clock

WISH = types.SimpleNamespace(
    bucket="b", release="releases/n/1.json", group="wealist-prod-backend", hook="boot", region="ap-northeast-2", endpoint_url=""
)
FILES = {"docker-compose.yml": b"services: {}\n", ".env.example": b"DB_PASSWORD=\n"}


class Bucket:
    """A bucket by (key, version), and a hook."""

    def __init__(self, options):
        pins = {name: description.Pin(f"config/{name}", "v", description.sha256(content)) for name, content in FILES.items()}
        made = description.Description("wealist-prod-backend", description.Pin("boot/x.pyz", "v", ""), pins, options)
        self.release = made.id
        self.objects = {(WISH.release, ""): made.text().encode()}
        self.objects.update({(f"config/{name}", "v"): content for name, content in FILES.items()})
        self.completed = []

    def read(self, bucket, key, version=""):
        if (key, version) not in self.objects:
            raise InvalidInput(f"Failed to read {fleet.location(bucket, key, version)}: NoSuchKey.")
        return self.objects[key, version]

    def pinned(self, bucket, pin):
        return description.checked_content(self.read(bucket, pin.key, pin.version), pin, fleet.location(bucket, pin.key))

    def complete(self, *words):
        self.completed.append(words[:-1])


@pytest.fixture
def bucket():
    return Bucket({"project": "wealist", "directory": "/opt/wealist", "parameters": {"DB_PASSWORD": "/wealist/prod/db/password"}})


def run(bucket, perform):
    said = []
    boot.boot(WISH, bucket, said.append, instance=lambda: "i-1", perform=perform, clock=Clock())
    return said


def test_a_healthy_release_enters_service(bucket):
    seen = []

    def perform(host):
        seen.append(host.options)
        host.event("backend-blue is healthy")
        host.warn("a warning")
        host.clock.sleep(42)

    said = run(bucket, perform)
    assert said == [
        f"i-1 boots release {bucket.release} of wealist-prod-backend",
        "backend-blue is healthy",
        "warning: a warning",
        "i-1 enters service after 42 s",
    ]
    assert bucket.completed == [("wealist-prod-backend", "boot", "i-1", "CONTINUE")]
    (options,) = seen
    assert options.files == {name: content.decode() for name, content in FILES.items()}
    assert options.parameters == {"DB_PASSWORD": "/wealist/prod/db/password"}
    assert (options.actor, options.region) == ("boot of i-1", "ap-northeast-2")


def test_a_release_that_fails_does_not_enter_service_and_tells_no_secret(bucket):
    def perform(host):
        host.redact.add(["hunter2"])
        raise ReleaseFailed("backend did not become healthy: FATAL password hunter2")

    with pytest.raises(ReleaseFailed, match=r"backend did not become healthy: FATAL password \*+$"):
        run(bucket, perform)
    assert bucket.completed == []


@pytest.mark.parametrize("missing", [(WISH.release, ""), ("config/docker-compose.yml", "v")])
def test_an_object_that_is_missing(bucket, missing):
    del bucket.objects[missing]
    with pytest.raises(InvalidInput, match=f"Failed to read s3://b/{missing[0]}"):
        run(bucket, lambda host: pytest.fail("released without its files"))
    assert bucket.completed == []


def test_a_file_that_somebody_changed(bucket):
    bucket.objects["config/docker-compose.yml", "v"] = b"services: {evil: {}}\n"
    with pytest.raises(InvalidInput, match="it is not what the release was made of"):
        run(bucket, lambda host: pytest.fail("released something else"))


def test_a_file_that_is_no_text(bucket):
    bucket.objects[WISH.release, ""] = b"\xff"
    with pytest.raises(InvalidInput, match="Cannot boot from s3://b/releases/n/1.json: it is not UTF-8 text"):
        run(bucket, lambda host: None)


@pytest.mark.parametrize(
    ("error", "code", "lines"),
    [
        (InvalidInput("Cannot write .env: parameter /a does not exist."), 2, ["Cannot write .env: parameter /a does not exist."]),
        (ReleaseFailed("Release 1 failed: backend\nits log\nmore"), 1, ["its log", "more", "Release 1 failed: backend"]),
        (ReleaseFailed("Release 1 failed. Its last lines:\nno such"), 1, ["no such", "Release 1 failed. Its last lines: no such"]),
        (ReleaseFailed("Its last lines:\n" + 999 * "x"), 1, [999 * "x", f"Its last lines: {300 * 'x'}"]),
        (None, 0, []),
    ],
)
def test_the_last_line_says_why(monkeypatch, capsys, error, code, lines):
    def play(wish, _calls, _say):
        assert (wish.bucket, wish.release, wish.group, wish.hook) == ("b", "r", "g", "h")
        if error:
            raise error

    monkeypatch.setattr(boot, "boot", play)
    assert boot.main(["--bucket", "b", "--release", "r", "--group", "g", "--hook", "h"]) == code
    assert capsys.readouterr().err.splitlines() == lines
