# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The websockets of the gateway's channels: who has opened one, and where its frames go; decides nothing about sessions."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from .http import WebSocket
from .records import Session, Side

if TYPE_CHECKING:
    from .gateway import Gateway


class ControlEndpoint:
    """The websocket of one agent's control channel."""

    def __init__(self, gateway: Gateway, instance_id: str) -> None:
        self._gateway = gateway
        self._instance_id = instance_id
        self._socket: WebSocket | None = None
        self._open = False

    def opened(self, socket: WebSocket) -> None:
        self._socket = socket

    def text(self, data: str) -> None:
        opening = _object(data)
        if self._open or self._gateway.redeem(opening.get("TokenValue"), self._instance_id) != "control":
            self._socket.close(1008, "invalid token")
            return
        self._open = True
        self._gateway.agent_opened(self._instance_id, self._socket, opening)

    def binary(self, data: bytes) -> None:
        if self._open:
            self._gateway.agent_message(self._instance_id, data)

    def closed(self) -> None:
        self._gateway.agent_closed(self._instance_id, self._socket)


class DataEndpoint:
    """The websocket of a session's client or agent; the opening frame's token tells which."""

    def __init__(self, gateway: Gateway, session: Session) -> None:
        self._gateway = gateway
        self._session = session
        self._socket: WebSocket | None = None
        self._side: Side | None = None

    def opened(self, socket: WebSocket) -> None:
        self._socket = socket

    def text(self, data: str) -> None:
        opening = _object(data)
        role = self._gateway.redeem(opening.get("TokenValue"), self._session.id)
        if self._side is not None or role not in ("client", "agent") or not self._session.open:
            self._socket.close(1008, "invalid token")
            return
        if str(opening.get("MessageSchemaVersion")) != "1.0" or not opening.get("RequestId") or not opening.get("ClientId"):
            self._socket.close(1008, "invalid opening message")
            return
        self._side = self._gateway.side_opened(self._session, role, self._socket)

    def binary(self, data: bytes) -> None:
        if self._side is not None:
            self._gateway.side_frame(self._session, self._side, data)

    def closed(self) -> None:
        if self._side is not None:
            self._gateway.side_closed(self._session, self._side, self._socket)


def channel_of(path: str) -> tuple[str, str]:
    """Kind and name of a channel's path; empty texts when it is none."""
    parts = path.strip("/").split("/")
    if len(parts) == 3 and parts[0] == "v1" and parts[1] in ("control-channel", "data-channel") and parts[2]:
        return parts[1], parts[2]
    return "", ""


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
