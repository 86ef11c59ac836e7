# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What tests of RDS act on: a client, subnets, DB instances of their own, and connections to their databases; no tests."""

from __future__ import annotations

import typing as t

import botocore
import psycopg2
import psycopg2.extensions
from conftest import wait_for

SUBNETS = "rds-tests"
CLASS = "db.t3.micro"
MASTER = "keeper"
PASSWORD = "first-Password.of=tests"


class RdsWorld:
    """One client, one VPC with subnets in two zones; `name` is what a case's own things are called."""

    def __init__(self, boto: t.Callable[[str], t.Any], vpc: t.Any, name: str) -> None:
        self.client = boto("rds")
        self.vpc = vpc
        self.name = name

    def call(self, operation: str, **members: t.Any) -> t.Any:
        """Call an operation by its API name."""
        return getattr(self.client, botocore.xform_name(operation))(**members)

    def subnets(self) -> str:
        """The name of a subnet group in both zones, shared by all."""
        try:
            self.call("DescribeDBSubnetGroups", DBSubnetGroupName=SUBNETS)
        except self.client.exceptions.DBSubnetGroupNotFoundFault:
            self.call(
                "CreateDBSubnetGroup", DBSubnetGroupName=SUBNETS, DBSubnetGroupDescription="tests",
                SubnetIds=[self.vpc.public_subnet, self.vpc.private_subnet],
            )  # fmt: skip
        return SUBNETS

    def create(self, name: str | None = None, **members: t.Any) -> dict[str, t.Any]:
        """Ask for a DB instance."""
        wanted = {
            "DBInstanceIdentifier": name or self.name, "DBInstanceClass": CLASS, "Engine": "postgres", "AllocatedStorage": 20,
            "MasterUsername": MASTER, "MasterUserPassword": PASSWORD, "DBSubnetGroupName": self.subnets(),
            "VpcSecurityGroupIds": [self.vpc.security_group], "BackupRetentionPeriod": 0,
        }  # fmt: skip
        return self.call("CreateDBInstance", **{**wanted, **members})["DBInstance"]

    def instance(self, name: str | None = None, **members: t.Any) -> dict[str, t.Any]:
        """A DB instance that is available."""
        return self.available(self.create(name, **members)["DBInstanceIdentifier"])

    def describe(self, name: str | None = None) -> dict[str, t.Any]:
        """A DB instance as it is."""
        return self.call("DescribeDBInstances", DBInstanceIdentifier=name or self.name)["DBInstances"][0]

    def reaches(self, status: str, name: str | None = None, seconds: float = 90.0) -> dict[str, t.Any]:
        """Wait for a status."""
        return wait_for(lambda: (found := self.describe(name))["DBInstanceStatus"] == status and found, seconds, interval=0.2)

    def available(self, name: str | None = None, seconds: float = 90.0) -> dict[str, t.Any]:
        """Wait until it is available and nothing that does not wait for the window is pending."""
        return self.reaches("available", name, seconds)

    def modify(self, name: str | None = None, **members: t.Any) -> dict[str, t.Any]:
        """Change it at once, and wait."""
        self.call("ModifyDBInstance", DBInstanceIdentifier=name or self.name, ApplyImmediately=True, **members)
        return self.available(name)

    def gone(self, name: str | None = None, seconds: float = 60.0) -> None:
        """Wait until it does not exist."""
        wanted = name or self.name
        wait_for(
            lambda: wanted not in [found["DBInstanceIdentifier"] for found in self.call("DescribeDBInstances")["DBInstances"]],
            seconds, interval=0.2,
        )  # fmt: skip

    def delete(self, name: str | None = None) -> None:
        """Delete it without a snapshot; nothing happens when there is none."""
        try:
            self.call("DeleteDBInstance", DBInstanceIdentifier=name or self.name, SkipFinalSnapshot=True)
        except (self.client.exceptions.DBInstanceNotFoundFault, self.client.exceptions.InvalidDBInstanceStateFault):
            return

    def parameters(self, family: str = "postgres17") -> str:
        """A parameter group of the case's own."""
        self.call("CreateDBParameterGroup", DBParameterGroupName=self.name, DBParameterGroupFamily=family, Description="tests")
        return self.name

    def snapshot(self, source: str) -> str:
        """A snapshot of the case's own, available."""
        self.call("CreateDBSnapshot", DBSnapshotIdentifier=self.name, DBInstanceIdentifier=source)
        return self.copied()

    def copied(self, name: str | None = None) -> str:
        """Wait until a snapshot is available."""
        wanted = name or self.name
        wait_for(
            lambda: self.call("DescribeDBSnapshots", DBSnapshotIdentifier=wanted)["DBSnapshots"][0]["Status"] == "available",
            60, interval=0.2,
        )  # fmt: skip
        return wanted

    def arn(self, kind: str, name: str) -> str:
        return f"arn:aws:rds:ap-northeast-2:123456789012:{kind}:{name}"


def connect(
    found: dict[str, t.Any], *, database: str = "postgres", password: str = PASSWORD, **options: t.Any
) -> psycopg2.extensions.connection:
    """A connection to a DB instance by its name, which commits each statement."""
    endpoint = found["Endpoint"]
    connection = psycopg2.connect(
        host=endpoint["Address"], port=endpoint["Port"], user=MASTER, password=password, dbname=database, connect_timeout=3,
        **{"sslmode": "require", **options},
    )  # fmt: skip
    connection.autocommit = True
    return connection


def rows(found: dict[str, t.Any], statement: str, *values: t.Any, **options: t.Any) -> list[tuple[t.Any, ...]]:
    """The rows of one statement over a connection of its own."""
    connection = connect(found, **options)
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement, values or None)
            return cursor.fetchall() if cursor.description else []
    finally:
        connection.close()
