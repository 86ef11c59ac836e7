# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the cases of load balancing act on: one load balancer for all of them, and listeners, rules and target groups of their own."""

from __future__ import annotations

import itertools
import typing as t

import botocore
from tls import self_signed

_ports = itertools.count(2000)
_octets = itertools.count(50)


class World:
    """One case's world; what a case makes has the case's name."""

    def __init__(self, boto: t.Callable[[str], t.Any], vpc: t.Any, balancer: str, name: str) -> None:
        self.boto = boto
        self.elb = boto("elbv2")
        self.vpc = vpc
        self.balancer = balancer
        self.name = name

    def call(self, operation: str, **members: t.Any) -> t.Any:
        """Call an operation by its API name."""
        return getattr(self.elb, botocore.xform_name(operation))(**members)

    def own_balancer(self, **members: t.Any) -> str:
        """A load balancer of the case's own; whoever makes one deletes it."""
        wanted = {"Subnets": [self.vpc.public_subnet, self.vpc.private_subnet], "Scheme": "internal"}
        return self.elb.create_load_balancer(Name=self.name, **{**wanted, **members})["LoadBalancers"][0]["LoadBalancerArn"]

    def delete(self, balancer: str) -> t.Any:
        return self.elb.delete_load_balancer(LoadBalancerArn=balancer)

    def group(self, **members: t.Any) -> str:
        """A target group of the case's own, for addresses."""
        wanted = {"Name": self.name, "Protocol": "HTTP", "Port": 80, "VpcId": self.vpc.id, "TargetType": "ip"}
        return self.elb.create_target_group(**{**wanted, **members})["TargetGroups"][0]["TargetGroupArn"]

    def used_group(self) -> str:
        """A target group that the load balancer uses."""
        group = self.group()
        self.listener([{"Type": "forward", "TargetGroupArn": group}])
        return group

    def listener(self, actions: t.Any = None, **members: t.Any) -> str:
        """A listener of the case's own, on a port of its own."""
        wanted = {"LoadBalancerArn": self.balancer, "Protocol": "HTTP", "Port": next(_ports), "DefaultActions": actions or [self.fixed()]}
        return self.elb.create_listener(**{**wanted, **members})["Listeners"][0]["ListenerArn"]

    def secure_listener(self, actions: t.Any = None) -> str:
        """One that speaks TLS."""
        return self.listener(actions, Protocol="HTTPS", Certificates=[{"CertificateArn": self.certificate()}])

    def certificate(self) -> str:
        body, key = self_signed(f"{self.name}.example.com")
        return self.boto("acm").import_certificate(Certificate=body, PrivateKey=key)["CertificateArn"]

    def rule(self, listener: str | None = None, priority: int = 10, **members: t.Any) -> str:
        """A rule of the case's own."""
        wanted = {"Conditions": [self.path()], "Actions": [self.fixed()]}
        made = self.elb.create_rule(ListenerArn=listener or self.listener(), Priority=priority, **{**wanted, **members})
        return made["Rules"][0]["RuleArn"]

    def default_rule(self) -> str:
        return self.elb.describe_rules(ListenerArn=self.listener())["Rules"][0]["RuleArn"]

    def address(self) -> str:
        """An address at which nothing is."""
        return f"{'.'.join(self.vpc.cidr.split('.')[:2])}.1.{next(_octets) % 200}"

    def login(self, **config: t.Any) -> list[dict[str, t.Any]]:
        """Actions that authenticate and then answer."""
        endpoints = {name: f"https://id.test/{name}" for name in ("Issuer", "AuthorizationEndpoint", "TokenEndpoint", "UserInfoEndpoint")}
        login = {"Type": "authenticate-oidc", "Order": 1, "AuthenticateOidcConfig": {**endpoints, "ClientId": "x", **config}}
        return [login, {**self.fixed(), "Order": 2}]

    @staticmethod
    def fixed(status: str = "200") -> dict[str, t.Any]:
        return {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": status}}

    @staticmethod
    def path(pattern: str = "/x/*") -> dict[str, t.Any]:
        return {"Field": "path-pattern", "Values": [pattern]}
