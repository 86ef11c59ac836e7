# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What services show of the KMS key that they were given by id, ARN or alias: its ARN."""

from __future__ import annotations

from ministack.services import kms


def key_arn(key: str, region: str, account: str) -> str | None:
    """The ARN of a key that exists and is enabled, else None. A key that AWS manages (`alias/aws/…`) exists as soon as it is named."""
    name = key.rpartition(":")[2]
    if name.startswith("alias/aws/"):
        return f"arn:aws:kms:{region}:{account}:key/{name.removeprefix('alias/').replace('/', '-')}"
    found = kms._resolve_key(key)
    if found is None or found.get("KeyState", "Enabled") != "Enabled":
        return None
    return str(found["Arn"])
