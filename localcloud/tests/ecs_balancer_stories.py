# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stories of services behind a load balancer: tasks are targets, a new definition loses no request, ill tasks are replaced."""

from __future__ import annotations

import collections
import contextlib
import http.client
import json
import threading
import time
import typing as t

from alb_world import Balancer, forward
from conftest import wait_for
from ecs_client import PORT, Around, Shop, address_of, get
from ecs_service_stories import kill

DRAIN_SECONDS = 3


class Balanced(t.NamedTuple):
    """A service and what is in front of it."""

    balancer: Balancer
    group: str
    service: str

    def states(self) -> dict[str, str]:
        """Address of a target → its state."""
        found = self.balancer.elb.describe_target_health(TargetGroupArn=self.group)["TargetHealthDescriptions"]
        return {item["Target"]["Id"]: item["TargetHealth"]["State"] for item in found}


@contextlib.contextmanager
def balanced(around: Around, shop: Shop, count: int) -> t.Iterator[Balanced]:
    """A load balancer with a target group, and a service whose tasks are its targets."""
    balancer = Balancer(around.boto("elbv2"), around.vpc, shop.name).activate(around.boto("ec2"))
    group = balancer.group("web", attributes={"deregistration_delay.timeout_seconds": str(DRAIN_SECONDS)})
    balancer.listener(80, forward((group, 1)))
    definition = shop.define("web", shop.container(environment={"VERSION": "1"}))
    where = [{"targetGroupArn": group, "containerName": "app", "containerPort": PORT}]
    service = shop.serve("web", definition, count, loadBalancers=where, healthCheckGracePeriodSeconds=30)
    shop.wait_steady(service)
    yield Balanced(balancer, group, service)
    shop.close()
    wait_for(shop.is_empty, 40)
    balancer.remove()


class Load:
    """Clients that ask without a pause, each answer on a connection that is used again; what they saw."""

    def __init__(self, balancer: Balancer, clients: int = 4) -> None:
        self.versions: collections.Counter[str] = collections.Counter()
        self.failures: list[str] = []
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(balancer,)) for _ in range(clients)]

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _run(self, balancer: Balancer) -> None:
        connection = http.client.HTTPConnection(balancer.addresses[0], 80, timeout=10)
        while not self._stop.is_set():
            try:
                connection.request("GET", "/", headers={"Host": balancer.dns_name})
                answer = connection.getresponse()
                content = answer.read()
                if answer.status == 200:
                    self.versions[json.loads(content)["version"]] += 1
                else:
                    self.failures.append(f"{answer.status} {content[:200]!r}")
            except OSError as error:
                self.failures.append(repr(error))
                connection.close()
            time.sleep(0.02)
        with contextlib.suppress(OSError):
            connection.close()


def a_rolling_deployment_loses_no_request(around: Around) -> None:
    with around.shop("lossless") as shop, balanced(around, shop, 2) as world:
        old = shop.tasks(world.service)
        assert world.states() == dict.fromkeys((address_of(task) for task in old), "healthy") and len(old) == 2
        assert len(shop.said(world.service, f"registered 1 targets in (target-group {world.group})")) == 2
        assert get(old[0], f"/resolve?{world.balancer.dns_name}") in world.balancer.addresses, "names of the cloud resolve in tasks"
        new = shop.define("web", shop.container(environment={"VERSION": "2"}))
        with Load(world.balancer) as load:
            wait_for(lambda: load.versions["1"] > 50, 10)
            shop.update(world.service, taskDefinition=new)
            shop.wait_steady(world.service, new)
            before = load.versions["2"]
            wait_for(lambda: load.versions["2"] > before + 50, 10)
        assert load.failures == [] and load.versions["1"] > 50 and load.versions["2"] > 50
        assert set(world.states()) == {address_of(task) for task in shop.tasks(world.service)}
        for task in old:
            ended = shop.wait_task(task["taskArn"], "STOPPED")
            drained = (ended["executionStoppedAt"] - ended["stoppingAt"]).total_seconds()
            assert drained >= DRAIN_SECONDS, "SIGTERM comes after the deregistration delay"
            assert ended["stoppedReason"].startswith("Scaling activity initiated by (deployment ecs-svc/")
        assert shop.said(world.service, "has begun draining connections on 1 tasks.")


def dead_and_ill_tasks_leave_the_target_group(around: Around) -> None:
    with around.shop("ill") as shop, balanced(around, shop, 3) as world:
        shop.update(world.service, healthCheckGracePeriodSeconds=0)
        dead, ill, well = shop.tasks(world.service)
        get(ill, "/break")
        kill(around, dead)
        wait_for(lambda: world.states().get(address_of(dead)) in (None, "draining"), 3)
        name = ill["taskArn"].rpartition("/")[2]
        wait_for(lambda: shop.said(world.service, f"(task {name}) (port {PORT}) is unhealthy in (target-group {world.group})"), 30)
        ended = shop.wait_task(ill["taskArn"], "STOPPED", 50)
        assert ended["stoppedReason"] == f"Task failed ELB health checks in (target-group {world.group})"
        shop.wait_steady(world.service)
        tasks = shop.tasks(world.service)
        assert well["taskArn"] in {task["taskArn"] for task in tasks} and len(tasks) == 3
        wait_for(lambda: world.states() == dict.fromkeys((address_of(task) for task in tasks), "healthy"), 20)


STORIES = [a_rolling_deployment_loses_no_request, dead_and_ill_tasks_leave_the_target_group]
