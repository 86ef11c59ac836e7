# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Observing and changing, over connections that answer from a table."""

from __future__ import annotations

import pytest

from ansible_collections.bluegreen.aws.plugins.module_utils._postgres import plan
from ansible_collections.bluegreen.aws.plugins.module_utils._postgres.errors import PostgresError, ServerError
from ansible_collections.bluegreen.aws.plugins.module_utils._postgres.server import Server, check_passwords

PASSWORDS = {"a": "right-one", "b": "other"}
WANTED = plan.Wanted(("a", "b"), (plan.Database("shop", "a", ("pg_trgm",), (("b", plan.READ),)), plan.Database("new", "b")))


class Connection:
    """Answers what a server would; remembers what it was told."""

    def __init__(self, log, database):
        self.log, self.database = log, database

    def __enter__(self):
        return self

    def __exit__(self, *_ignored):
        self.close()

    def close(self):
        self.log.append((self.database, "closed"))

    def run(self, statement, what=""):
        self.log.append((self.database, statement))
        if statement.startswith("SHOW"):
            return [("170006",)]
        if "rolcanlogin" in statement:
            return [("a", "t", "t"), ("b", "t", "f"), ("keeper", "t", "t"), ("group", "f", "f")]
        if "pg_database" in statement:
            return [("shop", "a", "f", "a\nb"), ("postgres", "keeper", "t", None)]
        if "pg_extension" in statement:
            return [("plpgsql",), ("pg_trgm",)]
        if "has_schema_privilege" in statement:
            return [("f",)]
        return []


@pytest.fixture
def log():
    return []


@pytest.fixture
def server(log):
    def connect(database, user=None, password=None):
        if user == "b":
            raise ServerError("log in", "28P01", "password authentication failed")
        if user == "a" and database == "postgres":
            raise ServerError("log in", "42501", "permission denied for database")
        return Connection(log, database)

    return Server(connect, "postgres")


def test_what_is_observed(server):
    seen = server.observe(WANTED, PASSWORDS)
    assert seen.right_passwords == {"a"}, "refused after the password was found right"
    assert seen.logins == {"a", "b", "keeper"}
    assert seen.owners == {"shop": "a", "postgres": "keeper"}
    assert seen.public == {"postgres"}
    assert {("shop", "a"), ("shop", "b")} <= seen.guests
    assert seen.inside == {"shop": plan.Inside(frozenset({"plpgsql", "pg_trgm"}), frozenset())}
    assert seen.mine == {"a", "keeper"}


def test_every_connection_is_closed(server, log):
    server.observe(WANTED, PASSWORDS)
    assert [database for database, what in log if what == "closed"] == ["postgres", "shop"]


def test_statements_run_where_they_belong_and_have_verifiers(server, log):
    changes = [
        plan.Change("create role a", "CREATE ROLE a PASSWORD '{verifier}'", role="a"),
        plan.Change("x", "ONE", database="shop"),
        plan.Change("y", "TWO", database="shop"),
    ]
    server.apply(changes, PASSWORDS)
    assert log[0][0] == "postgres" and log[0][1].startswith("CREATE ROLE a PASSWORD 'SCRAM-SHA-256$4096:")
    assert "right-one" not in str(log)
    assert log[1:] == [("postgres", "closed"), ("shop", "ONE"), ("shop", "TWO"), ("shop", "closed")]


def test_a_failure_closes_the_connection(log):
    class Failing(Connection):
        def run(self, statement, what=""):
            raise ServerError(what, "42501", "no")

    with pytest.raises(ServerError, match="Failed to x: no"):
        Server(lambda database: Failing(log, database), "postgres").apply([plan.Change("x", "ONE")], {})
    assert log == [("postgres", "closed")]


def test_another_refusal_than_of_the_password_is_not_hidden():
    def connect(database, user=None, password=None):
        if user:
            raise PostgresError("Failed to connect")
        return Connection([], database)

    with pytest.raises(PostgresError, match="Failed to connect"):
        Server(connect, "postgres").observe(WANTED, PASSWORDS)


@pytest.mark.parametrize("password", ["", "with\nline", "gr\u00fcn"])
def test_passwords_that_no_login_carries(password):
    with pytest.raises(PostgresError, match="password of role 'a' is empty or has characters"):
        check_passwords({"a": password})


def test_passwords_that_are_fine():
    check_passwords({"a": "!~ xY9"})
