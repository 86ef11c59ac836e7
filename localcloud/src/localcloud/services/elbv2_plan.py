# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a load balancer's records mean for its proxy; pure, the caller holds the store's lock."""

from __future__ import annotations

import typing as t

from ..balancer import model
from .elbv2_actions import FIELDS
from .elbv2_logins import CONFIGS, OIDC
from .elbv2_policies import POLICIES
from .elbv2_state import Action, Condition, Listener, LoadBalancer, Rule, TargetGroup

_ALGORITHMS = {"round_robin": "roundrobin", "least_outstanding_requests": "leastconn", "weighted_random": "random(1)"}

CertificateName = t.Callable[[str], str]
"""The name of the PEM file of a certificate's ARN."""


def plan(balancer: LoadBalancer, groups: dict[str, TargetGroup], certificate: CertificateName) -> model.Plan:
    """The plan of a load balancer; `groups` by ARN."""
    attributes = balancer.attributes
    return model.Plan(
        key=balancer.key,
        fronts=tuple(_front(listener, certificate) for listener in sorted(balancer.listeners.values(), key=lambda listener: listener.port)),
        groups=tuple(_group(groups[arn]) for arn in sorted(balancer.group_arns()) if arn in groups),
        idle_seconds=int(attributes["idle_timeout.timeout_seconds"]),
        keep_alive_seconds=int(attributes["client_keep_alive.seconds"]),
        http2=attributes["routing.http2.enabled"] == "true",
        forwarded_for=attributes["routing.http.xff_header_processing.mode"],
        client_port=attributes["routing.http.xff_client_port.enabled"] == "true",
    )


def _front(listener: Listener, certificate: CertificateName) -> model.Front:
    tls = None
    if listener.protocol == "HTTPS":
        policy = POLICIES[listener.policy or ""]
        names = tuple(certificate(arn) for arn in listener.certificates)
        tls = model.Tls(names, policy.oldest, policy.newest, policy.ciphers)
    return model.Front(listener.key, listener.port, tuple(_rule(rule) for rule in listener.in_order()), tls)


def _rule(rule: Rule) -> model.Rule:
    *logins, action = rule.actions
    login = _login(logins[0]) if logins else None
    return model.Rule(rule.key, tuple(_condition(condition) for condition in rule.conditions), _action(action), login)


def _login(action: Action) -> model.Login:
    config = action[CONFIGS[action["Type"]]]
    if action["Type"] == OIDC:
        return model.Login(config["OnUnauthenticatedRequest"], config["AuthorizationEndpoint"], config["ClientId"], config["Scope"])
    endpoint = f"https://{config['UserPoolDomain']}.auth.amazoncognito.com/oauth2/authorize"
    return model.Login(config["OnUnauthenticatedRequest"], endpoint, config["UserPoolClientId"], config["Scope"])


def _action(action: Action) -> model.Forward | model.Redirect | model.Fixed:
    match action["Type"]:
        case "forward":
            config = action["ForwardConfig"]
            sticky = config["TargetGroupStickinessConfig"]
            weights = tuple((group["TargetGroupArn"].rpartition("/")[2], group["Weight"]) for group in config["TargetGroups"])
            return model.Forward(weights, sticky["DurationSeconds"] if sticky["Enabled"] else 0)
        case "redirect":
            config = action["RedirectConfig"]
            status = int(config["StatusCode"].removeprefix("HTTP_"))
            return model.Redirect(status, config["Protocol"], config["Host"], config["Port"], config["Path"], config["Query"])
        case _:
            config = action["FixedResponseConfig"]
            return model.Fixed(int(config["StatusCode"]), config["ContentType"], config.get("MessageBody", ""))


def _condition(condition: Condition) -> model.Condition:
    config = condition[FIELDS[condition["Field"]]]
    values = tuple((value.get("Key", ""), value["Value"]) if isinstance(value, dict) else value for value in config["Values"])
    return model.Condition(condition["Field"], values, config.get("HttpHeaderName", ""))


def _group(group: TargetGroup) -> model.Group:
    attributes, check = group.attributes, group.check
    sticky = None
    if attributes["stickiness.enabled"] == "true":
        by_application = attributes["stickiness.type"] == "app_cookie"
        kind = "app_cookie" if by_application else "lb_cookie"
        cookie = attributes["stickiness.app_cookie.cookie_name"] if by_application else ""
        sticky = model.Sticky(int(attributes[f"stickiness.{kind}.duration_seconds"]), cookie)
    return model.Group(
        key=group.key,
        secure=group.protocol == "HTTPS",
        http2=group.version == "HTTP2",
        check=model.Check(
            secure=check["HealthCheckProtocol"] == "HTTPS",
            port=None if check["HealthCheckPort"] == "traffic-port" else int(check["HealthCheckPort"]),
            path=check["HealthCheckPath"],
            interval=check["HealthCheckIntervalSeconds"],
            timeout=check["HealthCheckTimeoutSeconds"],
            rise=check["HealthyThresholdCount"],
            fall=check["UnhealthyThresholdCount"],
            codes=check["Matcher"]["HttpCode"],
        ),
        algorithm=_ALGORITHMS[attributes["load_balancing.algorithm.type"]],
        slow_start=int(attributes["slow_start.duration_seconds"]),
        sticky=sticky,
    )
