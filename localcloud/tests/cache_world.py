# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What tests of ElastiCache act on: a client, subnets, groups of their own, and a Redis client inside or outside of the VPC; no tests."""

from __future__ import annotations

import typing as t

import botocore
import redis
from conftest import wait_for
from redis.backoff import NoBackoff
from redis.retry import Retry

SUBNETS = "cache-tests"
NODE_TYPE = "cache.t4g.micro"


class CacheWorld:
    """One client, one VPC with subnets in two zones; `name` is what a case's own things are called."""

    def __init__(self, boto: t.Callable[[str], t.Any], vpc: t.Any, name: str) -> None:
        self.client = boto("elasticache")
        self.vpc = vpc
        self.name = name

    def call(self, operation: str, **members: t.Any) -> t.Any:
        """Call an operation by its API name."""
        return getattr(self.client, botocore.xform_name(operation))(**members)

    def subnets(self) -> str:
        """The name of a subnet group in both zones, shared by all."""
        try:
            self.call("DescribeCacheSubnetGroups", CacheSubnetGroupName=SUBNETS)
        except self.client.exceptions.CacheSubnetGroupNotFoundFault:
            self.call(
                "CreateCacheSubnetGroup", CacheSubnetGroupName=SUBNETS, CacheSubnetGroupDescription="tests",
                SubnetIds=[self.vpc.public_subnet, self.vpc.private_subnet],
            )  # fmt: skip
        return SUBNETS

    def create(self, name: str | None = None, **members: t.Any) -> dict[str, t.Any]:
        """Ask for a replication group."""
        wanted = {
            "ReplicationGroupId": name or self.name, "ReplicationGroupDescription": "tests", "CacheNodeType": NODE_TYPE, "Engine": "valkey",
            "CacheSubnetGroupName": self.subnets(), "SecurityGroupIds": [self.vpc.security_group],
        }  # fmt: skip
        return self.call("CreateReplicationGroup", **{**wanted, **members})["ReplicationGroup"]

    def group(self, name: str | None = None, **members: t.Any) -> dict[str, t.Any]:
        """A replication group that is available."""
        made = self.create(name, **members)
        return self.available(made["ReplicationGroupId"])

    def describe(self, name: str | None = None) -> dict[str, t.Any]:
        """A replication group as it is."""
        return self.call("DescribeReplicationGroups", ReplicationGroupId=name or self.name)["ReplicationGroups"][0]

    def available(self, name: str | None = None, seconds: float = 40.0) -> dict[str, t.Any]:
        """Wait until it is available."""
        return wait_for(lambda: (found := self.describe(name))["Status"] == "available" and found, seconds)

    def roles(self, name: str | None = None) -> dict[str, str]:
        """Node id → role."""
        (node_group,) = self.describe(name)["NodeGroups"]
        return {member["CacheClusterId"]: member["CurrentRole"] for member in node_group["NodeGroupMembers"]}

    def cluster(self) -> str:
        """A single node that is available: the one that is there, or a new one."""
        name = "contract-node"
        try:
            self.call("DescribeCacheClusters", CacheClusterId=name)
        except self.client.exceptions.CacheClusterNotFoundFault:
            self.call(
                "CreateCacheCluster", CacheClusterId=name, Engine="redis", CacheNodeType=NODE_TYPE, NumCacheNodes=1,
                CacheSubnetGroupName=self.subnets(),
            )  # fmt: skip
        self.client.get_waiter("cache_cluster_available").wait(CacheClusterId=name, WaiterConfig={"Delay": 1})
        return name

    def parameters(self) -> str:
        """A parameter group of the case's own."""
        self.call("CreateCacheParameterGroup", CacheParameterGroupName=self.name, CacheParameterGroupFamily="valkey8", Description="tests")
        return self.name

    def arn(self, kind: str, name: str) -> str:
        return f"arn:aws:elasticache:ap-northeast-2:123456789012:{kind}:{name}"


def connect(endpoint: dict[str, t.Any], **options: t.Any) -> redis.Redis:
    """A client of an endpoint, by its name."""
    return redis.Redis(
        retry=Retry(NoBackoff(), 0),
        host=endpoint["Address"],
        port=endpoint["Port"],
        decode_responses=True,
        protocol=2,
        socket_timeout=3,
        socket_connect_timeout=3,
        **options,
    )
