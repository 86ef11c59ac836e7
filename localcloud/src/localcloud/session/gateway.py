# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The message gateway: control channels of agents, and the relay between each session's client and agent, with faults on request.

It buffers nothing for a peer that is away: the peers retransmit. The API's view of sessions (errors, documents, paging) is in api.py.
"""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import secrets
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from . import envelope
from .documents import Plan
from .endpoints import ControlEndpoint, DataEndpoint, channel_of
from .faults import Faults, Link
from .http import App, Endpoint, Request, Response, Server, WebSocket
from .records import AgentLink, Session, Side

log = logging.getLogger("localcloud.session.gateway")

_TICK_SECONDS = 0.25
_TOKEN_SECONDS = 300.0
_AGENT_ABSENCE_SECONDS = 30.0
_AGENT_SILENCE_SECONDS = 75.0  # agents ping every 54 s
_LINGER_SECONDS = 2.0
_KEPT_SESSIONS = 1000
_IDLE_TEXT = "Session terminated: it was idle for longer than the idle session timeout."
_DURATION_TEXT = "Session terminated: it reached the maximum session duration."
_AGENT_GONE_TEXT = "Session terminated: the connection to the agent of the instance was lost."


class TargetNotConnected(Exception):
    """No agent of this instance is connected."""


class Refused(Exception):
    """An agent may not do this; the text says why."""


Authorise = Callable[[str, str, Request], None]
"""`(instance id, action, request)`; raises Refused unless the instance's agent may take this action. Called in a thread."""


class Gateway:
    """One gateway. `authorise` decides which instances' agents may connect."""

    def __init__(self, authorise: Authorise) -> None:
        self.faults = Faults()
        self.counters: Counter[str] = Counter()
        self.sessions: dict[str, Session] = {}
        self.agents: dict[str, AgentLink] = {}
        self.on_job_reply: Callable[[str, dict[str, Any]], None] = lambda job_id, content: None
        self.on_job_acknowledged: Callable[[str], None] = lambda job_id: None
        self.on_agent_connected: Callable[[str], None] = lambda instance_id: None
        self._authorise = authorise
        self._server = Server(App(self._answer, self._upgrade))
        self._tokens: dict[str, tuple[str, str, float]] = {}
        self._ordinal = 0
        self._clock = time.monotonic
        self._housekeeping: asyncio.Task[None] | None = None

    # -- life

    async def start(self, host: str, port: int) -> None:
        """Raises OSError when the port is taken."""
        self._clock = asyncio.get_running_loop().time
        await self._server.start(host, port)
        self._housekeeping = asyncio.create_task(self._tick_for_ever())

    async def stop(self) -> None:
        if self._housekeeping is not None:
            self._housekeeping.cancel()
            await asyncio.gather(self._housekeeping, return_exceptions=True)
        for session in list(self.sessions.values()):
            if session.open:
                self.end(session, "")
        await self._server.stop()

    @property
    def port(self) -> int:
        return self._server.port

    # -- what the API does

    def online(self, instance_id: str) -> bool:
        agent = self.agents.get(instance_id)
        return agent is not None and agent.socket is not None

    def open_session(self, target: str, plan: Plan, *, owner: str, reason: str) -> tuple[Session, str]:
        """A new session and its client's token. Raises TargetNotConnected."""
        if not self.online(target):
            raise TargetNotConnected(target)
        self._ordinal += 1
        now = self._clock()
        session = Session(
            id=f"{_owner_name(owner)}-{secrets.token_hex(9)[:17]}",
            target=target,
            owner=owner,
            reason=reason,
            plan=plan,
            started=datetime.now(UTC),
            started_at=now,
            active_at=now,
            client=Side("client", Link(self.faults.to_client, f"{self.faults.seed}/{self._ordinal}/to_client")),
            agent=Side("agent", Link(self.faults.to_agent, f"{self.faults.seed}/{self._ordinal}/to_agent")),
        )
        self.sessions[session.id] = session
        while len(self.sessions) > _KEPT_SESSIONS:
            oldest = next((item for item in self.sessions.values() if not item.open), None)
            if oldest is None:
                break
            del self.sessions[oldest.id]
        self._order(session)
        return session, self._token("client", session.id)

    def resume_token(self, session: Session) -> str:
        return self._token("client", session.id)

    def stream_url(self, session: Session) -> str:
        return f"ws://127.0.0.1:{self.port}/v1/data-channel/{session.id}?role=publish_subscribe"

    def end(self, session: Session, output: str, *, status: str = "Terminated") -> None:
        """Close both channels; the sockets follow a little later, so that the last messages arrive."""
        if not session.open:
            return
        session.status = status
        session.ended = datetime.now(UTC)
        session.output = output
        self.counters["sessions_ended"] += 1
        closing = envelope.channel_closed(session.id, output)
        for side in (session.client, session.agent):
            self._forward(session, side, closing, reliable=True)
        asyncio.get_running_loop().call_later(_LINGER_SECONDS + self._latency(session), self._close_sides, session)

    def send_job(self, instance_id: str, job_id: str, content: dict[str, Any]) -> bool:
        """Order a command; False when the agent is not connected."""
        agent = self.agents.get(instance_id)
        if agent is None or agent.socket is None:
            return False
        agent.socket.send_binary(envelope.agent_job(job_id, content))
        return True

    def set_faults(self, faults: Faults) -> None:
        """From now on, for running sessions too."""
        self.faults = faults
        for session in self.sessions.values():
            session.client.link.faults = faults.to_client
            session.agent.link.faults = faults.to_agent

    def cut(self, session: Session, side: str, *, bye: bool = False) -> bool:
        """Break the websocket of one side: without a word, or as the service does every hour (1000 "Bye"). False when it has none."""
        socket = (session.client if side == "client" else session.agent).socket
        if socket is None:
            return False
        if bye:
            socket.close(1000, "Bye")
        else:
            socket.abort()
        self.counters[f"{side}_sockets_cut"] += 1
        return True

    def cut_agent(self, instance_id: str, *, sessions: bool = False) -> bool:
        """Break an agent's control channel without a word, and its data channels too when asked to."""
        agent = self.agents.get(instance_id)
        if sessions:
            for session in self.sessions.values():
                if session.open and session.target == instance_id:
                    self.cut(session, "agent")
        if agent is None or agent.socket is None:
            return False
        agent.socket.abort()
        return True

    # -- HTTP

    async def _answer(self, request: Request) -> Response:
        kind, name = channel_of(request.path)
        if request.method != "POST" or not kind:
            return Response(404, b"no such channel")
        if kind == "control-channel":
            instance_id, action, role = name, "ssmmessages:CreateControlChannel", "control"
        else:
            session = self.sessions.get(name)
            if session is None or not session.open:
                return Response(404, b"the session does not exist")
            instance_id, action, role = session.target, "ssmmessages:CreateDataChannel", "agent"
        try:
            await asyncio.to_thread(self._authorise, instance_id, action, request)
        except Refused as error:
            self.counters["agent_refused"] += 1
            return Response(403, f"AccessDeniedException: {error}".encode())
        token = self._token(role, name)
        element = "CreateControlChannelResponse" if role == "control" else "CreateDataChannelResponse"
        xml = f"<{element}><MessageSchemaVersion>1.0</MessageSchemaVersion><TokenValue>{token}</TokenValue></{element}>"
        return Response(201, xml.encode(), {"Content-Type": "application/xml"})

    def _upgrade(self, request: Request) -> Endpoint | Response:
        kind, name = channel_of(request.path)
        if kind == "control-channel":
            return ControlEndpoint(self, name)
        if kind == "data-channel":
            session = self.sessions.get(name)
            if session is None or not session.open:
                return Response(404, b"the session does not exist")
            return DataEndpoint(self, session)
        return Response(404, b"no such channel")

    # -- tokens

    def _token(self, role: str, name: str) -> str:
        token = base64.b64encode(secrets.token_bytes(96)).decode("ascii")
        self._tokens[token] = (role, name, self._clock() + _TOKEN_SECONDS)
        return token

    def redeem(self, token: Any, name: str) -> str | None:
        """The role that a token opens a channel for; each token works once."""
        role, owner, until = self._tokens.pop(str(token), ("", "", 0.0))
        return role if role and owner == name and until >= self._clock() else None

    # -- control channel

    def agent_opened(self, instance_id: str, socket: WebSocket, opening: dict[str, Any]) -> None:
        known = self.agents.get(instance_id)
        if known is not None and known.socket is not None:
            known.socket.abort()
        now = datetime.now(UTC)
        info = {key: str(value) for key, value in opening.items() if key not in ("TokenValue", "RequestId", "MessageSchemaVersion")}
        self.agents[instance_id] = AgentLink(instance_id, info, socket, self._clock(), now, known.registered if known else now)
        self.counters["control_channels_opened"] += 1
        restarted = known is not None and known.info.get("AgentProcess") != info.get("AgentProcess")
        for session in [item for item in self.sessions.values() if item.open and item.target == instance_id]:
            if session.agent.connections == 0:
                self._order(session)
            elif restarted and session.agent.socket is None:
                self.end(session, _AGENT_GONE_TEXT)  # its process ended with the old agent, which had its terminal
        self.on_agent_connected(instance_id)

    def agent_message(self, instance_id: str, data: bytes) -> None:
        agent = self.agents[instance_id]
        agent.last_ping = datetime.now(UTC)
        kind = envelope.message_type(data)
        content = envelope.body(data)
        if kind == "agent_task_complete":
            if agent.socket is not None:
                agent.socket.send_binary(envelope.agent_task_acknowledge(content))
            for session in self.sessions.values():
                if session.open and session.task_id == content.get("TaskId"):
                    self.end(session, str(content.get("Output") or ""))
        elif kind == "agent_job_ack":
            self.on_job_acknowledged(str(content.get("JobId")))
        elif kind == "agent_job_reply":
            job_id = str(content.get("JobId"))
            if agent.socket is not None:
                agent.socket.send_binary(envelope.agent_job_reply_ack(job_id))
            try:
                result = json.loads(str(content.get("Content")))
            except ValueError:
                log.warning("%s: the reply to job %s is not JSON", instance_id, job_id)
                return
            self.on_job_reply(job_id, result)

    def agent_closed(self, instance_id: str, socket: WebSocket) -> None:
        agent = self.agents.get(instance_id)
        if agent is not None and agent.socket is socket:
            agent.socket = None

    def _order(self, session: Session) -> None:
        agent = self.agents[session.target]
        content = {
            "DocumentName": session.plan.document_name,
            "DocumentContent": session.plan.content,
            "SessionId": session.id,
            "Parameters": session.plan.parameters,
            "RunAsUser": "",
            "SessionOwner": session.owner,
        }
        if agent.socket is not None:
            agent.socket.send_binary(envelope.interactive_shell(session.task_id, content, self.faults.agent))

    # -- data channel

    def side_opened(self, session: Session, role: str, socket: WebSocket) -> Side:
        side, other = (session.client, session.agent) if role == "client" else (session.agent, session.client)
        if side.socket is not None:
            side.socket.abort()
        side.socket = socket
        side.opened_at = self._clock()
        side.frames = 0
        side.connections += 1
        self.counters[f"{side.name}_sockets_opened"] += 1
        socket.on_writable = lambda writable: self._throttle(other, writable)
        if role == "agent":
            session.agent_gone_at = None
        if other.socket is not None:
            session.status = "Connected"
            session.active_at = self._clock()
            for present in (session.client, session.agent):
                self._forward(session, present, envelope.start_publication(session.id), reliable=True)
        return side

    def side_frame(self, session: Session, side: Side, data: bytes) -> None:
        """Pass on one frame of this side."""
        kind = envelope.message_type(data)
        if kind == "agent_session_state" or not session.open:
            return
        if kind != "acknowledge":
            session.active_at = self._clock()
        receiver = session.agent if side is session.client else session.client
        self.counters[f"frames_to_{receiver.name}"] += 1
        if receiver.socket is None:
            self.counters[f"frames_to_absent_{receiver.name}"] += 1
            return
        self._forward(session, receiver, data)

    def side_closed(self, session: Session, side: Side, socket: WebSocket) -> None:
        if side.socket is not socket:
            return
        side.socket = None
        side.link.clear()
        if side.timer is not None:
            side.timer.cancel()
            side.timer = None
        other = session.agent if side is session.client else session.client
        if other.socket is not None:
            other.socket.resume_reading()
        if not session.open:
            return
        session.status = "Disconnected"
        if side is session.agent:
            session.agent_gone_at = self._clock()
        else:
            self._forward(session, other, envelope.pause_publication(session.id), reliable=True)

    def _forward(self, session: Session, side: Side, data: bytes, *, reliable: bool = False) -> None:
        if side.socket is None:
            return
        now = self._clock()
        side.link.put(now, data, reliable=reliable)
        self._deliver(session, side)

    def _deliver(self, session: Session, side: Side) -> None:
        if side.timer is not None:
            side.timer.cancel()
            side.timer = None
        for data in side.link.take(self._clock()):
            if side.socket is None:
                return
            side.socket.send_binary(data)
            side.frames += 1
            limit = side.link.faults.drop_after
            if limit and side.frames >= limit and session.open:
                self.cut(session, side.name)
                return
        due = side.link.next_due()
        if due is not None:
            side.timer = asyncio.get_running_loop().call_at(due, self._deliver, session, side)

    @staticmethod
    def _throttle(source: Side, writable: bool) -> None:
        if source.socket is None:
            return
        if writable:
            source.socket.resume_reading()
        else:
            source.socket.pause_reading()

    def _latency(self, session: Session) -> float:
        return max(side.link.faults.latency_ms + side.link.faults.jitter_ms for side in (session.client, session.agent)) / 1000

    @staticmethod
    def _close_sides(session: Session) -> None:
        loop = asyncio.get_running_loop()
        for side in (session.client, session.agent):
            if side.socket is not None:
                side.socket.close(1000, "")
                loop.call_later(_LINGER_SECONDS, side.socket.abort)

    # -- time

    async def _tick_for_ever(self) -> None:
        while True:
            await asyncio.sleep(_TICK_SECONDS)
            try:
                self._tick(self._clock())
            except Exception:
                log.exception("the gateway's housekeeping failed")

    def _tick(self, now: float) -> None:
        for token, (_role, _name, until) in list(self._tokens.items()):
            if until < now:
                del self._tokens[token]
        for agent in self.agents.values():
            if agent.socket is not None and now - agent.socket.last_data > _AGENT_SILENCE_SECONDS:
                agent.socket.abort()
        for session in list(self.sessions.values()):
            if session.open:
                self._check_limits(session, now)

    def _check_limits(self, session: Session, now: float) -> None:
        idle = session.plan.idle_seconds if self.faults.idle_seconds is None else self.faults.idle_seconds
        duration = session.plan.duration_seconds if self.faults.duration_seconds is None else self.faults.duration_seconds
        if now - session.active_at > idle:
            self.end(session, _IDLE_TEXT)
        elif duration is not None and now - session.started_at > duration:
            self.end(session, _DURATION_TEXT)
        elif session.agent_gone_at is not None and now - session.agent_gone_at > _AGENT_ABSENCE_SECONDS:
            self.end(session, _AGENT_GONE_TEXT)
        agent = session.agent.socket
        if agent is not None and now - agent.last_data > _AGENT_SILENCE_SECONDS:
            agent.abort()
        for side in (session.client, session.agent):
            if session.open and side.socket is not None and now - side.opened_at > self.faults.websocket_seconds:
                self.cut(session, side.name, bye=True)


def _owner_name(owner: str) -> str:
    """The last part of an ARN, as far as a session's id may hold it."""
    name = owner.rpartition("/")[2].rpartition(":")[2]
    return "".join(character for character in name if character.isalnum() or character in "-_.@")[:64] or "session"
