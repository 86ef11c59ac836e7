# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ElastiCache's data plane: real servers that replicate, fail over with their data, move their names, and take parameters and tokens."""

from __future__ import annotations

import socket
import time

import docker.errors
import pytest
import redis
from cache_world import CacheWorld, connect
from conftest import wait_for


@pytest.fixture(scope="module")
def chat(boto, vpc):
    """A group of two nodes in two zones with automatic failover, seen from its creation on."""
    world = CacheWorld(boto, vpc, "chat")
    made = world.create(NumCacheClusters=2, AutomaticFailoverEnabled=True, MultiAZEnabled=True, Tags=[{"Key": "Name", "Value": "chat"}])
    assert (made["Status"], made["NodeGroups"]) == ("creating", []), "on AWS there are no endpoints yet"
    world.available()
    yield world
    world.call("DeleteReplicationGroup", ReplicationGroupId="chat")


def endpoints(world):
    (node_group,) = world.describe()["NodeGroups"]
    return node_group["PrimaryEndpoint"], node_group["ReaderEndpoint"]


def container_of(engine, cloud_name, node_id):
    return engine.containers.get(f"localcloud-{cloud_name}-cache-{node_id}")


def test_nodes_are_in_the_zones_of_the_subnets(chat, vpc):
    (node_group,) = chat.describe()["NodeGroups"]
    zones = {member["PreferredAvailabilityZone"] for member in node_group["NodeGroupMembers"]}
    assert zones == {"ap-northeast-2a", "ap-northeast-2c"}
    clusters = chat.call("DescribeCacheClusters", ShowCacheNodeInfo=True)["CacheClusters"]
    shown = {cluster["CacheClusterId"]: cluster for cluster in clusters}
    assert {"chat-001", "chat-002"} <= set(shown)
    assert shown["chat-001"]["SecurityGroups"] == [{"SecurityGroupId": vpc.security_group, "Status": "active"}]
    assert shown["chat-001"]["CacheNodes"][0]["Endpoint"]["Port"] == 6379


def test_writes_arrive_at_the_replica_which_takes_none(chat):
    primary, reader = (connect(endpoint) for endpoint in endpoints(chat))
    primary.set("greeting", "hello")
    assert wait_for(lambda: reader.get("greeting")) == "hello"
    with pytest.raises(redis.exceptions.ReadOnlyError):
        reader.set("greeting", "no")


def test_names_resolve_inside_an_instance_and_on_this_machine(chat, instance, in_instance):
    primary, reader = endpoints(chat)
    here = socket.gethostbyname(primary["Address"])
    script = (
        f"getent ahostsv4 {primary['Address']} | cut -d' ' -f1 | sort -u; getent ahostsv4 {reader['Address']} | cut -d' ' -f1 | sort -u"
    )
    inside = in_instance(instance["InstanceId"], script).split()
    assert inside == [here, socket.gethostbyname(reader["Address"])]
    assert len(set(inside)) == 2
    code = f"import socket; s=socket.create_connection(('{primary['Address']}',6379),3); s.sendall(b'PING\\r\\n'); print(s.recv(7))"
    assert "+PONG" in in_instance(instance["InstanceId"], f'python3 -c "{code}"')


def test_unknown_names_of_the_cloud_and_names_of_the_world(instance, in_instance):
    assert in_instance(instance["InstanceId"], "getent hosts absent.localcloud.test || echo none").strip() == "none"
    script = "python3 -c \"import socket; print(socket.gethostbyname('localhost'))\"; grep -c 127.0.0.11 /etc/resolv.conf"
    assert in_instance(instance["InstanceId"], script).split() == ["127.0.0.1", "1"]


def test_a_dead_primary_is_followed_by_its_replica_with_the_data(chat, engine, cloud_name):
    primary, _ = endpoints(chat)
    before = chat.roles()
    (dead,) = [node for node, role in before.items() if role == "primary"]
    address = socket.gethostbyname(primary["Address"])
    client = connect(primary)
    client.set("kept", "yes")
    assert client.wait(1, 2000) == 1
    container_of(engine, cloud_name, dead).kill()
    began = time.monotonic()
    wait_for(lambda: chat.roles()[dead] == "replica", 15)
    assert time.monotonic() - began < 8
    assert socket.gethostbyname(primary["Address"]) != address, "the name has moved"
    fresh = connect(primary)
    assert fresh.get("kept") == "yes"
    fresh.set("written", "after")
    chat.available()
    assert set(chat.roles()) == set(before), "the dead node has come back, as a replica"
    assert fresh.wait(1, 5000) == 1
    assert connect({"Address": address, "Port": 6379}).get("written") == "after"


def test_a_failover_on_demand_is_a_real_one_and_leaves_its_events(chat):
    primary, _ = endpoints(chat)
    before = chat.roles()
    (old,) = [node for node, role in before.items() if role == "primary"]
    (new,) = [node for node, role in before.items() if role == "replica"]
    client = connect(primary)
    client.set("counter", "7")
    assert client.wait(1, 5000) == 1, "replication is asynchronous: what no replica has is lost with the primary"
    assert chat.call("TestFailover", ReplicationGroupId="chat", NodeGroupId="0001")["ReplicationGroup"]["Status"] == "modifying"
    wait_for(lambda: chat.roles()[new] == "primary", 15)
    chat.available()
    assert connect(primary).get("counter") == "7"
    messages = [event["Message"] for event in chat.call("DescribeEvents", Duration=5)["Events"]]
    assert "Test Failover API called for node group 0001" in messages
    assert f"Failover from primary node {old} to replica node {new} completed" in messages
    assert messages.index(f"Recovering cache nodes {old}") < len(messages) - 1 - messages[::-1].index(
        f"Finished recovery for cache nodes {old}"
    )


def test_a_hanging_primary_is_replaced_too(chat, engine, cloud_name):
    (hanging,) = [node for node, role in chat.roles().items() if role == "primary"]
    container_of(engine, cloud_name, hanging).pause()
    wait_for(lambda: chat.roles()[hanging] == "replica", 30)
    chat.available()
    assert connect(endpoints(chat)[0]).get("counter") == "7"


def test_replicas_come_and_go_without_loss(chat):
    client = connect(endpoints(chat)[0])
    client.set("through", "it")
    chat.call("IncreaseReplicaCount", ReplicationGroupId="chat", NewReplicaCount=2, ApplyImmediately=True)
    chat.available()
    assert client.info("replication")["connected_slaves"] == 2
    chat.call(
        "ModifyReplicationGroup", ReplicationGroupId="chat", AutomaticFailoverEnabled=False, MultiAZEnabled=False, ApplyImmediately=True
    )
    chat.available()
    (heir,) = [node for node, role in chat.roles().items() if role == "replica"][:1]
    chat.call("ModifyReplicationGroup", ReplicationGroupId="chat", PrimaryClusterId=heir, ApplyImmediately=True)
    chat.available()
    chat.call("DecreaseReplicaCount", ReplicationGroupId="chat", NewReplicaCount=0, ApplyImmediately=True)
    chat.available()
    assert chat.roles() == {heir: "primary"}
    primary, reader = endpoints(chat)
    assert connect(primary).get("through") == "it"
    assert connect(reader).get("through") == "it", "without a replica the reader's name leads to the primary"


def test_parameters_reach_running_servers_and_clients_cannot_configure(chat):
    chat.call("CreateCacheParameterGroup", CacheParameterGroupName="chat-parameters", CacheParameterGroupFamily="valkey8", Description="x")
    chat.call("ModifyReplicationGroup", ReplicationGroupId="chat", CacheParameterGroupName="chat-parameters", ApplyImmediately=True)
    chat.available()
    client = connect(endpoints(chat)[0])
    assert client.info("memory")["maxmemory_policy"] == "volatile-lru"
    values = [{"ParameterName": "maxmemory-policy", "ParameterValue": "allkeys-lfu"}]
    chat.call("ModifyCacheParameterGroup", CacheParameterGroupName="chat-parameters", ParameterNameValues=values)
    assert client.info("memory")["maxmemory_policy"] == "allkeys-lfu"
    assert client.info("memory")["maxmemory"] == 536870912 * 75 // 100
    with pytest.raises(redis.exceptions.NoPermissionError):
        client.config_get("maxmemory")


def test_encryption_in_transit_tokens_and_a_snapshot(boto, vpc, state_root, cloud_name):
    world = CacheWorld(boto, vpc, "sealed")
    world.group(Engine="redis", TransitEncryptionEnabled=True, AuthToken="first-token-of-the-tests", AtRestEncryptionEnabled=True)
    primary, _ = endpoints(world)
    assert primary["Address"].startswith("master.sealed.")
    secure = {"ssl": True, "ssl_ca_certs": str(state_root / cloud_name / "ca.pem")}
    first = connect(primary, password="first-token-of-the-tests", **secure)
    first.set("sealed", "yes")
    with pytest.raises(redis.exceptions.ConnectionError):
        connect(primary, password="first-token-of-the-tests").ping()
    with pytest.raises(redis.exceptions.AuthenticationError):
        connect(primary, **secure).ping()
    rotate = {"AuthToken": "second-token-of-the-tests", "AuthTokenUpdateStrategy": "ROTATE"}
    world.call("ModifyReplicationGroup", ReplicationGroupId="sealed", ApplyImmediately=True, **rotate)
    world.available()
    assert first.ping()
    assert connect(primary, password="second-token-of-the-tests", **secure).get("sealed") == "yes"
    world.call("ModifyReplicationGroup", ReplicationGroupId="sealed", ApplyImmediately=True, **{**rotate, "AuthTokenUpdateStrategy": "SET"})
    world.available()
    with pytest.raises(redis.exceptions.AuthenticationError):
        connect(primary, password="first-token-of-the-tests", **secure).ping()

    world.call("DeleteReplicationGroup", ReplicationGroupId="sealed", FinalSnapshotIdentifier="sealed-last")
    wait_for(
        lambda: (
            not [group for group in world.call("DescribeReplicationGroups")["ReplicationGroups"] if group["ReplicationGroupId"] == "sealed"]
        )
    )
    again = CacheWorld(boto, vpc, "restored")
    again.group(Engine="redis", SnapshotName="sealed-last")
    assert connect(endpoints(again)[0]).get("sealed") == "yes"
    again.call("DeleteReplicationGroup", ReplicationGroupId="restored")


def test_deleted_groups_leave_no_container_no_name_and_no_interface(boto, vpc, engine, cloud_name):
    world = CacheWorld(boto, vpc, "brief")
    world.group()
    name = endpoints(world)[0]["Address"]
    assert socket.gethostbyname(name)
    world.call("DeleteReplicationGroup", ReplicationGroupId="brief")
    assert world.describe()["Status"] == "deleting"
    wait_for(lambda: all(group["ReplicationGroupId"] != "brief" for group in world.call("DescribeReplicationGroups")["ReplicationGroups"]))
    with pytest.raises(docker.errors.NotFound):
        container_of(engine, cloud_name, "brief-001")
    with pytest.raises(OSError, match="not known"):
        socket.gethostbyname(name)
    filters = [{"Name": "description", "Values": ["ElastiCache brief-001"]}]
    assert boto("ec2").describe_network_interfaces(Filters=filters)["NetworkInterfaces"] == []


def test_tags_are_in_the_tagging_api(chat, boto):
    found = boto("resourcegroupstaggingapi").get_resources(TagFilters=[{"Key": "Name", "Values": ["chat"]}])["ResourceTagMappingList"]
    assert "arn:aws:elasticache:ap-northeast-2:123456789012:replicationgroup:chat" in [item["ResourceARN"] for item in found]
