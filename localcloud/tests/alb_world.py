# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What tests of load balancers share: targets in a container of the session's VPC, a load balancer to them, clients for both; no tests."""

from __future__ import annotations

import base64
import collections
import contextlib
import dataclasses
import http.client
import ipaddress
import json
import os
import pathlib
import socket
import struct
import typing as t
import urllib.request

from conftest import wait_for

PORTS = [8001, 8002, 8003, 8004]
SCRIPT = pathlib.Path(__file__).with_name("alb_target.py")


@dataclasses.dataclass(frozen=True)
class Reply:
    """An HTTP answer."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> t.Any:
        return json.loads(self.body)


@dataclasses.dataclass
class Targets:
    """One container with a server per port of PORTS."""

    address: str

    def ask(self, port: int, path: str, *, method: str = "GET") -> t.Any:
        """Speak to one server directly."""
        request = urllib.request.Request(f"http://{self.address}:{port}{path}", method=method, data=b"" if method == "POST" else None)
        with urllib.request.urlopen(request, timeout=5) as answer:
            return json.load(answer)

    def health(self, port: int, code: int) -> None:
        """Let its health check end with this status from now on."""
        self.ask(port, f"/control/health?code={code}", method="POST")


@contextlib.contextmanager
def running_targets(engine: t.Any, cloud_name: str, vpc: t.Any) -> t.Iterator[Targets]:
    """The container, removed at the end. Its address is one that EC2 gives away last; the VPC's network exists already."""
    (network,) = engine.networks.list(filters={"label": f"localcloud.vpc={vpc.id}"})
    pool = ipaddress.ip_network(network.attrs["IPAM"]["Config"][0]["Subnet"])
    address = str(pool.network_address + 256 + 250)
    api = engine.api
    host = api.create_host_config(network_mode=network.name, binds=[f"{SCRIPT}:/target.py:ro"], init=True)
    endpoint = api.create_endpoint_config(ipv4_address=address)
    made = api.create_container(
        "localcloud/instance:latest",
        command=["python3", "-B", "/target.py", *map(str, PORTS)],
        labels={"localcloud": cloud_name},
        host_config=host,
        networking_config=api.create_networking_config({network.name: endpoint}),
    )
    api.start(made["Id"])
    targets = Targets(address)
    try:
        for port in PORTS:
            wait_for(lambda port=port: _answers(targets, port))
        yield targets
    finally:
        api.remove_container(made["Id"], force=True, v=True)


def _answers(targets: Targets, port: int) -> bool:
    with contextlib.suppress(OSError):
        return bool(targets.ask(port, "/"))
    return False


class Balancer:
    """A load balancer under test, and the API calls that tests make on it."""

    def __init__(self, elb: t.Any, vpc: t.Any, name: str, **members: t.Any) -> None:
        self.elb = elb
        self.vpc = vpc
        self.name = name
        subnets = [vpc.public_subnet, vpc.private_subnet]
        made = elb.create_load_balancer(Name=name, Subnets=subnets, SecurityGroups=[vpc.security_group], **members)["LoadBalancers"][0]
        self.arn = made["LoadBalancerArn"]
        self.dns_name = made["DNSName"]
        self.addresses: list[str] = []

    def activate(self, ec2: t.Any) -> Balancer:
        """Wait until it works; find its addresses."""
        wait_for(lambda: self.describe()["State"]["Code"] == "active", 60)
        description = f"ELB {self.arn.partition(':loadbalancer/')[2]}"
        nics = ec2.describe_network_interfaces(Filters=[{"Name": "description", "Values": [description]}])["NetworkInterfaces"]
        order = [zone["SubnetId"] for zone in self.describe()["AvailabilityZones"]]
        self.addresses = [nic["PrivateIpAddress"] for nic in sorted(nics, key=lambda nic: order.index(nic["SubnetId"]))]
        self.public = [nic["Association"]["PublicIp"] for nic in nics if "Association" in nic]
        return self

    def describe(self) -> t.Any:
        return self.elb.describe_load_balancers(LoadBalancerArns=[self.arn])["LoadBalancers"][0]

    def group(self, name: str, *targets: tuple[str, int], attributes: dict[str, str] | None = None, **members: t.Any) -> str:
        """A target group with fast health checks; its ARN."""
        wanted = {
            "Protocol": "HTTP", "Port": 80, "VpcId": self.vpc.id, "TargetType": "ip", "HealthCheckPath": "/health",
            "HealthCheckIntervalSeconds": 5, "HealthCheckTimeoutSeconds": 2, "HealthyThresholdCount": 2, "UnhealthyThresholdCount": 2,
        }  # fmt: skip
        arn = self.elb.create_target_group(Name=f"{self.name}-{name}", **{**wanted, **members})["TargetGroups"][0]["TargetGroupArn"]
        if attributes:
            self.elb.modify_target_group_attributes(
                TargetGroupArn=arn, Attributes=[{"Key": key, "Value": value} for key, value in attributes.items()]
            )
        if targets:
            self.register(arn, *targets)
        return arn

    def register(self, arn: str, *targets: tuple[str, int]) -> None:
        self.elb.register_targets(TargetGroupArn=arn, Targets=[{"Id": target, "Port": port} for target, port in targets])

    def deregister(self, arn: str, *targets: tuple[str, int]) -> None:
        self.elb.deregister_targets(TargetGroupArn=arn, Targets=[{"Id": target, "Port": port} for target, port in targets])

    def health(self, arn: str) -> dict[int, t.Any]:
        """Port -> TargetHealth."""
        found = self.elb.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
        return {item["Target"]["Port"]: item["TargetHealth"] for item in found}

    def states(self, arn: str) -> dict[int, str]:
        return {port: health["State"] for port, health in self.health(arn).items()}

    def wait_healthy(self, *arns: str, seconds: float = 20.0) -> None:
        for arn in arns:
            wait_for(lambda arn=arn: set(self.states(arn).values()) == {"healthy"}, seconds)

    def listener(self, port: int, *actions: t.Any, **members: t.Any) -> str:
        """A listener; its ARN."""
        made = self.elb.create_listener(
            LoadBalancerArn=self.arn, Port=port, DefaultActions=list(actions), **{"Protocol": "HTTP", **members}
        )
        return made["Listeners"][0]["ListenerArn"]

    def rule(self, listener: str, priority: int, conditions: list[t.Any], action: t.Any) -> str:
        made = self.elb.create_rule(ListenerArn=listener, Priority=priority, Conditions=conditions, Actions=[action])
        return made["Rules"][0]["RuleArn"]

    def get(
        self, path: str = "/", *, port: int = 80, method: str = "GET", headers: dict[str, str] | None = None, address: str | None = None
    ) -> Reply:
        """One request on a connection of its own."""
        connection = http.client.HTTPConnection(address or self.addresses[0], port, timeout=15)
        try:
            connection.request(method, path, headers={"Host": self.dns_name, **(headers or {})})
            answer = connection.getresponse()
            return Reply(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def ports(self, count: int, path: str = "/", *, port: int = 80) -> collections.Counter[int]:
        """Which targets answer `count` requests on one connection."""
        connection = http.client.HTTPConnection(self.addresses[0], port, timeout=15)
        found: collections.Counter[int] = collections.Counter()
        for _ in range(count):
            connection.request("GET", path, headers={"Host": self.dns_name})
            answer = connection.getresponse()
            content = answer.read()
            assert answer.status == 200, (answer.status, content)
            found[json.loads(content)["port"]] += 1
        connection.close()
        return found

    def remove(self) -> None:
        """Delete it with its target groups."""
        self.elb.delete_load_balancer(LoadBalancerArn=self.arn)
        for group in self.elb.describe_target_groups()["TargetGroups"]:
            if group["TargetGroupName"].startswith(f"{self.name}-"):
                self.elb.delete_target_group(TargetGroupArn=group["TargetGroupArn"])


def forward(*groups: tuple[str, int], sticky: int = 0) -> dict[str, t.Any]:
    """A forward action by weights."""
    config: dict[str, t.Any] = {"TargetGroups": [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in groups]}
    if sticky:
        config["TargetGroupStickinessConfig"] = {"Enabled": True, "DurationSeconds": sticky}
    return {"Type": "forward", "ForwardConfig": config}


class WebSocket:
    """A client of the targets' echo."""

    def __init__(self, address: str, port: int = 80, host: str = "x") -> None:
        self._socket = socket.create_connection((address, port), timeout=15)
        key = base64.b64encode(os.urandom(16)).decode()
        self._socket.sendall(
            f"GET /ws HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {key}\r\n"
            "Sec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        self._file = self._socket.makefile("rb")
        status = self._file.readline().decode()
        assert " 101 " in status, status
        while self._file.readline().strip():
            pass
        self.port = int(self.echo("hello").partition(":")[0])

    def echo(self, text: str) -> str:
        """Send and receive; ConnectionError when it is closed."""
        mask = os.urandom(4)
        masked = bytes(byte ^ mask[index % 4] for index, byte in enumerate(text.encode()))
        self._socket.sendall(struct.pack("!BB", 0x81, 0x80 | len(masked)) + mask + masked)
        head = self._file.read(2)
        if len(head) < 2:
            raise ConnectionError("the WebSocket was closed")
        return self._file.read(head[1]).decode()

    def is_open(self) -> bool:
        try:
            return self.echo("x").endswith(":x")
        except OSError:
            return False

    def close(self) -> None:
        self._file.close()
        self._socket.close()
