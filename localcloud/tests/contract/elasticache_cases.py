# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ElastiCache answers, good and bad: the table of cases, run by test_elasticache_contract."""

from __future__ import annotations

import typing as t

from cache_world import NODE_TYPE, CacheWorld

from .cases import Case

ABSENT = "there-is-none"
SHARED = "contract-shared"
"""A group with a replica and automatic failover; a case that changes it waits until it is available again."""


def _case(operation: str, name: str, error: str | None = None, **members: t.Any) -> Case:
    return Case(operation, name, lambda w: w.call(operation, **members), error)


def _change(operation: str, name: str, **members: t.Any) -> Case:
    """A change of the shared group, waited for."""

    def run(w: CacheWorld) -> t.Any:
        answer = w.call(operation, ReplicationGroupId=SHARED, **members)
        w.available(SHARED)
        return answer

    return Case(operation, name, run)


def _refused(name: str, error: str, **members: t.Any) -> Case:
    return Case("CreateReplicationGroup", name, lambda w: w.create(**members), error)


def _snapshot(w: CacheWorld) -> str:
    w.call("CreateSnapshot", ReplicationGroupId=SHARED, SnapshotName=w.name)
    w.available(SHARED)
    return w.name


TAGS = [{"Key": "a", "Value": "b"}]

CASES: list[Case] = [
    Case("CreateReplicationGroup", "least", CacheWorld.create),
    Case(
        "CreateReplicationGroup",
        "most",
        lambda w: w.group(
            Engine="redis", EngineVersion="7.1", NumCacheClusters=2, AutomaticFailoverEnabled=True, MultiAZEnabled=True, Tags=TAGS,
            AtRestEncryptionEnabled=True, TransitEncryptionEnabled=True, AuthToken="a-secret-of-the-tests", SnapshotRetentionLimit=1,
            SnapshotWindow="03:00-04:00", PreferredMaintenanceWindow="Mon:05:00-mon:06:00", Port=6380,
        ),
    ),
    Case("CreateReplicationGroup", "twice", lambda w: w.create(SHARED), "ReplicationGroupAlreadyExists"),
    _refused("no subnet group", "CacheSubnetGroupNotFoundFault", CacheSubnetGroupName=ABSENT),
    _refused("no parameter group", "CacheParameterGroupNotFound", CacheParameterGroupName=ABSENT),
    _refused("other family", "InvalidParameterCombination", CacheParameterGroupName="default.redis7"),
    _refused("no security group", "InvalidParameterValue", SecurityGroupIds=["sg-00000000"]),
    _refused("no node type", "InvalidParameterValue", CacheNodeType="cache.x9.nano"),
    _refused("no engine", "InvalidParameterValue", Engine="memcached"),
    _refused("no version", "InvalidParameterCombination", EngineVersion="99"),
    _refused("failover alone", "InvalidParameterCombination", NumCacheClusters=1, AutomaticFailoverEnabled=True),
    _refused("zones without failover", "InvalidParameterCombination", NumCacheClusters=2, MultiAZEnabled=True),
    _refused("token without encryption", "InvalidParameterCombination", AuthToken="a-secret-of-the-tests"),
    _refused("zone without subnet", "InvalidParameterValue", PreferredCacheClusterAZs=["ap-northeast-2d"]),
    _refused("shards", "InvalidParameterValue", NumNodeGroups=2),
    _refused("absent snapshot", "InvalidParameterValue", SnapshotName=ABSENT),
    _case("DescribeReplicationGroups", "all"),
    _case("DescribeReplicationGroups", "one", ReplicationGroupId=SHARED),
    _case("DescribeReplicationGroups", "absent", "ReplicationGroupNotFoundFault", ReplicationGroupId=ABSENT),
    _change("ModifyReplicationGroup", "zones", MultiAZEnabled=True, ApplyImmediately=True),
    _case(
        "ModifyReplicationGroup", "zones alone", "InvalidParameterCombination", ReplicationGroupId=SHARED, MultiAZEnabled=True,
        AutomaticFailoverEnabled=False,
    ),
    _case("ModifyReplicationGroup", "absent", "ReplicationGroupNotFoundFault", ReplicationGroupId=ABSENT),
    Case(
        "ModifyReplicationGroup",
        "too early",
        lambda w: [w.create(), w.call("ModifyReplicationGroup", ReplicationGroupId=w.name, SnapshotRetentionLimit=1)],
        "InvalidReplicationGroupState",
    ),
    Case("DeleteReplicationGroup", "own", lambda w: [w.group(), w.call("DeleteReplicationGroup", ReplicationGroupId=w.name)]),
    _case("DeleteReplicationGroup", "absent", "ReplicationGroupNotFoundFault", ReplicationGroupId=ABSENT),
    _change("IncreaseReplicaCount", "one", NewReplicaCount=2, ApplyImmediately=True),
    _case("IncreaseReplicaCount", "none", "InvalidParameterValue", ReplicationGroupId=SHARED, NewReplicaCount=1, ApplyImmediately=True),
    _case("IncreaseReplicaCount", "later", "InvalidParameterValue", ReplicationGroupId=SHARED, NewReplicaCount=3, ApplyImmediately=False),
    _case(
        "IncreaseReplicaCount", "many", "InvalidParameterValue", ReplicationGroupId=SHARED, NewReplicaCount=6, ApplyImmediately=True
    ),
    _change("DecreaseReplicaCount", "one", NewReplicaCount=1, ApplyImmediately=True),
    _case(
        "DecreaseReplicaCount", "failover", "InvalidParameterCombination", ReplicationGroupId=SHARED, NewReplicaCount=0,
        ApplyImmediately=True,
    ),
    _change("TestFailover", "shared", NodeGroupId="0001"),
    _case("TestFailover", "other node group", "NodeGroupNotFoundFault", ReplicationGroupId=SHARED, NodeGroupId="0002"),
    _case("TestFailover", "absent", "ReplicationGroupNotFoundFault", ReplicationGroupId=ABSENT, NodeGroupId="0001"),
    Case("CreateCacheCluster", "redis", CacheWorld.cluster),
    _case(
        "CreateCacheCluster", "memcached", "InvalidParameterValue", CacheClusterId="m", Engine="memcached", CacheNodeType=NODE_TYPE,
        NumCacheNodes=1,
    ),
    _case("DescribeCacheClusters", "all"),
    _case("DescribeCacheClusters", "with nodes", CacheClusterId=f"{SHARED}-001", ShowCacheNodeInfo=True),
    _case("DescribeCacheClusters", "absent", "CacheClusterNotFound", CacheClusterId=ABSENT),
    Case(
        "ModifyCacheCluster",
        "retention",
        lambda w: w.call("ModifyCacheCluster", CacheClusterId=w.cluster(), SnapshotRetentionLimit=2, ApplyImmediately=True),
    ),
    _case("ModifyCacheCluster", "member", "InvalidCacheClusterState", CacheClusterId=f"{SHARED}-001", SnapshotRetentionLimit=2),
    Case("RebootCacheCluster", "own", lambda w: w.call("RebootCacheCluster", CacheClusterId=w.cluster(), CacheNodeIdsToReboot=["0001"])),
    _case("RebootCacheCluster", "absent", "CacheClusterNotFound", CacheClusterId=ABSENT, CacheNodeIdsToReboot=["0001"]),
    Case("DeleteCacheCluster", "own", lambda w: w.call("DeleteCacheCluster", CacheClusterId=w.cluster())),
    _case("DeleteCacheCluster", "member", "InvalidCacheClusterState", CacheClusterId=f"{SHARED}-001"),
    Case(
        "CreateCacheSubnetGroup",
        "one",
        lambda w: w.call(
            "CreateCacheSubnetGroup", CacheSubnetGroupName=w.name, CacheSubnetGroupDescription="x", SubnetIds=[w.vpc.public_subnet]
        ),
    ),
    _case(
        "CreateCacheSubnetGroup", "no subnet", "InvalidSubnet", CacheSubnetGroupName="x", CacheSubnetGroupDescription="x",
        SubnetIds=["subnet-00000000"],
    ),
    _case("DescribeCacheSubnetGroups", "all"),
    _case("DescribeCacheSubnetGroups", "absent", "CacheSubnetGroupNotFoundFault", CacheSubnetGroupName=ABSENT),
    Case(
        "ModifyCacheSubnetGroup",
        "description",
        lambda w: w.call("ModifyCacheSubnetGroup", CacheSubnetGroupName=w.subnets(), CacheSubnetGroupDescription="tests"),
    ),
    Case(
        "ModifyCacheSubnetGroup",
        "in use",
        lambda w: w.call("ModifyCacheSubnetGroup", CacheSubnetGroupName=w.subnets(), SubnetIds=[w.vpc.public_subnet]),
        "SubnetInUse",
    ),
    Case(
        "DeleteCacheSubnetGroup",
        "in use",
        lambda w: w.call("DeleteCacheSubnetGroup", CacheSubnetGroupName=w.subnets()),
        "CacheSubnetGroupInUse",
    ),
    Case(
        "DeleteCacheSubnetGroup",
        "own",
        lambda w: [
            w.call("CreateCacheSubnetGroup", CacheSubnetGroupName=w.name, CacheSubnetGroupDescription="x", SubnetIds=[w.vpc.public_subnet]),
            w.call("DeleteCacheSubnetGroup", CacheSubnetGroupName=w.name),
        ],
    ),
    Case("CreateCacheParameterGroup", "one", CacheWorld.parameters),
    _case(
        "CreateCacheParameterGroup", "no family", "InvalidParameterValue", CacheParameterGroupName="x", CacheParameterGroupFamily="redis1",
        Description="x",
    ),
    _case("DescribeCacheParameterGroups", "all"),
    _case("DescribeCacheParameterGroups", "absent", "CacheParameterGroupNotFound", CacheParameterGroupName=ABSENT),
    _case("DescribeCacheParameters", "default", CacheParameterGroupName="default.redis6.x"),
    _case("DescribeCacheParameters", "absent", "CacheParameterGroupNotFound", CacheParameterGroupName=ABSENT),
    Case(
        "ModifyCacheParameterGroup",
        "one",
        lambda w: w.call(
            "ModifyCacheParameterGroup",
            CacheParameterGroupName=w.parameters(),
            ParameterNameValues=[{"ParameterName": "maxmemory-policy", "ParameterValue": "allkeys-lru"}],
        ),
    ),
    _case(
        "ModifyCacheParameterGroup", "default", "InvalidParameterValue", CacheParameterGroupName="default.redis7",
        ParameterNameValues=[{"ParameterName": "timeout", "ParameterValue": "1"}],
    ),
    Case(
        "ResetCacheParameterGroup",
        "all",
        lambda w: w.call("ResetCacheParameterGroup", CacheParameterGroupName=w.parameters(), ResetAllParameters=True),
    ),
    _case("ResetCacheParameterGroup", "absent", "CacheParameterGroupNotFound", CacheParameterGroupName=ABSENT, ResetAllParameters=True),
    Case("DeleteCacheParameterGroup", "own", lambda w: w.call("DeleteCacheParameterGroup", CacheParameterGroupName=w.parameters())),
    _case("DeleteCacheParameterGroup", "absent", "CacheParameterGroupNotFound", CacheParameterGroupName=ABSENT),
    _case("DescribeCacheEngineVersions", "valkey", Engine="valkey"),
    Case("CreateSnapshot", "own", _snapshot),
    _case("CreateSnapshot", "absent", "ReplicationGroupNotFoundFault", ReplicationGroupId=ABSENT, SnapshotName="x"),
    _case("DescribeSnapshots", "all"),
    _case("DescribeSnapshots", "absent", "SnapshotNotFoundFault", SnapshotName=ABSENT),
    Case("DeleteSnapshot", "own", lambda w: w.call("DeleteSnapshot", SnapshotName=_snapshot(w))),
    _case("DeleteSnapshot", "absent", "SnapshotNotFoundFault", SnapshotName=ABSENT),
    Case(
        "AddTagsToResource",
        "one",
        lambda w: w.call("AddTagsToResource", ResourceName=w.arn("parametergroup", w.parameters()), Tags=TAGS),
    ),
    Case(
        "AddTagsToResource",
        "absent",
        lambda w: w.call("AddTagsToResource", ResourceName=w.arn("cluster", ABSENT), Tags=TAGS),
        "CacheClusterNotFound",
    ),
    Case(
        "RemoveTagsFromResource",
        "one",
        lambda w: [
            w.call("AddTagsToResource", ResourceName=w.arn("parametergroup", w.parameters()), Tags=TAGS),
            w.call("RemoveTagsFromResource", ResourceName=w.arn("parametergroup", w.name), TagKeys=["a"]),
        ],
    ),
    Case(
        "RemoveTagsFromResource",
        "absent tag",
        lambda w: w.call("RemoveTagsFromResource", ResourceName=w.arn("replicationgroup", SHARED), TagKeys=["x"]),
        "TagNotFound",
    ),
    Case("ListTagsForResource", "group", lambda w: w.call("ListTagsForResource", ResourceName=w.arn("replicationgroup", SHARED))),
    _case("ListTagsForResource", "no arn", "InvalidARN", ResourceName="arn:aws:s3:::bucket"),
    _case("DescribeEvents", "all"),
    _case("DescribeEvents", "source alone", "InvalidParameterCombination", SourceIdentifier=SHARED),
]  # fmt: skip
CANNOT_FAIL = frozenset({"DescribeCacheEngineVersions"})
