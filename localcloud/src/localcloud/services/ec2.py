# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""EC2: moto's control plane, and a word to the data plane after every call that is not a mere question."""

from __future__ import annotations

import typing as t
import urllib.parse

from moto.ec2.responses import EC2Response

from ..emulation import moto

if t.TYPE_CHECKING:
    from ..cloud import Cloud
    from . import Response


class Ec2:
    """The service `ec2`."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    async def handle_request(
        self, method: str, path: str, headers: dict[str, str], body: bytes, query_params: dict[str, list[str]]
    ) -> Response:
        """Answer one request."""
        answer = await moto.dispatch(EC2Response, "ec2", method, path, headers, body, query_params)
        if not action_of(body, query_params).startswith(("Describe", "Get", "Search")):
            self._cloud.changed()
        return answer


def action_of(body: bytes, query_params: dict[str, list[str]]) -> str:
    """The action of a request in the query protocol."""
    form = urllib.parse.parse_qs(body.decode(errors="replace")) or query_params
    return (form.get("Action") or [""])[0]


def create(cloud: Cloud) -> Ec2:
    """The service of this cloud."""
    return Ec2(cloud)
