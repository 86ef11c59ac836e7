# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Session Manager operations of the SSM API, their errors and their administration; HTTP and other operations are elsewhere."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from .answers import ApiError, paginate
from .documents import PREFERENCES, SESSION_DOCUMENTS, DocumentError, default_preferences, plan
from .faults import ApiFault, Faults
from .gateway import Gateway, TargetNotConnected
from .records import Session

Answer = dict[str, Any]


FindDocument = Callable[[str], dict[str, Any] | None]
"""A session document's content by its name, among those that the account created."""


class SessionApi:
    """Operations on one gateway's sessions."""

    def __init__(self, gateway: Gateway, *, region: str, find_document: FindDocument = lambda name: None) -> None:
        self._gateway = gateway
        self._region = region
        self._find = find_document
        self._failed: dict[str, int] = {}
        self.operations: dict[str, Callable[[dict[str, Any], str], Answer]] = {
            "StartSession": self.start_session,
            "ResumeSession": self.resume_session,
            "TerminateSession": self.terminate_session,
            "DescribeSessions": self.describe_sessions,
            "GetConnectionStatus": self.get_connection_status,
        }

    async def inject(self, operation: str) -> None:
        """Count a call, wait and fail as the faults say. Raises ApiError."""
        self._gateway.counters[f"api_{operation}"] += 1
        fault = self._gateway.faults.api.get(operation) or ApiFault()
        if fault.latency_ms:
            await asyncio.sleep(fault.latency_ms / 1000)
        if not fault.error:
            return
        done = self._failed.get(operation, 0)
        if 0 <= fault.count <= done:
            return
        self._failed[operation] = done + 1
        self._gateway.counters[f"api_{operation}_{fault.error}"] += 1
        raise ApiError(fault.error, _FAULT_TEXTS.get(fault.error, f"{fault.error} (injected)"))

    def set_faults(self, faults: Faults) -> None:
        self._failed.clear()
        self._gateway.set_faults(faults)

    def start_session(self, body: dict[str, Any], owner: str) -> Answer:
        target = _text(body, "Target")
        name = str(body.get("DocumentName") or PREFERENCES).rpartition("/")[2]
        if name in self._gateway.faults.deny_documents:
            resource = f"arn:aws:ssm:{self._region}::document/{name}"
            raise ApiError("AccessDeniedException", f"User: {owner} is not authorized to perform: ssm:StartSession on resource: {resource}")
        preferences = self._find(PREFERENCES) or default_preferences()
        document = preferences if name == PREFERENCES else SESSION_DOCUMENTS.get(name) or self._find(name)
        if document is None:
            raise ApiError("InvalidDocument", f"Document with name {name} does not exist.")
        try:
            planned = plan(name, document, preferences, body.get("Parameters") or {})
        except DocumentError as error:
            raise ApiError(error.code, str(error)) from error
        try:
            session, token = self._gateway.open_session(target, planned, owner=owner, reason=str(body.get("Reason") or ""))
        except TargetNotConnected:
            raise ApiError("TargetNotConnected", f"{target} is not connected.") from None
        return {"SessionId": session.id, "TokenValue": token, "StreamUrl": self._gateway.stream_url(session)}

    def resume_session(self, body: dict[str, Any], owner: str) -> Answer:
        session = self._gateway.sessions.get(_text(body, "SessionId"))
        if session is None:
            raise ApiError("DoesNotExistException", f"Session {body['SessionId']} does not exist.")
        answer = {"SessionId": session.id, "StreamUrl": self._gateway.stream_url(session)}
        if session.open and not self._gateway.faults.refuse_resume:
            answer["TokenValue"] = self._gateway.resume_token(session)
        return answer

    def terminate_session(self, body: dict[str, Any], owner: str) -> Answer:
        session_id = _text(body, "SessionId")
        session = self._gateway.sessions.get(session_id)
        if session is not None:
            self._gateway.end(session, "")
        return {"SessionId": session_id}

    def describe_sessions(self, body: dict[str, Any], owner: str) -> Answer:
        state = _text(body, "State")
        if state not in ("Active", "History"):
            raise ApiError(
                "ValidationException",
                f"Value '{state}' at 'state' failed to satisfy constraint: Member must satisfy enum value set: [Active, History]",
            )
        chosen = [session for session in self._gateway.sessions.values() if session.open == (state == "Active")]
        for item in body.get("Filters") or []:
            chosen = [session for session in chosen if _matches(session, item["key"], item["value"])]
        chosen.sort(key=lambda session: session.started, reverse=True)
        page, token = paginate(chosen, body, 200)
        return {"Sessions": [self._describe(session) for session in page], **token}

    def get_connection_status(self, body: dict[str, Any], owner: str) -> Answer:
        target = _text(body, "Target")
        return {"Target": target, "Status": "connected" if self._gateway.online(target) else "notconnected"}

    def _describe(self, session: Session) -> Answer:
        answer = {
            "SessionId": session.id,
            "Target": session.target,
            "Status": session.status,
            "StartDate": session.started.timestamp(),
            "DocumentName": session.plan.document_name,
            "Owner": session.owner,
            "Details": "",
            "OutputUrl": {},
            "AccessType": "Standard",
        }
        if session.reason:
            answer["Reason"] = session.reason
        if session.ended is not None:
            answer["EndDate"] = session.ended.timestamp()
        if session.plan.duration_seconds:
            answer["MaxSessionDuration"] = str(int(session.plan.duration_seconds // 60))
        return answer

    # -- administration: faults, counters, open sessions

    def admin(self, method: str, path: str, body: bytes) -> tuple[int, Answer]:
        """`GET state`, `PUT|DELETE faults`, `POST cut`, `POST bye`, `DELETE counters`; status and JSON answer."""
        try:
            content = json.loads(body) if body else {}
        except ValueError:
            return 400, {"error": "the body is not JSON"}
        path = path.strip("/")
        if (method, path) == ("GET", "state"):
            return 200, self._state()
        if path == "faults" and method in ("PUT", "POST", "DELETE"):
            try:
                self.set_faults(Faults.from_json(content if method != "DELETE" else {}))
            except (ValueError, TypeError) as error:
                return 400, {"error": str(error)}
            return 200, {"faults": asdict(self._gateway.faults)}
        if path in ("cut", "bye") and method == "POST":
            return self._cut(content, bye=path == "bye")
        if (method, path) == ("DELETE", "counters"):
            self._gateway.counters.clear()
            return 200, {}
        return 404, {"error": f"no administration {method} {path}"}

    def _cut(self, content: dict[str, Any], *, bye: bool) -> tuple[int, Answer]:
        side = content.get("side", "client")
        if side == "control":
            return 200, {"cut": sum(self._gateway.cut_agent(name) for name in list(self._gateway.agents))}
        if side not in ("client", "agent"):
            return 400, {"error": "side must be client, agent or control"}
        chosen = [item for item in self._gateway.sessions.values() if item.open and content.get("session") in (None, item.id)]
        return 200, {"cut": sum(self._gateway.cut(item, side, bye=bye) for item in chosen)}

    def _state(self) -> Answer:
        gateway = self._gateway
        sessions = [
            {
                "id": item.id,
                "target": item.target,
                "status": item.status,
                "document": item.plan.document_name,
                "client_connected": item.client.socket is not None,
                "agent_connected": item.agent.socket is not None,
                "client_connections": item.client.connections,
                "agent_connections": item.agent.connections,
                "output": item.output,
                "lost": item.client.link.lost + item.agent.link.lost,
                "duplicated": item.client.link.duplicated + item.agent.link.duplicated,
                "reordered": item.client.link.reordered + item.agent.link.reordered,
            }
            for item in gateway.sessions.values()
        ]
        return {
            "sessions": sessions,
            "open_sessions": [item.id for item in gateway.sessions.values() if item.open],
            "counters": dict(gateway.counters),
            "agents": {name: agent.socket is not None for name, agent in gateway.agents.items()},
            "faults": asdict(gateway.faults),
        }


_FAULT_TEXTS = {
    "ThrottlingException": "Rate exceeded",
    "TargetNotConnected": "The specified target instance is not connected.",
    "InternalServerError": "An error occurred on the server side.",
    "AccessDeniedException": "You are not authorized to perform this operation.",
}


def _text(body: dict[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise ApiError(
            "ValidationException",
            f"1 validation error detected: Value at '{name[0].lower()}{name[1:]}' failed to satisfy constraint: Member must not be null",
        )
    return value


def _matches(session: Session, key: str, value: str) -> bool:
    facts = {"Target": session.target, "Owner": session.owner, "Status": session.status, "SessionId": session.id, "AccessType": "Standard"}
    if key in facts:
        return facts[key] == value
    if key in ("InvokedAfter", "InvokedBefore"):
        try:
            moment = datetime.fromisoformat(value.replace("Z", "+00:00"))
        except ValueError:
            raise ApiError("ValidationException", f"The value {value} of the filter {key} is not a date.") from None
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return session.started >= moment if key == "InvokedAfter" else session.started <= moment
    raise ApiError("InvalidFilterKey", f"The specified key isn't valid: {key}.")
