# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module as a form, and what it hands on; the server is a table, Parameter Store a dictionary."""

from __future__ import annotations

import pytest
import yaml

from ansible_collections.bluegreen.aws.plugins.module_utils._host import aws
from ansible_collections.bluegreen.aws.plugins.module_utils._postgres import plan, server
from ansible_collections.bluegreen.aws.plugins.module_utils._postgres.errors import PostgresError
from ansible_collections.bluegreen.aws.plugins.modules import postgresql_bootstrap

SECRETS = {"/shop/db/master": "master-Password", "/shop/db/shop": "shop-Password"}


def params(**fields):
    return {
        "host": "db.example", "port": 5432, "master_user": "keeper", "master_password_parameter": "master",
        "parameters_path": "/shop/db/", "maintenance_database": "postgres",
        "roles": [{"name": "shop", "password_parameter": "/shop/db/shop"}],
        "databases": [{"name": "shop_db", "owner": "shop", "extensions": [], "access": {}}], "ca_path": None, "connect_timeout": 10,
        "region": "ap-northeast-2", "endpoint_url": None, **fields,
    }  # fmt: skip


class Module:
    def __init__(self, check_mode=False, diff=False, **fields):
        self.params, self.check_mode, self._diff = params(**fields), check_mode, diff
        self.no_log_values = set()


@pytest.fixture
def applied(monkeypatch):
    """What was applied; the server lacks everything."""
    done = []
    monkeypatch.setattr(aws, "make_client", lambda *_arguments: object())
    monkeypatch.setattr(aws, "read_named_parameters", lambda _client, names: ({name: SECRETS[name] for name in names}, set(names)))
    monkeypatch.setattr(server.Server, "observe", lambda *_arguments: plan.Observed())
    monkeypatch.setattr(server.Server, "apply", lambda _self, changes, passwords: done.append((changes, passwords)))
    return done


def test_documentation_and_options_agree():
    documented = yaml.safe_load(postgresql_bootstrap.DOCUMENTATION)["options"]
    spec = postgresql_bootstrap.argument_spec()
    assert {name: entry["type"] for name, entry in documented.items()} == {name: entry["type"] for name, entry in spec.items()}
    for name in ("roles", "databases"):
        assert set(documented[name]["suboptions"]) == set(spec[name]["options"])


def test_it_applies_what_is_lacking(applied):
    module = Module(diff=True)
    result = postgresql_bootstrap.run(module)
    assert result["changed"] and result["databases"] == {"shop_db": "shop"}
    assert result["changes"][0] == "create role shop"
    ((changes, passwords),) = applied
    assert [change.what for change in changes] == result["changes"]
    assert passwords == {"shop": "shop-Password"}
    assert module.no_log_values == set(SECRETS.values()), "no secret is in any result, whatever goes wrong"
    assert not any(secret in str(result) for secret in SECRETS.values())
    assert result["diff"]["before"] != result["diff"]["after"]


def test_check_mode_says_the_same_and_does_nothing(applied):
    result = postgresql_bootstrap.run(Module(check_mode=True))
    assert result["changed"] and result["changes"][0] == "create role shop"
    assert applied == []


def test_an_access_that_is_none(applied):
    databases = [{"name": "shop_db", "owner": "shop", "extensions": [], "access": {"shop": "admin"}}]
    with pytest.raises(PostgresError) as error:
        postgresql_bootstrap.run(Module(databases=databases))
    assert str(error.value) == "Database 'shop_db' gives 'shop' the access 'admin'; it is read or write. Nothing was changed."
    assert applied == []


def test_a_wish_is_checked_before_anything_is_read(monkeypatch):
    monkeypatch.setattr(aws, "make_client", lambda *_arguments: pytest.fail("AWS was asked"))
    with pytest.raises(PostgresError, match="is the server's own"):
        postgresql_bootstrap.run(Module(master_user="shop"))


def test_connections_are_made_with_what_was_asked_for(monkeypatch):
    seen = []
    monkeypatch.setattr(postgresql_bootstrap, "Connection", lambda *arguments, **named: seen.append((arguments, named)))
    postgresql_bootstrap._connect(params(), "master-Password", {"ca_path": "", "timeout": 3}, "postgres")
    postgresql_bootstrap._connect(params(), "master-Password", {"ca_path": "", "timeout": 3}, "postgres", "shop", "shop-Password")
    assert seen == [
        (("db.example", 5432, "keeper", "master-Password", "postgres"), {"ca_path": "", "timeout": 3}),
        (("db.example", 5432, "shop", "shop-Password", "postgres"), {"ca_path": "", "timeout": 3}),
    ]


@pytest.mark.parametrize(
    ("path", "name", "full"),
    [("/shop/db", "a", "/shop/db/a"), ("shop/db/", "a/b", "/shop/db/a/b"), ("/shop", "/other/a", "/other/a"), ("/", "a", "/a")],
)
def test_names_of_parameters(path, name, full):
    assert postgresql_bootstrap.full_name({"parameters_path": path}, name) == full
