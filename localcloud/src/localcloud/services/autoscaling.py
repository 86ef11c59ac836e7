# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Auto Scaling: moto's control plane, whose groups launch EC2 instances; instances that die are not replaced here yet."""

from __future__ import annotations

import asyncio
import typing as t

from ministack.core.router import extract_region
from moto.autoscaling.responses import AutoScalingResponse

from ..emulation import moto, refusals
from .ec2 import action_of, form_of

if t.TYPE_CHECKING:
    from ..cloud import Cloud
    from . import Response


class AutoScaling:
    """The service `autoscaling`."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    async def handle_request(
        self, method: str, path: str, headers: dict[str, str], body: bytes, query_params: dict[str, list[str]]
    ) -> Response:
        """Answer one request."""
        form = form_of(body, query_params)
        action = action_of(form)
        refused = await asyncio.to_thread(refusals.autoscaling, action, form, extract_region(headers, query_params))
        if refused is not None:
            return refused
        answer = await moto.dispatch(AutoScalingResponse, "autoscaling", method, path, headers, body, query_params)
        if not action.startswith("Describe"):
            self._cloud.changed()
        return answer


def create(cloud: Cloud) -> AutoScaling:
    """The service of this cloud."""
    return AutoScaling(cloud)
