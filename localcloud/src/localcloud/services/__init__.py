# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one table of services that are handled here instead of by MiniStack."""

from __future__ import annotations

import importlib
import importlib.util
import typing as t

if t.TYPE_CHECKING:
    from ..cloud import Cloud

Response = tuple[int, dict[str, str], bytes]

MODULES: dict[str, str] = {
    # service name as MiniStack's router calls it -> module in this package
    "ec2": "ec2",
    "autoscaling": "autoscaling",
    "ssm": "ssm",
    "ecr": "ecr",
    "elasticache": "elasticache",
    "rds": "rds",
    "elasticloadbalancing": "elbv2",
    "ecs": "ecs",
    "application-autoscaling": "application_autoscaling",
    "monitoring": "cloudwatch",
    "route53": "route53",
    "acm": "acm",
    "cloudfront": "cloudfront",
}
"""A module exposes `create(cloud) -> Service`. Order matters: services start in this order and stop in the reverse one."""


class Service(t.Protocol):
    """What a service's `create` returns.

    Optional coroutines beside `handle_request`: `start()` before the API answers, `stop()` on shutdown, and
    `admin(method, path, body) -> (status, headers, body)` reachable at `/_localcloud/<service>/<path>` on the API port.
    """

    async def handle_request(
        self, method: str, path: str, headers: dict[str, str], body: bytes, query_params: dict[str, list[str]]
    ) -> Response:
        """Answer one request; MiniStack's signature for handlers."""


def create_all(cloud: Cloud) -> dict[str, Service]:
    """Create every service of the table, in the table's order."""
    services: dict[str, Service] = {}
    for name, module in MODULES.items():
        if importlib.util.find_spec(f"{__name__}.{module}") is None:
            continue
        services[name] = importlib.import_module(f"{__name__}.{module}").create(cloud)
    return services
