# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting for health: who is waited for, and what is said when it fails."""

from __future__ import annotations

import dataclasses
import socket

import pytest

from ansible_collections.bluegreen.aws.plugins.module_utils._compose import model
from ansible_collections.bluegreen.aws.plugins.module_utils._compose.errors import ReleaseFailed
from ansible_collections.bluegreen.aws.plugins.module_utils._compose.observed import Container
from ansible_collections.bluegreen.aws.plugins.module_utils._host import watch

from .machine import make_host

SERVICE = model.Service("web", model.PROXIED, {}, model.ImageFacts("x"), has_healthcheck=True)


def host_with(machine, *answers):
    """A host whose Docker gives one list of containers after the other, the last one for ever."""
    made, left = make_host(machine, state="rolled_back", health_timeout=10), list(answers)
    made.docker.containers = lambda: left.pop(0) if len(left) > 1 else left[0]
    return made


def one(number=1, **state):
    return Container(
        id=str(number), name=f"popcon-web-blue-{number}", service="web-blue", state="running", started="2026-11-21T04:00:00Z", **state
    )


def wait(host, service=SERVICE, **more):
    return watch.HealthWatch(host, host.clock.monotonic() + 10).wait(service, "web-blue", **more)


def test_it_waits_for_all(machine):
    healthy = [one(1, health="healthy"), one(2, health="healthy")]
    host = host_with(machine, [], healthy[:1], [healthy[0], one(2, health="starting")], healthy)
    assert wait(host, dataclasses.replace(SERVICE, replicas=2)) == healthy
    assert host.timeline[-1]["event"] == "web-blue is healthy"


def test_it_gives_up_at_once_when_there_is_no_hope(machine):
    with pytest.raises(ReleaseFailed) as caught:
        wait(host_with(machine, [one(health="unhealthy")]))
    assert str(caught.value) == "web-blue did not become healthy: its health check failed. Its last lines:\nlast words of popcon-web-blue-1"
    assert machine.clock.now == 1000.0


def test_it_gives_up_at_the_deadline(machine):
    with pytest.raises(ReleaseFailed, match="did not become healthy: within 10 s: its health check has not passed yet"):
        wait(host_with(machine, [one(health="starting")]))
    assert machine.clock.now >= 1010


def test_containers_that_somebody_removes(machine):
    with pytest.raises(ReleaseFailed, match="web-blue has 0 of 1 containers"):
        wait(host_with(machine, []))


def test_a_job(machine):
    host = host_with(machine, [one()], [dataclasses.replace(one(), state="exited")])
    wait(host, job=True)
    assert host.timeline[-1]["event"] == "web-blue has completed"


def test_ports():
    with socket.socket() as stream:
        stream.bind(("127.0.0.1", 0))
        port = stream.getsockname()[1]
        container = one(addresses={"default": "127.0.0.1"})
        assert watch.closed_ports(container, (port,)) == (port,)
        stream.listen()
        assert watch.closed_ports(container, (port,)) == ()
