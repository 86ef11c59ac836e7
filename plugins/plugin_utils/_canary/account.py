# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whom AWS takes a rollout for: botocore clients with short time-outs, because seconds count here."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields

ATTEMPTS = 4
CONNECT_S, READ_S = 3, 10


@dataclass(frozen=True, kw_only=True)
class Account:
    """As the options of amazon.aws modules are called; None leaves the choice to botocore's own chain."""

    region: str | None = None
    profile: str | None = None
    access_key: str | None = None
    secret_key: str | None = None
    session_token: str | None = None
    endpoint_url: str | None = None
    aws_ca_bundle: str | None = None
    validate_certs: bool = True

    @classmethod
    def of(cls, options: dict) -> Account:
        """From a task's options, of which others are ignored."""
        return cls(**{field.name: options[field.name] for field in fields(cls) if options.get(field.name) is not None})

    def __repr__(self):
        return f"Account(region={self.region!r}, profile={self.profile!r})"

    def as_dict(self) -> dict:
        return asdict(self)

    def client(self, service: str):
        """A client of one service; standard retries, so that a throttled call is answered or refused within seconds."""
        from botocore.config import Config
        from botocore.session import Session

        session = Session(profile=self.profile)
        return session.create_client(
            service,
            region_name=self.region,
            endpoint_url=self.endpoint_url,
            verify=self.validate_certs if not self.validate_certs else self.aws_ca_bundle,
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            aws_session_token=self.session_token,
            config=Config(retries={"mode": "standard", "total_max_attempts": ATTEMPTS}, connect_timeout=CONNECT_S, read_timeout=READ_S),
        )
