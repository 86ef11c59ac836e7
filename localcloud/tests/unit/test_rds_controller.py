# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The life of DB instances through the API's operations, with servers that are records: no Docker, no PostgreSQL."""

from __future__ import annotations

import asyncio
import types

import pytest

from localcloud.cloud import Interface, Subnet
from localcloud.services import rds_controller, rds_instances, rds_life, rds_settings, rds_snapshots
from localcloud.services.pace import Pace
from localcloud.services.query_protocol import ApiError
from localcloud.services.rds_context import Context
from localcloud.services.rds_names import EndpointNames
from localcloud.services.rds_placement import Placement
from localcloud.services.rds_plan import Seen
from localcloud.services.rds_state import State
from localcloud.services.rds_views import Views
from localcloud.services.stores import Condition

ZONES = {"subnet-a": "ap-northeast-2a", "subnet-c": "ap-northeast-2c"}
WISH = {
    "DBInstanceIdentifier": "shop", "DBInstanceClass": "db.t3.micro", "Engine": "postgres", "AllocatedStorage": 20,
    "MasterUsername": "keeper",
    "MasterUserPassword": "12345678", "DBSubnetGroupName": "both",
}  # fmt: skip


class Interfaces:
    def __init__(self):
        self.made = {}

    def subnet(self, subnet_id):
        return Subnet(subnet_id, "vpc-1", ZONES[subnet_id])

    def create(self, subnet_id, *, group_ids, description, public, guard):
        number = len(self.made) + 4
        found = Interface(
            id=f"eni-{number}", private_ip=f"10.0.1.{number}", public_ip=None, mac_address="", vpc_id="vpc-1", subnet_id=subnet_id,
            availability_zone=ZONES[subnet_id], group_ids=tuple(group_ids), network_name="net",
        )  # fmt: skip
        self.made[found.id] = guard
        return found

    def delete(self, interface_id):
        self.made.pop(interface_id, None)

    def set_groups(self, interface_id, group_ids):
        pass


class Servers:
    """What containers and servers would be: `running` by server id, who is a standby of whom, and what was done."""

    def __init__(self):
        self.state = {}
        self.volumes = {}
        self.done = []

    def create(self, server, files, data=None):
        self.done.append(("create", server.id, data and data.name))
        begin = files["begin"].split()
        if server.id not in self.volumes:
            self.volumes[server.id] = {"standby": begin[0] == "copy"}
        self.state[server.id] = {"up": True, "waits": "'*'" in files["commit.conf"]}

    def remove(self, server, *, with_data=True):
        self.done.append(("remove", server.id, with_data))
        self.state.pop(server.id, None)
        if with_data:
            self.volumes.pop(server.id, None)

    def write(self, server, files):
        if "commit.conf" in files and server.id in self.state:
            self.state[server.id]["waits"] = "'*'" in files["commit.conf"]

    def reload(self, instance, server):
        pass

    def start(self, server):
        self.done.append(("start", server.id))
        self.state[server.id]["up"] = True

    def stop(self, server):
        self.state[server.id]["up"] = False

    def restart(self, server):
        self.done.append(("restart", server.id))

    def containers(self):
        return {server_id: "running" if found["up"] else "exited" for server_id, found in self.state.items()}

    def look(self, instance, server):
        copies = sum(1 for other, volume in self.volumes.items() if volume["standby"] and self.state.get(other, {}).get("up"))
        waits = self.state[server.id]["waits"]
        standby = self.volumes[server.id]["standby"]
        return Seen(Condition.UP, is_standby=standby, waits=waits, copies=copies, confirmed=copies if waits else 0)

    def prepare(self, instance, server, password):
        self.done.append(("prepare", server.id, password))

    def set_password(self, instance, server, password):
        self.done.append(("password", password))

    def promote(self, instance, server):
        self.done.append(("promote", server.id))
        self.volumes[server.id]["standby"] = False

    def copy_data(self, instance, server, path):
        path.write_bytes(b"tar")
        return 3


class World:
    def __init__(self, tmp_path):
        self.names = {}
        self.servers = Servers()
        names = types.SimpleNamespace(
            set=lambda name, private, public: self.names.update({name: private}), remove=lambda name: self.names.pop(name)
        )
        pem = types.SimpleNamespace(certificate="c", key="k")
        self.cloud = types.SimpleNamespace(
            interfaces=Interfaces(), names=names, certificates=types.SimpleNamespace(issue=lambda _names: pem), state_dir=tmp_path,
            region="ap-northeast-2",
        )  # fmt: skip
        self.state = State("ap-northeast-2", "123456789012")
        rds_settings.add_default_parameter_groups(self.state)
        endpoint = EndpointNames("t", "ap-northeast-2")
        placement = Placement(self.cloud, self.state)
        controller = rds_controller.Controller(self.cloud, self.state, self.servers, placement, endpoint)
        self.context = Context(self.cloud, self.state, self.servers, placement, controller, Views(self.state, endpoint), Pace("rds", 0.0))

    async def begin(self, **members):
        await rds_settings.create_db_subnet_group(
            self.context, {"DBSubnetGroupName": "both", "DBSubnetGroupDescription": "x", "SubnetIds": list(ZONES)}
        )
        await rds_instances.create_db_instance(self.context, {**WISH, **members})
        return await self.reaches("available")

    async def reaches(self, status):
        for _ in range(400):
            found = self.state.instances.get("shop")
            if (found.status if found else "gone") == status:
                return found
            await asyncio.sleep(0.01)
        raise AssertionError(f"shop is {found and found.status} and not {status}: {self.servers.done}")

    async def until(self, what):
        for _ in range(400):
            if what():
                return
            await asyncio.sleep(0.01)
        raise AssertionError(self.servers.done)

    @property
    def view(self):
        return self.context.views.instance(self.state.instances["shop"])


@pytest.fixture
def play(tmp_path, monkeypatch):
    """Runs a story in an event loop, with quick looks; the controller is stopped afterwards."""
    monkeypatch.setattr(rds_controller, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(rds_controller, "BUSY_LOOK_SECONDS", 0.005)
    monkeypatch.setattr(Placement, "security_groups", lambda _self, _group, wanted: list(wanted) or ["sg-default"])

    def run(story):
        async def whole():
            world = World(tmp_path)
            try:
                await asyncio.wait_for(story(world), 20)
            finally:
                await world.context.controller.stop()

        asyncio.run(whole())

    return run


def messages(world):
    return [event.message for event in world.state.events]


def test_created_prepared_and_deleted(play):
    async def story(world):
        instance = await world.begin()
        assert world.servers.done == [("create", "shop-1", None), ("prepare", "shop-1", "12345678")]
        assert instance.password is None, "the server has it"
        (address,) = world.names.values()
        assert address == ["10.0.1.4"]
        assert world.view["Endpoint"]["Address"] in world.names
        assert messages(world) == ["DB instance created"]
        await rds_life.delete_db_instance(world.context, {"DBInstanceIdentifier": "shop", "SkipFinalSnapshot": True})
        assert world.view["DBInstanceStatus"] == "deleting"
        await world.reaches("gone")
        assert (world.names, world.servers.state, world.servers.volumes, world.cloud.interfaces.made) == ({}, {}, {}, {})

    play(story)


def test_multi_az_on_and_off_keeps_the_primary(play):
    async def story(world):
        await world.begin()
        await rds_instances.modify_db_instance(world.context, {"DBInstanceIdentifier": "shop", "MultiAZ": True, "ApplyImmediately": True})
        assert world.view["PendingModifiedValues"] == {"MultiAZ": True}
        instance = await world.reaches("available")
        assert instance.synchronous and instance.standby.in_sync
        assert {world.view["AvailabilityZone"], world.view["SecondaryAvailabilityZone"]} == set(ZONES.values())
        assert set(world.cloud.interfaces.made.values()) == {"rds shop"}, "its servers reach one another"
        await rds_instances.modify_db_instance(world.context, {"DBInstanceIdentifier": "shop", "MultiAZ": False, "ApplyImmediately": True})
        instance = await world.reaches("available")
        assert (instance.primary, [server.id for server in instance.servers]) == ("shop-1", ["shop-1"])
        assert not instance.synchronous and world.view["SecondaryAvailabilityZone"] is None
        assert len(world.cloud.interfaces.made) == 1

    play(story)


@pytest.mark.parametrize("how", ["reboot", "death"])
def test_the_standby_takes_over_and_the_old_primary_comes_back_as_a_copy(play, how):
    async def story(world):
        await world.begin(MultiAZ=True)
        before = world.view
        if how == "reboot":
            await rds_life.reboot_db_instance(world.context, {"DBInstanceIdentifier": "shop", "ForceFailover": True})
            assert world.view["DBInstanceStatus"] == "rebooting"
        else:
            world.servers.state["shop-1"]["up"] = False
        await world.until(lambda: world.state.instances["shop"].primary == "shop-2")
        await world.until(lambda: world.state.instances["shop"].standby.in_sync)
        await world.reaches("available")
        assert list(world.names.values()) == [["10.0.1.5"]]
        assert world.view["AvailabilityZone"] == before["SecondaryAvailabilityZone"]
        assert world.view["SecondaryAvailabilityZone"] == before["AvailabilityZone"]
        done = [step[:2] for step in world.servers.done]
        assert done.index(("remove", "shop-1")) < done.index(("promote", "shop-2")), "a server that only hangs must not take writes later"
        assert world.servers.volumes["shop-1"]["standby"]
        found = messages(world)
        assert found.index("Multi-AZ instance failover started.") < found.index("Multi-AZ instance failover completed")

    play(story)


def test_without_a_standby_the_same_data_starts_again(play):
    async def story(world):
        await world.begin()
        del world.servers.state["shop-1"]
        await world.until(lambda: world.servers.done.count(("create", "shop-1", None)) == 2)
        assert ("remove", "shop-1", True) not in world.servers.done
        with pytest.raises(ApiError) as error:
            await rds_life.reboot_db_instance(world.context, {"DBInstanceIdentifier": "shop", "ForceFailover": True})
        assert error.value.code == "InvalidParameterCombination"

    play(story)


def test_stopped_and_started(play):
    async def story(world):
        await world.begin(MultiAZ=True)
        await rds_life.stop_db_instance(world.context, {"DBInstanceIdentifier": "shop"})
        await world.reaches("stopped")
        assert set(world.servers.containers().values()) == {"exited"}
        with pytest.raises(ApiError, match="it must be available"):
            await rds_instances.modify_db_instance(world.context, {"DBInstanceIdentifier": "shop", "MultiAZ": False})
        await rds_life.start_db_instance(world.context, {"DBInstanceIdentifier": "shop"})
        instance = await world.reaches("available")
        assert instance.primary == "shop-1" and instance.standby.in_sync

    play(story)


def test_what_waits_for_the_window_waits_and_a_password_does_not(play):
    async def story(world):
        await world.begin(PreferredMaintenanceWindow="mon:00:00-mon:00:30")
        wish = {"DBInstanceIdentifier": "shop", "DBInstanceClass": "db.t3.small", "MasterUserPassword": "87654321"}
        await rds_instances.modify_db_instance(world.context, wish)
        await world.until(lambda: ("password", "87654321") in world.servers.done)
        await world.reaches("available")
        assert world.view["PendingModifiedValues"] == {"DBInstanceClass": "db.t3.small"}
        assert ("restart", "shop-1") not in world.servers.done
        await rds_instances.modify_db_instance(world.context, {"DBInstanceIdentifier": "shop", "ApplyImmediately": True})
        await world.until(lambda: ("restart", "shop-1") in world.servers.done)
        await world.reaches("available")
        assert (world.view["DBInstanceClass"], world.view["PendingModifiedValues"]) == ("db.t3.small", {})

    play(story)


def test_a_final_snapshot_is_restored_with_its_own_secret(play):
    async def story(world):
        instance = await world.begin(DBName="shop", CopyTagsToSnapshot=True, Tags=[{"Key": "a", "Value": "b"}])
        secret = instance.secret
        await rds_life.delete_db_instance(world.context, {"DBInstanceIdentifier": "shop", "FinalDBSnapshotIdentifier": "last"})
        await world.reaches("gone")
        (view,) = (await rds_snapshots.describe_db_snapshots(world.context, {}))["DBSnapshots"]
        assert (view["Status"], view["PercentProgress"], view["TagList"]) == ("available", 100, [{"Key": "a", "Value": "b"}])
        wish = {"DBInstanceIdentifier": "shop", "DBSnapshotIdentifier": "last", "DBSubnetGroupName": "both", "MultiAZ": True}
        await rds_instances.restore_db_instance_from_db_snapshot(world.context, wish)
        instance = await world.reaches("available")
        assert (instance.secret, instance.tags, instance.restored_from) == (secret, {"a": "b"}, None)
        assert ("create", "shop-1", "last.tar") in world.servers.done
        assert ("create", "shop-2", None) in world.servers.done, "the standby copies the primary"
        assert [step for step in world.servers.done if step[0] == "prepare"] == [("prepare", "shop-1", "12345678")]

    play(story)


def test_a_snapshot_that_fails_does_not_delete(play, monkeypatch):
    def broken(*_arguments):
        raise OSError("the disk is full")

    async def story(world):
        await world.begin()
        monkeypatch.setattr(world.servers, "copy_data", broken)
        await rds_life.delete_db_instance(world.context, {"DBInstanceIdentifier": "shop", "FinalDBSnapshotIdentifier": "last"})
        await world.reaches("available")
        assert world.state.snapshots["last"].status == "failed"
        assert "Snapshot failed: the disk is full" in messages(world)
        assert world.servers.state

    play(story)


def test_nothing_is_left_of_an_instance_that_cannot_be_placed(play, monkeypatch):
    async def story(world):
        await world.begin()
        made = dict(world.cloud.interfaces.made)

        def refuse(*_arguments, **_named):
            raise KeyError("sg-1")

        monkeypatch.setattr(world.cloud.interfaces, "create", refuse)
        with pytest.raises(ApiError, match="sg-1 does not exist"):
            await rds_instances.create_db_instance(world.context, {**WISH, "DBInstanceIdentifier": "other"})
        assert list(world.state.instances) == ["shop"]
        assert world.cloud.interfaces.made == made

    play(story)
