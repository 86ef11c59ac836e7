# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CloudFront's distributions, which MiniStack holds and whose behaviours it carries out; opens no socket.

MiniStack fetches from S3 buckets in this process, signed as the distribution when its origin has an origin access control.
"""

from __future__ import annotations

import dataclasses
import secrets
import string
import typing as t
import urllib.parse

from ministack.core.responses import request_scope
from ministack.services import cloudfront

from .. import settings

DOMAIN = "cloudfront.localcloud.test"
Response = tuple[int, dict[str, t.Any], bytes]


@dataclasses.dataclass(frozen=True)
class Distribution:
    """A distribution that is there; `names` are its own domain name and its aliases."""

    id: str
    arn: str
    names: tuple[str, ...]
    enabled: bool
    certificate_arn: str | None


@dataclasses.dataclass(frozen=True)
class Target:
    """Where a WebSocket connection goes. `host` is what the origin is told that the viewer asked for."""

    origin: str
    port: int
    secure: bool
    host: str
    path: str
    headers: list[tuple[str, str]]


def install() -> None:
    """Give distributions domain names that this cloud can resolve; once per process."""

    def domain() -> str:
        return f"d{''.join(secrets.choice(string.ascii_lowercase + string.digits) for _ in range(13))}.{DOMAIN}"

    cloudfront._cloudfront_domain = domain


def _scope() -> t.Any:
    return request_scope(settings.ACCOUNT_ID, settings.REGION)


def all_distributions() -> list[Distribution]:
    """Every distribution."""
    with _scope():
        return [_view(found) for found in list(cloudfront._distributions.values())]


def _view(found: dict[str, t.Any]) -> Distribution:
    config = cloudfront._dist_config_el(found)
    certificate = cloudfront._find(config, "ViewerCertificate")
    arn = cloudfront._text(certificate, "ACMCertificateArn") if certificate is not None else ""
    names = (found["DomainName"].lower(), *(alias.lower() for alias in cloudfront._get_distribution_aliases(found)))
    return Distribution(found["Id"], found["ARN"], names, cloudfront._get_enabled(config), arn or None)


def forget_tags(arns: t.Iterable[str]) -> None:
    """Distributions that are gone have no tags, which MiniStack would keep."""
    with _scope():
        for arn in arns:
            cloudfront._tags.pop(arn, None)


def users_of_control(control_id: str) -> list[str]:
    """Ids of the distributions with an origin that has this origin access control."""
    with _scope():
        return [
            found["Id"]
            for found in cloudfront._distributions.values()
            if any(origin["oac_id"] == control_id for origin in cloudfront.parse_distribution_dataplane_config(found)["origins"].values())
        ]


async def serve(
    distribution: Distribution, method: str, raw_path: str, query: str, headers: dict[str, str], body: bytes, client_ip: str
) -> Response:
    """The answer to one viewer request; `headers` have lower-case names, and `x-forwarded-proto` is the viewer's protocol."""
    parameters = urllib.parse.parse_qs(query, keep_blank_values=True)
    with _scope():
        found = cloudfront._distributions[distribution.id]
        path = urllib.parse.unquote(raw_path)
        return await cloudfront.handle_viewer_request(found, method, path, raw_path, query, headers, body, parameters, client_ip)


def websocket_target(distribution: Distribution, raw_path: str, query: str, headers: dict[str, str]) -> Target | None:
    """Where a WebSocket connection to this path goes; None when the path's origin is a bucket, or there is none."""
    with _scope():
        parsed = cloudfront.parse_distribution_dataplane_config(cloudfront._distributions[distribution.id])
        behavior = cloudfront._match_behavior(parsed, urllib.parse.unquote(raw_path))
        origin = parsed["origins"].get(behavior["target_origin_id"]) if behavior else None
        if origin is None or origin.get("s3_bucket"):
            return None
        header_allowed, cookie_allowed, _ = cloudfront._forwarding_predicates(behavior)
        origin_name, port, secure = cloudfront._origin_connect_target(origin, True)
        kept = [(name, value) for name, value in headers.items() if name not in _OWN_HEADERS and header_allowed(name)]
        cookies = [pair for pair in headers.get("cookie", "").split("; ") if pair and cookie_allowed(pair.partition("=")[0])]
    if cookies:
        kept.append(("cookie", "; ".join(cookies)))
    kept += [(name, value) for name, value in origin.get("custom_headers") or []]
    host = headers.get("host", "") if header_allowed("host") else origin_name
    path = (origin.get("origin_path") or "") + raw_path + (f"?{query}" if query else "")
    return Target(origin_name, port, secure, host, path, kept)


_OWN_HEADERS = frozenset({
    "host", "cookie", "connection", "upgrade", "sec-websocket-key", "sec-websocket-version", "sec-websocket-extensions",
    "sec-websocket-protocol", "x-forwarded-proto",
})  # fmt: skip
"""What is between two hops, or is added for the next one."""
