# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What RDS answers, good and bad: the table of cases, run by test_rds_contract."""

from __future__ import annotations

import typing as t

from rds_world import CLASS, RdsWorld

from .cases import Case

ABSENT = "there-is-none"
SHARED = "contract-shared"
"""A DB instance that cases look at; one that changes it waits until it is available again."""

SECOND = "contract-snapshot"
"""A snapshot of it."""

TAGS = [{"Key": "a", "Value": "b"}]


def _case(operation: str, name: str, error: str | None = None, **members: t.Any) -> Case:
    return Case(operation, name, lambda w: w.call(operation, **members), error)


def _change(operation: str, name: str, **members: t.Any) -> Case:
    """A change of the shared instance, waited for."""

    def run(w: RdsWorld) -> t.Any:
        answer = w.call(operation, DBInstanceIdentifier=SHARED, **members)
        w.available(SHARED)
        return answer

    return Case(operation, name, run)


def _refused(name: str, error: str, **members: t.Any) -> Case:
    return Case("CreateDBInstance", name, lambda w: w.create(**members), error)


def _parameters(*pairs: tuple[str, str], method: str = "pending-reboot") -> list[dict[str, str]]:
    return [{"ParameterName": name, "ParameterValue": value, "ApplyMethod": method} for name, value in pairs]


def _stop_and_start(w: RdsWorld) -> t.Any:
    answer = w.call("StopDBInstance", DBInstanceIdentifier=SHARED)
    w.reaches("stopped", SHARED)
    w.call("StartDBInstance", DBInstanceIdentifier=SHARED)
    w.available(SHARED)
    return answer


def _restore(w: RdsWorld, snapshot: str = SECOND, **members: t.Any) -> t.Any:
    return w.call(
        "RestoreDBInstanceFromDBSnapshot",
        DBInstanceIdentifier=w.name,
        DBSnapshotIdentifier=snapshot,
        DBSubnetGroupName=w.subnets(),
        **members,
    )


CASES: list[Case] = [
    Case("CreateDBInstance", "least", RdsWorld.create),
    Case(
        "CreateDBInstance",
        "most",
        lambda w: w.create(
            DBName="shop", EngineVersion="16", Port=5433, PreferredMaintenanceWindow="Mon:05:00-mon:06:00",
            PreferredBackupWindow="03:00-03:30",
            BackupRetentionPeriod=7, StorageType="gp3", StorageEncrypted=True, DeletionProtection=False, CopyTagsToSnapshot=True, Tags=TAGS,
            AutoMinorVersionUpgrade=False, MaxAllocatedStorage=100, EnableIAMDatabaseAuthentication=True,
            AvailabilityZone="ap-northeast-2c",
        ),
    ),
    Case("CreateDBInstance", "twice", lambda w: w.create(SHARED), "DBInstanceAlreadyExists"),
    _refused("no subnet group", "DBSubnetGroupNotFoundFault", DBSubnetGroupName=ABSENT),
    _refused("no parameter group", "DBParameterGroupNotFound", DBParameterGroupName=ABSENT),
    _refused("other family", "InvalidParameterCombination", DBParameterGroupName="default.postgres13"),
    _refused("no security group", "InvalidParameterValue", VpcSecurityGroupIds=["sg-00000000"]),
    _refused("no class", "InvalidParameterValue", DBInstanceClass="db.x9.nano"),
    _refused("no engine", "InvalidParameterValue", Engine="mysql"),
    _refused("no version", "InvalidParameterCombination", EngineVersion="99"),
    _refused("short password", "InvalidParameterValue", MasterUserPassword="short"),
    _refused("password with at", "InvalidParameterValue", MasterUserPassword="an-at@in-it"),
    _refused("reserved user", "InvalidParameterValue", MasterUsername="rdsadmin"),
    _refused("bad name", "InvalidParameterValue", DBInstanceIdentifier="1st"),
    _refused("little storage", "InvalidParameterValue", AllocatedStorage=5),
    _refused("no storage type", "StorageTypeNotSupported", StorageType="floppy"),
    _refused("zone without subnet", "InvalidVPCNetworkStateFault", AvailabilityZone="ap-northeast-2d"),
    _refused("zone and zones", "InvalidParameterCombination", AvailabilityZone="ap-northeast-2a", MultiAZ=True),
    _refused("bad window", "InvalidParameterValue", PreferredMaintenanceWindow="whenever"),
    _refused("reserved tag", "InvalidParameterValue", Tags=[{"Key": "aws:x", "Value": "y"}]),
    _case("DescribeDBInstances", "all"),
    _case("DescribeDBInstances", "one", DBInstanceIdentifier=SHARED),
    _case("DescribeDBInstances", "filter", Filters=[{"Name": "db-instance-id", "Values": [SHARED]}], MaxRecords=20),
    _case("DescribeDBInstances", "bad filter", "InvalidParameterValue", Filters=[{"Name": "colour", "Values": ["blue"]}]),
    _case("DescribeDBInstances", "few", "InvalidParameterValue", MaxRecords=5),
    _case("DescribeDBInstances", "absent", "DBInstanceNotFound", DBInstanceIdentifier=ABSENT),
    _change("ModifyDBInstance", "at once", CopyTagsToSnapshot=True, BackupRetentionPeriod=2, ApplyImmediately=True),
    _change("ModifyDBInstance", "password", MasterUserPassword="another.Password"),
    Case(
        "ModifyDBInstance",
        "in the window",
        lambda w: w.call("ModifyDBInstance", DBInstanceIdentifier=SHARED, AllocatedStorage=30)["DBInstance"]["PendingModifiedValues"],
        result={"AllocatedStorage": 30},
    ),
    _case("ModifyDBInstance", "less storage", "InvalidParameterValue", DBInstanceIdentifier=SHARED, AllocatedStorage=10),
    _case("ModifyDBInstance", "downgrade", "InvalidParameterCombination", DBInstanceIdentifier=SHARED, EngineVersion="13.20"),
    _case("ModifyDBInstance", "no group", "DBParameterGroupNotFound", DBInstanceIdentifier=SHARED, DBParameterGroupName=ABSENT),
    _case("ModifyDBInstance", "absent", "DBInstanceNotFound", DBInstanceIdentifier=ABSENT),
    Case(
        "ModifyDBInstance",
        "too early",
        lambda w: [w.create(), w.call("ModifyDBInstance", DBInstanceIdentifier=w.name, MultiAZ=True)],
        "InvalidDBInstanceState",
    ),
    _change("RebootDBInstance", "shared"),
    _case("RebootDBInstance", "failover without standby", "InvalidParameterCombination", DBInstanceIdentifier=SHARED, ForceFailover=True),
    _case("RebootDBInstance", "absent", "DBInstanceNotFound", DBInstanceIdentifier=ABSENT),
    Case("StopDBInstance", "and start", _stop_and_start),
    _case("StopDBInstance", "absent", "DBInstanceNotFound", DBInstanceIdentifier=ABSENT),
    Case("StartDBInstance", "after stop", _stop_and_start),
    _case("StartDBInstance", "running", "InvalidDBInstanceState", DBInstanceIdentifier=SHARED),
    Case(
        "DeleteDBInstance",
        "new one",
        lambda w: [w.create(), w.call("DeleteDBInstance", DBInstanceIdentifier=w.name, SkipFinalSnapshot=True)],
    ),
    _case("DeleteDBInstance", "without a word", "InvalidParameterCombination", DBInstanceIdentifier=SHARED),
    _case(
        "DeleteDBInstance", "with both", "InvalidParameterCombination", DBInstanceIdentifier=SHARED, SkipFinalSnapshot=True,
        FinalDBSnapshotIdentifier="x",
    ),
    _case("DeleteDBInstance", "taken snapshot", "DBSnapshotAlreadyExists", DBInstanceIdentifier=SHARED, FinalDBSnapshotIdentifier=SECOND),
    Case(
        "DeleteDBInstance",
        "protected",
        lambda w: [
            w.create(DeletionProtection=True),
            w.available(),
            w.call("DeleteDBInstance", DBInstanceIdentifier=w.name, SkipFinalSnapshot=True),
        ],
        "InvalidParameterCombination",
    ),
    _case("DeleteDBInstance", "absent", "DBInstanceNotFound", DBInstanceIdentifier=ABSENT, SkipFinalSnapshot=True),
    Case("RestoreDBInstanceFromDBSnapshot", "same", _restore),
    Case("RestoreDBInstanceFromDBSnapshot", "absent", lambda w: _restore(w, ABSENT), "DBSnapshotNotFound"),
    Case("RestoreDBInstanceFromDBSnapshot", "smaller", lambda w: _restore(w, AllocatedStorage=5), "InvalidParameterCombination"),
    Case("CreateDBSnapshot", "own", lambda w: [w.snapshot(SHARED), w.available(SHARED)]),
    _case("CreateDBSnapshot", "twice", "DBSnapshotAlreadyExists", DBSnapshotIdentifier=SECOND, DBInstanceIdentifier=SHARED),
    _case("CreateDBSnapshot", "absent", "DBInstanceNotFound", DBSnapshotIdentifier="x", DBInstanceIdentifier=ABSENT),
    _case("DescribeDBSnapshots", "all"),
    _case("DescribeDBSnapshots", "of one", DBInstanceIdentifier=SHARED, SnapshotType="manual"),
    _case("DescribeDBSnapshots", "absent", "DBSnapshotNotFound", DBSnapshotIdentifier=ABSENT),
    Case(
        "DeleteDBSnapshot",
        "own",
        lambda w: [w.snapshot(SHARED), w.available(SHARED), w.call("DeleteDBSnapshot", DBSnapshotIdentifier=w.name)],
    ),
    _case("DeleteDBSnapshot", "absent", "DBSnapshotNotFound", DBSnapshotIdentifier=ABSENT),
    Case(
        "CreateDBSubnetGroup",
        "one",
        lambda w: w.call(
            "CreateDBSubnetGroup", DBSubnetGroupName=w.name, DBSubnetGroupDescription="x", Tags=TAGS,
            SubnetIds=[w.vpc.public_subnet, w.vpc.private_subnet],
        ),
    ),
    Case(
        "CreateDBSubnetGroup",
        "one zone",
        lambda w: w.call("CreateDBSubnetGroup", DBSubnetGroupName=w.name, DBSubnetGroupDescription="x", SubnetIds=[w.vpc.public_subnet]),
        "DBSubnetGroupDoesNotCoverEnoughAZs",
    ),
    _case(
        "CreateDBSubnetGroup", "no subnet", "InvalidSubnet", DBSubnetGroupName="x", DBSubnetGroupDescription="x",
        SubnetIds=["subnet-00000000"],
    ),
    _case("DescribeDBSubnetGroups", "all"),
    _case("DescribeDBSubnetGroups", "absent", "DBSubnetGroupNotFoundFault", DBSubnetGroupName=ABSENT),
    Case(
        "ModifyDBSubnetGroup",
        "description",
        lambda w: w.call(
            "ModifyDBSubnetGroup", DBSubnetGroupName=w.subnets(), DBSubnetGroupDescription="tests",
            SubnetIds=[w.vpc.public_subnet, w.vpc.private_subnet],
        ),
    ),
    _case("ModifyDBSubnetGroup", "absent", "DBSubnetGroupNotFoundFault", DBSubnetGroupName=ABSENT, SubnetIds=["subnet-00000000"]),
    Case(
        "DeleteDBSubnetGroup",
        "in use",
        lambda w: w.call("DeleteDBSubnetGroup", DBSubnetGroupName=w.subnets()),
        "InvalidDBSubnetGroupStateFault",
    ),
    Case(
        "DeleteDBSubnetGroup",
        "own",
        lambda w: [
            w.call(
                "CreateDBSubnetGroup", DBSubnetGroupName=w.name, DBSubnetGroupDescription="x",
                SubnetIds=[w.vpc.public_subnet, w.vpc.private_subnet],
            ),
            w.call("DeleteDBSubnetGroup", DBSubnetGroupName=w.name),
        ],
    ),
    Case("CreateDBParameterGroup", "one", RdsWorld.parameters),
    _case(
        "CreateDBParameterGroup", "no family", "InvalidParameterValue", DBParameterGroupName="x", DBParameterGroupFamily="postgres9",
        Description="x",
    ),
    _case("DescribeDBParameterGroups", "all"),
    _case("DescribeDBParameterGroups", "absent", "DBParameterGroupNotFound", DBParameterGroupName=ABSENT),
    _case("DescribeDBParameters", "pages", DBParameterGroupName="default.postgres17", MaxRecords=20),
    _case("DescribeDBParameters", "of the engine", DBParameterGroupName="default.postgres17", Source="engine-default"),
    _case("DescribeDBParameters", "absent", "DBParameterGroupNotFound", DBParameterGroupName=ABSENT),
    Case(
        "ModifyDBParameterGroup",
        "one",
        lambda w: w.call(
            "ModifyDBParameterGroup", DBParameterGroupName=w.parameters(),
            Parameters=_parameters(("log_statement", "ddl"), ("max_connections", "50")),
        ),
    ),
    _case(
        "ModifyDBParameterGroup", "default", "InvalidDBParameterGroupState", DBParameterGroupName="default.postgres17",
        Parameters=_parameters(("log_statement", "ddl")),
    ),
    Case(
        "ModifyDBParameterGroup",
        "no such value",
        lambda w: w.call("ModifyDBParameterGroup", DBParameterGroupName=w.parameters(), Parameters=_parameters(("log_statement", "some"))),
        "InvalidParameterValue",
    ),
    Case(
        "ModifyDBParameterGroup",
        "static at once",
        lambda w: w.call(
            "ModifyDBParameterGroup", DBParameterGroupName=w.parameters(),
            Parameters=_parameters(("max_connections", "50"), method="immediate"),
        ),
        "InvalidParameterCombination",
    ),
    Case(
        "ResetDBParameterGroup",
        "all",
        lambda w: w.call("ResetDBParameterGroup", DBParameterGroupName=w.parameters(), ResetAllParameters=True),
    ),
    _case("ResetDBParameterGroup", "absent", "DBParameterGroupNotFound", DBParameterGroupName=ABSENT, ResetAllParameters=True),
    Case("DeleteDBParameterGroup", "own", lambda w: w.call("DeleteDBParameterGroup", DBParameterGroupName=w.parameters())),
    _case("DeleteDBParameterGroup", "default", "InvalidDBParameterGroupState", DBParameterGroupName="default.postgres17"),
    _case("DescribeDBEngineVersions", "all", Engine="postgres"),
    _case("DescribeDBEngineVersions", "default", Engine="postgres", DefaultOnly=True),
    _case("DescribeOrderableDBInstanceOptions", "class", Engine="postgres", DBInstanceClass=CLASS),
    _case("DescribeOrderableDBInstanceOptions", "engine", "InvalidParameterValue", Engine="mysql"),
    Case("AddTagsToResource", "one", lambda w: w.call("AddTagsToResource", ResourceName=w.arn("pg", w.parameters()), Tags=TAGS)),
    Case(
        "AddTagsToResource",
        "absent",
        lambda w: w.call("AddTagsToResource", ResourceName=w.arn("db", ABSENT), Tags=TAGS),
        "DBInstanceNotFound",
    ),
    Case(
        "RemoveTagsFromResource",
        "one",
        lambda w: [
            w.call("AddTagsToResource", ResourceName=w.arn("pg", w.parameters()), Tags=TAGS),
            w.call("RemoveTagsFromResource", ResourceName=w.arn("pg", w.name), TagKeys=["a"]),
            w.call("ListTagsForResource", ResourceName=w.arn("pg", w.name))["TagList"],
        ][-1],
        result=[],
    ),
    Case(
        "RemoveTagsFromResource",
        "absent",
        lambda w: w.call("RemoveTagsFromResource", ResourceName=w.arn("snapshot", ABSENT), TagKeys=["x"]),
        "DBSnapshotNotFound",
    ),
    Case("ListTagsForResource", "instance", lambda w: w.call("ListTagsForResource", ResourceName=w.arn("db", SHARED))),
    _case("ListTagsForResource", "no arn", "InvalidParameterValue", ResourceName="arn:aws:s3:::bucket"),
    _case("DescribeEvents", "all", Duration=60),
    _case("DescribeEvents", "source alone", "InvalidParameterCombination", SourceIdentifier=SHARED),
]  # fmt: skip
CANNOT_FAIL = frozenset({"DescribeDBEngineVersions"})
