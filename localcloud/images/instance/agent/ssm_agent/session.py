# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One session from its start message to its end: data channel, handshake, encryption, and the process or port behind it."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from typing import Any, Protocol

from websockets.exceptions import WebSocketException

from . import process, wire
from .channel import DataChannel, parse
from .command import Command, CommandError
from .encryption import EncryptionError
from .handshake import STEP_SECONDS, Handshake, HandshakeError, KeyRequest, State
from .port import Port
from .service import AccessDenied, Messages, NoCredentials, NotFound
from .settings import AGENT_VERSION, Pacing, Settings
from .terminal import Terminal

log = logging.getLogger("ssm_agent.session")

_SEALED = frozenset({wire.PayloadType.OUTPUT, wire.PayloadType.STDERR, wire.PayloadType.EXIT_CODE})


class Worker(Protocol):
    """What does the session's work: a terminal, a command or a port."""

    async def run(self) -> None: ...

    async def handle(self, payload_type: int, payload: bytes) -> bool: ...

    async def stop(self) -> None: ...


@dataclass(frozen=True)
class Request:
    """What the start message of a session says."""

    session_id: str
    task_id: str
    topic: str
    session_type: str
    inputs: dict[str, Any]
    properties: Any
    pacing: Pacing = field(default_factory=Pacing)

    @classmethod
    def parse(cls, payload: bytes) -> Request:
        """Raises KeyError or ValueError for a message that is not a session's start."""
        body = parse(payload)
        content = parse(str(body["Content"]).encode())
        document = content["DocumentContent"]
        return cls(
            session_id=content["SessionId"],
            task_id=body["TaskId"],
            topic=body.get("Topic", ""),
            session_type=document["sessionType"],
            inputs=document.get("inputs") or {},
            properties=document.get("properties"),
            pacing=Pacing.from_json(body.get("Pacing")),
        )


class Session:
    """Runs one session; `run` gives the text for the user about why it ended, empty for an ordinary end."""

    def __init__(self, request: Request, settings: Settings, service: Messages) -> None:
        self.request = request
        self._settings = settings
        self._service = service
        self._channel = DataChannel(service, request.session_id, self._accept, request.pacing)
        self._worker: Worker | None = None
        self._handshake: Handshake | None = None
        self._steps: asyncio.Queue[tuple[int, bytes]] = asyncio.Queue()

    async def run(self) -> str:
        try:
            await self._channel.open()
        except (OSError, WebSocketException, AccessDenied, NoCredentials, NotFound) as error:
            log.warning("session %s: cannot open the data channel: %s", self.request.session_id, error)
            return ""
        work = asyncio.create_task(self._work())
        ended = asyncio.create_task(self._channel.closed.wait())
        try:
            await asyncio.wait({work, ended}, return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                return ""
            output = work.result()
            await self._channel.flush(self.request.pacing.flush_seconds)
            await self._channel.send_state("Terminating")
            return output
        finally:
            for task in (work, ended):
                task.cancel()
            await asyncio.gather(work, ended, return_exceptions=True)
            if self._worker is not None:
                await self._worker.stop()
            await self._channel.close()

    async def _work(self) -> str:
        request = self.request
        kms_key_id = "" if request.session_type == "Port" else str(request.inputs.get("kmsKeyId") or "")
        try:
            if kms_key_id or request.session_type in ("Port", "NonInteractiveCommands"):
                await self._shake_hands(kms_key_id)
            self._worker = await self._make_worker()
            await self._worker.run()
        except (HandshakeError, CommandError, process.UserError) as error:
            log.warning("session %s: %s", request.session_id, error)
            return str(error)
        except OSError as error:
            log.warning("session %s: %s", request.session_id, error)
            return str(error)
        return ""

    async def _shake_hands(self, kms_key_id: str) -> None:
        request = self.request
        loop = asyncio.get_running_loop()
        handshake = Handshake(
            agent_version=AGENT_VERSION,
            session_type=request.session_type,
            properties=request.properties,
            session_id=request.session_id,
            target_id=self._settings.instance_id,
            kms_key_id=kms_key_id,
            kms_challenge=request.pacing.kms_challenge,
        )
        self._handshake = handshake
        await self._channel.send(*handshake.request(loop.time()))
        while handshake.state is not State.COMPLETE:
            try:
                step = await asyncio.wait_for(self._steps.get(), STEP_SECONDS)
            except TimeoutError:
                raise HandshakeError(
                    "Handshake timed out. Please ensure that you have the latest version of the session manager plugin."
                ) from None
            answer = handshake.receive(loop.time(), *step)
            if isinstance(answer, KeyRequest):
                answer = handshake.key(await self._service.decrypt(answer.blob, answer.context))
            if answer is not None:
                await self._channel.send(*answer)

    async def _make_worker(self) -> Worker:
        request = self.request
        if request.session_type == "Port":
            return self._make_port()
        inputs = request.inputs
        properties = _linux(request.properties)
        who = await process.identity(
            run_as_user=self._settings.run_as_user,
            run_as=str(inputs.get("runAsDefaultUser") or "") if _true(inputs.get("runAsEnabled")) else None,
            elevated=_true(properties.get("runAsElevated")),
        )
        common = {
            "directory": self._settings.working_directory,
            "who": who,
            "pacing": request.pacing,
            "send": self._send,
            "publishing": self._channel.publishing,
        }
        command = str(properties.get("commands") or "")
        if request.session_type == "NonInteractiveCommands":
            separate = _true(properties.get("separateOutputStream"))
            prefixes = (str(properties.get("stdoutSeparatorPrefix") or ""), str(properties.get("stderrSeparatorPrefix") or ""))
            return Command(command=command, separate=separate, prefixes=prefixes, **common)
        profile = (inputs.get("shellProfile") or {}).get("linux") or "" if request.session_type == "Standard_Stream" else ""
        return Terminal(command=command, profile=profile, **common)

    def _make_port(self) -> Port:
        properties = self.request.properties if isinstance(self.request.properties, dict) else {}
        number = str(properties.get("portNumber") or "22")
        if not number.isdigit():
            raise CommandError(f"Unable to connect to specified port: {number} is not a port number")
        return Port(
            host=str(properties.get("host") or "localhost"),
            port=int(number),
            pacing=self.request.pacing,
            send=self._send,
            publishing=self._channel.publishing,
        )

    async def _send(self, payload_type: int, payload: bytes) -> None:
        cipher = self._handshake.cipher if self._handshake else None
        await self._channel.send(payload_type, cipher.encrypt(payload) if cipher and payload_type in _SEALED else payload)

    async def _accept(self, message: wire.Message) -> bool:
        """Handle one message in its turn; False when nothing is there yet to handle it."""
        handshake = self._handshake
        if handshake is not None and handshake.state is not State.COMPLETE:
            if message.payload_type in (wire.PayloadType.HANDSHAKE_RESPONSE, wire.PayloadType.CHALLENGE_RESPONSE):
                self._steps.put_nowait((message.payload_type, message.payload))
            return True  # anything else is acknowledged and thrown away, as the real agent does
        if self._worker is None:
            return False
        payload = message.payload
        if handshake is not None and handshake.cipher is not None and message.payload_type == wire.PayloadType.OUTPUT:
            try:
                payload = handshake.cipher.decrypt(payload)
            except EncryptionError as error:
                log.warning("session %s: %s", self.request.session_id, error)
                return False
        return await self._worker.handle(message.payload_type, payload)


def _linux(properties: Any) -> dict[str, Any]:
    """The part of a document's properties for this platform."""
    linux = properties.get("linux") if isinstance(properties, dict) else None
    return linux if isinstance(linux, dict) else {}


def _true(value: Any) -> bool:
    return str(value).lower() == "true"
