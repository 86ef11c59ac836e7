# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Getting a release ready: the keys of its parameters, its .env, its secrets."""

from __future__ import annotations

import os
import stat

import pytest

from ansible_collections.bluegreen.aws.plugins.module_utils._compose.errors import InvalidInput
from ansible_collections.bluegreen.aws.plugins.module_utils._host import aws, prepare

from .machine import bundle, make_host

VALUES = {"/popcon/dev/IMAGE": "app:1", "/popcon/dev/KEY": "hunter2 with space"}


@pytest.fixture
def store(monkeypatch):
    monkeypatch.setattr(aws, "make_client", lambda *_args: None)
    monkeypatch.setattr(aws, "read_parameters", lambda _client, _path: (dict(VALUES), {"/popcon/dev/KEY"}))


def host(machine, **files):
    data = dict(bundle(), **{".env.example": "IMAGE=\nKEY=\n"})
    data.update({name: text for name, text in files.items() if text is not None})
    return make_host(
        machine, files={name: text for name, text in data.items() if files.get(name, "") is not None}, parameters_path="popcon/dev/"
    )


def test_parameters_become_the_environment(machine, store, tmp_path):
    made = host(machine)
    assert prepare.write_bundle(made, str(tmp_path)) == ["KEY"]
    assert (tmp_path / ".env").read_text() == "IMAGE=app:1\nKEY='hunter2 with space'\n"
    assert stat.S_IMODE(os.stat(tmp_path / ".env").st_mode) == 0o600
    assert made.redact("x hunter2 with space app:1") == "x ******** app:1"
    assert made.timeline[0]["event"] == "read 2 parameters below /popcon/dev"


def named(machine, **options):
    return make_host(machine, files=dict(bundle(), **{".env.example": "IMAGE=\nKEY=\n"}), **options)


def read_named(client, names):
    values = {"/popcon/db/key": "hunter2 of the database", "/popcon/dev/IMAGE": "app:2"}
    return {name: values[name] for name in names}, {"/popcon/db/key"} & set(names)


def test_single_parameters_become_the_environment(machine, store, tmp_path, monkeypatch):
    monkeypatch.setattr(aws, "read_named_parameters", read_named)
    made = named(machine, parameters={"IMAGE": "/popcon/dev/IMAGE", "KEY": "/popcon/db/key"})
    assert prepare.write_bundle(made, str(tmp_path)) == ["KEY"]
    assert (tmp_path / ".env").read_text() == "IMAGE=app:2\nKEY='hunter2 of the database'\n"
    assert made.redact("x hunter2 of the database") == "x ********"
    assert made.timeline[0]["event"] == "read 2 parameters named in the option parameters"


def test_a_parameter_that_is_named_wins_over_one_below_the_path(machine, store, tmp_path, monkeypatch):
    monkeypatch.setattr(aws, "read_named_parameters", read_named)
    made = named(machine, parameters_path="/popcon/dev", parameters={"KEY": "/popcon/db/key"})
    assert prepare.write_bundle(made, str(tmp_path)) == ["KEY"]
    assert (tmp_path / ".env").read_text() == "IMAGE=app:1\nKEY='hunter2 of the database'\n"


def test_a_key_that_is_not_named(machine, store, tmp_path, monkeypatch):
    monkeypatch.setattr(aws, "read_named_parameters", read_named)
    with pytest.raises(InvalidInput) as caught:
        prepare.write_bundle(named(machine, parameters={"KEY": "/popcon/db/key"}), str(tmp_path))
    assert str(caught.value) == (
        "Cannot release: the parameters named in the option parameters are not the keys of .env.example "
        "(missing named in the option parameters: IMAGE). Create the missing parameters named in the option parameters. "
        "Nothing was changed."
    )


def test_keys_that_differ(machine, store, tmp_path):
    with pytest.raises(InvalidInput, match=r"missing below /popcon/dev: OTHER; not in \.env\.example: KEY"):
        prepare.write_bundle(host(machine, **{".env.example": "IMAGE=\nOTHER=\n"}), str(tmp_path))
    assert (tmp_path / ".env").read_text() == bundle()[".env"]  # the parameters' values were not written


def test_no_example(machine, store, tmp_path):
    made = host(machine, **{".env.example": None})
    prepare.write_bundle(made, str(tmp_path))
    assert made.warnings == [
        "The bundle has no .env.example; the parameters below /popcon/dev were not compared with what the application needs."
    ]


def test_a_bundle_with_its_own_environment(machine, tmp_path):
    made = make_host(machine, files=bundle(DB_URL="mysql://u:hunter2@db/x", MODE="production", API_TOKEN="abc123"))
    assert prepare.write_bundle(made, str(tmp_path)) is None
    assert stat.S_IMODE(os.stat(tmp_path / ".env").st_mode) == 0o600
    made.key = b"k"
    prepare.load(made, prepare.Content(str(tmp_path), "docker-compose.yml"), [])
    assert made.redact("mysql://u:hunter2@db/x production abc123 hunter2-hunter2") == "******** production ******** ********"


def test_what_is_loaded(machine, tmp_path):
    made = make_host(machine, files=bundle())
    prepare.write_bundle(made, str(tmp_path))
    made.key = b"k"
    loaded = prepare.load(made, prepare.Content(str(tmp_path), "docker-compose.yml"), [])
    assert [item.name for item in loaded.services] == ["db", "migrate", "backend", "frontend"]
    assert set(loaded.environment) == {"IMAGE", "KEY"} and "hunter2" not in str(loaded.environment)
    assert loaded.service("backend").kind == "proxied"
    wanted, proxies = prepare.wanted(made, loaded, [])
    assert [want.service.name for want in wanted if want.proxy_fingerprint] == ["backend", "frontend"]
    assert proxies["backend"].live == ""
