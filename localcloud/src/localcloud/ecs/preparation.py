# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task needs before its containers can be created: secrets, log streams, images; and the environment that follows."""

from __future__ import annotations

import functools
import typing as t

from . import order
from .engine import PullFailed
from .errors import StartFailed, resource_init
from .fargate import is_registry_image
from .logs import problem_of, stream_name
from .metadata import credentials_path, metadata_url
from .parts import Parts, role_of
from .state import Container, Task


class Preparation:
    """Of one task. `images` are what to create each container from."""

    def __init__(self, parts: Parts, task: Task) -> None:
        self._parts = parts
        self._task = task
        self._values: dict[str, dict[str, str]] = {}
        self.images: dict[str, str] = {}

    async def resources(self) -> None:
        """Secrets and log streams. Raises StartFailed."""
        for container in self._task.containers:
            given = order.given(self._task, container)
            self._values[container.name] = await self._parts.secrets.values(given.get("secrets") or [], self._denial)
            options = (given.get("logConfiguration") or {}).get("options") or {}
            if not given.get("logConfiguration"):
                continue
            if (problem := problem_of(options)) is not None:
                raise resource_init(f"failed to validate logger args: {problem} : exit status 1")
            arn = f"arn:aws:logs:{self._parts.region}:{self._parts.account_id}:log-group:{options['awslogs-group']}"
            await self._parts.logs.open(options, stream_name(options, container.name, self._task.id), self._denial, arn)

    async def image(self, container: Container) -> None:
        """Get a container's image. All tasks of a deployment run the one that its first task got. Raises StartFailed."""
        deployment = self._task.deployment
        pinned = deployment.digests.get(container.name) if deployment is not None else None
        image = container.image
        if pinned and "@" not in image:
            image = f"{image.rpartition(':')[0] if ':' in image.rpartition('/')[2] else image}@{pinned}"
        password = None
        if is_registry_image(image):
            if (refusal := self._denial("ecr:GetAuthorizationToken", "*")) is not None:
                raise resource_init(
                    "unable to pull secrets or registry auth: execution resource retrieval failed: unable to retrieve ecr registry auth: "
                    f"service call has been retried 1 time(s): AccessDeniedException: {refusal}"
                )
            arn = f"arn:aws:ecr:{self._parts.region}:{self._parts.account_id}:repository/{repository_of(image)}"
            for action in ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"):
                if (refusal := self._denial(action, arn)) is not None:
                    raise StartFailed(cannot_pull(image, f"pull access denied: denied: {refusal}"), container.name)
            password = await self._parts.token()
        try:
            pull = functools.partial(self._parts.engine.pull, image, password)
            self.images[container.name], container.digest = await self._parts.do(pull)
        except PullFailed as error:
            raise StartFailed(cannot_pull(image, str(error)), container.name) from error
        if deployment is not None and container.digest and password is not None:
            deployment.digests.setdefault(container.name, container.digest)

    def environment(self, container: Container, gateway: str) -> dict[str, str]:
        """What AWS and this cloud tell every container, then what definition, secrets and override set."""
        environment = {
            "AWS_REGION": self._parts.region,
            "AWS_DEFAULT_REGION": self._parts.region,
            "AWS_EXECUTION_ENV": "AWS_ECS_FARGATE",
            "AWS_ENDPOINT_URL": f"http://{gateway}:{self._parts.api_port}",
            "ECS_CONTAINER_METADATA_URI_V4": metadata_url(container),
        }
        if role_of(self._task, "taskRoleArn"):
            environment["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] = credentials_path(self._task)
        given = self._task.definition.container(container.name)
        environment |= {item["name"]: item.get("value") or "" for item in given["environment"]}
        environment |= self._values.get(container.name, {})
        override = order.override(self._task, container.name)
        return environment | {item["name"]: item.get("value") or "" for item in override.get("environment") or []}

    def _denial(self, action: str, resource: str) -> str | None:
        role = role_of(self._task, "executionRoleArn")
        if role is None:
            return f"the task has no execution role that allows {action}"
        return self._parts.denial(role, self._task.id, action, resource)


def repository_of(image: str) -> str:
    """The repository's name in an image's: `host/a/b:tag` and `host/a/b@digest` are of `a/b`."""
    return image.partition("/")[2].partition("@")[0].partition(":")[0]


def cannot_pull(image: str, text: str) -> str:
    """ECS's sentence for an image that cannot be had; `text` is Docker's."""
    missing = "not found" in text or "manifest unknown" in text
    cause = f"{image}: not found" if missing else text
    return f"CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref {image}: {cause}"


def limits_of(task: Task, container: Container, mounts: list[str]) -> dict[str, t.Any]:
    """Docker's host configuration: the container's memory or the task's as a hard limit, and CPU units as a weight."""
    memory = int(container.memory or task.memory) * 1024 * 1024
    return {"binds": mounts, "mem_limit": memory, "memswap_limit": memory, "cpu_shares": max(int(container.cpu) or int(task.cpu), 2)}
