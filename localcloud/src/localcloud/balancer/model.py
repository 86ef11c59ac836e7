# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one proxy is to do, as plain data: listeners with their rules in order, target groups, servers; pure."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Forward:
    """Send a request to one of these target groups, by weight, anew for each request.

    `weights` are pairs of a group's key and its weight. `sticky_seconds` above 0 keeps a client with the group it was sent to first.
    """

    weights: tuple[tuple[str, int], ...]
    sticky_seconds: int = 0


@dataclasses.dataclass(frozen=True)
class Redirect:
    """Answer with a redirect; the parts may contain `#{protocol}`, `#{host}`, `#{port}`, `#{path}` and `#{query}`."""

    status: int
    protocol: str
    host: str
    port: str
    path: str
    query: str


@dataclasses.dataclass(frozen=True)
class Fixed:
    """Answer with this."""

    status: int
    content_type: str
    body: str


@dataclasses.dataclass(frozen=True)
class Login:
    """What a client without a session gets before the action: a redirect to the login page `endpoint` (`authenticate`), 401 (`deny`), or
    the action all the same (`allow`). The local cloud makes no sessions: every client is without one."""

    otherwise: str
    endpoint: str
    client: str
    scope: str


@dataclasses.dataclass(frozen=True)
class Condition:
    """True when any of the values matches. `field` is the API's name; `name` the header of `http-header`.

    Values are patterns with the wildcards `*` and `?`; those of `query-string` are pairs of a key (may be empty) and a value.
    """

    field: str
    values: tuple[str | tuple[str, str], ...]
    name: str = ""


@dataclasses.dataclass(frozen=True)
class Rule:
    """All conditions must hold; the last rule of a listener has none. `key` is unique in the proxy."""

    key: str
    conditions: tuple[Condition, ...]
    action: Forward | Redirect | Fixed
    login: Login | None = None


@dataclasses.dataclass(frozen=True)
class Tls:
    """How a listener speaks TLS. `certificates` are names of PEM files in the proxy's directory, the default one first."""

    certificates: tuple[str, ...]
    oldest: str
    newest: str
    ciphers: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Front:
    """A listener and its rules in the order of evaluation."""

    key: str
    port: int
    rules: tuple[Rule, ...]
    tls: Tls | None = None


@dataclasses.dataclass(frozen=True)
class Check:
    """A health check; times in seconds. `port` is None for the traffic's; `codes` as HAProxy and the API write them: `200-299,404`."""

    secure: bool
    port: int | None
    path: str
    interval: int
    timeout: int
    rise: int
    fall: int
    codes: str


@dataclasses.dataclass(frozen=True)
class Sticky:
    """Keep a client with its target. `cookie` names the application's cookie that starts it; empty: every answer does."""

    seconds: int
    cookie: str = ""


@dataclasses.dataclass(frozen=True)
class Group:
    """A target group: how its targets are reached, checked and chosen. `algorithm` is HAProxy's word for `balance`."""

    key: str
    secure: bool
    http2: bool
    check: Check
    algorithm: str = "roundrobin"
    slow_start: int = 0
    sticky: Sticky | None = None


@dataclasses.dataclass(frozen=True)
class Plan:
    """A whole load balancer. Times in seconds; `forwarded_for` is the mode of X-Forwarded-For: append, preserve or remove."""

    key: str
    fronts: tuple[Front, ...]
    groups: tuple[Group, ...]
    idle_seconds: int = 60
    keep_alive_seconds: int = 3600
    http2: bool = True
    forwarded_for: str = "append"
    client_port: bool = False

    def forwards(self) -> dict[str, Forward]:
        """Rule's key -> its forward action."""
        return {rule.key: rule.action for front in self.fronts for rule in front.rules if isinstance(rule.action, Forward)}


@dataclasses.dataclass(frozen=True)
class Server:
    """A target as the proxy sees it. One that drains gets no new request, and its connections stay."""

    group: str
    address: str
    port: int
    draining: bool = False

    @property
    def name(self) -> str:
        """HAProxy's name of the server; a health check sends it as its Host header."""
        return f"{self.address}:{self.port}"
