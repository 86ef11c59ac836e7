# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""EC2: moto's control plane, and a word to the data plane after every call that is not a mere question."""

from __future__ import annotations

import asyncio
import typing as t
import urllib.parse

from ministack.core.router import extract_region
from moto.ec2.responses import EC2Response

from ..emulation import moto, nat_gateways, refusals
from .pace import Pace

if t.TYPE_CHECKING:
    from ..cloud import Cloud
    from . import Response


class Ec2:
    """The service `ec2`."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._pace = Pace("nat-gateway", 0.0)
        nat_gateways.install(lambda: self._pace.seconds)

    async def admin(self, method: str, path: str, body: bytes) -> Response:
        """`nat-gateway/seconds`: how long a NAT gateway is pending."""
        return self._pace.admin(method, path.removeprefix("nat-gateway/"), body)

    async def handle_request(
        self, method: str, path: str, headers: dict[str, str], body: bytes, query_params: dict[str, list[str]]
    ) -> Response:
        """Answer one request."""
        form = form_of(body, query_params)
        action = action_of(form)
        refused = await asyncio.to_thread(refusals.ec2, action, form, extract_region(headers, query_params))
        if refused is not None:
            return refused
        answer = await moto.dispatch(EC2Response, "ec2", method, path, headers, body, query_params)
        if not action.startswith(("Describe", "Get", "Search")):
            self._cloud.changed()
        return refusals.named_as_aws_does(action, answer)


def form_of(body: bytes, query_params: dict[str, list[str]]) -> dict[str, list[str]]:
    """The members of a request in the query protocol, by their flat names."""
    return urllib.parse.parse_qs(body.decode(errors="replace"), keep_blank_values=True) or query_params


def action_of(form: dict[str, list[str]]) -> str:
    """The action of a request in the query protocol."""
    return (form.get("Action") or [""])[0]


def create(cloud: Cloud) -> Ec2:
    """The service of this cloud."""
    return Ec2(cloud)
