# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""RDS's data plane: real servers that copy, fail over without losing a confirmed write, keep their data, and let in whom they should."""

from __future__ import annotations

import itertools
import socket
import threading
import time

import docker.errors
import psycopg2
import pytest
from conftest import wait_for
from rds_world import MASTER, PASSWORD, RdsWorld, connect, rows


@pytest.fixture(scope="module")
def shop(boto, vpc):
    """A DB instance in one zone, seen from its creation on."""
    world = RdsWorld(boto, vpc, "shop")
    made = world.create(DBName="shop", Tags=[{"Key": "Name", "Value": "shop"}])
    assert made["DBInstanceStatus"] == "creating"
    assert "Endpoint" not in made, "on AWS there is none yet"
    world.available()
    rows(world.describe(), "CREATE TABLE kept (number int PRIMARY KEY)", database="shop")
    rows(world.describe(), "INSERT INTO kept VALUES (1)", database="shop")
    yield world
    world.delete()
    world.gone()


def numbers(world, **options):
    return {row[0] for row in rows(world.describe(), "SELECT number FROM kept", database="shop", **options)}


def messages(world, name="shop"):
    events = world.call("DescribeEvents", SourceType="db-instance", SourceIdentifier=name, Duration=60)["Events"]
    return [event["Message"] for event in events]


def server_of(engine, cloud_name, world):
    """The container of the primary: the one at the endpoint's address."""
    address = socket.gethostbyname(world.describe()["Endpoint"]["Address"])
    for container in engine.containers.list(all=True, filters={"label": [f"localcloud={cloud_name}", "localcloud.database"]}):
        if address in [network["IPAddress"] for network in container.attrs["NetworkSettings"]["Networks"].values()]:
            return container
    raise AssertionError(f"no container has {address}")


def test_the_master_user_is_rds_s_and_no_superuser(shop):
    found = shop.describe()
    (role,) = rows(found, "SELECT rolsuper, rolcreatedb, rolcreaterole FROM pg_roles WHERE rolname = current_user")
    assert role == (False, True, True)
    assert rows(found, "SELECT pg_has_role(current_user, 'rds_superuser', 'member')") == [(True,)]
    assert rows(found, "SELECT datdba::regrole::text FROM pg_database WHERE datname = 'shop'") == [(MASTER,)]
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        rows(found, "ALTER SYSTEM SET work_mem = 64")
    with pytest.raises(psycopg2.OperationalError, match="permission denied"):
        rows(found, "SELECT 1", database="rdsadmin")


def test_connections_are_encrypted_with_the_cloud_s_certificate(shop, state_root, cloud_name):
    found = shop.describe()
    authority = str(state_root / cloud_name / "ca.pem")
    connect(found, sslmode="verify-full", sslrootcert=authority).close()
    with pytest.raises(psycopg2.OperationalError, match="rejects connection"):
        connect(found, sslmode="disable")
    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        connect(found, password="wrong")


def test_only_what_the_security_group_lets_in_connects(shop, boto, vpc, instance, in_instance):
    """An instance in another group waits in vain; a rule for its group, and only that port, lets it in."""
    ec2 = boto("ec2")
    found = shop.describe()
    host = found["Endpoint"]["Address"]
    assert in_instance(instance["InstanceId"], f"getent ahostsv4 {host} | head -1").split()[0] == socket.gethostbyname(host)
    probe = f"timeout 2 bash -c 'exec 3<>/dev/tcp/{host}/5432' 2>/dev/null && echo in || echo out"
    group = ec2.create_security_group(GroupName="rds-wrong-and-right", Description="tests", VpcId=vpc.id)["GroupId"]
    boto("rds").modify_db_instance(DBInstanceIdentifier="shop", VpcSecurityGroupIds=[group])
    assert in_instance(instance["InstanceId"], probe).strip() == "out"
    rule = {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "UserIdGroupPairs": [{"GroupId": vpc.security_group}]}
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])
    wait_for(lambda: in_instance(instance["InstanceId"], probe).strip() == "in", 10)
    ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=[rule])
    wait_for(lambda: in_instance(instance["InstanceId"], probe).strip() == "out", 10)
    ec2.authorize_security_group_ingress(
        GroupId=group, IpPermissions=[{"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "IpRanges": [{"CidrIp": vpc.cidr}]}]
    )
    wait_for(lambda: in_instance(instance["InstanceId"], probe).strip() == "in", 10)
    boto("rds").modify_db_instance(DBInstanceIdentifier="shop", VpcSecurityGroupIds=[vpc.security_group])


def test_a_dead_server_comes_back_with_its_data(shop, engine, cloud_name):
    server_of(engine, cloud_name, shop).kill()
    wait_for(lambda: _answers(shop), 30, interval=0.2)
    assert numbers(shop) == {1}
    server_of(engine, cloud_name, shop).remove(force=True)
    wait_for(lambda: _answers(shop), 30, interval=0.2)
    assert numbers(shop) == {1}, "storage outlives the host"
    assert "Recovery of the DB instance has started." in messages(shop)


def _answers(world):
    try:
        return rows(world.describe(), "SELECT NOT pg_is_in_recovery()") == [(True,)]
    except psycopg2.OperationalError:
        return False


def test_multi_az_is_switched_on_without_loss(shop):
    before = shop.describe()
    assert not before["MultiAZ"] and "SecondaryAvailabilityZone" not in before
    found = shop.modify(MultiAZ=True)
    zones = {found["AvailabilityZone"], found["SecondaryAvailabilityZone"]}
    assert zones == {"ap-northeast-2a", "ap-northeast-2c"}
    assert found["MultiAZ"] and found["PendingModifiedValues"] == {}
    assert numbers(shop) == {1}
    assert "Applying modification to convert to a Multi-AZ DB instance" in messages(shop)


class Writer(threading.Thread):
    """Writes one number after the other and remembers those that were confirmed; connects again whenever it has to."""

    numbers = itertools.count(1001)  # each once, whoever writes it: the column is the table's key

    def __init__(self, world):
        super().__init__(daemon=True)
        self._found = world.describe()
        self.confirmed: list[int] = []
        self.longest = 0.0
        self.ending = threading.Event()

    def run(self):
        last = time.monotonic()
        connection = None
        while not self.ending.is_set():
            number = next(self.numbers)
            try:
                if connection is None:
                    connection = connect(
                        self._found, database="shop", options="-c statement_timeout=3000", keepalives_idle=1, tcp_user_timeout=2000
                    )
                with connection.cursor() as cursor:
                    cursor.execute("INSERT INTO kept VALUES (%s)", (number,))
            except psycopg2.Error:
                if connection is not None:
                    connection.close()
                connection = None
                time.sleep(0.05)
                continue
            self.confirmed.append(number)
            self.longest = max(self.longest, time.monotonic() - last)
            last = time.monotonic()


@pytest.fixture
def writer(shop):
    made = Writer(shop)
    made.start()
    wait_for(lambda: len(made.confirmed) > 20)
    yield made
    made.ending.set()
    made.join(10)


def test_a_failover_under_load_loses_no_confirmed_write(shop, writer):
    before = shop.describe()
    address = socket.gethostbyname(before["Endpoint"]["Address"])
    answer = shop.call("RebootDBInstance", DBInstanceIdentifier="shop", ForceFailover=True)["DBInstance"]
    assert answer["DBInstanceStatus"] == "rebooting"
    wait_for(lambda: socket.gethostbyname(before["Endpoint"]["Address"]) != address, 20)
    moved = len(writer.confirmed)
    wait_for(lambda: len(writer.confirmed) > moved + 20, 20)
    after = shop.available()
    assert (after["AvailabilityZone"], after["SecondaryAvailabilityZone"]) == (
        before["SecondaryAvailabilityZone"],
        before["AvailabilityZone"],
    )
    writer.ending.set()
    writer.join(10)
    assert set(writer.confirmed) <= numbers(shop)
    found = messages(shop)
    assert found.index("Multi-AZ instance failover started.") < found.index("Multi-AZ instance failover completed")


def _redundant(world):
    try:
        return rows(world.describe(), "SELECT current_setting('synchronous_standby_names')") == [("*",)]
    except psycopg2.OperationalError:
        return False


def test_a_host_that_dies_under_load_is_followed_by_the_standby(shop, writer, engine, cloud_name):
    wait_for(lambda: _redundant(shop), 40, interval=0.2)
    time.sleep(1.0)  # the controller looks twice a second; from its second look on it trusts the standby
    address = socket.gethostbyname(shop.describe()["Endpoint"]["Address"])
    server_of(engine, cloud_name, shop).remove(force=True)
    began = time.monotonic()
    wait_for(lambda: socket.gethostbyname(shop.describe()["Endpoint"]["Address"]) != address, 20)
    assert time.monotonic() - began < 10
    moved = len(writer.confirmed)
    wait_for(lambda: len(writer.confirmed) > moved + 20, 20)
    writer.ending.set()
    writer.join(10)
    assert set(writer.confirmed) <= numbers(shop)
    wait_for(lambda: _redundant(shop), 60, interval=0.2)


def test_a_hanging_server_is_replaced_too(shop, engine, cloud_name):
    time.sleep(1.0)
    address = socket.gethostbyname(shop.describe()["Endpoint"]["Address"])
    server_of(engine, cloud_name, shop).pause()
    wait_for(lambda: socket.gethostbyname(shop.describe()["Endpoint"]["Address"]) != address, 30)
    wait_for(lambda: _redundant(shop), 60, interval=0.2)
    assert 1 in numbers(shop)


def test_a_dead_standby_does_not_stop_writes(shop, engine, cloud_name):
    time.sleep(1.0)
    primary = server_of(engine, cloud_name, shop).name
    (standby,) = [
        container
        for container in engine.containers.list(filters={"label": [f"localcloud={cloud_name}", "localcloud.database"]})
        if container.name.startswith(f"localcloud-{cloud_name}-rds-shop-") and container.name != primary
    ]
    standby.remove(force=True)
    rows(shop.describe(), "INSERT INTO kept VALUES (2)", database="shop")
    assert {1, 2} <= numbers(shop)
    wait_for(lambda: _redundant(shop), 60, interval=0.2)


def test_multi_az_is_switched_off_without_loss(shop, engine, cloud_name):
    kept = numbers(shop)
    shop.available()
    found = shop.modify(MultiAZ=False)
    assert not found["MultiAZ"] and "SecondaryAvailabilityZone" not in found
    assert numbers(shop) == kept
    names = [
        container.name
        for container in engine.containers.list(all=True, filters={"label": [f"localcloud={cloud_name}", "localcloud.database"]})
    ]
    assert len([name for name in names if name.startswith(f"localcloud-{cloud_name}-rds-shop-")]) == 1
    rows(found, "INSERT INTO kept VALUES (3)", database="shop")


def test_parameters_reach_the_server_and_static_ones_wait_for_a_reboot(shop):
    group = RdsWorld(lambda _: shop.client, shop.vpc, "shop-parameters").parameters()
    shop.call("ModifyDBInstance", DBInstanceIdentifier="shop", DBParameterGroupName=group)
    shop.available()
    shop.call("RebootDBInstance", DBInstanceIdentifier="shop")
    assert shop.available()["DBParameterGroups"] == [{"DBParameterGroupName": group, "ParameterApplyStatus": "in-sync"}]
    parameters = [
        {"ParameterName": "work_mem", "ParameterValue": "7168", "ApplyMethod": "immediate"},
        {"ParameterName": "max_connections", "ParameterValue": "33", "ApplyMethod": "pending-reboot"},
    ]
    shop.call("ModifyDBParameterGroup", DBParameterGroupName=group, Parameters=parameters)
    wait_for(lambda: rows(shop.describe(), "SHOW work_mem") == [("7MB",)], 10)
    assert rows(shop.describe(), "SHOW max_connections") != [("33",)]
    assert shop.describe()["DBParameterGroups"][0]["ParameterApplyStatus"] == "pending-reboot"
    shop.call("RebootDBInstance", DBInstanceIdentifier="shop")
    shop.available()
    assert rows(shop.describe(), "SHOW max_connections") == [("33",)]
    assert shop.describe()["DBParameterGroups"][0]["ParameterApplyStatus"] == "in-sync"


def test_the_password_changes_at_once_and_a_class_when_it_is_time(shop):
    shop.call("ModifyDBInstance", DBInstanceIdentifier="shop", DBInstanceClass="db.t3.small", MasterUserPassword="second-Password")
    wait_for(lambda: "MasterUserPassword" not in shop.describe()["PendingModifiedValues"], 10)
    waiting = shop.available()
    assert (waiting["DBInstanceClass"], waiting["PendingModifiedValues"]) == ("db.t3.micro", {"DBInstanceClass": "db.t3.small"})
    assert 3 in numbers(shop, password="second-Password")
    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        numbers(shop)
    found = shop.modify(MasterUserPassword=PASSWORD)
    assert (found["DBInstanceClass"], found["PendingModifiedValues"]) == ("db.t3.small", {})
    assert 3 in numbers(shop)


def test_stopped_and_started_with_its_data(shop):
    kept = numbers(shop)
    shop.call("StopDBInstance", DBInstanceIdentifier="shop")
    found = shop.reaches("stopped")
    with pytest.raises(psycopg2.OperationalError):
        connect(found)
    shop.call("StartDBInstance", DBInstanceIdentifier="shop")
    shop.available()
    assert numbers(shop) == kept


def test_a_final_snapshot_is_restored_with_data_and_users_in_two_zones(boto, vpc):
    world = RdsWorld(boto, vpc, "brief")
    found = world.instance(DBName="shop", AllocatedStorage=25)
    rows(found, "CREATE TABLE kept AS SELECT generate_series(1, 5000) AS number", database="shop")
    world.call("DeleteDBInstance", DBInstanceIdentifier="brief", FinalDBSnapshotIdentifier="brief-last")
    assert world.describe()["DBInstanceStatus"] == "deleting"
    world.gone()
    (snapshot,) = world.call("DescribeDBSnapshots", DBSnapshotIdentifier="brief-last")["DBSnapshots"]
    assert (snapshot["Status"], snapshot["AllocatedStorage"], snapshot["MasterUsername"]) == ("available", 25, MASTER)
    again = RdsWorld(boto, vpc, "restored")
    again.call(
        "RestoreDBInstanceFromDBSnapshot", DBInstanceIdentifier="restored", DBSnapshotIdentifier="brief-last", MultiAZ=True,
        DBSubnetGroupName=world.subnets(), VpcSecurityGroupIds=[vpc.security_group],
    )  # fmt: skip
    assert again.available()["AllocatedStorage"] == 25
    assert len(numbers(again)) == 5000
    again.call("RebootDBInstance", DBInstanceIdentifier="restored", ForceFailover=True)
    again.available()
    assert len(numbers(again)) == 5000
    again.delete()
    again.gone()
    again.call("DeleteDBSnapshot", DBSnapshotIdentifier="brief-last")


def test_what_is_deleted_leaves_no_container_no_volume_no_name_and_no_interface(boto, vpc, engine, cloud_name):
    world = RdsWorld(boto, vpc, "gone")
    name = world.instance()["Endpoint"]["Address"]
    assert socket.gethostbyname(name)
    world.delete()
    world.gone()
    with pytest.raises(docker.errors.NotFound):
        engine.containers.get(f"localcloud-{cloud_name}-rds-gone-1")
    with pytest.raises(docker.errors.NotFound):
        engine.volumes.get(f"localcloud-{cloud_name}-rds-gone-1")
    with pytest.raises(OSError, match="not known"):
        socket.gethostbyname(name)


def test_tags_are_in_the_tagging_api(shop, boto):
    found = boto("resourcegroupstaggingapi").get_resources(TagFilters=[{"Key": "Name", "Values": ["shop"]}])["ResourceTagMappingList"]
    assert "arn:aws:rds:ap-northeast-2:123456789012:db:shop" in [item["ResourceARN"] for item in found]
