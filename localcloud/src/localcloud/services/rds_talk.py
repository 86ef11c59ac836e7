# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SQL between the cloud and a PostgreSQL server, with a deadline for everything; blocking, one connection, for one thread at a time."""

from __future__ import annotations

import contextlib
import select
import time
import typing as t

import psycopg2
import psycopg2.extensions
from psycopg2 import sql

from . import rds_config as config

ANSWER_SECONDS = 1.5
WORK_SECONDS = 30.0

TalkError = (psycopg2.Error, OSError)
"""What talking to a server raises."""

Row = tuple[t.Any, ...]

_LOOK = """
SELECT pg_is_in_recovery(), current_setting('synchronous_standby_names') <> '',
       count(*) FILTER (WHERE state = 'streaming'), count(*) FILTER (WHERE state = 'streaming' AND sync_state = 'sync')
  FROM pg_stat_replication
"""


class Talk:
    """A connection as RDS's own user."""

    def __init__(self, address: str, port: int, secret: str, *, database: str = "postgres") -> None:
        self._connection = psycopg2.connect(
            host=address, port=port, user=config.MANAGER, password=secret, dbname=database, sslmode="prefer", async_=True,
            application_name="localcloud",
        )  # fmt: skip
        try:
            self._wait(ANSWER_SECONDS)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End it; nothing happens when it has ended."""
        with contextlib.suppress(psycopg2.Error):
            self._connection.close()

    def run(self, statement: t.Any, values: t.Sequence[t.Any] = (), *, seconds: float = WORK_SECONDS) -> list[Row]:
        """The rows of a statement's result. Raises TalkError, and OSError when there is no answer in time."""
        with self._connection.cursor() as cursor:
            cursor.execute(statement, values or None)
            self._wait(seconds)
            return cursor.fetchall() if cursor.description else []

    def look(self) -> tuple[bool, bool, int, int]:
        """Whether it is a standby, whether its commits wait, how many servers stream from it, and how many it waits for."""
        (row,) = self.run(_LOOK, seconds=ANSWER_SECONDS)
        return t.cast("tuple[bool, bool, int, int]", row)

    def promote(self) -> None:
        """Let a standby become a primary."""
        (promoted,) = self.run("SELECT pg_is_in_recovery() AND NOT pg_promote(true, 20)")
        if promoted[0]:
            raise OSError("the standby did not become a primary within 20 s")

    def reload(self) -> None:
        """Read the configuration files again."""
        self.run("SELECT pg_reload_conf()")

    def verifier(self, user: str, password: str) -> str:
        """What the server keeps of a password (RFC 5803), so that the password itself is in no statement."""
        return psycopg2.extensions.encrypt_password(password, user, self._connection, "scram-sha-256")

    def _wait(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while (state := self._connection.poll()) != psycopg2.extensions.POLL_OK:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"the server has not answered within {seconds} s")
            reading = [self._connection] if state == psycopg2.extensions.POLL_READ else []
            writing = [self._connection] if state == psycopg2.extensions.POLL_WRITE else []
            select.select(reading, writing, [], left)


def prepare(talk: Talk, *, master: str, password: str, database: str | None) -> None:
    """Give a new server RDS's roles, the master user and the first database; what is there already stays.

    https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Appendix.PostgreSQL.CommonDBATasks.Roles.rds_superuser.html
    """
    roles = {row[0] for row in talk.run("SELECT rolname FROM pg_roles")}
    for role in config.ROLES:
        if role not in roles:
            talk.run(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(role)))
    for role in config.SUPERUSER_ROLES:
        talk.run(sql.SQL("GRANT {} TO rds_superuser WITH ADMIN OPTION").format(sql.Identifier(role)))
    name = sql.Identifier(master)
    if master not in roles:
        talk.run(sql.SQL("CREATE ROLE {} LOGIN CREATEDB CREATEROLE").format(name))
        talk.run(sql.SQL("GRANT rds_superuser TO {}").format(name))
    set_password(talk, master, password)
    databases = {row[0] for row in talk.run("SELECT datname FROM pg_database")}
    if "rdsadmin" not in databases:
        talk.run("CREATE DATABASE rdsadmin")
        talk.run("REVOKE ALL ON DATABASE rdsadmin FROM PUBLIC")
    talk.run(sql.SQL("ALTER DATABASE postgres OWNER TO {}").format(name))
    if database and database not in databases:
        talk.run(sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(database), name))


def set_password(talk: Talk, user: str, password: str) -> None:
    """Change a user's password."""
    verifier = talk.verifier(user, password)
    talk.run(sql.SQL("ALTER ROLE {} PASSWORD {} VALID UNTIL 'infinity'").format(sql.Identifier(user), sql.Literal(verifier)))
