# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Instance classes, engine versions, families and storage that AWS offers for RDS PostgreSQL; data only.

https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Concepts.DBInstanceClass.Summary.html
https://docs.aws.amazon.com/AmazonRDS/latest/PostgreSQLReleaseNotes/postgresql-versions.html
"""

from __future__ import annotations

ENGINE = "postgres"
_GIB = 2**30

CLASS_MEMORY = {
    "db.t3.micro": 1 * _GIB, "db.t3.small": 2 * _GIB, "db.t3.medium": 4 * _GIB, "db.t3.large": 8 * _GIB,
    "db.t4g.micro": 1 * _GIB, "db.t4g.small": 2 * _GIB, "db.t4g.medium": 4 * _GIB, "db.t4g.large": 8 * _GIB,
    "db.m5.large": 8 * _GIB, "db.m5.xlarge": 16 * _GIB, "db.m5.2xlarge": 32 * _GIB,
    "db.m6g.large": 8 * _GIB, "db.m6g.xlarge": 16 * _GIB, "db.m6g.2xlarge": 32 * _GIB,
    "db.m7g.large": 8 * _GIB, "db.m7g.xlarge": 16 * _GIB, "db.m7g.2xlarge": 32 * _GIB,
    "db.r5.large": 16 * _GIB, "db.r5.xlarge": 32 * _GIB, "db.r6g.large": 16 * _GIB, "db.r6g.xlarge": 32 * _GIB,
    "db.r7g.large": 16 * _GIB, "db.r7g.xlarge": 32 * _GIB,
}  # fmt: skip
"""Instance class -> bytes of memory."""

VERSIONS = ["13.20", "14.17", "15.12", "16.8", "16.9", "16.10", "17.4", "17.5", "17.6"]
"""Engine versions, in order."""

DEFAULT_VERSION = "17.6"
SERVED_MAJOR = 17
"""The major version that Debian has, and that runs here whatever version is asked for."""

STORAGE_GIB = {"gp2": (20, 65536), "gp3": (20, 65536), "io1": (100, 65536), "io2": (100, 65536), "standard": (5, 3072)}
"""Storage type -> least and most size in GiB."""

GP3_IOPS, GP3_THROUGHPUT = 3000, 125
GP3_STRIPED_IOPS, GP3_STRIPED_THROUGHPUT = 12000, 500
GP3_STRIPED_FROM = 400
"""From this size in GiB, gp3's baseline is that of four volumes."""

CA_CERTIFICATES = ["rds-ca-rsa2048-g1", "rds-ca-rsa4096-g1", "rds-ca-ecc384-g1"]

RESERVED_NAMES = frozenset({
    "admin", "rdsadmin", "rds_superuser", "rds_replication", "rds_password", "rds_iam", "rdsrepladmin", "postgresql", "public", "user",
    "all", "analyse", "analyze", "select", "table", "where", "grant", "none", "null", "primary", "check", "default", "group", "order",
})  # fmt: skip
"""Words that a master user cannot be called; some of PostgreSQL's reserved words and RDS's own roles."""


def full_version(asked: str | None) -> str | None:
    """The version that a request means: `16` is its newest minor version; None when AWS has none such."""
    if not asked:
        return DEFAULT_VERSION
    if asked in VERSIONS:
        return asked
    found = [version for version in VERSIONS if version.split(".")[0] == asked]
    return found[-1] if found else None


def major(version: str) -> int:
    """The major version of a version."""
    return int(version.split(".")[0])


def order(version: str) -> tuple[int, ...]:
    """What versions are compared by."""
    return tuple(int(part) for part in version.split("."))


def family_of(version: str) -> str:
    """The parameter family of a version."""
    return f"{ENGINE}{major(version)}"


def families() -> list[str]:
    """Every parameter family."""
    return list(dict.fromkeys(family_of(version) for version in VERSIONS))


def default_group(family: str) -> str:
    """The name of a family's default parameter group."""
    return f"default.{family}"


def upgrade_targets(version: str) -> list[str]:
    """The versions that an instance of this one can be changed to."""
    return [other for other in VERSIONS if order(other) > order(version)]


def performance(storage_type: str, size: int, iops: int | None, throughput: int | None) -> tuple[int | None, int | None]:
    """Provisioned IOPS and MiB/s that storage has when it was asked for with these."""
    if storage_type == "gp3":
        striped = size >= GP3_STRIPED_FROM
        return iops or (GP3_STRIPED_IOPS if striped else GP3_IOPS), throughput or (GP3_STRIPED_THROUGHPUT if striped else GP3_THROUGHPUT)
    return (iops, None) if storage_type in ("io1", "io2") else (None, None)
