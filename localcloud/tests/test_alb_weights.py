# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Weights and health of a real load balancer: the split per request, changes under load, targets that come, fall ill and go."""

from __future__ import annotations

import http.client
import json
import threading
import time
import typing as t

import pytest
from alb_world import PORTS, Balancer, Targets, WebSocket, forward, running_targets
from conftest import wait_for

BLUE, GREEN = PORTS[:2], PORTS[2:]


@pytest.fixture(scope="module")
def balancer(boto, vpc) -> t.Iterator[Balancer]:
    made = Balancer(boto("elbv2"), vpc, "weights").activate(boto("ec2"))
    yield made
    made.remove()


@pytest.fixture(scope="module")
def targets(engine, cloud_name, vpc, balancer) -> t.Iterator[Targets]:
    with running_targets(engine, cloud_name, vpc) as made:
        yield made


class Colours(t.NamedTuple):
    """Two target groups behind one listener."""

    blue: str
    green: str
    listener: str


@pytest.fixture(scope="module")
def colours(balancer, targets) -> Colours:
    """Blue with two targets and green with one, 90 to 10."""
    delay = {"deregistration_delay.timeout_seconds": "3"}
    blue = balancer.group("blue", *((targets.address, port) for port in BLUE), attributes=delay)
    green = balancer.group("green", (targets.address, GREEN[0]), attributes=delay)
    listener = balancer.listener(80, forward((blue, 90), (green, 10)))
    balancer.wait_healthy(blue, green)
    return Colours(blue, green, listener)


def reweigh(balancer: Balancer, colours: Colours, blue: int, green: int) -> None:
    balancer.elb.modify_listener(ListenerArn=colours.listener, DefaultActions=[forward((colours.blue, blue), (colours.green, green))])


def test_requests_of_one_connection_are_split_by_weight(balancer, colours):
    reweigh(balancer, colours, 90, 10)
    found = balancer.ports(600)
    # 600 draws at 10 %: mean 60, standard deviation 7.3; five of them either way
    assert 24 <= found[GREEN[0]] <= 96
    assert abs(found[BLUE[0]] - found[BLUE[1]]) <= 60


def test_a_change_of_weights_is_in_effect_when_the_call_returns(balancer, colours):
    for blue, green, only in [(0, 1, GREEN[:1]), (1, 0, BLUE), (0, 100, GREEN[:1])]:
        reweigh(balancer, colours, blue, green)
        assert set(balancer.ports(30)) <= set(only)


def test_weights_of_zero_answer_with_503(balancer, colours):
    reweigh(balancer, colours, 0, 0)
    reply = balancer.get()
    assert (reply.status, reply.headers["Server"]) == (503, "awselb/2.0")
    assert b"503 Service Temporarily Unavailable" in reply.body


class Load:
    """A client that keeps one connection and counts what goes wrong on it."""

    def __init__(self, address: str) -> None:
        self._connection = http.client.HTTPConnection(address, 80, timeout=10)
        self._connection.connect()
        self._socket = self._connection.sock
        self.ports: list[int] = []
        self.failures: list[str] = []
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self) -> None:
        while not self.ending.is_set():
            try:
                self._connection.request("GET", "/", headers={"Host": "load"})
                answer = self._connection.getresponse()
                content = answer.read()
                if answer.status != 200:
                    self.failures.append(f"{answer.status} {content!r}")
                else:
                    self.ports.append(json.loads(content)["port"])
            except (OSError, http.client.HTTPException) as error:
                self.failures.append(repr(error))
                return

    @property
    def kept(self) -> bool:
        """Whether every request went over the first connection."""
        return self._connection.sock is self._socket


def test_twenty_changes_under_load_close_nothing_and_fail_nothing(balancer, colours):
    reweigh(balancer, colours, 1, 1)
    sockets = [WebSocket(balancer.addresses[0]) for _ in range(6)]
    loads = [Load(balancer.addresses[0]) for _ in range(4)]
    for step in range(20):
        reweigh(balancer, colours, 5 * step, 100 - 5 * step)
        time.sleep(0.05)
    for load in loads:
        load.ending.set()
        load.thread.join()
    assert [load.failures for load in loads] == [[]] * 4
    assert all(load.kept for load in loads)
    assert sum(len(load.ports) for load in loads) > 200
    assert {port for load in loads for port in load.ports} == {*BLUE, GREEN[0]}
    assert all(socket.is_open() for socket in sockets)
    assert {socket.port for socket in sockets} <= {*BLUE, GREEN[0]}
    for socket in sockets:
        socket.close()


def test_targets_that_fall_ill_get_no_requests_unless_there_is_no_other(balancer, colours, targets):
    assert balancer.health(colours.blue)[BLUE[0]] == {"State": "healthy"}
    for port in (BLUE[0], GREEN[0]):
        targets.health(port, 503)
    wait_for(lambda: [balancer.states(colours.blue)[BLUE[0]], balancer.states(colours.green)[GREEN[0]]] == ["unhealthy"] * 2, 20)
    assert balancer.health(colours.blue)[BLUE[0]] == {
        "State": "unhealthy",
        "Reason": "Target.ResponseCodeMismatch",
        "Description": "Health checks failed with these codes: [503]",
    }
    reweigh(balancer, colours, 1, 0)
    assert set(balancer.ports(40)) == {BLUE[1]}
    reweigh(balancer, colours, 0, 1)
    assert balancer.ports(10) == {GREEN[0]: 10}  # no healthy target in the group: fail open
    # a new one is not used while it is not known to be well, not even then
    targets.health(GREEN[1], 500)
    balancer.register(colours.green, (targets.address, GREEN[1]))
    assert balancer.states(colours.green)[GREEN[1]] == "initial"
    assert set(balancer.ports(30)) == {GREEN[0]}
    for port in (BLUE[0], *GREEN):
        targets.health(port, 200)
    # one good check is enough for a new target, two are needed for one that was ill
    wait_for(lambda: balancer.states(colours.green)[GREEN[1]] == "healthy", 15)
    assert set(balancer.ports(20)) == {GREEN[1]}
    balancer.wait_healthy(colours.green, colours.blue)
    assert set(balancer.ports(40)) == set(GREEN)
    reweigh(balancer, colours, 1, 0)
    assert set(balancer.ports(40)) == set(BLUE)


def test_a_target_that_drains_keeps_its_connections_until_the_delay_ends(balancer, colours, targets):
    reweigh(balancer, colours, 0, 1)
    sockets = [WebSocket(balancer.addresses[0]) for _ in range(8)]
    leaving = [socket for socket in sockets if socket.port == GREEN[1]]
    staying = [socket for socket in sockets if socket.port == GREEN[0]]
    assert leaving and staying
    begin = time.monotonic()
    balancer.deregister(colours.green, (targets.address, GREEN[1]))
    assert balancer.health(colours.green)[GREEN[1]]["Reason"] == "Target.DeregistrationInProgress"
    assert set(balancer.ports(30)) == {GREEN[0]}
    assert all(socket.is_open() for socket in leaving)
    wait_for(lambda: not any(socket.is_open() for socket in leaving), 8)
    assert 2.5 <= time.monotonic() - begin <= 5
    assert GREEN[1] not in balancer.states(colours.green)
    assert all(socket.is_open() for socket in staying)


def test_health_checks_say_who_they_are(balancer, colours, targets):
    found = targets.ask(GREEN[0], "/control/checks")["checks"][-1]
    assert found["user-agent"] == "ELB-HealthChecker/2.0"
    assert found["host"] == f"{targets.address}:{GREEN[0]}"


def test_a_new_listener_leaves_open_connections_alone(balancer, colours):
    reweigh(balancer, colours, 1, 1)
    sockets = [WebSocket(balancer.addresses[0]) for _ in range(4)]
    load = Load(balancer.addresses[0])
    listener = balancer.listener(8080, forward((colours.blue, 1), (colours.green, 1)))
    assert balancer.ports(10, port=8080)
    time.sleep(0.2)
    assert all(socket.is_open() for socket in sockets)
    reweigh(balancer, colours, 0, 1)
    assert set(balancer.ports(20)) == {GREEN[0]}
    load.ending.set()
    load.thread.join()
    # the process that had its connection ends it after an answer, as HTTP allows; http.client then opens another one
    assert load.failures == []
    balancer.elb.delete_listener(ListenerArn=listener)
    assert all(socket.is_open() for socket in sockets)


def test_an_instance_is_a_target_by_its_id(balancer, colours, instance, in_instance, boto):
    in_instance(instance["InstanceId"], "mkdir -p /srv/www && echo '{\"port\": 1}' >/srv/www/index.html")
    in_instance(instance["InstanceId"], "cd /srv/www && nohup python3 -m http.server 8000 >/dev/null 2>&1 &")
    group = balancer.group("instances", TargetType="instance", Port=8000, HealthCheckPath="/")
    balancer.elb.register_targets(TargetGroupArn=group, Targets=[{"Id": instance["InstanceId"]}])
    assert balancer.health(group)[8000] == {
        "State": "unused",
        "Reason": "Target.NotInUse",
        "Description": "Target group is not configured to receive traffic from the load balancer",
    }
    listener = balancer.listener(8081, forward((group, 1)))
    balancer.wait_healthy(group)
    assert balancer.get(port=8081).json == {"port": 1}
    balancer.elb.delete_listener(ListenerArn=listener)


def test_the_public_address_answers_on_the_ports_that_the_group_opens(balancer, colours, vpc, boto):
    ec2 = boto("ec2")
    reweigh(balancer, colours, 1, 1)
    permission = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    ec2.authorize_security_group_ingress(GroupId=vpc.security_group, IpPermissions=[permission])
    try:
        # the second address is that of the private subnet, which has no route to an internet gateway
        assert len(balancer.public) == 2
        assert any(wait_for(lambda address=address: _status(balancer, address), 5) == 200 for address in balancer.public[:1])
    finally:
        ec2.revoke_security_group_ingress(GroupId=vpc.security_group, IpPermissions=[permission])


def _status(balancer: Balancer, address: str) -> int:
    try:
        return balancer.get(address=address).status
    except OSError:
        return 0


def test_every_subnet_has_an_address_that_answers(balancer, colours):
    reweigh(balancer, colours, 1, 1)
    assert len(balancer.addresses) == 2
    assert [balancer.get(address=address).status for address in balancer.addresses] == [200, 200]
