# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""boot_release: what is written, and what not a second time; requests checked by botocore's stubber."""

from __future__ import annotations

import json

import pytest
from stubbed import Module, stubbed

from ansible_collections.bluegreen.aws.plugins.module_utils._compose import description
from ansible_collections.bluegreen.aws.plugins.module_utils._compose.errors import InvalidInput
from ansible_collections.bluegreen.aws.plugins.modules import boot_release as module

PROGRAM = b"#!/usr/bin/env python3\nprogram"
PROGRAM_KEY = f"boot/compose-release-{description.sha256(PROGRAM)[:12]}.pyz"
FILES = {"docker-compose.yml": "services: {}\n"}
RELEASE = {"project": "wealist", "directory": "/opt/wealist"}
PARAMS = {"bucket": "b", "name": "wealist-prod-backend", "files": FILES, "release": RELEASE}


@pytest.fixture(autouse=True)
def program(monkeypatch):
    monkeypatch.setattr(module.pyz, "build", lambda: PROGRAM)


def versioned(stubber, status="Enabled"):
    stubber.add_response("get_bucket_versioning", {"Status": status} if status else {}, {"Bucket": "b"})


def there(stubber, key, content, version="v1"):
    answer = {"VersionId": version, "Metadata": {"sha256": description.sha256(content)}}
    stubber.add_response("head_object", answer, {"Bucket": "b", "Key": key})


def missing(stubber, key):
    stubber.add_client_error("head_object", "404", "Not Found", http_status_code=404, expected_params={"Bucket": "b", "Key": key})


def written(stubber, key, content, content_type, version):
    wanted = {"Bucket": "b", "Key": key, "Body": content, "ContentType": content_type, "Metadata": {"sha256": description.sha256(content)}}
    stubber.add_response("put_object", {"VersionId": version}, wanted)


def described(program_version, file_version, options=None):
    pins = {"docker-compose.yml": description.Pin("config/docker-compose.yml", file_version, description.sha256(b"services: {}\n"))}
    program = description.Pin(PROGRAM_KEY, program_version, description.sha256(PROGRAM))
    return description.Description("wealist-prod-backend", program, pins, options or RELEASE)


def run(client, *, check_mode=False, **changes):
    return module.run(Module(module.argument_spec(), {**PARAMS, **changes}, client, check_mode=check_mode))


def test_the_first_release_writes_everything():
    with stubbed("s3") as (client, stubber):
        versioned(stubber)
        missing(stubber, PROGRAM_KEY)
        missing(stubber, "config/docker-compose.yml")
        written(stubber, PROGRAM_KEY, PROGRAM, "application/zip", "v1")
        written(stubber, "config/docker-compose.yml", b"services: {}\n", "text/plain; charset=utf-8", "v2")
        made = described("v1", "v2")
        missing(stubber, made.key)
        written(stubber, made.key, made.text().encode(), "application/json", "v3")
        result = run(client)
    assert result["changed"]
    assert result["boot_release"] == {
        "id": made.id, "key": made.key, "program": PROGRAM_KEY, "written": [PROGRAM_KEY, "config/docker-compose.yml", made.key],
    }  # fmt: skip
    assert json.loads(made.text())["files"]["docker-compose.yml"]["version"] == "v2"


def test_the_same_release_again_writes_nothing():
    with stubbed("s3") as (client, stubber):
        versioned(stubber)
        there(stubber, PROGRAM_KEY, PROGRAM)
        there(stubber, "config/docker-compose.yml", b"services: {}\n", "v2")
        made = described("v1", "v2")
        there(stubber, made.key, made.text().encode())
        result = run(client)
    assert result["changed"] is False
    assert result["boot_release"]["id"] == made.id and result["boot_release"]["written"] == []
    assert result["diff"]["before"].items() <= result["diff"]["after"].items()


def test_another_image_writes_a_description_alone():
    release = {**RELEASE, "images": {"user-service": "sha256:" + "1" * 64}}
    with stubbed("s3") as (client, stubber):
        versioned(stubber)
        there(stubber, PROGRAM_KEY, PROGRAM)
        there(stubber, "config/docker-compose.yml", b"services: {}\n", "v2")
        made = described("v1", "v2", release)
        missing(stubber, made.key)
        written(stubber, made.key, made.text().encode(), "application/json", "v3")
        result = run(client, release=release)
    assert result["changed"] and result["boot_release"]["written"] == [made.key]


def test_a_file_that_differs_in_check_mode():
    with stubbed("s3") as (client, stubber):
        versioned(stubber)
        there(stubber, PROGRAM_KEY, PROGRAM)
        there(stubber, "config/docker-compose.yml", b"services: {old: {}}\n", "v2")
        result = run(client, check_mode=True)
    assert result["changed"]
    assert result["boot_release"] == {"id": "", "key": "", "program": PROGRAM_KEY, "written": ["config/docker-compose.yml"]}
    assert result["diff"]["before"]["config/docker-compose.yml"] != result["diff"]["after"]["config/docker-compose.yml"]


def test_another_image_in_check_mode():
    with stubbed("s3") as (client, stubber):
        versioned(stubber)
        there(stubber, PROGRAM_KEY, PROGRAM)
        there(stubber, "config/docker-compose.yml", b"services: {}\n", "v2")
        made = described("v1", "v2")
        missing(stubber, made.key)
        result = run(client, check_mode=True)
    assert result["changed"] and result["boot_release"]["id"] == made.id and result["boot_release"]["written"] == [made.key]


@pytest.mark.parametrize("status", ["", "Suspended"])
def test_a_bucket_without_versions(status):
    with stubbed("s3") as (client, stubber):
        versioned(stubber, status)
        with pytest.raises(InvalidInput) as caught:
            run(client)
    assert str(caught.value) == (
        "Cannot write a release to bucket b: it has no versioning, so an earlier release would lose its files. "
        "Switch it on (role deploy_bucket does), or name another bucket. Nothing was changed."
    )


def test_a_bucket_that_one_may_not_read():
    with stubbed("s3") as (client, stubber):
        versioned(stubber)
        stubber.add_client_error("head_object", "403", "Forbidden", http_status_code=403)
        with pytest.raises(module.BluegreenAWSError) as caught:
            run(client)
    assert caught.value.message == f"Failed to read object s3://b/{PROGRAM_KEY} (s3:GetObject)"


def test_a_release_that_no_instance_could_run():
    with stubbed("s3") as (client, _stubber), pytest.raises(InvalidInput, match="region in its options is decided on the instance"):
        run(client, release={**RELEASE, "region": "ap-northeast-2"})
