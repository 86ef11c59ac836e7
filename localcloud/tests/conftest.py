# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One real cloud for the whole session, clients for it, and instances on request; no tests."""

from __future__ import annotations

import collections.abc
import contextlib
import dataclasses
import ipaddress
import json
import os
import pathlib
import secrets
import subprocess
import sys
import time
import typing as t
import urllib.request

import boto3
import botocore.client
import docker
import pytest

from localcloud.dataplane.networks import taken_networks

PARAMETER = "/aws/service/debian/release/13/latest/amd64"
CORE_POLICY = "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"


def localcloud(name: str, *arguments: str, state: pathlib.Path, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run the program as a user does."""
    return subprocess.run(
        [sys.executable, "-m", "localcloud", "--name", name, *arguments],
        env={**os.environ, "LOCALCLOUD_STATE": str(state)}, text=True, capture_output=True, check=check,
    )  # fmt: skip


def exports(name: str, state: pathlib.Path) -> dict[str, str]:
    """What `localcloud env` prints, as a dictionary."""
    lines = localcloud(name, "env", state=state).stdout.splitlines()
    return dict(line.removeprefix("export ").split("=", 1) for line in lines)


def wait_for(what: t.Callable[[], t.Any], seconds: float = 20.0, *, interval: float = 0.05) -> t.Any:
    """The first true value of `what()`; the test fails when there is none in time."""
    deadline = time.monotonic() + seconds
    while True:
        if value := what():
            return value
        assert time.monotonic() < deadline, f"{what} was not true within {seconds} s"
        time.sleep(interval)


def set_seconds(environment: dict[str, str], service: str, seconds: float) -> None:
    """Let creations of a service be seen for this long at least."""
    url = f"{environment['AWS_ENDPOINT_URL']}/_localcloud/{service}/seconds"
    request = urllib.request.Request(url, data=json.dumps(seconds).encode(), method="PUT")
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert json.load(answer) == {"seconds": seconds}


def client_of(environment: dict[str, str], service: str) -> botocore.client.BaseClient:
    """A boto3 client for the cloud that `environment` belongs to."""
    return boto3.client(
        service,
        endpoint_url=environment["AWS_ENDPOINT_URL"],
        region_name=environment["AWS_REGION"],
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
    )


@pytest.fixture(scope="session")
def state_root(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    return tmp_path_factory.mktemp("localcloud")


@pytest.fixture(scope="session")
def cloud_name(state_root: pathlib.Path) -> collections.abc.Iterator[str]:
    """The name of a running cloud of this session."""
    name = f"t-{secrets.token_hex(3)}"
    up = localcloud(name, "up", state=state_root, check=False)
    assert up.returncode == 0, up.stdout + up.stderr
    yield name
    log = state_root / name / "server.log"
    print(log.read_text()[-4000:] if log.exists() else "no log")
    down = localcloud(name, "down", state=state_root, check=False)
    assert down.returncode == 0, down.stdout + down.stderr


@pytest.fixture(scope="session")
def cloud_env(cloud_name: str, state_root: pathlib.Path) -> dict[str, str]:
    """Environment variables for a client of the session's cloud."""
    return exports(cloud_name, state_root)


@pytest.fixture(scope="session")
def boto(cloud_env: dict[str, str]) -> t.Callable[[str], t.Any]:
    """`boto("ec2")` is a client of the session's cloud."""
    clients: dict[str, t.Any] = {}

    def get(service: str) -> t.Any:
        if service not in clients:
            clients[service] = client_of(cloud_env, service)
        return clients[service]

    return get


@pytest.fixture(scope="session")
def engine() -> docker.DockerClient:
    return docker.from_env(timeout=120)


@dataclasses.dataclass
class Vpc:
    """A VPC with one public subnet in zone a and one private subnet in zone c."""

    id: str
    public_subnet: str
    private_subnet: str
    security_group: str
    cidr: str

    def address(self, subnet: int, host: int) -> str:
        """The address with this third and fourth octet."""
        return f"{'.'.join(self.cidr.split('.')[:2])}.{subnet}.{host}"


def make_vpc(ec2: t.Any, cidr: str) -> Vpc:
    """Create one; the group opens nothing."""
    first_two = ".".join(cidr.split(".")[:2])
    vpc = ec2.create_vpc(CidrBlock=cidr)["Vpc"]["VpcId"]
    public = ec2.create_subnet(VpcId=vpc, CidrBlock=f"{first_two}.1.0/24", AvailabilityZone="ap-northeast-2a")["Subnet"]["SubnetId"]
    private = ec2.create_subnet(VpcId=vpc, CidrBlock=f"{first_two}.2.0/24", AvailabilityZone="ap-northeast-2c")["Subnet"]["SubnetId"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    ec2.associate_route_table(RouteTableId=table, SubnetId=public)
    ec2.modify_subnet_attribute(SubnetId=public, MapPublicIpOnLaunch={"Value": True})
    group = ec2.create_security_group(GroupName=f"g-{vpc}", Description="tests", VpcId=vpc)["GroupId"]
    return Vpc(vpc, public, private, group, cidr)


def free_cidr(engine: docker.DockerClient) -> str:
    """A /16 that this machine does not use: other clouds may run beside this one."""
    taken = taken_networks(engine)
    while True:
        candidate = ipaddress.IPv4Network(f"10.{secrets.randbelow(120) + 100}.0.0/16")
        if not any(candidate.overlaps(other) for other in taken):
            return str(candidate)


@pytest.fixture(scope="session")
def vpc(boto: t.Callable[[str], t.Any], engine: docker.DockerClient) -> Vpc:
    """A VPC of the session's cloud, with a CIDR that this machine does not use."""
    return make_vpc(boto("ec2"), free_cidr(engine))


@pytest.fixture(scope="session")
def instance_profile(boto: t.Callable[[str], t.Any]) -> str:
    """The name of an instance profile whose role lets the SSM agent register and read parameters."""
    iam = boto("iam")
    trust = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
    }
    with contextlib.suppress(iam.exceptions.EntityAlreadyExistsException):
        iam.create_role(RoleName="test-web", AssumeRolePolicyDocument=json.dumps(trust))
        iam.attach_role_policy(RoleName="test-web", PolicyArn=CORE_POLICY)
        iam.create_instance_profile(InstanceProfileName="test-web")
        iam.add_role_to_instance_profile(InstanceProfileName="test-web", RoleName="test-web")
    return "test-web"


Run = t.Callable[..., dict[str, t.Any]]


def describe(ec2: t.Any, instance_id: str) -> dict[str, t.Any]:
    """One instance as DescribeInstances shows it."""
    return ec2.describe_instances(InstanceIds=[instance_id])["Reservations"][0]["Instances"][0]


def wait_for_state(ec2: t.Any, instance_id: str, state: str, seconds: float = 20.0) -> dict[str, t.Any]:
    """Wait for a state and return the description."""
    return wait_for(lambda: (found := describe(ec2, instance_id))["State"]["Name"] == state and found, seconds)


@pytest.fixture(scope="session")
def run_instance(boto: t.Callable[[str], t.Any], vpc: Vpc) -> Run:
    """`run_instance(**RunInstances arguments)`: one instance in the public subnet, described when it is running."""
    ec2, ssm = boto("ec2"), boto("ssm")

    def run(**arguments: t.Any) -> dict[str, t.Any]:
        image = ssm.get_parameter(Name=PARAMETER)["Parameter"]["Value"]
        wanted = {
            "ImageId": image, "InstanceType": "t3.micro", "MinCount": 1, "MaxCount": 1,
            "SubnetId": vpc.public_subnet, "SecurityGroupIds": [vpc.security_group],
        }  # fmt: skip
        started = ec2.run_instances(**{**wanted, **arguments})["Instances"][0]
        assert started["State"]["Name"] == "pending"
        return wait_for_state(ec2, started["InstanceId"], "running")

    return run


@pytest.fixture(scope="session")
def in_instance(engine: docker.DockerClient, cloud_name: str) -> t.Callable[..., str]:
    """`in_instance(id, "shell command")`: its output; the test fails when the command does."""

    def execute(instance_id: str, command: str, *, check: bool = True) -> str:
        found = engine.containers.get(f"localcloud-{cloud_name}-{instance_id}").exec_run(["sh", "-c", command])
        output = found.output.decode()
        assert not check or found.exit_code == 0, f"{command}: exit code {found.exit_code}: {output}"
        return output

    return execute


@pytest.fixture(scope="session")
def instance(run_instance: Run, instance_profile: str) -> dict[str, t.Any]:
    """A running instance with the role, user data and required tokens; tests must leave it running."""
    return run_instance(
        IamInstanceProfile={"Name": instance_profile},
        UserData="#!/bin/sh\necho user data ran as $(id -un)\ndate +%s%N >>/root/boots\n",
        MetadataOptions={"HttpTokens": "required", "InstanceMetadataTags": "enabled"},
        TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": "web"}]}],
    )
