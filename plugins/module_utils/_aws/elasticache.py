# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""One function per ElastiCache call that replication groups need; decides nothing."""

from __future__ import annotations

from .errors import BluegreenAWSError, attempt, error_code
from .wait import wait_until

AVAILABLE = "available"


@attempt("describe replication group {name} (elasticache:DescribeReplicationGroups)")
def _describe_group(client, name):
    return client.describe_replication_groups(ReplicationGroupId=name)["ReplicationGroups"][0]


def describe_group(client, name):
    """The replication group as AWS describes it, or None."""
    try:
        return _describe_group(client, name)
    except BluegreenAWSError as exc:
        if error_code(exc.exception) in ("ReplicationGroupNotFoundFault", "ReplicationGroupNotFound"):
            return None
        raise


@attempt("list replication groups (elasticache:DescribeReplicationGroups)")
def describe_groups(client):
    """Every replication group of the region, paged."""
    pages = client.get_paginator("describe_replication_groups").paginate()
    return [group for page in pages for group in page["ReplicationGroups"]]


@attempt("list cache clusters (elasticache:DescribeCacheClusters)")
def describe_clusters(client):
    """{id: cluster} of every cache cluster of the region, paged."""
    pages = client.get_paginator("describe_cache_clusters").paginate(ShowCacheNodeInfo=True)
    return {cluster["CacheClusterId"]: cluster for page in pages for cluster in page["CacheClusters"]}


@attempt("describe cache cluster {name} (elasticache:DescribeCacheClusters)")
def describe_cluster(client, name):
    """One member of a group."""
    return client.describe_cache_clusters(CacheClusterId=name, ShowCacheNodeInfo=True)["CacheClusters"][0]


def describe_members(client, group):
    """The clusters of a group in its order; one that goes in this moment is left out."""
    found = []
    for name in group.get("MemberClusters", []):
        try:
            found.append(describe_cluster(client, name))
        except BluegreenAWSError as exc:
            if error_code(exc.exception) not in ("CacheClusterNotFound", "CacheClusterNotFoundFault"):
                raise
    return found


@attempt("list the tags of {arn} (elasticache:ListTagsForResource)")
def list_tags(client, arn):
    """{key: value} of one resource's tags."""
    return {tag["Key"]: tag["Value"] for tag in client.list_tags_for_resource(ResourceName=arn)["TagList"]}


@attempt("tag {arn} (elasticache:AddTagsToResource)")
def add_tags(client, arn, **arguments):
    client.add_tags_to_resource(ResourceName=arn, **arguments)


@attempt("remove tags from {arn} (elasticache:RemoveTagsFromResource)")
def remove_tags(client, arn, **arguments):
    client.remove_tags_from_resource(ResourceName=arn, **arguments)


@attempt("create replication group {name} (elasticache:CreateReplicationGroup)")
def create_group(client, name, **arguments):
    client.create_replication_group(ReplicationGroupId=name, **arguments)


@attempt("modify replication group {name} (elasticache:ModifyReplicationGroup)")
def modify_group(client, name, **arguments):
    client.modify_replication_group(ReplicationGroupId=name, **arguments)


@attempt("add replicas to replication group {name} (elasticache:IncreaseReplicaCount)")
def increase_replicas(client, name, **arguments):
    client.increase_replica_count(ReplicationGroupId=name, ApplyImmediately=True, **arguments)


@attempt("remove replicas from replication group {name} (elasticache:DecreaseReplicaCount)")
def decrease_replicas(client, name, **arguments):
    client.decrease_replica_count(ReplicationGroupId=name, ApplyImmediately=True, **arguments)


@attempt("delete replication group {name} (elasticache:DeleteReplicationGroup)")
def delete_group(client, name, **arguments):
    client.delete_replication_group(ReplicationGroupId=name, **arguments)


def wait_available(client, name, timeout):
    """The group once it is available; BluegreenAWSError after ``timeout`` seconds, or at once when its creation has failed."""

    def look():
        group = describe_group(client, name)
        if group is None or group["Status"] == "create-failed":
            cause = ValueError("it is gone" if group is None else "its status is create-failed; look at elasticache:DescribeEvents")
            raise BluegreenAWSError(message=f"Failed to wait for replication group {name}", exception=cause)
        return group

    return wait_until(look, lambda group: group["Status"] == AVAILABLE, lambda group: _standing(name, group), timeout)


def wait_gone(client, name, timeout):
    """Return once the group does not exist any more."""

    def standing(group):
        return _standing(name, group, "gone")

    return wait_until(lambda: describe_group(client, name), lambda group: group is None, standing, timeout)


def _standing(name, group, wish=AVAILABLE):
    members = ", ".join(group.get("MemberClusters", [])) or "no members"
    return f"replication group {name} to be {wish} (it is {group['Status']}, with {members})"
