# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent's control channel: keeps it open, starts sessions and commands that the service asks for, and reports their ends."""

from __future__ import annotations

import asyncio
import json
import logging
import platform
import random
import socket
import uuid
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidHandshake, WebSocketException

from . import wire
from .channel import parse
from .runcommand import Job, RunningJob
from .service import AccessDenied, Messages, NoCredentials
from .session import Request, Session
from .settings import AGENT_VERSION, Pacing, Settings

log = logging.getLogger("ssm_agent.control")

_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 15.0
_REPEAT_SECONDS = 1.0


class Agent:
    """One instance's agent; `run` never returns."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._service = Messages(settings)
        self._socket: ClientConnection | None = None
        self._process = str(uuid.uuid4())
        self._complaint = ""
        self._running: dict[str, asyncio.Task[None]] = {}
        self._jobs: dict[str, RunningJob] = {}
        self._acknowledged: dict[str, asyncio.Event] = {}
        self._stopping = False

    async def run(self) -> None:
        """Hold the control channel open; waits with a growing pause while there are no credentials, no permission or no service."""
        pause = _FIRST_PAUSE
        while True:
            try:
                await self._connect()
                pause = _FIRST_PAUSE
                await self._receive_for_ever()
                log.info("the control channel was closed")
            except (NoCredentials, AccessDenied) as error:
                self._complain(f"cannot open the control channel: {error}")
            except (OSError, TimeoutError, InvalidHandshake, WebSocketException) as error:
                self._complain(f"the control channel broke: {error}")
            self._socket = None
            await asyncio.sleep(pause * random.uniform(0.8, 1.2))  # noqa: S311 - spreads reconnections, keeps no secret
            pause = min(_LONGEST_PAUSE, pause * 2)

    def _complain(self, text: str) -> None:
        """Say it once; the same again only to those who want to hear more."""
        log.log(logging.DEBUG if text == self._complaint else logging.WARNING, "%s", text)
        self._complaint = text

    async def stop(self) -> None:
        """End every session and command of this agent."""
        self._stopping = True  # a session that ends now reports to nobody
        tasks = list(self._running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _connect(self) -> None:
        token = await self._service.create_control_channel()
        self._socket = await connect(
            f"{self._service.websocket_url}/v1/control-channel/{self._settings.instance_id}?role=subscribe&stream=input",
            compression=None,
            max_size=None,
            ping_interval=Pacing.ping_seconds,
            ping_timeout=Pacing.pong_seconds,
            proxy=None,
        )
        opening = {
            "MessageSchemaVersion": "1.0",
            "RequestId": str(uuid.uuid4()),
            "TokenValue": token,
            "AgentVersion": AGENT_VERSION,
            "AgentProcess": self._process,
            **_platform(),
        }
        await self._socket.send(json.dumps(opening))
        self._complaint = ""
        log.info("the control channel is open")

    async def _receive_for_ever(self) -> None:
        async for data in self._socket:
            if not isinstance(data, bytes):
                continue
            try:
                self._receive(wire.unpack(data))
            except (wire.WireError, KeyError, ValueError) as error:
                log.warning("a message of the control channel is not understood: %s", error)

    def _receive(self, message: wire.Message) -> None:
        if message.message_type == wire.INTERACTIVE_SHELL:
            request = Request.parse(message.payload)
            self._start(request.task_id, self._run_session(request))
        elif message.message_type == wire.AGENT_JOB:
            body = parse(message.payload)
            self._receive_job(body["JobId"], parse(str(body["Content"]).encode()))
        elif message.message_type in (wire.AGENT_TASK_ACKNOWLEDGE, wire.AGENT_JOB_REPLY_ACK):
            body = parse(message.payload)
            event = self._acknowledged.get(str(body.get("TaskId") or body.get("JobId")))
            if event is not None:
                event.set()

    def _receive_job(self, job_id: str, content: dict[str, Any]) -> None:
        if content.get("Cancel"):
            job = self._jobs.get(job_id)
            if job is not None:
                job.cancel()
            return
        self._start(job_id, self._run_job(job_id, RunningJob(Job.parse(content), self._settings)))

    def _start(self, key: str, work: Any) -> None:
        if key in self._running:  # the service repeats what it has no answer to
            work.close()
            return
        task = asyncio.create_task(work)
        self._running[key] = task
        task.add_done_callback(lambda done: self._finished(key, done))

    def _finished(self, key: str, task: asyncio.Task[None]) -> None:
        self._running.pop(key, None)
        if not task.cancelled() and task.exception() is not None:
            log.error("task %s failed", key, exc_info=task.exception())

    async def _run_session(self, request: Request) -> None:
        session = Session(request, self._settings, self._service)
        log.info("session %s starts: %s", request.session_id, request.session_type)
        output = await session.run()
        log.info("session %s ended", request.session_id)
        body = {
            "SchemaVersion": 1,
            "TaskId": request.task_id,
            "Topic": request.topic,
            "FinalTaskStatus": "Failed" if output else "Success",
            "IsRoutingFailure": False,
            "InstanceId": self._settings.instance_id,
            "Output": output,
        }
        await self._report(request.task_id, wire.AGENT_TASK_COMPLETE, body)

    async def _run_job(self, job_id: str, job: RunningJob) -> None:
        self._jobs[job_id] = job
        await self._send(wire.AGENT_JOB_ACK, {"SchemaVersion": "1.0", "JobId": job_id, "MessageId": job_id})
        log.info("command %s starts", job.job.command_id)
        try:
            result = await job.run()
        finally:
            del self._jobs[job_id]
        log.info("command %s ended: %s", job.job.command_id, result["Status"])
        body = {"SchemaVersion": 1, "JobId": job_id, "Topic": "AgentJobReply", "Content": json.dumps(result)}
        await self._report(job_id, wire.AGENT_JOB_REPLY, body)

    async def _report(self, key: str, message_type: str, body: dict[str, Any]) -> None:
        """Say it until the service has acknowledged it, over as many connections as that takes."""
        event = self._acknowledged[key] = asyncio.Event()
        try:
            while not event.is_set() and not self._stopping:
                await self._send(message_type, body)
                try:
                    await asyncio.wait_for(event.wait(), _REPEAT_SECONDS)
                except TimeoutError:
                    continue
        finally:
            del self._acknowledged[key]

    async def _send(self, message_type: str, body: dict[str, Any]) -> None:
        if self._socket is None:
            return
        try:
            await self._socket.send(wire.pack(wire.Message(message_type, json.dumps(body).encode())))
        except WebSocketException:
            log.debug("%s not sent, the control channel is broken", message_type)


def _platform() -> dict[str, str]:
    """What the service shows about this instance."""
    release = {}
    for line in Path("/etc/os-release").read_text(encoding="utf-8").splitlines() if Path("/etc/os-release").exists() else []:
        name, _, value = line.partition("=")
        release[name] = value.strip('"')
    version = Path("/etc/debian_version").read_text(encoding="ascii").strip() if Path("/etc/debian_version").exists() else ""
    return {
        "PlatformType": "Linux",
        "PlatformName": release.get("NAME", platform.system()),
        "PlatformVersion": version or release.get("VERSION_ID", platform.release()),
        "ComputerName": socket.gethostname(),
    }
