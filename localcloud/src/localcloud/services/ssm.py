# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ssm service of the local cloud: which part answers which operation; the parts are the modules beside it."""

from __future__ import annotations

import asyncio
import datetime
import json
import logging
import typing as t

from ministack.core.iam_evaluator import request_caller_arn
from ministack.services import ssm as ministack

from ..session.answers import ApiError, HttpAnswer, failure, result
from ..session.api import SessionApi
from ..session.gateway import Gateway
from .ssm_access import Access
from .ssm_commands import Commands
from .ssm_documents import Documents
from .ssm_instances import ManagedInstances
from .ssm_parameters import Parameters

if t.TYPE_CHECKING:
    from ..cloud import Cloud

Dict = dict[str, t.Any]

log = logging.getLogger("localcloud.ssm")

_TICK_SECONDS = 1.0


def create(cloud: Cloud) -> SystemsManager:
    """The service of one cloud."""
    return SystemsManager(cloud)


class SystemsManager:
    """Sessions, commands, managed instances and documents are ours; everything else is MiniStack's."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._access = Access(cloud)
        self.gateway = Gateway(self._access.check)
        self._documents = Documents(cloud.account_id)
        self._sessions = SessionApi(self.gateway, region=cloud.region, find_document=self._documents.session_content)
        self._instances = ManagedInstances(cloud, self.gateway)
        self._commands = Commands(self.gateway.send_job, lambda: datetime.datetime.now(datetime.UTC))
        self.gateway.on_job_acknowledged = self._commands.acknowledged
        self.gateway.on_job_reply = self._commands.replied
        self.gateway.on_agent_connected = self._commands.connected
        self._housekeeping: asyncio.Task[None] | None = None
        self._plain: dict[str, t.Callable[[Dict], Dict]] = {
            "DescribeInstanceInformation": self._instances.describe,
            "SendCommand": self._send_command,
            "ListCommands": self._commands.list,
            "ListCommandInvocations": self._commands.list_invocations,
            "GetCommandInvocation": self._commands.get_invocation,
            "CancelCommand": self._commands.cancel,
            **self._documents.operations,
        }

    async def start(self) -> None:
        """Listen for agents and clients. Raises OSError when the port is taken."""
        await self.gateway.start("127.0.0.1", self._cloud.ports.ssmmessages)
        self._housekeeping = asyncio.create_task(self._tick_for_ever())

    async def stop(self) -> None:
        """End every session."""
        if self._housekeeping is not None:
            self._housekeeping.cancel()
            await asyncio.gather(self._housekeeping, return_exceptions=True)
        await self.gateway.stop()

    async def handle_request(
        self, method: str, path: str, headers: dict[str, str], body: bytes, query_params: dict[str, list[str]]
    ) -> HttpAnswer:
        """Answer one request of the JSON 1.1 protocol."""
        operation = headers.get("x-amz-target", "").rpartition(".")[2]
        try:
            await self._sessions.inject(operation)
            try:
                content = json.loads(body) if body else {}
            except ValueError:
                raise ApiError("SerializationException", "The request is not JSON.") from None
            if operation in self._sessions.operations:
                return result(self._sessions.operations[operation](content, request_caller_arn(headers, query_params)))
            if operation in self._plain:
                return result(self._plain[operation](content))
            parameters = Parameters(lambda name, changed: self._ministack(name, changed, method, path, headers, query_params))
            if operation in parameters.operations:
                return result(await parameters.operations[operation](content))
        except ApiError as error:
            return failure(error, operation)
        status, _, answer = await ministack.handle_request(method, path, headers, body, query_params)
        return result(json.loads(answer or b"{}"), status=status)

    async def admin(self, method: str, path: str, body: bytes) -> HttpAnswer:
        """Faults, counters and open sessions."""
        status, answer = self._sessions.admin(method, path, body)
        return result(answer, status=status)

    async def _ministack(
        self, operation: str, content: Dict, method: str, path: str, headers: dict[str, str], query_params: dict[str, list[str]]
    ) -> tuple[int, Dict]:
        status, _, body = await ministack.handle_request(method, path, headers, json.dumps(content).encode(), query_params)
        return status, json.loads(body or b"{}")

    def _send_command(self, content: Dict) -> Dict:
        return self._commands.send(content, self._command_targets(content))

    def _command_targets(self, content: Dict) -> list[tuple[str, str]]:
        """Instances that a command is for, with their host names. Raises ApiError."""
        known = {
            agent.instance_id: (agent, instance) for agent, instance in self._instances.known() if instance.state in ("pending", "running")
        }
        wanted = list(content.get("InstanceIds") or [])
        targets = content.get("Targets") or []
        if bool(wanted) == bool(targets):
            raise ApiError("ValidationException", "Specify either InstanceIds or Targets, and not both.")
        if len(set(wanted)) != len(wanted):
            raise ApiError("DuplicateInstanceId", "You can't specify a managed node ID in more than one association.")
        for target in targets:
            if target.get("Key") in ("InstanceIds", "instanceids"):
                wanted += target.get("Values") or []
        missing = [name for name in wanted if name not in known]
        if missing:
            raise ApiError(
                "InvalidInstanceId", f"Instances [[{', '.join(missing)}]] not in a valid state for account {self._cloud.account_id}"
            )
        chosen = set(wanted) if wanted else set(known)
        for target in targets:
            chosen &= {name for name, (_, instance) in known.items() if _is_target(instance.tags, target, name)}
        return [(name, known[name][0].info.get("ComputerName", "")) for name in sorted(chosen)]

    async def _tick_for_ever(self) -> None:
        while True:
            await asyncio.sleep(_TICK_SECONDS)
            try:
                self._commands.tick()
                for instance_id in self._commands.waiting():
                    instance = self._cloud.instances.get(instance_id)
                    if instance is None or instance.state in ("shutting-down", "terminated"):
                        self._commands.instance_gone(instance_id)
                for instance_id in [name for name in self.gateway.agents if self.gateway.online(name)]:
                    if await asyncio.to_thread(self._access.cut_off, instance_id):
                        self.gateway.cut_agent(instance_id, sessions=True)
            except Exception:
                log.exception("the housekeeping of Systems Manager failed")


def _is_target(tags: dict[str, str], target: Dict, instance_id: str) -> bool:
    key, values = str(target.get("Key") or ""), target.get("Values") or []
    if key in ("InstanceIds", "instanceids"):
        return instance_id in values
    if key == "tag-key":
        return any(value in tags for value in values)
    if key.startswith("tag:"):
        return tags.get(key.removeprefix("tag:")) in values
    raise ApiError("InvalidParameters", f"The target key {key} is not served here; use InstanceIds, tag-key or tag:<key>.")
