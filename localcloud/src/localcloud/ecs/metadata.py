# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The task metadata endpoint, version 4, and the credentials of task roles: what containers are told at 169.254.170.2."""

from __future__ import annotations

import datetime
import json
import logging
import time
import typing as t

from ..session.http import App, Request, Response, Server
from .state import Container, Members, State, Task

if t.TYPE_CHECKING:
    from ..emulation.identity import Credentials

ADDRESS = "169.254.170.2"
RENEW_SECONDS = 15 * 60

_log = logging.getLogger("localcloud.ecs.metadata")


Issue = t.Callable[[str, str], t.Awaitable["Credentials"]]


def credentials_path(task: Task) -> str:
    """The value of AWS_CONTAINER_CREDENTIALS_RELATIVE_URI."""
    return f"/v2/credentials/{task.credentials_id}"


def metadata_url(container: Container) -> str:
    """The value of ECS_CONTAINER_METADATA_URI_V4."""
    return f"http://{ADDRESS}/v4/{container.token}"


class Metadata:
    """Answers over HTTP on a loopback port; packets to 169.254.170.2 from inside a VPC are led there."""

    def __init__(
        self, state: State, issue: Issue, stats: t.Callable[[str], t.Awaitable[Members]], clock: t.Callable[[], float] = time.time
    ) -> None:
        """`issue(role ARN, session name)` gives credentials; `stats(container id)` Docker's figures."""
        self._state = state
        self._issue = issue
        self._stats = stats
        self._clock = clock
        self._held: dict[str, Credentials] = {}
        self._server = Server(App(self.answer, lambda request: Response(400)))

    async def start(self) -> int:
        """Listen; returns the port."""
        await self._server.start("127.0.0.1", 0)
        return self._server.port

    async def stop(self) -> None:
        """Stop listening."""
        await self._server.stop()

    async def answer(self, request: Request) -> Response:
        """One request."""
        if request.method != "GET":
            return Response(405)
        parts = [part for part in request.path.split("/") if part]
        if len(parts) == 3 and parts[:2] == ["v2", "credentials"]:
            return await self._credentials(parts[2])
        if len(parts) < 2 or parts[0] != "v4":
            return _json(404, {"message": "not found"})
        task, container = self._find(parts[1])
        if task is None or container is None:
            return _json(404, {"message": "V4 container metadata handler: unable to get task arn from request: no such token"})
        match parts[2:]:
            case []:
                return _json(200, _container(task, container))
            case ["task"]:
                return _json(200, _task(task))
            case ["stats"]:
                return _json(200, await self._stats_of(container))
            case ["task", "stats"]:
                return _json(200, {item.docker_id: await self._stats_of(item) for item in task.containers if item.docker_id})
        return _json(404, {"message": "not found"})

    async def _stats_of(self, container: Container) -> Members:
        return await self._stats(container.docker_id) if container.docker_id and container.status == "RUNNING" else {}

    def _find(self, token: str) -> tuple[Task | None, Container | None]:
        for task in self._state.tasks.values():
            for container in task.containers:
                if container.token == token:
                    return task, container
        return None, None

    async def _credentials(self, identifier: str) -> Response:
        task = next((task for task in self._state.tasks.values() if task.credentials_id == identifier), None)
        role = _role(task) if task is not None and task.last_status != "STOPPED" else None
        if task is None or role is None:
            return _json(400, {"code": "InvalidIdInRequest", "message": "CredentialsV2Request: ID not found", "HTTPErrorCode": 400})
        held = self._held.get(task.id)
        if held is None or _seconds_left(held, self._clock()) < RENEW_SECONDS:
            held = self._held[task.id] = await self._issue(role, task.id)
            self._held = {key: value for key, value in self._held.items() if key in self._state.tasks}
        return _json(
            200,
            {
                "RoleArn": role,
                "AccessKeyId": held.access_key_id,
                "SecretAccessKey": held.secret_access_key,
                "Token": held.session_token,
                "Expiration": held.expiration,
            },
        )


def _role(task: Task) -> str | None:
    return task.overrides.get("taskRoleArn") or task.definition.members.get("taskRoleArn")


def _seconds_left(held: Credentials, now: float) -> float:
    return datetime.datetime.fromisoformat(held.expiration.replace("Z", "+00:00")).timestamp() - now


def _json(status: int, body: Members) -> Response:
    return Response(status, json.dumps(body).encode(), {"Content-Type": "application/json"})


def _time(when: float | None) -> str | None:
    return None if when is None else datetime.datetime.fromtimestamp(when, datetime.UTC).isoformat().replace("+00:00", "Z")


def _container(task: Task, container: Container) -> Members:
    given = task.definition.container(container.name)
    interface = task.interface
    network = {
        "NetworkMode": "awsvpc",
        "IPv4Addresses": [interface.private_ip],
        "AttachmentIndex": 0,
        "MACAddress": interface.mac_address,
        "PrivateDNSName": f"ip-{interface.private_ip.replace('.', '-')}.{task.arn.split(':')[3]}.compute.internal",
    }
    log = given.get("logConfiguration") or {}
    shown = {
        "DockerId": container.docker_id or "",
        "Name": container.name,
        "DockerName": container.name,
        "Image": container.image,
        "ImageID": container.digest or "",
        "Labels": {
            "com.amazonaws.ecs.cluster": task.cluster.arn,
            "com.amazonaws.ecs.container-name": container.name,
            "com.amazonaws.ecs.task-arn": task.arn,
            "com.amazonaws.ecs.task-definition-family": task.definition.family,
            "com.amazonaws.ecs.task-definition-version": str(task.definition.revision),
        },
        "DesiredStatus": task.desired_status,
        "KnownStatus": container.status,
        "Limits": {"CPU": int(container.cpu), "Memory": int(container.memory or task.memory)},
        "CreatedAt": _time(container.started_at),
        "StartedAt": _time(container.started_at),
        "Type": "NORMAL",
        "LogDriver": log.get("logDriver"),
        "LogOptions": log.get("options"),
        "ContainerARN": container.arn,
        "Networks": [network],
        "Health": {"status": container.health} if container.checked else None,
        "ExitCode": container.exit_code,
    }
    return {name: value for name, value in shown.items() if value is not None}


def _task(task: Task) -> Members:
    shown = {
        "Cluster": task.cluster.arn,
        "TaskARN": task.arn,
        "Family": task.definition.family,
        "Revision": str(task.definition.revision),
        "ServiceName": task.service.name if task.service else None,
        "DesiredStatus": task.desired_status,
        "KnownStatus": task.last_status,
        "Limits": {"CPU": int(task.cpu) / 1024, "Memory": int(task.memory)},
        "PullStartedAt": _time(task.pull_started_at),
        "PullStoppedAt": _time(task.pull_stopped_at),
        "AvailabilityZone": task.zone,
        "LaunchType": "FARGATE",
        "TaskTags": task.tags or None,
        "VPCID": task.interface.vpc_id,
        "Containers": [_container(task, container) for container in task.containers],
    }
    return {name: value for name, value in shown.items() if value is not None}
