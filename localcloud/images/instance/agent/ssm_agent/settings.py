# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the agent is told from outside: its settings file, and the pacing of a session; no behaviour."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

AGENT_VERSION = "3.3.3050.0"


@dataclass(frozen=True)
class Settings:
    """The settings file. `imds` is the base URL of the metadata service; empty means: credentials from the environment.

    `run_as_user` false keeps every command under the agent's own user, for an agent that is not root.
    """

    instance_id: str
    region: str
    ssmmessages_url: str
    imds: str = "http://169.254.169.254"
    run_as_user: bool = True
    working_directory: str = "/usr/bin"

    @classmethod
    def read(cls, path: str) -> Settings:
        """Raises ValueError with one sentence when the file cannot be used."""
        try:
            body = json.loads(Path(path).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ValueError(f"cannot read the agent's settings {path}: {error}") from error
        known = {field.name for field in fields(cls)}
        missing = [name for name in ("instance_id", "region", "ssmmessages_url") if not body.get(name)]
        if missing:
            raise ValueError(f"the agent's settings {path} lack {', '.join(missing)}")
        return cls(**{name: value for name, value in body.items() if name in known})


@dataclass(frozen=True)
class Pacing:
    """Seconds that the real agent waits, sizes it uses, and whether it speaks the newer KMS handshake; a test may change them."""

    first_output_delay: float = 1.0
    output_pause: float = 0.001
    chunk_bytes: int = 1024
    flush_seconds: float = 2.0
    ping_seconds: float = 54.0
    pong_seconds: float = 6.0
    kms_challenge: bool = True

    @classmethod
    def from_json(cls, body: dict[str, Any] | None) -> Pacing:
        known = {field.name for field in fields(cls)}
        return cls(**{name: value for name, value in (body or {}).items() if name in known})
