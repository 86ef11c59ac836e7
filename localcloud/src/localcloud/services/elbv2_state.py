# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Load balancing's records: load balancers, listeners, rules, target groups and targets, and how they refer to each other; no I/O."""

from __future__ import annotations

import dataclasses
import datetime
import secrets
import threading
import time
import typing as t

from ..cloud import Interface
from .query_protocol import ApiError

Action = dict[str, t.Any]
Condition = dict[str, t.Any]


@dataclasses.dataclass
class Target:
    """One registration. `draining_until` is on time.monotonic()'s clock, None while it is registered."""

    id: str
    port: int
    zone: str | None = None
    registered: float = dataclasses.field(default_factory=time.monotonic)
    draining_until: float | None = None


@dataclasses.dataclass
class TargetGroup:
    """A target group; `check` has the members of the API that begin with HealthCheck, the thresholds and the matcher."""

    arn: str
    name: str
    protocol: str
    version: str
    port: int
    vpc_id: str
    target_type: str
    check: dict[str, t.Any]
    attributes: dict[str, str]
    tags: dict[str, str]
    targets: dict[tuple[str, int], Target] = dataclasses.field(default_factory=dict)

    @property
    def key(self) -> str:
        """The last part of the ARN, which is unique."""
        return self.arn.rpartition("/")[2]

    @property
    def suffix(self) -> str:
        """The value of CloudWatch's dimension TargetGroup."""
        return self.arn.rpartition(":")[2]


@dataclasses.dataclass
class Rule:
    """A rule; the default one of a listener has no priority."""

    arn: str
    priority: int | None
    conditions: list[Condition]
    actions: list[Action]
    tags: dict[str, str]

    @property
    def key(self) -> str:
        return self.arn.rpartition("/")[2]


@dataclasses.dataclass
class Listener:
    """A listener; the first certificate is the default one. `rules` includes the default rule."""

    arn: str
    balancer_arn: str
    port: int
    protocol: str
    policy: str | None
    certificates: list[str]
    attributes: dict[str, str]
    tags: dict[str, str]
    rules: dict[str, Rule] = dataclasses.field(default_factory=dict)

    @property
    def key(self) -> str:
        return self.arn.rpartition("/")[2]

    @property
    def default(self) -> Rule:
        """The rule for requests that match no other one."""
        return next(rule for rule in self.rules.values() if rule.priority is None)

    def in_order(self) -> list[Rule]:
        """The rules as they are evaluated, the default one last."""
        return sorted(self.rules.values(), key=lambda rule: float("inf") if rule.priority is None else rule.priority)


@dataclasses.dataclass
class LoadBalancer:
    """A load balancer; `interfaces` by subnet id, in the order of the subnets."""

    arn: str
    name: str
    dns_name: str
    scheme: str
    vpc_id: str
    security_groups: list[str]
    attributes: dict[str, str]
    tags: dict[str, str]
    ip_address_type: str = "ipv4"
    state: str = "provisioning"
    reason: str | None = None
    interfaces: dict[str, Interface] = dataclasses.field(default_factory=dict)
    listeners: dict[str, Listener] = dataclasses.field(default_factory=dict)
    created: datetime.datetime = dataclasses.field(default_factory=lambda: datetime.datetime.now(datetime.UTC))

    @property
    def key(self) -> str:
        return self.arn.rpartition("/")[2]

    @property
    def suffix(self) -> str:
        """The value of CloudWatch's dimension LoadBalancer: `app/<name>/<id>`."""
        return self.arn.partition(":loadbalancer/")[2]

    @property
    def zones(self) -> set[str]:
        """The Availability Zones that it serves."""
        return {interface.availability_zone for interface in self.interfaces.values()}

    def rules(self) -> t.Iterator[Rule]:
        """The rules of all listeners."""
        for listener in self.listeners.values():
            yield from listener.rules.values()

    def group_arns(self) -> set[str]:
        """The target groups that any rule forwards to, whatever their weights."""
        return {arn for rule in self.rules() for arn in groups_of(rule.actions)}


def groups_of(actions: list[Action]) -> list[str]:
    """ARNs of the target groups that these actions forward to."""
    return [
        group["TargetGroupArn"]
        for action in actions
        if action["Type"] == "forward"
        for group in action.get("ForwardConfig", {}).get("TargetGroups", [])
    ]


class Store:
    """Everything of one cloud. Whoever reads or changes it holds `lock`."""

    def __init__(self, region: str, account_id: str) -> None:
        self.lock = threading.RLock()
        self.prefix = f"arn:aws:elasticloadbalancing:{region}:{account_id}"
        self.balancers: dict[str, LoadBalancer] = {}
        self.groups: dict[str, TargetGroup] = {}

    def balancer(self, arn: str) -> LoadBalancer:
        """The load balancer with this ARN."""
        self._check(arn, "loadbalancer/", "load balancer")
        if arn not in self.balancers:
            raise ApiError("LoadBalancerNotFound", f"Load balancer '{arn}' not found")
        return self.balancers[arn]

    def listener(self, arn: str) -> tuple[LoadBalancer, Listener]:
        """The listener with this ARN and its load balancer."""
        self._check(arn, "listener/", "listener")
        for balancer in self.balancers.values():
            if arn in balancer.listeners:
                return balancer, balancer.listeners[arn]
        raise ApiError("ListenerNotFound", f"Listener '{arn}' not found")

    def rule(self, arn: str) -> tuple[LoadBalancer, Listener, Rule]:
        """The rule with this ARN, its listener and its load balancer."""
        self._check(arn, "listener-rule/", "listener rule")
        for balancer in self.balancers.values():
            for listener in balancer.listeners.values():
                if arn in listener.rules:
                    return balancer, listener, listener.rules[arn]
        raise ApiError("RuleNotFound", f"Rule '{arn}' not found")

    def group(self, arn: str) -> TargetGroup:
        """The target group with this ARN."""
        self._check(arn, "targetgroup/", "target group")
        if arn not in self.groups:
            raise ApiError("TargetGroupNotFound", f"Target group '{arn}' not found")
        return self.groups[arn]

    def user_of(self, group_arn: str) -> LoadBalancer | None:
        """The load balancer that forwards to a target group, or None; there is at most one."""
        return next((balancer for balancer in self.balancers.values() if group_arn in balancer.group_arns()), None)

    def tags_of(self, arn: str) -> dict[str, str]:
        """The tags of any resource; ApiError when there is none with this ARN."""
        kind = arn.removeprefix(f"{self.prefix}:").partition("/")[0]
        match kind:
            case "loadbalancer":
                return self.balancer(arn).tags
            case "targetgroup":
                return self.group(arn).tags
            case "listener":
                return self.listener(arn)[1].tags
            case "listener-rule":
                return self.rule(arn)[2].tags
        raise ApiError("ValidationError", f"'{arn}' is not a valid load balancer, target group, listener or rule ARN")

    def tagged(self) -> t.Iterator[tuple[str, dict[str, str]]]:
        """Every resource that has tags."""
        for balancer in self.balancers.values():
            yield balancer.arn, balancer.tags
            for listener in balancer.listeners.values():
                yield listener.arn, listener.tags
                yield from ((rule.arn, rule.tags) for rule in listener.rules.values())
        yield from ((group.arn, group.tags) for group in self.groups.values())

    def _check(self, arn: str, kind: str, words: str) -> None:
        if not arn.startswith(f"{self.prefix}:{kind}"):
            raise ApiError("ValidationError", f"'{arn}' is not a valid {words} ARN")


def new_id() -> str:
    """The last part of an ARN."""
    return secrets.token_hex(8)
