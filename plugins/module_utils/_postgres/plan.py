# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Decides which databases, roles and grants a server lacks, and with which statements it gets them; pure: no connection, no password.

It never drops, renames or takes away what it has not made, but for the right of everybody (PUBLIC) to enter the databases it keeps.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from .errors import PostgresError
from .messages import identifier, literal

READ, WRITE = "read", "write"
PRIVILEGES = {READ: ("SELECT",), WRITE: ("SELECT", "INSERT", "UPDATE", "DELETE")}
SEQUENCES = {READ: ("SELECT",), WRITE: ("USAGE", "SELECT")}
_LONGEST = 63


@dataclass(frozen=True)
class Database:
    """A database as it is wanted. `access` is role → read or write, on all tables of the schema public, also later ones of the owner."""

    name: str
    owner: str
    extensions: tuple = ()
    access: tuple = ()  # of (role, READ or WRITE)


@dataclass(frozen=True)
class Wanted:
    """Everything that is wanted. `roles` may log in; their passwords are not here."""

    roles: tuple
    databases: tuple


@dataclass(frozen=True)
class Inside:
    """What is in a database that exists. `access` has a role's level once every table and default that it needs has it."""

    extensions: frozenset = frozenset()
    access: frozenset = frozenset()  # of (role, READ or WRITE)


@dataclass(frozen=True)
class Observed:
    """A server as it is. `logins` are roles that may log in, `right_passwords` those that can with the wanted password."""

    roles: frozenset = frozenset()
    logins: frozenset = frozenset()
    right_passwords: frozenset = frozenset()
    owners: dict = field(default_factory=dict)  # database → owner
    public: frozenset = frozenset()  # databases that everybody may enter
    guests: frozenset = frozenset()  # (database, role) that may enter by a grant
    inside: dict = field(default_factory=dict)  # database → Inside
    mine: frozenset = frozenset()  # roles that the master user may act as


@dataclass(frozen=True)
class Change:
    """One step. `statement` has {verifier} where the password of `role` goes; it runs in `database`, the maintenance one when empty."""

    what: str
    statement: str
    database: str = ""
    role: str = ""


def check(wanted: Wanted, master: str) -> None:
    """Raises PostgresError for a wish that no server could grant."""
    for kind, names in (("Role", wanted.roles), ("Database", [item.name for item in wanted.databases])):
        for name in names:
            if not name or len(name.encode()) > _LONGEST or "\0" in name:
                raise PostgresError(f"{kind} '{name}' has no valid name: give 1 to {_LONGEST} bytes. Nothing was changed.")
            if list(names).count(name) > 1:
                raise PostgresError(f"{kind} '{name}' is given twice; keep one of the two. Nothing was changed.")
    for name in wanted.roles:
        if name == master or name.startswith(("pg_", "rds")):
            raise PostgresError(f"Role '{name}' is the server's own; give the application another one. Nothing was changed.")
    for item in wanted.databases:
        for role in (item.owner, *(name for name, _level in item.access)):
            if role not in wanted.roles:
                raise PostgresError(f"Database '{item.name}' names the role '{role}', which is not among the roles. Nothing was changed.")


def decide(wanted: Wanted, observed: Observed) -> list:
    """The changes, in the order in which they can be made."""
    changes: list = []
    for role in wanted.roles:
        changes += _role(role, observed)
    for item in wanted.databases:
        changes += _database(item, observed)
    return changes


def _role(role: str, observed: Observed) -> list:
    name = identifier(role)
    if role not in observed.roles:
        changes = [Change(f"create role {role}", f"CREATE ROLE {name} LOGIN PASSWORD '{{verifier}}'", role=role)]
    elif role not in observed.logins:
        changes = [Change(f"let role {role} log in", f"ALTER ROLE {name} LOGIN PASSWORD '{{verifier}}'", role=role)]
    elif role not in observed.right_passwords:
        changes = [Change(f"set the password of role {role}", f"ALTER ROLE {name} PASSWORD '{{verifier}}'", role=role)]
    else:
        changes = []
    if role not in observed.mine:
        # A master user is no superuser on RDS: it must be a member of a role to make or change what belongs to it.
        changes.append(Change(f"let the master user act as {role}", f"GRANT {name} TO CURRENT_USER"))
    return changes


def _database(item: Database, observed: Observed) -> list:
    name, owner = identifier(item.name), identifier(item.owner)
    changes: list = []
    exists = item.name in observed.owners
    if not exists:
        changes.append(Change(f"create database {item.name}", f"CREATE DATABASE {name} OWNER {owner}"))
    elif observed.owners[item.name] != item.owner:
        changes.append(Change(f"give database {item.name} to {item.owner}", f"ALTER DATABASE {name} OWNER TO {owner}"))
    if not exists or item.name in observed.public:
        changes.append(Change(f"keep others out of database {item.name}", f"REVOKE ALL ON DATABASE {name} FROM PUBLIC"))
    inside = observed.inside.get(item.name, Inside())
    for extension in item.extensions:
        if extension not in inside.extensions:
            statement = f"CREATE EXTENSION IF NOT EXISTS {identifier(extension)}"
            changes.append(Change(f"create extension {extension} in {item.name}", statement, database=item.name))
    for role, level in item.access:
        if (item.name, role) not in observed.guests:
            statement = f"GRANT CONNECT, TEMPORARY ON DATABASE {name} TO {identifier(role)}"
            changes.append(Change(f"let {role} into database {item.name}", statement))
        if (role, level) not in inside.access:
            changes.append(Change(f"let {role} {level} in database {item.name}", _grants(item.owner, role, level), database=item.name))
    return changes


def _grants(owner: str, role: str, level: str) -> str:
    """As the owner, whose tables they are; for those that it makes later, too. One message, so all or nothing."""
    tables, sequences = ", ".join(PRIVILEGES[level]), ", ".join(SEQUENCES[level])
    guest, keeper = identifier(role), identifier(owner)
    later = f"ALTER DEFAULT PRIVILEGES FOR ROLE {keeper} IN SCHEMA public GRANT"
    return (
        f"SET ROLE {keeper}; GRANT USAGE ON SCHEMA public TO {guest}; GRANT {tables} ON ALL TABLES IN SCHEMA public TO {guest}; "
        f"GRANT {sequences} ON ALL SEQUENCES IN SCHEMA public TO {guest}; {later} {tables} ON TABLES TO {guest}; "
        f"{later} {sequences} ON SEQUENCES TO {guest}; RESET ROLE"
    )


def lines(wanted: Wanted, observed: Observed, changes: list) -> tuple:
    """(before, after) of a diff: one line for each thing that is wanted, none with a password."""
    texts: dict = {}
    for role in wanted.roles:
        state = "absent" if role not in observed.roles else "may log in" if role in observed.right_passwords else "another password"
        texts[f"role {role}"] = (state, "may log in")
    for item in wanted.databases:
        key = f"database {item.name}"
        texts[f"{key} owner"] = (observed.owners.get(item.name, "absent"), item.owner)
        open_to_all = item.name in observed.public
        texts[f"{key} open to everybody"] = ("yes" if open_to_all else "no", "no")
        inside = observed.inside.get(item.name, Inside())
        for extension in item.extensions:
            texts[f"{key} extension {extension}"] = ("present" if extension in inside.extensions else "absent", "present")
        for role, level in item.access:
            there = (role, level) in inside.access and (item.name, role) in observed.guests
            texts[f"{key} access of {role}"] = (level if there else "none", level)
    if not changes:
        texts = {name: (after, after) for name, (_before, after) in texts.items()}
    return tuple("".join(f"{name}: {pair[side]}\n" for name, pair in texts.items()) for side in (0, 1))


# -- questions

ROLES = "SELECT rolname, rolcanlogin, {mine} FROM pg_catalog.pg_roles"
DATABASES = """
SELECT d.datname, r.rolname,
       EXISTS (SELECT FROM aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) a
                WHERE a.grantee = 0 AND a.privilege_type = 'CONNECT'),
       (SELECT string_agg(g.rolname, chr(10)) FROM aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) a
          JOIN pg_roles g ON g.oid = a.grantee WHERE a.privilege_type = 'CONNECT')
  FROM pg_catalog.pg_database d JOIN pg_catalog.pg_roles r ON r.oid = d.datdba WHERE NOT d.datistemplate
"""
EXTENSIONS = "SELECT extname FROM pg_catalog.pg_extension"


def roles_question(version: int) -> str:
    """The roles, whether they may log in, and whether the master user may act as them (a right of its own since version 16)."""
    return ROLES.format(mine=f"pg_has_role(current_user, oid, '{'SET' if version >= 160000 else 'MEMBER'}')")


def access_question(owner: str, role: str, level: str) -> str:
    """Whether a role has a level on the schema, on every table of the owner that is there, and on those that the owner makes later."""
    wanted = ", ".join(literal(name) for name in PRIVILEGES[level])
    count = len(PRIVILEGES[level])
    return f"""
SELECT has_schema_privilege({literal(role)}, 'public', 'USAGE')
   AND NOT EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace, unnest(ARRAY[{wanted}]) p
                    WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p', 'v', 'm') AND c.relowner = {literal(identifier(owner))}::regrole
                      AND NOT has_table_privilege({literal(role)}, c.oid, p))
   AND (SELECT count(DISTINCT a.privilege_type) FROM pg_default_acl d, aclexplode(d.defaclacl) a
         WHERE d.defaclrole = {literal(identifier(owner))}::regrole AND d.defaclobjtype = 'r' AND d.defaclnamespace = 'public'::regnamespace
           AND a.grantee = {literal(identifier(role))}::regrole AND a.privilege_type IN ({wanted})) = {count}
"""  # noqa: S608 - every name in it is quoted
