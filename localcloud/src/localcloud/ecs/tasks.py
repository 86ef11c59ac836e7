# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Operations on tasks; changes records, and leaves starting and stopping to the runners."""

from __future__ import annotations

import re
import time
import typing as t

from . import shapes
from .clusters import cluster_named
from .definitions import definition_named
from .errors import ApiError, client, invalid, service_not_found
from .fargate import PLATFORM, network_of
from .making import for_fargate, new_task
from .requests import page, tag_list, tags_of
from .services import service_named
from .state import Cluster, Members, State, Task
from .surroundings import Surroundings

MOST_AT_ONCE = 10
MOST_DESCRIBED = 100


class Runners(t.Protocol):
    """What starts and stops tasks."""

    def start(self, task: Task) -> None:
        """Begin the life of a task."""

    def stop(self, task: Task, reason: str, code: str) -> None:
        """End it gracefully; nothing happens when it is already ending."""


class Tasks:
    """The operations; one method each, named as in boto3."""

    def __init__(self, state: State, around: Surroundings, runners: Runners, clock: t.Callable[[], float] = time.time) -> None:
        self._state = state
        self._around = around
        self._runners = runners
        self._clock = clock

    def run_task(self, members: Members) -> Members:
        """Tasks of their own, that nobody replaces."""
        cluster = cluster_named(self._state, members.get("cluster"))
        definition = for_fargate(definition_named(self._state, members["taskDefinition"]))
        count = 1 if members.get("count") is None else members["count"]
        if not 1 <= count <= MOST_AT_ONCE:
            raise invalid(f"count must be between 1 and {MOST_AT_ONCE}.")
        if members.get("launchType") not in (None, "FARGATE"):
            raise invalid("No Container Instances were found in your cluster.")
        for item in members.get("capacityProviderStrategy") or []:
            if item["capacityProvider"] not in cluster.capacity_providers:
                raise invalid(f"The specified capacity provider '{item['capacityProvider']}' was not found in the cluster.")
        network = network_of(members)
        self._around.check_network(network)
        overrides = {name: value for name, value in (members.get("overrides") or {}).items() if value}
        problem = self._around.role_problem(definition, overrides)
        if problem:
            raise client(problem)
        tags = tags_of(members.get("tags"), definition.tags if members.get("propagateTags") == "TASK_DEFINITION" else None)
        tasks = [
            new_task(
                self._state,
                cluster,
                definition,
                network=network,
                subnet=network["subnets"][index % len(network["subnets"])],
                group=members.get("group") or f"family:{definition.family}",
                now=self._clock(),
                overrides=overrides,
                started_by=members.get("startedBy") or "",
                platform_version=PLATFORM,
                tags=dict(tags),
            )
            for index in range(count)
        ]
        for task in tasks:
            self._runners.start(task)
        return {"tasks": [{**shapes.task(task), "tags": tag_list(task.tags)} for task in tasks], "failures": []}

    def start_task(self, members: Members) -> Members:
        """Fails for each container instance: there are none."""
        cluster = cluster_named(self._state, members.get("cluster"))
        definition_named(self._state, members["taskDefinition"])
        names = [name.rpartition("/")[2] for name in members["containerInstances"]]
        if not names:
            raise invalid("Container instances cannot be empty.")
        failures = [{"arn": self._state.arn(f"container-instance/{cluster.name}/{name}"), "reason": "MISSING"} for name in names]
        return {"tasks": [], "failures": failures}

    def stop_task(self, members: Members) -> Members:
        """As ECS stops a task: out of its target groups, SIGTERM, then SIGKILL."""
        cluster = cluster_named(self._state, members.get("cluster"))
        task = self._find(cluster, members["task"])
        if task is None:
            raise invalid("The referenced task was not found.")
        self._runners.stop(task, members.get("reason") or "Task stopped by user", "UserInitiated")
        return {"task": {**shapes.task(task), "tags": tag_list(task.tags)}}

    def describe_tasks(self, members: Members) -> Members:
        """Stopped ones too, for an hour; unknown ones are failures."""
        cluster = cluster_named(self._state, members.get("cluster"))
        if not members["tasks"]:
            raise invalid("Tasks cannot be empty.")
        if len(members["tasks"]) > MOST_DESCRIBED:
            raise invalid(f"tasks can have at most {MOST_DESCRIBED} items.")
        with_tags = "TAGS" in (members.get("include") or [])
        tasks, failures = [], []
        for name in members["tasks"]:
            found = self._find(cluster, name)
            if found is None:
                arn = name if name.startswith("arn:") else self._state.arn(f"task/{cluster.name}/{name}")
                failures.append({"arn": arn, "reason": "MISSING"})
            else:
                tasks.append({**shapes.task(found), **({"tags": tag_list(found.tags)} if with_tags else {})})
        return {"tasks": tasks, "failures": failures}

    def list_tasks(self, members: Members) -> Members:
        """ARNs by family, service, who started them and the state that is wanted of them."""
        cluster = cluster_named(self._state, members.get("cluster"))
        wanted = members.get("desiredStatus") or "RUNNING"
        service = None
        if members.get("serviceName"):
            service = service_named(self._state, cluster, members["serviceName"])
            if service is None:
                raise service_not_found()
        found = [
            task.arn
            for task in self._state.tasks.values()
            if task.cluster is cluster
            and task.desired_status == wanted
            and (service is None or task.service is service)
            and members.get("family") in (None, "", task.definition.family)
            and members.get("startedBy") in (None, "", task.started_by)
            and members.get("launchType") in (None, "FARGATE")
            and not members.get("containerInstance")
        ]
        arns, more = page(found, members)
        return {"taskArns": arns, **more}

    def execute_command(self, members: Members) -> Members:
        """Refused: no task here has the agent for it."""
        cluster = cluster_named(self._state, members.get("cluster"))
        if self._find(cluster, members["task"]) is None:
            raise invalid("The referenced task was not found.")
        text = "The execute command failed because execute command was not enabled when the task was run or the execute command agent isn't"
        raise ApiError("InvalidParameterException", f"{text} running. Wait and try again or run a new task with execute command enabled.")

    def _find(self, cluster: Cluster, name: str) -> Task | None:
        if not re.fullmatch(r"(arn:aws:ecs:[^:]+:\d{12}:task/[\w-]+/)?[0-9a-zA-Z-]+", name):
            raise invalid("Invalid identifier: Identifier is for another resource type or malformed.")
        found = self._state.tasks.get(name.rpartition("/")[2])
        return found if found is not None and found.cluster is cluster else None
