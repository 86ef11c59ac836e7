# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The JSON payloads of the data channel's handshake: requests read, answers built; decides nothing and keeps no keys.

Private to the collection: it can change at any time.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass

from .errors import ProtocolError
from .message import load_json

# Steers the agent: above 1.2.295 there is no request to update, above 1.1.70 smux is possible.
CLIENT_VERSION = "1.2.707.0"

SESSION_TYPES = ("Standard_Stream", "InteractiveCommands", "NonInteractiveCommands")
OK = 1
FAILED = 2
UNSUPPORTED = 3


@dataclass(frozen=True)
class EncryptionRequest:
    """The agent asks for a data key under this KMS key; `challenge` is None with agents before 3.3.808."""

    key_id: str
    challenge: str | None


@dataclass(frozen=True)
class Request:
    """A handshake request: action types in the order asked, what is wanted of encryption, and actions this client cannot do."""

    agent_version: str
    session_type: str | None
    encryption: EncryptionRequest | None
    actions: tuple
    unsupported: tuple


def read_request(payload: bytes) -> Request:
    body = load_json(payload, "Handshake request")
    actions, unsupported, session_type, encryption = [], [], None, None
    requested = body.get("RequestedClientActions") or []
    if not isinstance(requested, list):
        raise ProtocolError("Handshake request has no list of actions.")
    for action in requested:
        if not isinstance(action, dict):
            raise ProtocolError("Handshake request has an action that is not an object.")
        kind = action.get("ActionType")
        parameters = action.get("ActionParameters")
        parameters = parameters if isinstance(parameters, dict) else {}
        actions.append(str(kind))
        if kind == "SessionType":
            session_type = str(parameters.get("SessionType"))
            if session_type not in SESSION_TYPES:
                unsupported.append(str(kind))
        elif kind == "KMSEncryption":
            key_id = parameters.get("KMSKeyId")
            if not isinstance(key_id, str) or not key_id:
                raise ProtocolError("Handshake request asks for encryption without a KMS key.")
            challenge = parameters.get("Challenge")
            encryption = EncryptionRequest(key_id=key_id, challenge=challenge if isinstance(challenge, str) and challenge else None)
        else:
            unsupported.append(str(kind))
    return Request(
        agent_version=str(body.get("AgentVersion")),
        session_type=session_type,
        encryption=encryption,
        actions=tuple(actions),
        unsupported=tuple(unsupported),
    )


def response(request: Request, wrapped_key: bytes | None) -> bytes:
    """Return the answer to a request; `wrapped_key` is KMS's CiphertextBlob when encryption was asked for."""
    processed, errors = [], []
    for kind in request.actions:
        entry = {"ActionType": kind, "ActionStatus": OK, "ActionResult": None, "Error": ""}
        if kind in request.unsupported:
            entry["ActionStatus"] = UNSUPPORTED
            entry["Error"] = "Unsupported action {0}".format(kind)
            errors.append(entry["Error"])
        elif kind == "KMSEncryption":
            result: dict = {"KMSCipherTextKey": base64.b64encode(wrapped_key or b"").decode("ascii"), "KMSCipherTextHash": None}
            if request.encryption is not None and request.encryption.challenge is not None:
                result["ChallengeAcknowledgement"] = True
            entry["ActionResult"] = result
        processed.append(entry)
    return json.dumps({"ClientVersion": CLIENT_VERSION, "ProcessedClientActions": processed, "Errors": errors}).encode("utf-8")


def read_challenge(payload: bytes) -> bytes:
    """Return the encrypted bytes of an encryption challenge."""
    challenge = load_json(payload, "Encryption challenge").get("Challenge")
    try:
        return base64.b64decode(challenge, validate=True)
    except (TypeError, ValueError, binascii.Error) as error:
        raise ProtocolError("Encryption challenge is not base64.") from error


def challenge_response(encrypted: bytes) -> bytes:
    return json.dumps({"Challenge": base64.b64encode(encrypted).decode("ascii")}).encode("ascii")


def encryption_context(session_id: str, target: str, request: EncryptionRequest) -> dict:
    """Return the KMS encryption context that the agent will use too; `target` is the id the agent registered with."""
    context = {"aws:ssm:SessionId": session_id, "aws:ssm:TargetId": target}
    if request.challenge is not None:
        context["aws:ssm:RandomChallenge"] = request.challenge
    return context
