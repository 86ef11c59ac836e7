# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Environment variables that MiniStack and moto read when they are imported; must be set before either is, and imports neither."""

from __future__ import annotations

import json
import os
import typing as t

from . import images

if t.TYPE_CHECKING:
    from ..settings import Settings


def apply(settings: Settings) -> None:
    """Set them for this process."""
    amis = settings.state_dir / "amis.json"
    amis.write_text(json.dumps(images.amis()))
    # MiniStack's root credentials are those of its environment: it checks presigned requests to S3 against them.
    client = settings.environment()
    os.environ.update({name: client[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")})
    os.environ.update(
        GATEWAY_PORT=str(settings.ports.api),
        BIND_HOST="127.0.0.1",
        MINISTACK_HOST="localhost",
        MINISTACK_REGION=settings.region,
        MINISTACK_ACCOUNT_ID=settings.account_id,
        IOT_MTLS_ENABLED="0",
        SFTP_ENABLED="0",
        PERSIST_STATE="0",
        S3_DATA_DIR=str(settings.state_dir / "s3"),
        STATE_DIR=str(settings.state_dir / "ministack"),
        MOTO_ACCOUNT_ID=settings.account_id,
        MOTO_AMIS_PATH=str(amis),
        MOTO_ENABLE_AMI_VALIDATION="true",
        MOTO_EC2_ENABLE_INSTANCE_TYPE_VALIDATION="true",
    )
