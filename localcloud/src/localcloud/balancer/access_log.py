# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Access logs of application load balancers: the line of a request and the name of a file, in AWS's format; pure.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-access-logs.html
"""

from __future__ import annotations

import datetime
import hashlib
import urllib.parse

from .requests import Request


def line(request: Request, *, balancer: str, port: int, secure: bool, group_arn: str, priority: str, certificate: str) -> str:
    """The line of a request, without its end. `balancer` is `app/<name>/<id>`; `priority` is `default` for the default rule."""
    upgraded = request.target_status == 101
    kind = {(False, False): "http", (True, False): "https", (False, True): "ws", (True, True): "wss"}[secure, upgraded]
    if request.version == "HTTP/2.0" and not upgraded:
        kind = "h2"
    scheme = {"ws": "http", "wss": "https", "h2": "https"}.get(kind, kind)
    times = _times(request)
    path = request.uri if request.uri.startswith("/") else urllib.parse.urlsplit(request.uri).path or "/"
    host = request.host.partition(":")[0] or "-"
    url = f"{scheme}://{host}:{port}{path}"
    fields = [
        kind,
        _time(request.ended),
        balancer,
        request.client,
        request.target or "-",
        *times,
        str(request.status or "-"),
        str(request.target_status or "-"),
        str(request.received_bytes),
        str(request.sent_bytes),
        _quoted(f"{request.method or '-'} {url if request.method else '-'} {request.version or '-'}"),
        _quoted(request.agent or "-"),
        request.cipher or "-",
        request.tls or "-",
        group_arn or "-",
        _quoted(request.trace or "-"),
        _quoted(request.sni or "-"),
        _quoted(certificate or "-"),
        priority,
        _time(request.arrived if request.arrived is not None else request.ended),
        _quoted(_action(request)),
        _quoted(request.redirect or "-"),
        '"-"',
        _quoted(request.target or "-"),
        _quoted(str(request.target_status or "-")),
        '"-"',
        '"-"',
        f"TID_{hashlib.sha256(request.client.encode()).hexdigest()[:32]}",
    ]
    return " ".join(fields)


def key(*, prefix: str, account: str, region: str, balancer: str, address: str, end: datetime.datetime, mark: str) -> str:
    """The key of a file that ends at `end`, in UTC; `mark` makes it unique."""
    folder = f"{prefix}/" if prefix else ""
    name = f"{account}_elasticloadbalancing_{region}_{balancer.replace('/', '.')}_{end:%Y%m%dT%H%MZ}_{address}_{mark}.log.gz"
    return f"{folder}AWSLogs/{account}/elasticloadbalancing/{region}/{end:%Y/%m/%d}/{name}"


def _action(request: Request) -> str:
    if request.redirect:
        return "redirect"
    if request.target is not None:
        return "forward"
    return "fixed-response" if request.rule is not None and request.status < 500 else "-"


def _times(request: Request) -> list[str]:
    """Request, target and response processing time in seconds; -1 for what did not come to its end."""
    points = (request.arrived, request.forwarded, request.answered, request.ended)
    if request.target is None or request.arrived is None or request.forwarded is None:
        return ["-1", "-1", "-1"]
    found = [_seconds(points[0], points[1])]
    if request.answered is None:
        return [*found, "-1", "-1"]
    return [*found, _seconds(points[1], points[2]), _seconds(points[2], points[3])]


def _seconds(begin: int | None, end: int | None) -> str:
    return f"{max(0, (end or 0) - (begin or 0)) / 1_000_000:.3f}"


def _time(microseconds: int) -> str:
    moment = datetime.datetime.fromtimestamp(microseconds / 1_000_000, datetime.UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f") + "Z"


def _quoted(text: str) -> str:
    """Quotes around it; quotes and control characters inside as \\xHH, as AWS writes them."""
    escaped = "".join(character if character.isprintable() and character not in '"\\' else f"\\x{ord(character):02x}" for character in text)
    return f'"{escaped}"'
