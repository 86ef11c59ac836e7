# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small Session Manager client for tests, written from the protocol's description; it shares no code with the agent or the gateway."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import json
import os
import struct
import time
import uuid
from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

VERSION = "1.2.707.0"
RESEND_SECONDS = 0.3


def encode(kind: str, sequence: int, payload_type: int, payload: bytes, *, flags: int = 0, identity: uuid.UUID | None = None) -> bytes:
    """One message of the wire."""
    raw = (identity or uuid.uuid4()).bytes
    return b"".join(
        (
            struct.pack(">I", 116),
            kind.encode().ljust(32, b" "),
            struct.pack(">IQqQ", 1, int(time.time() * 1000), sequence, flags),
            raw[8:16],
            raw[0:8],
            hashlib.sha256(payload).digest(),
            struct.pack(">II", payload_type, len(payload)),
            payload,
        )
    )


class Frame:
    """One received message, with its digest checked."""

    def __init__(self, data: bytes) -> None:
        self.kind = data[4:36].decode().strip(" \0")
        self.created, self.sequence, self.flags = struct.unpack(">QqQ", data[40:64])
        self.identity = uuid.UUID(bytes=data[72:80] + data[64:72])
        self.payload_type, length = struct.unpack(">II", data[112:120])
        self.payload = data[120:]
        assert len(self.payload) == length
        if self.kind not in ("start_publication", "pause_publication"):
            assert data[80:112] == hashlib.sha256(self.payload).digest(), "digest"


class Client:
    """One session's client: reliable in both directions over connections that may break."""

    def __init__(
        self,
        answer: dict[str, Any],
        *,
        resume: Callable[[], dict[str, Any]] | None = None,
        generate_data_key: Callable[[str, dict[str, str]], tuple[bytes, bytes]] | None = None,
        window: int = 64,
    ) -> None:
        self.session_id = answer["SessionId"]
        self.stdout = bytearray()
        self.stderr = bytearray()
        self.exit_text = ""
        self.closed_output: str | None = None
        self.handshake: dict[str, Any] | None = None
        self.complete = asyncio.Event()
        self.ended = asyncio.Event()
        self.changed = asyncio.Event()
        self.publications: list[str] = []
        self.reconnections = 0
        self._answer = answer
        self._resume = resume
        self._generate = generate_data_key
        self._next = 0
        self._unacknowledged: dict[int, tuple[float, bytes]] = {}
        self._expected = 0
        self._early: dict[int, Frame] = {}
        self._socket: Any = None
        self._tasks: list[asyncio.Task[None]] = []
        self._seal: AESGCM | None = None
        self._unseal: AESGCM | None = None
        self._window = asyncio.Semaphore(window)

    async def __aenter__(self) -> Client:
        await self._open()
        self._tasks = [asyncio.create_task(self._receive()), asyncio.create_task(self._resend())]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        results = await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._socket.close()
        for result in results:
            if isinstance(result, Exception):
                raise result

    async def send(self, payload: bytes, payload_type: int = 1) -> None:
        await self._window.acquire()
        if self._seal is not None and payload_type == 1:
            nonce = os.urandom(12)
            payload = nonce + self._seal.encrypt(nonce, payload, None)
        await self._send_raw(payload, payload_type)

    async def write(self, data: bytes, chunk: int = 1024) -> None:
        for start in range(0, len(data), chunk):
            await self.send(data[start : start + chunk])

    async def wait_for(self, needle: bytes, seconds: float = 30) -> bytes:
        """Everything received so far, as soon as it holds the needle."""
        return await self.until(lambda: needle in self.stdout, seconds)

    async def until(self, condition: Callable[[], bool], seconds: float = 30) -> bytes:
        async with asyncio.timeout(seconds):
            while not condition():
                self.changed.clear()
                await self.changed.wait()
        return bytes(self.stdout)

    async def wait_end(self, seconds: float = 30) -> None:
        await asyncio.wait_for(self.ended.wait(), seconds)

    @property
    def unacknowledged(self) -> int:
        return len(self._unacknowledged)

    async def _send_raw(self, payload: bytes, payload_type: int) -> None:
        data = encode("input_stream_data", self._next, payload_type, payload)
        self._unacknowledged[self._next] = (time.monotonic(), data)
        self._next += 1
        await self._write(data)

    async def _write(self, data: bytes) -> None:
        with contextlib.suppress(ConnectionClosed):  # it is sent again after the reconnection
            await self._socket.send(data)

    async def _open(self) -> None:
        socket = await connect(self._answer["StreamUrl"], compression=None, max_size=None, proxy=None)
        opening = {
            "MessageSchemaVersion": "1.0",
            "RequestId": str(uuid.uuid4()),
            "TokenValue": self._answer["TokenValue"],
            "ClientId": str(uuid.uuid4()),
            "ClientVersion": VERSION,
        }
        await socket.send(json.dumps(opening))
        self._socket = socket
        for _, data in sorted(self._unacknowledged.items()):
            await self._write(data[1])

    async def _receive(self) -> None:
        while not self.ended.is_set():
            try:
                async for data in self._socket:
                    await self._frame(Frame(data))
                    self.changed.set()
            except ConnectionClosed:
                pass
            if self.ended.is_set():
                return
            if self._resume is None:
                self.ended.set()
                return
            answer = await asyncio.to_thread(self._resume)
            if not answer.get("TokenValue"):
                self.closed_output = "session timed out"
                self.ended.set()
                return
            self._answer = answer
            self.reconnections += 1
            try:
                await self._open()
            except (OSError, ConnectionClosed):
                await asyncio.sleep(0.1)

    async def _resend(self) -> None:
        while True:
            await asyncio.sleep(0.05)
            now = time.monotonic()
            for sequence, (sent, data) in list(self._unacknowledged.items()):
                if now - sent > RESEND_SECONDS and sequence in self._unacknowledged:
                    self._unacknowledged[sequence] = (now, data)
                    await self._write(data)

    async def _frame(self, frame: Frame) -> None:
        if frame.kind == "acknowledge":
            body = json.loads(frame.payload)
            assert body["IsSequentialMessage"] is True
            if self._unacknowledged.pop(body["AcknowledgedMessageSequenceNumber"], None) is not None:
                self._window.release()
        elif frame.kind == "channel_closed":
            self.closed_output = json.loads(frame.payload)["Output"]
            self.ended.set()
        elif frame.kind in ("start_publication", "pause_publication"):
            self.publications.append(frame.kind)
        elif frame.kind == "output_stream_data":
            await self._acknowledge(frame)
            if frame.sequence >= self._expected:
                self._early.setdefault(frame.sequence, frame)
            while self._expected in self._early:
                current = self._early.pop(self._expected)
                self._expected += 1
                await self._output(current)

    async def _acknowledge(self, frame: Frame) -> None:
        body = {
            "AcknowledgedMessageType": frame.kind,
            "AcknowledgedMessageId": str(frame.identity),
            "AcknowledgedMessageSequenceNumber": frame.sequence,
            "IsSequentialMessage": True,
        }
        await self._write(encode("acknowledge", 0, 0, json.dumps(body).encode(), flags=3))

    async def _output(self, frame: Frame) -> None:
        payload = frame.payload
        if self._unseal is not None and frame.payload_type in (1, 11, 12):
            payload = self._unseal.decrypt(payload[:12], payload[12:], None)
        if frame.payload_type == 1:
            self.stdout += payload
        elif frame.payload_type == 11:
            self.stderr += payload
        elif frame.payload_type == 12:
            self.exit_text = payload.decode()
        elif frame.payload_type == 5:
            self.handshake = json.loads(payload)
            await self._send_unsealed(6, self._handshake_answer())
        elif frame.payload_type == 8:
            sealed = base64.b64decode(json.loads(payload)["Challenge"])
            plain = self._unseal.decrypt(sealed[:12], sealed[12:], None)
            nonce = os.urandom(12)
            await self._send_unsealed(9, {"Challenge": base64.b64encode(nonce + self._seal.encrypt(nonce, plain, None)).decode()})
        elif frame.payload_type == 7:
            self.complete.set()

    async def _send_unsealed(self, payload_type: int, body: dict[str, Any]) -> None:
        await self._window.acquire()
        await self._send_raw(json.dumps(body).encode(), payload_type)

    def _handshake_answer(self) -> dict[str, Any]:
        actions = []
        for action in self.handshake["RequestedClientActions"]:
            result: Any = None
            if action["ActionType"] == "KMSEncryption":
                result = self._key_exchange(action["ActionParameters"])
            actions.append({"ActionType": action["ActionType"], "ActionStatus": 1, "ActionResult": result, "Error": ""})
        return {"ClientVersion": VERSION, "ProcessedClientActions": actions, "Errors": []}

    def _key_exchange(self, parameters: dict[str, str]) -> dict[str, Any]:
        context = {"aws:ssm:SessionId": self.session_id, "aws:ssm:TargetId": self._answer["Target"]}
        result: dict[str, Any] = {"KMSCipherTextHash": None}
        if "Challenge" in parameters:
            context["aws:ssm:RandomChallenge"] = parameters["Challenge"]
            result["ChallengeAcknowledgement"] = True
        plain, blob = self._generate(parameters["KMSKeyId"], context)
        self._unseal, self._seal = AESGCM(plain[:32]), AESGCM(plain[32:])
        return result | {"KMSCipherTextKey": base64.b64encode(blob).decode()}
