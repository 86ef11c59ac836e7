# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The DNS name of a DB instance, in the form of AWS's own; pure."""

from __future__ import annotations

import hashlib

from .rds_state import Instance


class EndpointNames:
    """Names of one cloud; two clouds on one machine have different ones."""

    def __init__(self, cloud_name: str, region: str) -> None:
        self._domain = f"c{hashlib.sha256(cloud_name.encode()).hexdigest()[:11]}.{region}.rds.localcloud.test"

    def endpoint(self, instance: Instance) -> str:
        """The name that always leads to the primary."""
        return f"{instance.id}.{self._domain}"
