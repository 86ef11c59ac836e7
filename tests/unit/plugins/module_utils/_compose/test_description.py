# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A release as a document: written, read, refused."""

from __future__ import annotations

import json

import pytest

from ansible_collections.bluegreen.aws.plugins.module_utils._compose import description
from ansible_collections.bluegreen.aws.plugins.module_utils._compose.errors import InvalidInput

PROGRAM = description.Pin("boot/compose-release.pyz", "v1", "a" * 64)
COMPOSE = description.Pin("config/docker-compose.yml", "v2", description.sha256(b"services: {}\n"))
OPTIONS = {"project": "wealist", "directory": "/opt/wealist", "images": {"user-service": "sha256:" + "1" * 64}}


def made(**changes):
    return description.Description(
        **{"name": "wealist-prod-backend", "program": PROGRAM, "files": {"docker-compose.yml": COMPOSE}, "options": OPTIONS, **changes}
    )


def test_what_is_written_is_what_is_read():
    found = description.parse(made().text(), "s3://b/k")
    assert found == made()
    assert found.id == made().id and found.key == f"releases/wealist-prod-backend/{found.id}.json"


def test_the_id_is_of_the_content():
    assert made().id == made(options=dict(reversed(OPTIONS.items()))).id
    ids = {
        made().id,
        made(options={**OPTIONS, "images": {}}).id,
        made(files={"docker-compose.yml": description.Pin("config/docker-compose.yml", "v3", COMPOSE.sha256)}).id,
        made(program=description.Pin("boot/compose-release.pyz", "v1", "b" * 64)).id,
    }
    assert len(ids) == 4


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("{", "it is no description of a release (Expecting"),
        ("[]", "it is no description of a release ('list' object has no attribute 'get')"),
        ('{"format": 1, "name": "x"}', "it is no description of a release ('files')"),
        (
            json.dumps({"format": 1, "name": "x", "files": {}, "program": {"key": "k"}, "options": {}}),
            "it is no description of a release (Pin.__init__() missing",
        ),
        ('{"format": 2}', "it has format 2, and this program reads 1. Run playbooks/deploy.yml again."),
    ],
)
def test_a_document_that_is_none(text, cause):
    with pytest.raises(InvalidInput) as caught:
        description.parse(text, "s3://b/k")
    assert str(caught.value).startswith("Cannot boot from s3://b/k: " + cause)


def test_content_that_is_another_one():
    assert description.checked_content(b"services: {}\n", COMPOSE, "s3://b/k") == b"services: {}\n"
    evil = b"services: {evil: {}}\n"
    with pytest.raises(InvalidInput) as caught:
        description.checked_content(evil, COMPOSE, "s3://b/k")
    assert str(caught.value) == (
        f"Cannot boot from s3://b/k: it is not what the release was made of (SHA-256 {description.sha256(evil)[:12]}, "
        f"not {COMPOSE.sha256[:12]}). Run playbooks/deploy.yml, which writes it again."
    )


@pytest.mark.parametrize(
    ("options", "files", "sentence"),
    [
        (
            {**OPTIONS, "region": "x", "actor": "y"},
            {"docker-compose.yml": ""},
            "actor, region in its options is decided on the instance. Leave it out.",
        ),
        (OPTIONS, {"compose.yml": ""}, "compose_file docker-compose.yml is not among its files (compose.yml). Add it."),
        (
            {**OPTIONS, "parameters": {"A": "/a"}},
            {"docker-compose.yml": ""},
            "example_file .env.example is not among its files (docker-compose.yml). Add it.",
        ),
    ],
)
def test_a_release_that_no_instance_could_run(options, files, sentence):
    with pytest.raises(InvalidInput) as caught:
        description.check(options, files)
    assert str(caught.value) == f"Cannot describe a release: {sentence}"


def test_an_option_that_there_is_not():
    with pytest.raises(InvalidInput, match="unknown option colour"):
        description.check({**OPTIONS, "colour": "blue"}, {"docker-compose.yml": ""})


def test_a_release_without_parameters_needs_no_example():
    description.check(OPTIONS, {"docker-compose.yml": "services: {}\n"})
