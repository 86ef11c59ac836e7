# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The calls of the module, one by one, with botocore's own validation of their arguments and answers."""

from __future__ import annotations

import pytest
import yaml
from stubbed import Module, stubbed

from ansible_collections.bluegreen.aws.plugins.module_utils._aws.errors import BluegreenAWSError, sentence
from ansible_collections.bluegreen.aws.plugins.module_utils._replication_group import ReplicationGroupError
from ansible_collections.bluegreen.aws.plugins.modules import elasticache_replication_group as subject
from ansible_collections.bluegreen.aws.plugins.modules import elasticache_replication_group_info as info

ARN = "arn:aws:elasticache:ap-northeast-2:123456789012:replicationgroup:chat"
ASK = {"ReplicationGroupId": "chat"}


def group(status="available", nodes=1, failover="disabled", zones="disabled"):
    members = [f"chat-{number:03}" for number in range(1, nodes + 1)]
    return {
        "ReplicationGroupId": "chat", "Description": "chat", "Status": status, "ARN": ARN, "MemberClusters": members, "Engine": "redis",
        "CacheNodeType": "cache.t4g.micro", "AutomaticFailover": failover, "MultiAZ": zones, "SnapshotRetentionLimit": 0,
        "NodeGroups": [
            {
                "PrimaryEndpoint": {"Address": "primary", "Port": 6379},
                "ReaderEndpoint": {"Address": "reader", "Port": 6379},
                "NodeGroupMembers": [
                    {"CacheClusterId": member, "CurrentRole": "primary" if index == 0 else "replica", "PreferredAvailabilityZone": "x"}
                    for index, member in enumerate(members)
                ],
            }
        ],
    }  # fmt: skip


def cluster(member):
    return {
        "CacheClusterId": member, "Engine": "redis", "EngineVersion": "7.1.0", "CacheClusterStatus": "available",
        "SecurityGroups": [{"SecurityGroupId": "sg-1"}], "CacheSubnetGroupName": "chat",
        "CacheParameterGroup": {"CacheParameterGroupName": "default.redis7"},
    }  # fmt: skip


def absent(stubber):
    stubber.add_client_error("describe_replication_groups", "ReplicationGroupNotFoundFault", "no chat", 404, expected_params=ASK)


def described(stubber, **options):
    stubber.add_response("describe_replication_groups", {"ReplicationGroups": [group(**options)]}, ASK)


def observed(stubber, tags=(), **options):
    found = group(**options)
    described(stubber, **options)
    for member in found["MemberClusters"]:
        stubber.add_response(
            "describe_cache_clusters", {"CacheClusters": [cluster(member)]}, {"CacheClusterId": member, "ShowCacheNodeInfo": True}
        )
    answer = {"TagList": [{"Key": key, "Value": value} for key, value in tags]}
    stubber.add_response("list_tags_for_resource", answer, {"ResourceName": ARN})


def run(client, check_mode=False, **params):
    return subject.run(Module(subject.argument_spec(), {"name": "Chat", **params}, client, check_mode=check_mode))


def test_documentation_and_options_agree():
    for module in (subject,):
        documented = yaml.safe_load(module.DOCUMENTATION)["options"]
        spec = module.argument_spec()
        assert {name: entry["type"] for name, entry in documented.items()} == {name: entry["type"] for name, entry in spec.items()}
        assert {name: entry.get("default") for name, entry in documented.items()} == {
            name: entry.get("default") for name, entry in spec.items()
        }


def test_a_group_is_created_and_waited_for():
    with stubbed("elasticache") as (client, stubber):
        absent(stubber)
        stubber.add_response(
            "create_replication_group",
            {},
            {**ASK, "ReplicationGroupDescription": "chat", "Engine": "redis", "NumCacheClusters": 1, "CacheNodeType": "cache.t4g.micro"},
        )
        described(stubber)
        observed(stubber)
        result = run(client, engine="redis", node_type="cache.t4g.micro")
    assert (result["changed"], result["steps"]) == (True, ["create"])
    assert result["replication_group"]["primary_endpoint"] == {"address": "primary", "port": 6379}
    assert result["diff"]["before"] == {}
    assert result["diff"]["after"]["engine_version"] == "7.1.0"


def test_check_mode_only_looks():
    with stubbed("elasticache") as (client, stubber):
        observed(stubber)
        result = run(client, check_mode=True, multi_az=True)
    assert (result["changed"], result["steps"]) == (True, ["increase", "modify"])
    assert result["replication_group"]["replicas"] == 1
    assert (result["diff"]["before"]["multi_az"], result["diff"]["after"]["multi_az"]) == (False, True)


def test_nothing_to_do():
    with stubbed("elasticache") as (client, stubber):
        observed(stubber)
        result = run(client, engine="redis", replicas=0, security_group_ids=["sg-1"])
    assert result["changed"] is False
    assert result["diff"]["before"] == result["diff"]["after"]


def test_multi_az_is_switched_on_in_two_calls_with_a_wait_between():
    with stubbed("elasticache") as (client, stubber):
        observed(stubber)
        stubber.add_response("increase_replica_count", {}, {**ASK, "NewReplicaCount": 1, "ApplyImmediately": True})
        described(stubber, nodes=2)
        stubber.add_response(
            "modify_replication_group",
            {},
            {**ASK, "AutomaticFailoverEnabled": True, "MultiAZEnabled": True, "ApplyImmediately": True},
        )
        described(stubber, nodes=2, failover="enabled", zones="enabled")
        observed(stubber, nodes=2, failover="enabled", zones="enabled")
        result = run(client, multi_az=True)
    assert result["replication_group"]["multi_az"] is True
    assert [member["role"] for member in result["replication_group"]["members"]] == ["primary", "replica"]


def test_without_wait_the_last_change_is_not_waited_for():
    with stubbed("elasticache") as (client, stubber):
        observed(stubber, nodes=2, failover="enabled", zones="enabled")
        stubber.add_response(
            "modify_replication_group",
            {},
            {**ASK, "AutomaticFailoverEnabled": False, "MultiAZEnabled": False, "ApplyImmediately": True},
        )
        described(stubber, nodes=2)
        stubber.add_response("decrease_replica_count", {}, {**ASK, "NewReplicaCount": 0, "ApplyImmediately": True})
        observed(stubber, status="modifying")
        result = run(client, replicas=0, wait=False)
    assert result["replication_group"]["status"] == "modifying"


def test_a_group_that_is_being_changed_is_waited_for_first():
    with stubbed("elasticache") as (client, stubber):
        observed(stubber, status="modifying")
        described(stubber)
        observed(stubber)
        assert run(client, replicas=0)["changed"] is False


def test_a_group_that_is_being_changed_is_refused_without_wait():
    with stubbed("elasticache") as (client, stubber), pytest.raises(ReplicationGroupError) as caught:
        observed(stubber, status="modifying")
        run(client, replicas=1, wait=False)
    assert str(caught.value) == (
        "Failed to change replication group chat: it is modifying, and AWS changes a group only while it is available. "
        "Run again later, or with wait: true."
    )


def test_tags():
    with stubbed("elasticache") as (client, stubber):
        observed(stubber, tags=[("a", "1"), ("b", "2")])
        stubber.add_response("remove_tags_from_resource", {}, {"ResourceName": ARN, "TagKeys": ["b"]})
        described(stubber)
        stubber.add_response("add_tags_to_resource", {}, {"ResourceName": ARN, "Tags": [{"Key": "c", "Value": "3"}]})
        described(stubber)
        observed(stubber, tags=[("a", "1"), ("c", "3")])
        assert run(client, tags={"a": "1", "c": 3})["replication_group"]["tags"] == {"a": "1", "c": "3"}


def test_a_group_is_deleted_with_a_last_snapshot():
    with stubbed("elasticache") as (client, stubber):
        observed(stubber)
        stubber.add_response("delete_replication_group", {}, {**ASK, "FinalSnapshotIdentifier": "last"})
        absent(stubber)
        absent(stubber)
        result = run(client, state="absent", final_snapshot="last")
    assert (result["changed"], result["replication_group"]) == (True, {})


def test_an_absent_group_needs_nothing():
    with stubbed("elasticache") as (client, stubber):
        absent(stubber)
        result = run(client, state="absent")
    assert (result["changed"], result["replication_group"]) == (False, {})


def test_a_failed_creation_is_not_waited_for():
    with stubbed("elasticache") as (client, stubber), pytest.raises(BluegreenAWSError) as caught:
        absent(stubber)
        stubber.add_response("create_replication_group", {})
        described(stubber, status="create-failed")
        run(client, node_type="cache.t4g.micro")
    assert sentence(caught.value) == (
        "Failed to wait for replication group chat: its status is create-failed; look at elasticache:DescribeEvents."
    )


def test_what_aws_refuses_names_the_remedy():
    with stubbed("elasticache") as (client, stubber), pytest.raises(BluegreenAWSError) as caught:
        absent(stubber)
        stubber.add_client_error("create_replication_group", "CacheSubnetGroupNotFoundFault", "Cache Subnet Group chat does not exist.")
        run(client, node_type="cache.t4g.micro", subnet_group="chat")
    assert sentence(caught.value) == (
        "Failed to create replication group chat (elasticache:CreateReplicationGroup): An error occurred (CacheSubnetGroupNotFoundFault) "
        "when calling the CreateReplicationGroup operation: Cache Subnet Group chat does not exist. "
        "Create the subnet group first (community.aws.elasticache_subnet_group), or name one that exists."
    )


def test_info_of_one_and_of_none():
    spec = {"name": {}, "tags": {}}
    with stubbed("elasticache") as (client, stubber):
        observed(stubber, tags=[("a", "1")])
        (found,) = info.run(Module(spec, {"name": "chat"}, client))["replication_groups"]
    assert (found["name"], found["status"], found["tags"]) == ("chat", "available", {"a": "1"})
    with stubbed("elasticache") as (client, stubber):
        absent(stubber)
        assert info.run(Module(spec, {"name": "chat"}, client))["replication_groups"] == []


def test_info_of_all_is_paged_and_filtered():
    spec = {"name": {}, "tags": {}}
    with stubbed("elasticache") as (client, stubber):
        stubber.add_response("describe_cache_clusters", {"CacheClusters": [cluster("chat-001")]}, {"ShowCacheNodeInfo": True})
        stubber.add_response("describe_replication_groups", {"ReplicationGroups": [group()], "Marker": "m"}, {})
        stubber.add_response("describe_replication_groups", {"ReplicationGroups": []}, {"Marker": "m"})
        stubber.add_response("list_tags_for_resource", {"TagList": [{"Key": "a", "Value": "1"}]}, {"ResourceName": ARN})
        assert info.run(Module(spec, {"tags": {"a": 2}}, client))["replication_groups"] == []
