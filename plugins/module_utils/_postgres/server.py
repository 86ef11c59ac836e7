# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Observes a server and makes the changes of a plan, over connections that it is given; opens no socket itself."""

from __future__ import annotations

import secrets

from . import plan, scram
from .errors import WRONG_PASSWORD, PostgresError, ServerError


class Server:
    """One server. `connect(database, user, password)` gives a connection with `run` and `close`; without a user, the master's."""

    def __init__(self, connect, database: str):
        self._connect = connect
        self._database = database

    def observe(self, wanted: plan.Wanted, passwords: dict) -> plan.Observed:
        """How it is, as far as the wish is concerned. Passwords are tried, not read: the master user of RDS cannot see what is kept."""
        with self._connect(self._database) as connection:
            version = int(connection.run("SHOW server_version_num")[0][0])
            rows = connection.run(plan.roles_question(version))
            databases = connection.run(plan.DATABASES)
        logins = frozenset(name for name, can, _mine in rows if can == "t")
        owners = {name: owner for name, owner, _public, _guests in databases}
        roles = frozenset(name for name, _can, _mine in rows)
        return plan.Observed(
            roles=roles,
            logins=logins,
            right_passwords=frozenset(role for role in wanted.roles if role in logins and self._lets_in(role, passwords[role])),
            owners=owners,
            public=frozenset(name for name, _owner, public, _guests in databases if public == "t"),
            guests=frozenset((name, guest) for name, _owner, _public, guests in databases for guest in (guests or "").split("\n")),
            inside={item.name: self._inside(item, roles) for item in wanted.databases if owners.get(item.name) == item.owner},
            mine=frozenset(name for name, _can, mine in rows if mine == "t"),
        )

    def _lets_in(self, role: str, password: str) -> bool:
        try:
            self._connect(self._database, role, password).close()
        except ServerError as exc:
            return exc.code not in WRONG_PASSWORD  # refused for another reason, after the password was found right
        return True

    def _inside(self, item: plan.Database, roles: frozenset) -> plan.Inside:
        if not item.extensions and not item.access:
            return plan.Inside()
        with self._connect(item.name) as connection:
            extensions = frozenset(name for (name,) in connection.run(plan.EXTENSIONS))
            access = frozenset(
                (role, level)
                for role, level in item.access
                if role in roles and connection.run(plan.access_question(item.owner, role, level)) == [("t",)]
            )
        return plan.Inside(extensions, access)

    def apply(self, changes: list, passwords: dict) -> None:
        """Make the changes in their order. Each is complete in itself, so a run that stops half-way is continued by the next."""
        connection, database = None, None
        try:
            for change in changes:
                if connection is None or change.database != database:
                    if connection is not None:
                        connection.close()
                    connection, database = self._connect(change.database or self._database), change.database
                statement = change.statement
                if change.role:
                    statement = statement.replace("{verifier}", scram.verifier(passwords[change.role], secrets.token_bytes(16)))
                connection.run(statement, change.what)
        finally:
            if connection is not None:
                connection.close()


def check_passwords(passwords: dict) -> None:
    """Raises PostgresError for a password that a login could not carry as it is (RFC 4013 changes other characters)."""
    for role, password in passwords.items():
        if not password or any(not " " <= character <= "~" for character in password):
            raise PostgresError(
                f"The password of role '{role}' is empty or has characters other than printable ASCII. Put another one into Parameter "
                "Store; nothing was changed."
            )
