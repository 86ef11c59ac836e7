# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The records of ECS: clusters, task definitions, services with their deployments, tasks with their containers; no I/O, no rules.

All of it is read and changed on the event loop alone. Times are seconds since the epoch.
"""

from __future__ import annotations

import dataclasses
import secrets
import typing as t

Members = dict[str, t.Any]

EVENTS_KEPT = 100
"""ECS keeps the last hundred events of a service."""


@dataclasses.dataclass(eq=False)
class Cluster:
    """One cluster. An inactive one stays visible, as in ECS, for a while."""

    name: str
    arn: str
    status: str = "ACTIVE"
    settings: list[Members] = dataclasses.field(default_factory=list)
    configuration: Members | None = None
    capacity_providers: list[str] = dataclasses.field(default_factory=list)
    default_strategy: list[Members] = dataclasses.field(default_factory=list)
    tags: dict[str, str] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(eq=False)
class Definition:
    """One revision of a task definition; `members` are those of the API, defaults filled in."""

    arn: str
    family: str
    revision: int
    members: Members
    registered_at: float
    registered_by: str
    status: str = "ACTIVE"
    deregistered_at: float | None = None
    tags: dict[str, str] = dataclasses.field(default_factory=dict)

    @property
    def containers(self) -> list[Members]:
        """The container definitions."""
        return self.members["containerDefinitions"]

    def container(self, name: str) -> Members:
        """The definition of one container; KeyError when there is none of this name."""
        for found in self.containers:
            if found["name"] == name:
                return found
        raise KeyError(name)


@dataclasses.dataclass(eq=False)
class Deployment:
    """One deployment of a service. `digests` pins each container's image."""

    id: str
    definition: Definition
    created_at: float
    updated_at: float
    network: Members
    load_balancers: list[Members]
    platform_version: str
    launch_type: str | None
    strategy: list[Members]
    status: str = "PRIMARY"
    rollout_state: str = "IN_PROGRESS"
    rollout_reason: str = ""
    failed_tasks: int = 0
    streak: int = 0
    """Tasks that failed in a row, also after completion: what the next launch waits for."""
    not_before: float = 0.0
    healthy_once: bool = False
    is_rollback: bool = False
    digests: dict[str, str] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(eq=False)
class Service:
    """One service. The first of `deployments` is the primary one."""

    name: str
    arn: str
    cluster: Cluster
    members: Members
    """What CreateService and UpdateService were told, by the API's names, defaults filled in."""
    desired: int
    created_at: float
    created_by: str
    status: str = "ACTIVE"
    deployments: list[Deployment] = dataclasses.field(default_factory=list)
    last_completed: Deployment | None = None
    events: list[Members] = dataclasses.field(default_factory=list)
    tags: dict[str, str] = dataclasses.field(default_factory=dict)
    steady: bool = False
    stuck: bool = False
    force_deleted: bool = False

    @property
    def primary(self) -> Deployment | None:
        """The deployment that is wanted; None once the service is drained."""
        return self.deployments[0] if self.deployments and self.deployments[0].status == "PRIMARY" else None

    def note(self, text: str, now: float) -> None:
        """Add an event; the newest is the first."""
        event = {"id": uuid4(), "createdAt": now, "message": f"(service {self.name}) {text}"}
        self.events.insert(0, event)
        del self.events[EVENTS_KEPT:]


@dataclasses.dataclass(eq=False)
class Container:
    """One container of a task. `health` is HEALTHY, UNHEALTHY or UNKNOWN; `checked` says whether it has a health check at all."""

    name: str
    arn: str
    image: str
    essential: bool
    checked: bool
    cpu: str
    memory: str | None
    memory_reservation: str | None
    status: str = "PENDING"
    health: str = "UNKNOWN"
    exit_code: int | None = None
    reason: str | None = None
    runtime_id: str | None = None
    docker_id: str | None = None
    digest: str | None = None
    started_at: float | None = None
    token: str = dataclasses.field(default_factory=lambda: secrets.token_hex(16))
    """The part of the container's metadata address that names it."""


@dataclasses.dataclass(eq=False)
class Task:
    """One task. `targets` are its places in target groups: (target group ARN, container port) → the state last seen there."""

    id: str
    arn: str
    cluster: Cluster
    definition: Definition
    group: str
    created_at: float
    network: Members
    cpu: str
    memory: str
    containers: list[Container]
    platform_version: str = "1.4.0"
    launch_type: str | None = "FARGATE"
    capacity_provider: str | None = None
    service: Service | None = None
    deployment: Deployment | None = None
    started_by: str = ""
    overrides: Members = dataclasses.field(default_factory=dict)
    tags: dict[str, str] = dataclasses.field(default_factory=dict)
    last_status: str = "PROVISIONING"
    desired_status: str = "RUNNING"
    version: int = 1
    stop_code: str | None = None
    stopped_reason: str | None = None
    zone: str | None = None
    interface: t.Any = None
    attachment_id: str = dataclasses.field(default_factory=lambda: uuid4())
    attachment_status: str = "PRECREATED"
    credentials_id: str = dataclasses.field(default_factory=lambda: uuid4())
    load_balancers: list[Members] = dataclasses.field(default_factory=list)
    targets: dict[tuple[str, int], str] = dataclasses.field(default_factory=dict)
    pull_started_at: float | None = None
    pull_stopped_at: float | None = None
    started_at: float | None = None
    stopping_at: float | None = None
    stopped_at: float | None = None
    execution_stopped_at: float | None = None
    outcome: str | None = None
    """`succeeded` once it was healthy, `failed` once it ended before that; what its deployment has counted it as."""

    @property
    def health(self) -> str:
        """HEALTHY, UNHEALTHY or UNKNOWN, from the essential containers that have a health check."""
        checked = [container.health for container in self.containers if container.checked and container.essential]
        if "UNHEALTHY" in checked:
            return "UNHEALTHY"
        return "HEALTHY" if checked and all(health == "HEALTHY" for health in checked) else "UNKNOWN"

    @property
    def has_checks(self) -> bool:
        """Whether any essential container has a health check."""
        return any(container.checked and container.essential for container in self.containers)

    def enter(self, status: str) -> None:
        """Be in this state from now on."""
        self.last_status = status
        self.version += 1


class State:
    """Everything of one region."""

    def __init__(self, account_id: str, region: str) -> None:
        self.account_id = account_id
        self.region = region
        self.clusters: dict[str, Cluster] = {}
        self.families: dict[str, list[Definition]] = {}
        self.services: dict[str, Service] = {}
        """By ARN; inactive ones stay until a service of their name is made again."""
        self.tasks: dict[str, Task] = {}
        """By id; stopped ones are forgotten after an hour, as in ECS."""
        self.account_settings: dict[str, str] = {}

    def arn(self, resource: str) -> str:
        """The ARN of a resource of ECS."""
        return f"arn:aws:ecs:{self.region}:{self.account_id}:{resource}"

    def definition(self, name: str) -> Definition | None:
        """A definition by `family`, `family:revision` or ARN; the latest active one when no revision is named."""
        name = name.rpartition("task-definition/")[2]
        family, _, revision = name.partition(":")
        revisions = self.families.get(family, [])
        if not revision:
            return next((found for found in reversed(revisions) if found.status == "ACTIVE"), None)
        return next((found for found in revisions if str(found.revision) == revision), None)

    def tasks_of(self, service: Service) -> list[Task]:
        """The tasks that belong to a service, the oldest first; stopped ones among them."""
        return [task for task in self.tasks.values() if task.service is service]

    def services_in(self, cluster: Cluster) -> list[Service]:
        """The services of a cluster."""
        return [service for service in self.services.values() if service.cluster is cluster]


def uuid4() -> str:
    """Thirty-two hexadecimal digits in the groups of a UUID."""
    text = secrets.token_hex(16)
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def deployment_id() -> str:
    """The id of a new deployment."""
    return f"ecs-svc/{secrets.randbelow(9 * 10**18) + 10**18}"
