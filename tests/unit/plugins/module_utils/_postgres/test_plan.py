# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is lacking, and the statements that bring it."""

from __future__ import annotations

import pytest

from ansible_collections.bluegreen.aws.plugins.module_utils._postgres import plan
from ansible_collections.bluegreen.aws.plugins.module_utils._postgres.errors import PostgresError
from ansible_collections.bluegreen.aws.plugins.module_utils._postgres.plan import Database, Inside, Observed, Wanted

USER, BOARD = "wealist_user", "wealist_board"
WANTED = Wanted((USER, BOARD), (Database("users", USER), Database("boards", BOARD, ("pg_trgm",), ((USER, plan.READ),))))
THERE = Observed(
    roles=frozenset({USER, BOARD, "keeper"}),
    logins=frozenset({USER, BOARD, "keeper"}),
    right_passwords=frozenset({USER, BOARD}),
    owners={"users": USER, "boards": BOARD, "postgres": "keeper"},
    public=frozenset({"postgres"}),
    guests=frozenset({("boards", USER)}),
    inside={"users": Inside(), "boards": Inside(frozenset({"pg_trgm", "plpgsql"}), frozenset({(USER, plan.READ)}))},
    mine=frozenset({USER, BOARD}),
)


def but(**fields):
    return plan.Observed(**{**THERE.__dict__, **fields})


def test_all_that_is_needed_from_nothing_in_order():
    changes = plan.decide(WANTED, Observed())
    assert [change.what for change in changes] == [
        "create role wealist_user",
        "let the master user act as wealist_user",
        "create role wealist_board",
        "let the master user act as wealist_board",
        "create database users",
        "keep others out of database users",
        "create database boards",
        "keep others out of database boards",
        "create extension pg_trgm in boards",
        "let wealist_user into database boards",
        "let wealist_user read in database boards",
    ]
    assert changes[0].statement == "CREATE ROLE \"wealist_user\" LOGIN PASSWORD '{verifier}'"
    assert (changes[0].role, changes[8].database) == (USER, "boards")


def test_nothing_when_it_is_there():
    assert plan.decide(WANTED, THERE) == []


@pytest.mark.parametrize(
    ("fields", "wanted"),
    [
        ({"right_passwords": frozenset({BOARD})}, ["set the password of role wealist_user"]),
        ({"logins": frozenset({BOARD})}, ["let role wealist_user log in"]),
        ({"mine": frozenset({BOARD})}, ["let the master user act as wealist_user"]),
        ({"owners": {"users": "keeper", "boards": BOARD}}, ["give database users to wealist_user"]),
        ({"public": frozenset({"boards"})}, ["keep others out of database boards"]),
        ({"guests": frozenset()}, ["let wealist_user into database boards"]),
        (
            {"inside": {"boards": Inside()}},
            ["create extension pg_trgm in boards", "let wealist_user read in database boards"],
        ),
    ],
)
def test_each_difference_has_its_change(fields, wanted):
    assert [change.what for change in plan.decide(WANTED, but(**fields))] == wanted


def test_write_is_more_than_read_and_counts_for_later_tables():
    statement = plan.decide(Wanted((USER, BOARD), (Database("boards", BOARD, (), ((USER, plan.WRITE),)),)), THERE)[0].statement
    assert statement.startswith('SET ROLE "wealist_board"; ')
    assert "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public" in statement
    assert "ALTER DEFAULT PRIVILEGES FOR ROLE" in statement
    assert statement.endswith("RESET ROLE")


def test_names_are_quoted_wherever_they_stand():
    bad = 'a"; DROP ROLE b; --'
    for change in plan.decide(Wanted((bad,), (Database(bad, bad, (bad,), ((bad, plan.READ),)),)), Observed()):
        assert '"a""; DROP ROLE b; --"' in change.statement
    assert '\'"a""; DROP ROLE b; --"\'::regrole' in plan.access_question(bad, bad, plan.READ)


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        (Wanted(("",), ()), "Role '' has no valid name"),
        (Wanted(("x" * 64,), ()), "give 1 to 63 bytes"),
        (Wanted((USER, USER), ()), "Role 'wealist_user' is given twice; keep one of the two. Nothing was changed."),
        (Wanted(("keeper",), ()), "Role 'keeper' is the server's own"),
        (Wanted(("rds_superuser",), ()), "is the server's own"),
        (Wanted((USER,), (Database("a", USER), Database("a", USER))), "Database 'a' is given twice"),
        (Wanted((USER,), (Database("a", BOARD),)), "Database 'a' names the role 'wealist_board', which is not among the roles."),
        (Wanted((USER,), (Database("a", USER, (), ((BOARD, plan.READ),)),)), "names the role 'wealist_board'"),
    ],
)
def test_wishes_that_cannot_be(wanted, words):
    with pytest.raises(PostgresError) as error:
        plan.check(wanted, "keeper")
    assert words in str(error.value)


def test_the_diff_says_what_changes_and_no_secret():
    changes = plan.decide(WANTED, but(right_passwords=frozenset(), public=frozenset({"users"})))
    before, after = plan.lines(WANTED, but(right_passwords=frozenset(), public=frozenset({"users"})), changes)
    assert "role wealist_user: another password\n" in before
    assert "database users open to everybody: yes\n" in before
    assert "role wealist_user: may log in\n" in after
    assert "database boards access of wealist_user: read\n" in after
    same = plan.lines(WANTED, THERE, [])
    assert same[0] == same[1]


@pytest.mark.parametrize(("version", "word"), [(150012, "'MEMBER'"), (160000, "'SET'"), (170006, "'SET'")])
def test_acting_as_a_role_is_a_right_of_its_own_since_16(version, word):
    assert word in plan.roles_question(version)
