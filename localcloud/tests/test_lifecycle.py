# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The program as a whole: two clouds at once, a killed server, a taken CIDR, and what `down` leaves, which is nothing."""

from __future__ import annotations

import json
import os
import pathlib
import secrets
import signal
import socket
import subprocess
import sys

import pytest
from conftest import PARAMETER, client_of, exports, localcloud, make_vpc, wait_for, wait_for_state
from ecs_client import Shop

from localcloud import settings as settings_module
from localcloud.dataplane.networks import taken_networks
from localcloud.dataplane.rules import Chains


def traces(engine, name):
    """Everything on this machine that belongs to the cloud."""
    short = Chains(settings_module.short_of(name))
    saved = subprocess.run(["iptables-save"], capture_output=True, text=True, check=True).stdout
    label = {"label": f"localcloud={name}"}
    return {
        "containers": [found.name for found in engine.containers.list(all=True, filters=label)],
        "networks": [found.name for found in engine.networks.list(filters=label)],
        "volumes": [found.name for found in engine.volumes.list(filters=label)],
        "rules": [line for line in saved.splitlines() if short.short in line],
        "names": [line for line in pathlib.Path("/etc/hosts").read_text().splitlines() if line.endswith(f"# localcloud {name}")],
        "processes": [pid for pid in os.listdir("/proc") if pid.isdigit() and _serves(pid, name)],
        "control groups": [str(path) for path in pathlib.Path("/sys/fs/cgroup").glob(f"*/localcloud-{name}")],
    }


def _serves(pid, name):
    try:
        command = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return b"localcloud.server" in command and name.encode() in command


NOTHING = {"containers": [], "networks": [], "volumes": [], "rules": [], "names": [], "processes": [], "control groups": []}


def give_a_name(environment, name):
    """Let a name resolve to an address of nobody."""
    route53 = client_of(environment, "route53")
    zone = route53.create_hosted_zone(Name=name, CallerReference=name)["HostedZone"]["Id"]
    record = {"Name": name, "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "192.0.2.1"}]}
    route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": [{"Action": "CREATE", "ResourceRecordSet": record}]})


def launch(environment, vpc, count=1):
    ec2 = client_of(environment, "ec2")
    image = client_of(environment, "ssm").get_parameter(Name=PARAMETER)["Parameter"]["Value"]
    started = ec2.run_instances(ImageId=image, InstanceType="t3.micro", MinCount=count, MaxCount=count, SubnetId=vpc.public_subnet)
    return [wait_for_state(ec2, item["InstanceId"], "running") for item in started["Instances"]]


def start_task(environment, vpc):
    """An ECS task of two containers with a volume, running."""
    shop = Shop(lambda service: client_of(environment, service), vpc, "left")
    mount = {"mountPoints": [{"sourceVolume": "v", "containerPath": "/v"}]}
    side = shop.container(name="side", image="debian:trixie-slim", command=["sleep", "infinity"], portMappings=[], **mount)
    shop.wait_task(shop.run(shop.define("left", shop.container(**mount), side, volumes=[{"name": "v"}])), "RUNNING")


@pytest.fixture
def second(tmp_path):
    """The name and state of another cloud; taken down afterwards."""
    name = f"t-{secrets.token_hex(3)}"
    yield name, tmp_path
    localcloud(name, "down", state=tmp_path, check=False)


def test_a_second_cloud_with_the_same_cidr(second, cloud_env, vpc, instance, engine, state_root, cloud_name, in_instance):
    name, state = second
    up = localcloud(name, "up", state=state)
    assert f"cloud {name} is up" in up.stdout
    environment = exports(name, state)
    assert environment["AWS_ENDPOINT_URL"] != cloud_env["AWS_ENDPOINT_URL"]

    other_vpc = make_vpc(client_of(environment, "ec2"), vpc.cidr)  # taken: the session's cloud has it
    taken_before = [str(network) for network in taken_networks(engine)]
    (other,) = launch(environment, other_vpc)
    assert vpc.cidr in taken_before
    assert not other["PrivateIpAddress"].startswith(vpc.address(1, 4).rsplit(".", 2)[0])
    assert other["PrivateIpAddress"].split(".")[2:] == ["1", "4"], "the host part stays"
    assert other["PublicIpAddress"].rsplit(".", 1)[0] != instance["PublicIpAddress"].rsplit(".", 1)[0]
    inside = engine.containers.get(f"localcloud-{name}-{other['InstanceId']}").exec_run(["hostname", "-i"]).output.decode().split()
    assert other["PrivateIpAddress"] in inside
    log = localcloud(name, "logs", state=state).stdout
    assert f"The CIDR {vpc.cidr} of {other_vpc.id} is taken on this machine by {vpc.cidr}" in log

    status = json.loads(localcloud(name, "status", "--json", state=state).stdout)
    assert [item["id"] for item in status["instances"]] == [other["InstanceId"]]
    assert status["networks"][0]["vpc_cidr"] == vpc.cidr
    assert "init: starting" in localcloud(name, "logs", other["InstanceId"], state=state).stdout

    down = localcloud(name, "down", state=state)
    assert "2 containers, 1 network" in down.stdout or "1 container, 1 network" in down.stdout
    assert traces(engine, name) == NOTHING
    assert not (state / name).exists()
    assert in_instance(instance["InstanceId"], "echo alive") == "alive\n", "the other cloud is untouched"


def test_what_a_killed_server_left_is_found_and_removed(second, engine, vpc):
    name, state = second
    localcloud(name, "up", state=state)
    environment = exports(name, state)
    other_vpc = make_vpc(client_of(environment, "ec2"), "10.97.0.0/16")
    (lost,) = launch(environment, other_vpc)
    start_task(environment, other_vpc)
    give_a_name(environment, f"{name}.example")
    assert socket.gethostbyname(f"{name}.example") == "192.0.2.1"
    settings = json.loads((state / name / "settings.json").read_text())
    os.kill(int((state / name / "server.pid").read_text()), signal.SIGKILL)
    wait_for(lambda: not traces(engine, name)["processes"])
    assert traces(engine, name)["containers"]

    up = localcloud(name, "up", state=state)
    assert "removed what an earlier run left behind" in up.stdout
    left = traces(engine, name)
    assert f"localcloud-{name}-{lost['InstanceId']}" not in left["containers"]
    assert not [container for container in left["containers"] if "-task-" in container]
    assert (left["networks"], left["names"]) == ([], [])
    assert json.loads((state / name / "settings.json").read_text())["ports"] == settings["ports"]
    assert client_of(environment, "ec2").describe_instances()["Reservations"] == []
    again = localcloud(name, "up", state=state)
    assert f"cloud {name} is up already" in again.stdout
    start_task(environment, make_vpc(client_of(environment, "ec2"), "10.97.0.0/16"))
    localcloud(name, "down", state=state)
    assert traces(engine, name) == NOTHING


def test_a_deleted_vpc_takes_its_network_with_it(boto, engine, cloud_env, cloud_name):
    ec2 = boto("ec2")
    vpc = make_vpc(ec2, "10.98.0.0/16")
    (found,) = launch(cloud_env, vpc)
    network = f"localcloud-{cloud_name}-{vpc.id}"
    assert [item.name for item in engine.networks.list(names=[network])] == [network]
    ec2.terminate_instances(InstanceIds=[found["InstanceId"]])
    wait_for_state(ec2, found["InstanceId"], "terminated")
    ec2.delete_subnet(SubnetId=vpc.public_subnet)
    ec2.delete_subnet(SubnetId=vpc.private_subnet)
    for table in ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [vpc.id]}])["RouteTables"]:
        if not any(association["Main"] for association in table["Associations"]):
            for association in table["Associations"]:
                ec2.disassociate_route_table(AssociationId=association["RouteTableAssociationId"])
            ec2.delete_route_table(RouteTableId=table["RouteTableId"])
    ec2.delete_security_group(GroupId=vpc.security_group)
    for gateway in ec2.describe_internet_gateways(Filters=[{"Name": "attachment.vpc-id", "Values": [vpc.id]}])["InternetGateways"]:
        ec2.detach_internet_gateway(InternetGatewayId=gateway["InternetGatewayId"], VpcId=vpc.id)
    ec2.delete_vpc(VpcId=vpc.id)
    wait_for(lambda: not engine.networks.list(names=[network]))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ["--name", "Not_A_Name", "up"],
            "Failed to use 'Not_A_Name' as a cloud's name: use 1 to 24 lower-case letters, digits and inner hyphens.",
        ),
        (["--name", "absent", "env"], "Failed to find the cloud absent: it is not up. Start it with `localcloud --name absent up`."),
        (["--name", "absent", "status"], "Failed to find the cloud absent: it is not up. Start it with `localcloud --name absent up`."),
    ],
)
def test_bad_input_gets_one_sentence(arguments, sentence, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "localcloud", *arguments],
        env={**os.environ, "LOCALCLOUD_STATE": str(tmp_path)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr.strip()) == (1, sentence)


def test_down_finds_a_cloud_whose_state_is_lost(second, engine):
    name, state = second
    engine.networks.create(f"localcloud-{name}-lost", labels={"localcloud": name})
    chains = Chains(settings_module.short_of(name))
    subprocess.run(["iptables", "-w", "-t", "nat", "-N", chains.out], check=True)
    assert localcloud(name, "down", state=state).stdout.strip() == f"cloud {name} is down; removed 1 network, packet rules"
    assert traces(engine, name) == NOTHING


def test_two_ups_at_once_make_one_cloud(second, engine):
    name, state = second
    command = [sys.executable, "-m", "localcloud", "--name", name, "up"]
    environment = {**os.environ, "LOCALCLOUD_STATE": str(state)}
    both = [subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = sorted(process.communicate()[0].splitlines()[-1].split(":")[0] for process in both)
    assert said[1] == f"cloud {name} is up already"
    assert len(traces(engine, name)["processes"]) == 1


def test_down_of_a_cloud_that_is_not_there(tmp_path):
    assert localcloud("absent", "down", state=tmp_path).stdout.strip() == "cloud absent is not there"


def test_without_docker_there_is_one_sentence(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "localcloud", "--name", "t-nodocker", "up"],
        env={**os.environ, "LOCALCLOUD_STATE": str(tmp_path), "DOCKER_HOST": "unix:///nonexistent.sock"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("Failed to reach Docker's Engine: ")
    assert done.stderr.strip().endswith("Start it, or install the package docker.io.")
    assert len(done.stderr.strip().splitlines()) == 1


def test_settings_of_another_version_are_made_anew(tmp_path, monkeypatch):
    monkeypatch.setenv("LOCALCLOUD_STATE", str(tmp_path))
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "settings.json").write_text("{}")
    assert settings_module.load("old") is None
    made = settings_module.load_or_create("old")
    assert settings_module.load("old") == made
    other = settings_module.load_or_create("new")
    assert other.public_prefix != made.public_prefix
    assert not {made.ports.api, made.ports.registry} & {other.ports.api, other.ports.registry}
