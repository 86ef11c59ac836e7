# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the configuration files of one PostgreSQL server; pure.

https://www.postgresql.org/docs/17/runtime-config.html, https://www.postgresql.org/docs/17/auth-pg-hba-conf.html
"""

from __future__ import annotations

MANAGER = "rdsadmin"
"""RDS's own superuser; the cloud talks to servers as it, and a standby copies as it."""

DIRECTORY = "/etc/database"
DATA = "/data/base"
ROLES = ["rds_superuser", "rds_replication", "rds_password", "rds_iam"]
SUPERUSER_ROLES = ["pg_monitor", "pg_signal_backend", "pg_checkpoint", "rds_replication", "rds_password"]
"""What RDS's rds_superuser, which is no PostgreSQL superuser, is a member of."""


def quoted(text: str) -> str:
    """A value in postgresql.conf."""
    doubled = text.replace("\\", "\\\\").replace("'", "''")
    return f"'{doubled}'"


def settings_file(*, port: int, settings: dict[str, str]) -> str:
    """postgresql.conf. What the cloud needs comes last, so that no parameter of a group replaces it."""
    own = {
        "listen_addresses": "*", "port": str(port), "unix_socket_directories": "/tmp", "hba_file": f"{DIRECTORY}/pg_hba.conf",  # noqa: S108
        "ident_file": f"{DIRECTORY}/pg_ident.conf", "ssl": "on", "ssl_cert_file": f"{DIRECTORY}/tls.crt",
        "ssl_key_file": f"{DIRECTORY}/tls.key",
        "password_encryption": "scram-sha-256", "hot_standby": "on", "wal_keep_size": "512", "wal_receiver_timeout": "5000",
        "wal_sender_timeout": "5000", "wal_retrieve_retry_interval": "200", "logging_collector": "off", "cluster_name": "rds",
    }  # fmt: skip
    lines = [f"{name} = {quoted(value)}" for name, value in [*sorted(settings.items()), *own.items()]]
    return "\n".join([*lines, f"include_if_exists = {quoted(f'{DIRECTORY}/commit.conf')}"]) + "\n"


def commit_file(*, synchronous: bool) -> str:
    """commit.conf: whether commits wait until the standby has them on disk."""
    return f"synchronous_standby_names = {quoted('*' if synchronous else '')}\n"


def access_file(*, force_ssl: bool, peers: list[str]) -> str:
    """pg_hba.conf. `peers` are the addresses of the other servers of the same DB instance."""
    lines = [
        f"local all {MANAGER} peer map=own",
        f"local replication {MANAGER} peer map=own",
        *(f"host replication {MANAGER} {address}/32 scram-sha-256" for address in peers),
        f"host all {MANAGER} 0.0.0.0/0 scram-sha-256",
        *(["hostnossl all all 0.0.0.0/0 reject"] if force_ssl else []),
        "host replication +rds_replication 0.0.0.0/0 scram-sha-256",
        "host all all 0.0.0.0/0 scram-sha-256",
    ]
    return "\n".join(lines) + "\n"


def identity_file() -> str:
    """pg_ident.conf: the server's own user on its machine is the manager."""
    return f"own postgres {MANAGER}\n"


def begin_file(*, primary: tuple[str, int] | None) -> str:
    """begin: where an empty server gets its data: nowhere, or from the primary at this address and port."""
    return "new\n" if primary is None else f"copy {primary[0]} {primary[1]}\n"


def pass_file(secret: str) -> str:
    """pgpass: the manager's password, for copying (https://www.postgresql.org/docs/17/libpq-pgpass.html)."""
    return f"*:*:*:{MANAGER}:{secret}\n"
