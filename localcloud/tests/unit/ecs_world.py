# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Services and tasks of ECS as bare records, for tests of what is pure, and a world in which tasks behave as told; no tests."""

from __future__ import annotations

import itertools
import typing as t

from localcloud.ecs import rollout, scheduler
from localcloud.ecs.state import Cluster, Container, Definition, Deployment, Service, Task, deployment_id

GROUP = "arn:aws:elasticloadbalancing:ap-northeast-2:123456789012:targetgroup/web/0123456789abcdef"
CLUSTER = Cluster(name="c", arn="arn:aws:ecs:ap-northeast-2:123456789012:cluster/c")
NETWORK = {"awsvpcConfiguration": {"subnets": ["subnet-a", "subnet-c"], "securityGroups": [], "assignPublicIp": "DISABLED"}}

_numbers = itertools.count(1)


def definition(revision: int = 1, *containers: dict[str, t.Any]) -> Definition:
    """A task definition with these containers, or one called app."""
    members = {"containerDefinitions": [{"essential": True, **item} for item in containers or ({"name": "app", "image": "x"},)]}
    return Definition(f"web:{revision}", "web", revision, members, 0.0, "root")


def deployment(revision: int = 1) -> Deployment:
    """A deployment of this revision."""
    found = definition(revision)
    return Deployment(deployment_id(), found, 0.0, 0.0, NETWORK, [], "1.4.0", "FARGATE", [])


def service(
    desired: int = 2, *, least: int = 100, most: int = 200, breaker: bool = False, rollback: bool = False, grace: int = 0
) -> Service:
    """A service without a deployment."""
    configuration = {
        "minimumHealthyPercent": least,
        "maximumPercent": most,
        "deploymentCircuitBreaker": {"enable": breaker, "rollback": rollback},
    }
    return Service(
        "web", "arn", CLUSTER, {"deploymentConfiguration": configuration, "healthCheckGracePeriodSeconds": grace}, desired, 0.0, "root"
    )


def container(name: str = "app", **members: t.Any) -> Container:
    """A container of a task."""
    return Container(**{"name": name, "arn": "a", "image": "x", "essential": True, "checked": False, "cpu": "0", "memory": None,
                        "memory_reservation": None, **members})  # fmt: skip


def task(owner: Service | None, of: Deployment | None, **members: t.Any) -> Task:
    """A task in PROVISIONING."""
    number = next(_numbers)
    wanted = {
        "id": f"t{number}", "arn": f"task/{number}", "cluster": CLUSTER, "definition": of.definition if of else definition(),
        "group": "g", "created_at": float(number), "network": {"subnets": ["subnet-a"]}, "cpu": "256", "memory": "512",
        "containers": [container()], "service": owner, "deployment": of,
    }  # fmt: skip
    return Task(**{**wanted, **members})


class World:
    """A service and its tasks over time: `step` looks once, as the controller does; `behave` says what becomes of a task.

    `behave(task, age)` gets the seconds since the task was launched and changes it.
    """

    def __init__(self, owner: Service, behave: t.Callable[[Task, float], None]) -> None:
        self.service = owner
        self.behave = behave
        self.tasks: list[Task] = []
        self.now = 0.0
        self.fewest_healthy = 10**6
        self.most_alive = 0

    def deploy(self, revision: int) -> Deployment:
        """Begin a deployment of this revision."""
        made = deployment(revision)
        rollout.begin(self.service, made, self.now)
        return made

    def step(self, seconds: float = 0.5) -> None:
        """Let time pass, and look."""
        self.now += seconds
        for found in self.tasks:
            if found.last_status == "STOPPED":
                continue
            self.behave(found, self.now - found.created_at)
            if found.desired_status == "STOPPED":
                found.last_status = "STOPPED"
        rollout.note_outcomes(self.service, self.tasks, self.now)
        decision = scheduler.decide(self.service, self.tasks, self.now)
        for found, reason in decision.stop:
            found.desired_status, found.stop_code, found.stopped_reason = "STOPPED", "ServiceSchedulerInitiated", reason
        for _ in range(decision.start):
            self.tasks.append(task(self.service, self.service.primary, created_at=self.now))
        self.service.stuck = decision.stuck
        rollout.settle(self.service, self.tasks, self.now)
        alive = [found for found in self.tasks if found.desired_status == "RUNNING"]
        self.most_alive = max(self.most_alive, len(alive))
        self.fewest_healthy = min(self.fewest_healthy, sum(scheduler.is_healthy(found, self.now) for found in alive))

    def steps(self, count: int) -> None:
        """Several."""
        for _ in range(count):
            self.step()

    def settled(self) -> World:
        """Until the service is steady; the extremes count from then on."""
        for _ in range(200):
            if self.service.steady:
                self.fewest_healthy, self.most_alive = 10**6, 0
                return self
            self.step()
        raise AssertionError([event["message"] for event in self.service.events])

    def said(self, text: str) -> int:
        """How many events contain this."""
        return sum(text in event["message"] for event in self.service.events)


def runs(found: Task, age: float) -> None:
    """A task that runs after a second."""
    if age >= 1 and found.last_status == "PROVISIONING":
        found.last_status, found.started_at = "RUNNING", found.created_at + 1


def crashes(found: Task, age: float) -> None:
    """A task that ends a second after it has begun to run."""
    runs(found, age)
    if age >= 2 and found.desired_status == "RUNNING":
        found.desired_status, found.stop_code, found.stopped_reason = (
            "STOPPED",
            "EssentialContainerExited",
            "Essential container in task exited",
        )


def never_starts(found: Task, age: float) -> None:
    """A task whose image cannot be pulled."""
    if age >= 1 and found.desired_status == "RUNNING":
        found.desired_status, found.stop_code, found.stopped_reason = "STOPPED", "TaskFailedToStart", "CannotPullContainerError"


def by_revision(**behaviours: t.Callable[[Task, float], None]) -> t.Callable[[Task, float], None]:
    """`r1=runs, r2=crashes`: a behaviour for each revision of the task definition."""

    def behave(found: Task, age: float) -> None:
        behaviours[f"r{found.definition.revision}"](found, age)

    return behave
