# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Public addresses of a real cloud: exactly the ports answer that security groups open to the outside."""

from __future__ import annotations

import contextlib
import socket

import pytest
from conftest import describe, wait_for

PORT = 9202
UNOPENED = 9203


def fetch(address: str, port: int) -> str:
    """One line from a server that greets, or the reason why there is none."""
    try:
        with socket.create_connection((address, port), timeout=2) as client:
            return client.recv(100).decode()
    except ConnectionRefusedError:
        return "refused"
    except TimeoutError:
        return "timeout"


@pytest.fixture(scope="module")
def greeter(run_instance, in_instance):
    """An instance with a server on two ports."""
    found = run_instance()
    code = (
        "import socketserver,threading\n"
        "class H(socketserver.BaseRequestHandler):\n"
        "    def handle(self): self.request.sendall(b'instance')\n"
        f"for p in ({PORT},{UNOPENED}): threading.Thread(target=socketserver.ThreadingTCPServer(('0.0.0.0',p),H).serve_forever).start()\n"
    )
    in_instance(found["InstanceId"], f"cat >/root/greet.py <<'EOF'\n{code}EOF\nnohup python3 /root/greet.py >/dev/null 2>&1 &")
    wait_for(lambda: fetch(found["PrivateIpAddress"], PORT) == "instance")
    return found


@contextlib.contextmanager
def opened(ec2, group, cidr="0.0.0.0/0", first=PORT, last=PORT, protocol="tcp"):
    permission = {"IpProtocol": protocol, "IpRanges": [{"CidrIp": cidr}]}
    if protocol != "-1":
        permission |= {"FromPort": first, "ToPort": last}
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[permission])
    yield
    ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=[permission])


def test_a_port_answers_while_it_is_open(greeter, boto, vpc):
    address = greeter["PublicIpAddress"]
    assert fetch(address, PORT) == "refused"
    with opened(boto("ec2"), vpc.security_group):
        wait_for(lambda: fetch(address, PORT) == "instance", 3)
        assert fetch(address, UNOPENED) == "refused"
    wait_for(lambda: fetch(address, PORT) == "refused", 3)


def test_ranges_and_all_protocols_open_what_they_say(greeter, boto, vpc):
    address = greeter["PublicIpAddress"]
    with opened(boto("ec2"), vpc.security_group, first=PORT, last=UNOPENED):
        wait_for(lambda: fetch(address, UNOPENED) == "instance", 3)
    wait_for(lambda: fetch(address, UNOPENED) == "refused", 3)
    with opened(boto("ec2"), vpc.security_group, protocol="-1"):
        wait_for(lambda: fetch(address, UNOPENED) == "instance", 3)


def test_a_rule_for_private_addresses_opens_nothing(greeter, boto, vpc):
    with opened(boto("ec2"), vpc.security_group, cidr="10.0.0.0/8"), opened(boto("ec2"), vpc.security_group, first=1, last=2):
        wait_for(lambda: fetch(greeter["PublicIpAddress"], 2) == "refused", 3)
        assert fetch(greeter["PublicIpAddress"], PORT) == "refused"


def test_a_program_of_the_host_does_not_answer_in_its_place(greeter):
    with socket.socket() as listener:
        listener.bind(("0.0.0.0", 0))
        listener.listen()
        port = listener.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port), timeout=2):
            pass
        assert fetch(greeter["PublicIpAddress"], port) == "refused"


def test_without_a_route_to_an_internet_gateway_nothing_answers(boto, vpc, instance, greeter):
    ec2 = boto("ec2")
    table = ec2.describe_route_tables(Filters=[{"Name": "association.subnet-id", "Values": [vpc.public_subnet]}])["RouteTables"][0]
    gateway = next(route["GatewayId"] for route in table["Routes"] if route.get("GatewayId", "").startswith("igw-"))
    with opened(ec2, vpc.security_group):
        wait_for(lambda: fetch(greeter["PublicIpAddress"], PORT) == "instance", 3)
        ec2.delete_route(RouteTableId=table["RouteTableId"], DestinationCidrBlock="0.0.0.0/0")
        wait_for(lambda: fetch(greeter["PublicIpAddress"], PORT) == "refused", 3)
        ec2.create_route(RouteTableId=table["RouteTableId"], DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
        wait_for(lambda: fetch(greeter["PublicIpAddress"], PORT) == "instance", 3)


def test_an_elastic_address_moves_with_its_association(greeter, boto, vpc):
    ec2 = boto("ec2")
    allocated = ec2.allocate_address(Domain="vpc")
    assert allocated["PublicIp"].startswith("127.")
    ec2.associate_address(AllocationId=allocated["AllocationId"], InstanceId=greeter["InstanceId"])
    assert describe(ec2, greeter["InstanceId"])["PublicIpAddress"] == allocated["PublicIp"]
    with opened(ec2, vpc.security_group):
        wait_for(lambda: fetch(allocated["PublicIp"], PORT) == "instance", 3)
        ec2.disassociate_address(
            AssociationId=ec2.describe_addresses(AllocationIds=[allocated["AllocationId"]])["Addresses"][0]["AssociationId"]
        )
        wait_for(lambda: fetch(allocated["PublicIp"], PORT) == "refused", 3)
    ec2.release_address(AllocationId=allocated["AllocationId"])
