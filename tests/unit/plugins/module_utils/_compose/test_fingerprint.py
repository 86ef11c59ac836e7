# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fingerprints: what makes a difference and what does not."""

from __future__ import annotations

import pytest

from ansible_collections.bluegreen.aws.plugins.module_utils._compose import fingerprint

from .builders import KEY, ROOT, VOLUME, classify, facts, project

OTHER_ROOT = "/opt/popcon/releases/20261122T000000Z-0001"


def mark(root=ROOT, contents=None, image=None, key=KEY, **definition):
    mount = {"type": "bind", "source": f"{root}/conf/app.conf", "target": "/app.conf", "read_only": True}
    base = {"environment": {"A": "1"}, "volumes": [mount], "expose": ["80"], "command": ["run"]}
    config = project(one=dict(base, **definition))
    services, _warnings = classify(config, one=image or facts())
    return fingerprint.fingerprint(key, services[0], config, root, contents or {"conf/app.conf": "aaa", "README": "bbb"}, {})


@pytest.mark.parametrize(
    ("change", "parts"),
    [
        ({}, []),
        ({"root": OTHER_ROOT}, []),
        ({"contents": {"conf/app.conf": "aaa", "README": "changed"}}, []),
        ({"depends_on": {}}, []),
        ({"entrypoint": None}, []),
        ({"contents": {"conf/app.conf": "changed"}}, ["mounted files"]),
        ({"environment": {"A": "2"}}, ["environment"]),
        ({"command": ["walk"]}, ["definition"]),
        ({"image": facts(pinned="r@sha256:" + "2" * 64)}, ["image"]),
        ({"image": facts(reference="r:other-tag")}, []),
    ],
)
def test_what_differs(change, parts):
    assert fingerprint.differences(mark(), mark(**change)) == parts


def test_a_mounted_directory_counts_with_all_that_is_in_it():
    mount = {"type": "bind", "source": f"{ROOT}/conf", "target": "/conf", "read_only": True}
    first = mark(volumes=[mount])
    assert fingerprint.differences(first, mark(volumes=[mount], contents={"conf/app.conf": "aaa", "conf/new": "x"})) == ["mounted files"]
    assert fingerprint.differences(first, mark(volumes=[mount], contents={"conf/app.conf": "aaa", "configuration": "x"})) == []


def test_a_service_that_stays_looks_at_what_its_compose_file_says():
    def stateful(image):
        return mark(volumes=[VOLUME], image=image)

    first = stateful(facts(reference="mysql:8", pinned="mysql@sha256:" + "1" * 64))
    assert first == stateful(facts(reference="mysql:8", pinned="mysql@sha256:" + "2" * 64))
    assert fingerprint.differences(first, stateful(facts(reference="mysql:9"))) == ["image"]


def test_secrets_and_configs_from_files_count():
    def with_secret(content):
        config = project(one={"secrets": [{"source": "token", "target": "/run/secrets/token"}]})
        config["secrets"] = {"token": {"name": "popcon_token", "file": f"{ROOT}/token.txt"}}
        services, _warnings = classify(config)
        return fingerprint.fingerprint(KEY, services[0], config, ROOT, {"token.txt": content}, {})

    assert fingerprint.differences(with_secret("a"), with_secret("b")) == ["mounted files"]


def from_environment(section, value, **top):
    config = project(api={section: [{"source": "db_password"}], "expose": ["8080"]}, other={})
    config[section] = {"db_password": dict({"name": "popcon_db_password", "environment": "DB_PASSWORD"}, **top), "unused": {"name": value}}
    services, _warnings = classify(config)
    return {
        item.name: fingerprint.fingerprint(KEY, item, config, ROOT, {}, {(section, "db_password"): fingerprint.digest(KEY, value)})
        for item in services
    }


@pytest.mark.case("C2")
@pytest.mark.parametrize("section", ["secrets", "configs"])
def test_a_rotated_secret_from_the_environment_counts_where_it_is_used(section):
    before, after = from_environment(section, "one"), from_environment(section, "two")
    assert fingerprint.differences(before["api"], after["api"]) == ["mounted files"]
    assert before["other"] == after["other"]
    assert from_environment(section, "one") == before


@pytest.mark.case("C2")
@pytest.mark.parametrize(
    "definition",
    [
        {"label_file": [f"{ROOT}/app.txt"]},
        {"env_file": [{"path": f"{ROOT}/app.txt", "required": True}]},
        {"credential_spec": {"file": f"{ROOT}/app.txt"}},
        {"volumes": [{"type": "volume", "source": "conf", "target": "/conf", "read_only": True}]},
    ],
)
def test_whatever_names_a_file_of_the_bundle_counts_with_its_content(definition):
    def with_content(text):
        config = project(one=dict(definition, expose=["80"]))
        device = {"name": "popcon_conf", "driver_opts": {"type": "none", "o": "bind", "device": f"{ROOT}/app.txt"}}
        config["volumes"] = {"conf": device}
        services, _warnings = classify(config)
        return fingerprint.fingerprint(KEY, services[0], config, ROOT, {"app.txt": text}, {})

    assert fingerprint.differences(with_content("a"), with_content("b")) == ["mounted files"]


@pytest.mark.case("C2")
def test_the_content_of_a_config_counts():
    def with_content(text):
        config = project(one={"configs": [{"source": "motd", "target": "/motd"}]})
        config["configs"] = {"motd": {"name": "popcon_motd", "content": text}}
        services, _warnings = classify(config)
        return fingerprint.fingerprint(KEY, services[0], config, ROOT, {}, {})

    assert fingerprint.differences(with_content("a"), with_content("b")) == ["definition"]


def test_it_needs_the_key():
    assert fingerprint.differences(mark(), mark(key=b"x" * 32)) == ["image", "environment", "mounted files", "definition"]


def test_an_unknown_mark_is_a_difference():
    assert fingerprint.differences("", mark()) == ["definition"]


def test_a_digest_per_variable():
    first = fingerprint.environment_digests(KEY, {"A": "same", "B": "same"})
    assert first["A"] != first["B"]  # equal values must not show as equal
    assert fingerprint.environment_digests(KEY, {"A": "same"})["A"] == first["A"]
