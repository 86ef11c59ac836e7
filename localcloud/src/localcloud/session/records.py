# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the gateway remembers: agents, sessions and the two sides of each session; no behaviour."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from .documents import Plan
from .faults import Link
from .http import WebSocket


@dataclass
class AgentLink:
    """One instance's agent as the service knows it."""

    instance_id: str
    info: dict[str, Any]
    socket: WebSocket | None
    connected_at: float
    last_ping: datetime
    registered: datetime


@dataclass
class Side:
    """One peer of a session: its websocket and the link towards it."""

    name: str
    link: Link
    socket: WebSocket | None = None
    opened_at: float = 0.0
    frames: int = 0
    connections: int = 0
    timer: asyncio.TimerHandle | None = None


@dataclass
class Session:
    """One session. Times named `_at` are on the loop's clock, dates are UTC."""

    id: str
    target: str
    owner: str
    reason: str
    plan: Plan
    started: datetime
    started_at: float
    active_at: float
    client: Side
    agent: Side
    task_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    status: str = "Connecting"
    ended: datetime | None = None
    agent_gone_at: float | None = None
    output: str = ""

    @property
    def open(self) -> bool:
        return self.ended is None
