# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The handshake of a session as a state machine: what to send for what was received; no socket, no clock, no KMS call.

Sessions of type Port and NonInteractiveCommands always do it, those in a pseudo terminal only when a KMS key is set.
"""

from __future__ import annotations

import base64
import binascii
import enum
import json
import os
from dataclasses import dataclass, field
from typing import Any

from .encryption import Challenge, Cipher, EncryptionError
from .wire import PayloadType

STEP_SECONDS = 15.0
_NEW_ENOUGH_CLIENT = (1, 2, 295)
_OLD_CLIENT = (
    "Please update session manager plugin version (minimum required version 1.2.295) "
    "for fully support of separate StdOut/StdErr output.\r\n"
)


class HandshakeError(Exception):
    """The session cannot go on; the text is for the session's user."""


class State(enum.Enum):
    """Where the handshake is."""

    IDLE = "idle"
    REQUESTED = "requested"
    CHALLENGED = "challenged"
    COMPLETE = "complete"


@dataclass(frozen=True)
class KeyRequest:
    """The handshake goes on when the caller has KMS decrypt this blob under this encryption context; see `Handshake.key`."""

    blob: bytes
    context: dict[str, str]


@dataclass
class Handshake:
    """One session's handshake."""

    agent_version: str
    session_type: str
    properties: Any
    session_id: str
    target_id: str
    kms_key_id: str = ""
    kms_challenge: bool = True
    client_version: str = ""
    cipher: Cipher | None = None
    state: State = State.IDLE
    started: float = 0.0
    _random: str = field(default_factory=lambda: base64.b64encode(os.urandom(16)).decode("ascii"))
    _challenge: Challenge = field(default_factory=Challenge.fresh)

    def request(self, now: float) -> tuple[int, bytes]:
        """The first message of the session."""
        actions: list[dict[str, Any]] = []
        if self.kms_key_id:
            parameters = {"KMSKeyId": self.kms_key_id}
            if self.kms_challenge:
                parameters["Challenge"] = self._random
            actions.append({"ActionType": "KMSEncryption", "ActionParameters": parameters})
        actions.append({"ActionType": "SessionType", "ActionParameters": {"SessionType": self.session_type, "Properties": self.properties}})
        self.started = now
        self.state = State.REQUESTED
        return PayloadType.HANDSHAKE_REQUEST, _json({"AgentVersion": self.agent_version, "RequestedClientActions": actions})

    def receive(self, now: float, payload_type: int, payload: bytes) -> tuple[int, bytes] | KeyRequest | None:
        """The next message to send, or the key to fetch; None when this message is not for the handshake. Raises HandshakeError."""
        if payload_type == PayloadType.HANDSHAKE_RESPONSE and self.state is State.REQUESTED:
            return self._response(now, payload)
        if payload_type == PayloadType.CHALLENGE_RESPONSE and self.state is State.CHALLENGED:
            return self._challenge_response(now, payload)
        return None

    def key(self, data_key: bytes) -> tuple[int, bytes]:
        """The decrypted data key is here; gives the challenge to send. Raises HandshakeError."""
        try:
            self.cipher = Cipher(data_key)
        except EncryptionError as error:
            raise HandshakeError(f"Handshake failed: {error}.") from error
        self.state = State.CHALLENGED
        return PayloadType.CHALLENGE_REQUEST, _json({"Challenge": self._challenge.sealed(self.cipher)})

    def _response(self, now: float, payload: bytes) -> tuple[int, bytes] | KeyRequest:
        body = _parse(payload, "handshake response")
        self.client_version = str(body.get("ClientVersion") or "")
        processed = {action.get("ActionType"): action for action in body.get("ProcessedClientActions") or [] if isinstance(action, dict)}
        wanted = ["KMSEncryption", "SessionType"] if self.kms_key_id else ["SessionType"]
        for name in wanted:
            action = processed.get(name)
            if action is None:
                raise HandshakeError(f"Handshake failed: the client did not process the action {name}.")
            if action.get("ActionStatus") != 1:
                raise HandshakeError(
                    f"Handshake failed: {name} failed on client with status {action.get('ActionStatus')} error: {action.get('Error')}"
                )
        return self._key_request(processed["KMSEncryption"].get("ActionResult")) if self.kms_key_id else self._complete(now)

    def _key_request(self, result: Any) -> KeyRequest:
        result = result if isinstance(result, dict) else {}
        try:
            blob = base64.b64decode(result.get("KMSCipherTextKey") or "", validate=True)
        except (binascii.Error, TypeError) as error:
            raise HandshakeError("Handshake failed: KMSCipherTextKey is not base64.") from error
        context = {"aws:ssm:SessionId": self.session_id, "aws:ssm:TargetId": self.target_id}
        if self.kms_challenge:
            if result.get("ChallengeAcknowledgement") is not True:
                raise HandshakeError("Handshake failed: the client did not acknowledge the KMS challenge.")
            context["aws:ssm:RandomChallenge"] = self._random
        return KeyRequest(blob, context)

    def _challenge_response(self, now: float, payload: bytes) -> tuple[int, bytes]:
        answer = _parse(payload, "encryption challenge response").get("Challenge")
        if self.cipher is None:
            raise HandshakeError("Handshake failed: there is no key to check the challenge with.")
        try:
            self._challenge.verify(self.cipher, str(answer))
        except EncryptionError as error:
            raise HandshakeError(f"Handshake failed: {error}.") from error
        return self._complete(now)

    def _complete(self, now: float) -> tuple[int, bytes]:
        self.state = State.COMPLETE
        message = ""
        if self.session_type == "NonInteractiveCommands" and version_tuple(self.client_version)[:3] <= _NEW_ENOUGH_CLIENT:
            message = _OLD_CLIENT
        elapsed = int((now - self.started) * 1e9)
        return PayloadType.HANDSHAKE_COMPLETE, _json({"HandshakeTimeToComplete": elapsed, "CustomerMessage": message})


def version_tuple(version: str) -> tuple[int, ...]:
    """Numbers of a dotted version, for comparison; an unreadable part counts as 0."""
    return tuple(int(part) if part.isdigit() else 0 for part in version.split("."))


def _parse(payload: bytes, what: str) -> dict[str, Any]:
    try:
        body = json.loads(payload)
    except ValueError as error:
        raise HandshakeError(f"Handshake failed: the {what} is not JSON.") from error
    if not isinstance(body, dict):
        raise HandshakeError(f"Handshake failed: the {what} is not a JSON object.")
    return body


def _json(body: dict[str, Any]) -> bytes:
    return json.dumps(body).encode()
