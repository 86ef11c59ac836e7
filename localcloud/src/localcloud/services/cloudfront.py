# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CloudFront: MiniStack's API and behaviours, behind an edge of our own: an address and a name per distribution, HTTPS, WebSocket."""

from __future__ import annotations

import asyncio
import re
import typing as t
import uuid

import ministack.app

from ..emulation import distributions
from .cloudfront_edge import Edge

if t.TYPE_CHECKING:
    from ..certificates import Pem
    from ..cloud import Cloud
    from ..emulation.distributions import Distribution
    from . import Response


NAMESPACE = "http://cloudfront.amazonaws.com/doc/2020-05-31/"
_CONTROL = re.compile(r"/2020-05-31/origin-access-control/(?P<id>[^/]+)/?")


class CloudFront:
    """The service `cloudfront`. Nothing is cached: each request goes to its origin, and an invalidation has nothing to do."""

    def __init__(self, cloud: Cloud) -> None:
        distributions.install()
        self._cloud = cloud
        self._names: dict[str, Distribution] = {}
        self._addresses: dict[str, tuple[str, str]] = {}
        """Id of a distribution -> its own domain name and its public address."""
        self._holders: set[str] = set()
        self._wildcard: Pem | None = None
        self._edge = Edge(self._find, self._certificate, cloud.names)

    async def start(self) -> None:
        """Open the edge's ports."""
        await self._edge.start()

    async def stop(self) -> None:
        """Close them."""
        await self._edge.stop()

    async def handle_request(
        self, method: str, path: str, headers: dict[str, str], body: bytes, query_params: dict[str, list[str]]
    ) -> Response:
        """Answer one request."""
        control = _CONTROL.fullmatch(path)
        if control and method == "DELETE" and distributions.users_of_control(control["id"]):
            return _error(409, "OriginAccessControlInUse", "The origin access control is in use by one or more origins.")
        answer = await ministack.app._get_module("cloudfront").handle_request(method, path, headers, body, query_params)
        if method != "GET":
            await asyncio.to_thread(self._follow)
        return answer

    def _follow(self) -> None:
        """Bring addresses, names and certificates to the distributions that are enabled now."""
        everything = distributions.all_distributions()
        enabled = {found.id: found for found in everything if found.enabled}
        self._names = {name: found for found in enabled.values() for name in found.names}
        for gone in self._addresses.keys() - enabled.keys():
            name, address = self._addresses.pop(gone)
            self._cloud.names.remove(name)
            self._cloud.edges.close(address)
        for found in enabled.values():
            if found.id not in self._addresses:
                address = self._cloud.edges.open({443: self._edge.https_port, 80: self._edge.http_port})
                self._addresses[found.id] = (found.names[0], address)
                self._cloud.names.set(found.names[0], (), [address])
        for arn in self._holders:
            self._cloud.certificates.release(arn)
        here = {found.arn for found in everything}
        distributions.forget_tags(self._holders - here)
        self._holders = here
        for found in everything:
            if found.certificate_arn:
                self._cloud.certificates.use(found.certificate_arn, found.arn)

    def _find(self, host: str) -> Distribution | None:
        host = host.lower().rstrip(".")
        return self._names.get(host) or self._names.get(f"*.{host.partition('.')[2]}")

    def _certificate(self, name: str) -> Pem:
        """What the edge shows for a name: the distribution's own certificate, or that of all distributions."""
        found = self._find(name)
        if found is not None and found.certificate_arn and not name.endswith(f".{distributions.DOMAIN}"):
            try:
                return self._cloud.certificates.pem(found.certificate_arn)
            except KeyError:  # deleted in ACM, or not issued
                pass
        if self._wildcard is None:
            self._wildcard = self._cloud.certificates.issue([f"*.{distributions.DOMAIN}"])
        return self._wildcard


def _error(status: int, code: str, message: str) -> Response:
    text = (
        f'<ErrorResponse xmlns="{NAMESPACE}"><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>'
        f"<RequestId>{uuid.uuid4()}</RequestId></ErrorResponse>"
    )
    return status, {"Content-Type": "text/xml"}, text.encode()


def create(cloud: Cloud) -> CloudFront:
    """The service of this cloud."""
    return CloudFront(cloud)
