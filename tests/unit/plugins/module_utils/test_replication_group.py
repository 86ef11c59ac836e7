# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which calls make a replication group what it is to be, in which order, and what cannot be."""

from __future__ import annotations

import dataclasses
import itertools

import pytest

from ansible_collections.bluegreen.aws.plugins.module_utils import _replication_group as groups
from ansible_collections.bluegreen.aws.plugins.module_utils._replication_group import Group, ReplicationGroupError, Step

BEFORE = Group(
    name="chat", description="chat", engine="redis", engine_version="7.1.0", node_type="cache.t4g.micro", port=6379, replicas=0,
    automatic_failover=False, multi_az=False, subnet_group="chat", security_group_ids=("sg-1", "sg-2"), parameter_group="default.redis7",
    at_rest_encryption=True, kms_key_id="", transit_encryption=False, snapshot_retention=0, snapshot_window="16:00-17:00",
    maintenance_window="sun:18:00-sun:19:00", auto_minor_version_upgrade=True, auth_token=False, tags={"a": "1", "aws:x": "y"},
)  # fmt: skip
DOUBLE = dataclasses.replace(BEFORE, replicas=1, automatic_failover=True, multi_az=True)


def wanted(**options):
    return Group(name="chat", **options)


def actions(plan):
    return [step.action for step in plan.steps]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"description": "chat", "engine": "redis", "engine_version": "7.1", "node_type": "cache.t4g.micro"},
        {"engine_version": "7.1.0", "maintenance_window": "Sun:18:00-Sun:19:00", "parameter_group": "Default.Redis7"},
        {"security_group_ids": ("sg-2", "sg-1"), "subnet_group": "chat", "port": 6379, "at_rest_encryption": True},
        {"replicas": 0, "multi_az": False, "automatic_failover": False},
        {"tags": {"a": "1"}},
    ],
)
def test_nothing_to_do(options):
    plan = groups.decide(BEFORE, wanted(**options))
    assert plan == groups.Plan((), BEFORE)


def test_multi_az_adds_a_replica_first():
    plan = groups.decide(BEFORE, wanted(multi_az=True))
    assert plan.steps == (
        Step("increase", {"NewReplicaCount": 1}),
        Step("modify", {"AutomaticFailoverEnabled": True, "MultiAZEnabled": True}),
    )
    assert plan.after == DOUBLE


def test_the_replica_goes_when_failover_is_off():
    plan = groups.decide(DOUBLE, wanted(replicas=0))
    assert plan.steps == (
        Step("modify", {"AutomaticFailoverEnabled": False, "MultiAZEnabled": False}),
        Step("decrease", {"NewReplicaCount": 0}),
    )
    assert plan.after == BEFORE


def test_without_multi_az_a_replica_may_stay():
    assert groups.decide(DOUBLE, wanted(multi_az=False)).after == dataclasses.replace(DOUBLE, multi_az=False)
    assert groups.decide(DOUBLE, wanted(automatic_failover=False)).steps == (
        Step("modify", {"AutomaticFailoverEnabled": False, "MultiAZEnabled": False}),
    )


def test_existing_replicas_are_kept_when_their_number_is_not_given():
    three = dataclasses.replace(BEFORE, replicas=3)
    assert groups.decide(three, wanted(multi_az=True)).after.replicas == 3
    assert actions(groups.decide(three, wanted(multi_az=True))) == ["modify"]


def test_every_plan_keeps_what_AWS_demands():
    """In every plan from any state to any other, each call is one that AWS takes in the state in which it comes."""
    flags = [None, False, True]
    for before_replicas, before_failover, before_zones in itertools.product(range(3), [False, True], [False, True]):
        if (before_zones and not before_failover) or (before_failover and not before_replicas):
            continue
        before = dataclasses.replace(BEFORE, replicas=before_replicas, automatic_failover=before_failover, multi_az=before_zones)
        for replicas, failover, zones in itertools.product([None, 0, 1, 2], flags, flags):
            wish = wanted(replicas=replicas, automatic_failover=failover, multi_az=zones)
            try:
                plan = groups.decide(before, wish)
            except ReplicationGroupError:
                assert (zones and failover is False) or (replicas == 0 and (zones or failover))
                continue
            state = {"replicas": before_replicas, "AutomaticFailoverEnabled": before_failover, "MultiAZEnabled": before_zones}
            for step in plan.steps:
                if step.action == "modify":
                    state.update(step.arguments)
                else:
                    assert (step.action == "increase") is (step.arguments["NewReplicaCount"] > state["replicas"])
                    state["replicas"] = step.arguments["NewReplicaCount"]
                assert not state["MultiAZEnabled"] or state["AutomaticFailoverEnabled"]
                assert not state["AutomaticFailoverEnabled"] or state["replicas"]
            assert state == {
                "replicas": plan.after.replicas,
                "AutomaticFailoverEnabled": plan.after.automatic_failover,
                "MultiAZEnabled": plan.after.multi_az,
            }
            assert groups.decide(plan.after, wish).steps == (), "the second run changes nothing"


def test_changes_of_settings_are_one_call():
    plan = groups.decide(
        BEFORE, wanted(node_type="cache.t4g.small", security_group_ids=("sg-3",), snapshot_retention=5, engine_version="7.2")
    )
    assert plan.steps == (
        Step(
            "modify",
            {"EngineVersion": "7.2", "CacheNodeType": "cache.t4g.small", "SnapshotRetentionLimit": 5, "SecurityGroupIds": ["sg-3"]},
        ),
    )
    assert plan.after.security_group_ids == ("sg-3",)


def test_redis_becomes_valkey_and_no_other_way():
    assert groups.decide(BEFORE, wanted(engine="valkey", engine_version="8.0")).steps == (
        Step("modify", {"EngineVersion": "8.0", "Engine": "valkey"}),
    )
    with pytest.raises(ReplicationGroupError) as caught:
        groups.decide(dataclasses.replace(BEFORE, engine="valkey"), wanted(engine="redis"))
    assert str(caught.value) == (
        "Failed to change replication group chat from valkey to redis: AWS only changes redis to valkey. "
        "Create a group of another name, and move the application."
    )


def test_tags_come_first_and_reserved_ones_stay():
    plan = groups.decide(BEFORE, wanted(tags={"b": 2}, replicas=1))
    assert plan.steps == (
        Step("untag", {"TagKeys": ["a"]}),
        Step("tag", {"Tags": [{"Key": "b", "Value": "2"}]}),
        Step("increase", {"NewReplicaCount": 1}),
    )
    assert plan.after.tags == {"b": "2", "aws:x": "y"}
    assert actions(groups.decide(BEFORE, wanted(tags={"b": "2"}), purge_tags=False)) == ["tag"]


def test_a_token_of_an_existing_group_changes_only_on_request():
    assert groups.decide(BEFORE, wanted(), auth_token="t" * 16).steps == ()
    rotated = groups.decide(BEFORE, wanted(), auth_token="t" * 16, auth_token_update="rotate")
    assert rotated.steps == (Step("modify", {"AuthTokenUpdateStrategy": "ROTATE", "AuthToken": "t" * 16}),)
    assert rotated.after.auth_token is True
    deleted = groups.decide(BEFORE, wanted(), auth_token="t" * 16, auth_token_update="delete")
    assert deleted.steps == (Step("modify", {"AuthTokenUpdateStrategy": "DELETE"}),)
    assert deleted.after.auth_token is False


def test_creation():
    wish = wanted(node_type="cache.t4g.micro", multi_az=True, subnet_group="chat", security_group_ids=("sg-1",), tags={"a": 1}, port=6380)
    plan = groups.decide(None, wish, auth_token="t" * 16)
    assert plan.steps == (
        Step(
            "create",
            {
                "ReplicationGroupDescription": "chat", "Engine": "valkey", "NumCacheClusters": 2, "CacheNodeType": "cache.t4g.micro",
                "AutomaticFailoverEnabled": True, "MultiAZEnabled": True, "Port": 6380, "CacheSubnetGroupName": "chat",
                "SecurityGroupIds": ["sg-1"], "Tags": [{"Key": "a", "Value": "1"}], "AuthToken": "t" * 16,
            },
        ),
    )  # fmt: skip
    assert (plan.after.replicas, plan.after.engine, plan.after.auth_token) == (1, "valkey", True)


def test_removal():
    assert groups.removal(None).steps == ()
    assert groups.removal(BEFORE).steps == (Step("delete", {}),)
    assert groups.removal(BEFORE, "last").steps == (Step("delete", {"FinalSnapshotIdentifier": "last"}),)


@pytest.mark.parametrize(
    ("before", "options", "sentence"),
    [
        (
            None,
            {},
            "Failed to plan replication group chat: it does not exist, and node_type is missing. "
            "Set node_type, for example cache.t4g.micro.",
        ),
        (
            BEFORE,
            {"multi_az": True, "automatic_failover": False},
            "Failed to plan replication group chat: multi_az needs automatic_failover. Set automatic_failover to true, or leave it out.",
        ),
        (
            BEFORE,
            {"multi_az": True, "replicas": 0},
            "Failed to plan replication group chat: multi_az and automatic_failover need a replica, and replicas is 0. "
            "Set replicas to 1 or more, or both to false.",
        ),
        (
            BEFORE,
            {"replicas": 6},
            "Failed to plan replication group chat: replicas is 6. Use 0 to 5; AWS allows no more in a shard.",
        ),
        (
            BEFORE,
            {"transit_encryption": True},
            "Failed to change transit_encryption of replication group chat from False to True: AWS fixes it when a group is created. "
            "Create a group of another name from a snapshot of this one, and move the application.",
        ),
    ],
)
def test_refusals(before, options, sentence):
    with pytest.raises(ReplicationGroupError) as caught:
        groups.decide(before, wanted(**options))
    assert str(caught.value) == sentence


@pytest.mark.parametrize(
    ("wish", "actual", "same"),
    [
        ("7.1", "7.1.0", True),
        ("7", "7.1.0", True),
        ("6.x", "6.2.6", True),
        ("7.1", "7.10.0", False),
        ("8.0", "7.1.0", False),
        ("7.1", "", False),
    ],
)
def test_versions(wish, actual, same):
    assert groups.same_version(wish, actual) is same


def test_shapes_of_the_API():
    described = {
        "ReplicationGroupId": "chat", "Description": "chat", "Status": "available", "ARN": "arn", "AutomaticFailover": "enabling",
        "MultiAZ": "enabled", "MemberClusters": ["chat-001", "chat-002"], "CacheNodeType": "cache.t4g.micro", "Engine": "redis",
        "NodeGroups": [
            {
                "PrimaryEndpoint": {"Address": "p", "Port": 6379}, "ReaderEndpoint": {"Address": "r", "Port": 6379},
                "NodeGroupMembers": [
                    {"CacheClusterId": "chat-002", "CurrentRole": "replica", "PreferredAvailabilityZone": "c"},
                    {"CacheClusterId": "chat-001", "CurrentRole": "primary", "ReadEndpoint": {"Address": "n", "Port": 6379}},
                ],
            }
        ],
    }  # fmt: skip
    clusters = [
        {
            "CacheClusterId": "chat-001", "Engine": "redis", "EngineVersion": "7.1.0", "CacheClusterStatus": "available",
            "CacheSubnetGroupName": "s", "SecurityGroups": [{"SecurityGroupId": "sg-2"}, {"SecurityGroupId": "sg-1"}],
            "CacheParameterGroup": {"CacheParameterGroupName": "default.redis7"}, "PreferredMaintenanceWindow": "sun:18:00-sun:19:00",
        },
    ]  # fmt: skip
    group = groups.from_api(described, clusters, {"a": "b"})
    assert (group.replicas, group.automatic_failover, group.multi_az, group.port) == (1, True, True, 6379)
    assert groups.configuration(group)["security_group_ids"] == ["sg-1", "sg-2"]
    live = groups.live(described, clusters)
    assert live["primary_endpoint"] == {"address": "p", "port": 6379}
    assert live["members"][0] == {
        "id": "chat-001", "role": "primary", "status": "available", "availability_zone": "", "endpoint": {"address": "n", "port": 6379},
    }  # fmt: skip
    assert live["members"][1]["endpoint"] is None
    creating = groups.live({"ReplicationGroupId": "chat", "Status": "creating", "ARN": "arn"}, [])
    assert (creating["primary_endpoint"], creating["members"]) == (None, [])
    assert groups.configuration(None) == {}
