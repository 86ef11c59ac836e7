# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What load balancing answers, good and bad: the table of cases, run by test_elbv2_contract."""

from __future__ import annotations

import typing as t

from .cases import Case
from .elbv2_world import World

PREFIX = "arn:aws:elasticloadbalancing:ap-northeast-2:123456789012"
NO_BALANCER = f"{PREFIX}:loadbalancer/app/none/0000000000000000"
NO_LISTENER = f"{PREFIX}:listener/app/none/0000000000000000/0000000000000000"
NO_RULE = f"{PREFIX}:listener-rule/app/none/0000000000000000/0000000000000000/0000000000000000"
NO_GROUP = f"{PREFIX}:targetgroup/none/0000000000000000"
NO_CERTIFICATE = "arn:aws:acm:ap-northeast-2:123456789012:certificate/00000000-0000-0000-0000-000000000000"
REDIRECT = {"Type": "redirect", "RedirectConfig": {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}}


def _case(operation: str, name: str, error: str | None = None, **members: t.Any) -> Case:
    """One call with fixed members."""
    return Case(operation, name, lambda w: w.call(operation, **members), error)


def _on(operation: str, name: str, make: t.Callable[[World], dict[str, t.Any]], error: str | None = None) -> Case:
    """One call with members that depend on the world."""
    return Case(operation, name, lambda w: w.call(operation, **make(w)), error)


def _weighted(w: World) -> list[dict[str, t.Any]]:
    groups = [w.group(Name=f"{w.name}-{colour}") for colour in ("blue", "green")]
    weights = [{"TargetGroupArn": groups[0], "Weight": 90}, {"TargetGroupArn": groups[1], "Weight": 10}]
    return [
        {
            "Type": "forward",
            "ForwardConfig": {"TargetGroups": weights, "TargetGroupStickinessConfig": {"Enabled": True, "DurationSeconds": 60}},
        }
    ]


def _weights_come_back(w: World) -> bool:
    actions = _weighted(w)
    listener = w.listener(actions)
    return w.elb.describe_listeners(ListenerArns=[listener])["Listeners"][0]["DefaultActions"] == actions


def _one_group(w: World) -> list[dict[str, t.Any]]:
    listener = w.listener([{"Type": "forward", "TargetGroupArn": w.group()}])
    return [sorted(action) for action in w.elb.describe_listeners(ListenerArns=[listener])["Listeners"][0]["DefaultActions"]]


def _subnets(w: World, *subnets: str, **members: t.Any) -> dict[str, t.Any]:
    return {"Name": w.name, "Subnets": list(subnets), **members}


def _listener(w: World, action: dict[str, t.Any], **members: t.Any) -> dict[str, t.Any]:
    return {"LoadBalancerArn": w.balancer, "Protocol": "HTTP", "Port": 1999, "DefaultActions": [action], **members}


def _forward(arn: str, **members: t.Any) -> dict[str, t.Any]:
    return {"Type": "forward", "TargetGroupArn": arn, **members}


def _rule(w: World, **members: t.Any) -> dict[str, t.Any]:
    return {"ListenerArn": w.listener(), "Priority": 10, "Conditions": [w.path()], "Actions": [w.fixed()], **members}


def _condition(name: str, condition: dict[str, t.Any], error: str | None = None) -> Case:
    return _on("CreateRule", name, lambda w: _rule(w, Conditions=[condition]), error)


def _attribute(key: str, value: str) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value}]


def _twice(w: World) -> None:
    made = w.own_balancer()
    try:
        w.own_balancer()
    finally:
        w.delete(made)


def _protected(w: World) -> None:
    made = w.own_balancer()
    w.elb.modify_load_balancer_attributes(LoadBalancerArn=made, Attributes=_attribute("deletion_protection.enabled", "true"))
    try:
        w.delete(made)
    finally:
        w.elb.modify_load_balancer_attributes(LoadBalancerArn=made, Attributes=_attribute("deletion_protection.enabled", "false"))
        w.delete(made)


def _other_balancers_group(w: World) -> None:
    group, other = w.used_group(), w.own_balancer()
    try:
        w.listener([_forward(group)], LoadBalancerArn=other)
    finally:
        w.delete(other)


def _logs(w: World, *, allowed: bool) -> None:
    s3 = w.boto("s3")
    s3.create_bucket(Bucket=w.name, CreateBucketConfiguration={"LocationConstraint": "ap-northeast-2"})
    if allowed:
        resource = f"arn:aws:s3:::{w.name}/p/AWSLogs/123456789012/*"
        who = "logdelivery.elasticloadbalancing.amazonaws.com"
        policy = f'{{"Statement":[{{"Effect":"Allow","Principal":{{"Service":"{who}"}},"Action":"s3:PutObject","Resource":"{resource}"}}]}}'
        s3.put_bucket_policy(Bucket=w.name, Policy=policy)
    wanted = {"access_logs.s3.enabled": "true", "access_logs.s3.bucket": w.name, "access_logs.s3.prefix": "p"}
    given = [{"Key": key, "Value": value} for key, value in wanted.items()]
    w.elb.modify_load_balancer_attributes(LoadBalancerArn=w.balancer, Attributes=given)
    w.elb.modify_load_balancer_attributes(LoadBalancerArn=w.balancer, Attributes=_attribute("access_logs.s3.enabled", "false"))


BALANCERS: list[Case] = [
    Case("CreateLoadBalancer", "and delete", lambda w: w.delete(w.own_balancer(Tags=[{"Key": "a", "Value": "b"}]))),
    Case("CreateLoadBalancer", "twice", _twice, "DuplicateLoadBalancerName"),
    _on("CreateLoadBalancer", "one zone", lambda w: _subnets(w, w.vpc.public_subnet), "ValidationError"),
    _on("CreateLoadBalancer", "no subnet", lambda w: _subnets(w, w.vpc.public_subnet, "subnet-00000000000000000"), "SubnetNotFound"),
    _on(
        "CreateLoadBalancer",
        "no group",
        lambda w: _subnets(w, w.vpc.public_subnet, w.vpc.private_subnet, SecurityGroups=["sg-00000000000000000"]),
        "InvalidSecurityGroup",
    ),
    _on("CreateLoadBalancer", "network", lambda w: _subnets(w, w.vpc.public_subnet, Type="network"), "OperationNotPermitted"),
    _on("CreateLoadBalancer", "scheme", lambda w: _subnets(w, w.vpc.public_subnet, Scheme="public"), "ValidationError"),
    _on("CreateLoadBalancer", "name", lambda w: {"Name": "internal-x", "Subnets": [w.vpc.public_subnet]}, "ValidationError"),
    _case("DescribeLoadBalancers", "all"),
    _case("DescribeLoadBalancers", "a page", PageSize=1),
    _case("DescribeLoadBalancers", "absent name", "LoadBalancerNotFound", Names=["there-is-none"]),
    _case("DescribeLoadBalancers", "absent", "LoadBalancerNotFound", LoadBalancerArns=[NO_BALANCER]),
    _case("DescribeLoadBalancers", "no ARN", "ValidationError", LoadBalancerArns=["arn:aws:nonsense"]),
    Case("DeleteLoadBalancer", "protected", _protected, "OperationNotPermitted"),
    _case("DeleteLoadBalancer", "absent", LoadBalancerArn=NO_BALANCER),
    _on("DescribeLoadBalancerAttributes", "all", lambda w: {"LoadBalancerArn": w.balancer}),
    _case("DescribeLoadBalancerAttributes", "absent", "LoadBalancerNotFound", LoadBalancerArn=NO_BALANCER),
    _on(
        "ModifyLoadBalancerAttributes",
        "idle",
        lambda w: {"LoadBalancerArn": w.balancer, "Attributes": _attribute("idle_timeout.timeout_seconds", "61")},
    ),
    _on(
        "ModifyLoadBalancerAttributes",
        "too much",
        lambda w: {"LoadBalancerArn": w.balancer, "Attributes": _attribute("idle_timeout.timeout_seconds", "4001")},
        "ValidationError",
    ),
    _on(
        "ModifyLoadBalancerAttributes",
        "unknown",
        lambda w: {"LoadBalancerArn": w.balancer, "Attributes": _attribute("idle", "61")},
        "ValidationError",
    ),
    Case("ModifyLoadBalancerAttributes", "logs", lambda w: _logs(w, allowed=True)),
    Case("ModifyLoadBalancerAttributes", "logs refused", lambda w: _logs(w, allowed=False), "InvalidConfigurationRequest"),
    _on("SetSecurityGroups", "one", lambda w: {"LoadBalancerArn": w.balancer, "SecurityGroups": [w.vpc.security_group]}),
    _on(
        "SetSecurityGroups",
        "absent",
        lambda w: {"LoadBalancerArn": w.balancer, "SecurityGroups": ["sg-00000000000000000"]},
        "InvalidSecurityGroup",
    ),
    _on("SetSubnets", "the same", lambda w: {"LoadBalancerArn": w.balancer, "Subnets": [w.vpc.public_subnet, w.vpc.private_subnet]}),
    _on("SetSubnets", "one zone", lambda w: {"LoadBalancerArn": w.balancer, "Subnets": [w.vpc.public_subnet]}, "ValidationError"),
    _on("SetIpAddressType", "ipv4", lambda w: {"LoadBalancerArn": w.balancer, "IpAddressType": "ipv4"}),
    _on(
        "SetIpAddressType",
        "dualstack",
        lambda w: {"LoadBalancerArn": w.balancer, "IpAddressType": "dualstack"},
        "InvalidConfigurationRequest",
    ),
    _case("DescribeAccountLimits", "all"),
]

LISTENERS: list[Case] = [
    Case("CreateListener", "weights come back", _weights_come_back, None, True),
    Case("CreateListener", "one group", _one_group, None, [["ForwardConfig", "TargetGroupArn", "Type"]]),
    _on("CreateListener", "redirect", lambda w: _listener(w, REDIRECT)),
    Case("CreateListener", "HTTPS", World.secure_listener),
    _on("CreateListener", "same port", lambda w: _listener(w, w.fixed(), Port=1998) if w.listener(Port=1998) else {}, "DuplicateListener"),
    _on("CreateListener", "no group", lambda w: _listener(w, _forward(NO_GROUP)), "TargetGroupNotFound"),
    Case("CreateListener", "another's group", _other_balancers_group, "TargetGroupAssociationLimit"),
    _on("CreateListener", "weight", lambda w: _listener(w, _heavy(w)), "ValidationError"),
    _on("CreateListener", "no certificate", lambda w: _listener(w, w.fixed(), Protocol="HTTPS"), "ValidationError"),
    _on(
        "CreateListener",
        "absent certificate",
        lambda w: _listener(w, w.fixed(), Protocol="HTTPS", Certificates=[{"CertificateArn": NO_CERTIFICATE}]),
        "CertificateNotFound",
    ),
    _on(
        "CreateListener",
        "policy",
        lambda w: _listener(w, w.fixed(), Protocol="HTTPS", Certificates=[{"CertificateArn": w.certificate()}], SslPolicy="none"),
        "SSLPolicyNotFound",
    ),
    _on("CreateListener", "TCP", lambda w: _listener(w, w.fixed(), Protocol="TCP"), "ValidationError"),
    _case(
        "CreateListener",
        "absent",
        "LoadBalancerNotFound",
        LoadBalancerArn=NO_BALANCER,
        Protocol="HTTP",
        Port=80,
        DefaultActions=[World.fixed()],
    ),
    _on(
        "CreateListener",
        "loop",
        lambda w: _listener(w, {"Type": "redirect", "RedirectConfig": {"StatusCode": "HTTP_301"}}),
        "InvalidLoadBalancerAction",
    ),
    _on("DescribeListeners", "all", lambda w: {"LoadBalancerArn": w.balancer}),
    _on("DescribeListeners", "one", lambda w: {"ListenerArns": [w.listener()]}),
    _case("DescribeListeners", "absent", "ListenerNotFound", ListenerArns=[NO_LISTENER]),
    _case("DescribeListeners", "absent balancer", "LoadBalancerNotFound", LoadBalancerArn=NO_BALANCER),
    _on("ModifyListener", "weights", lambda w: {"ListenerArn": w.listener(), "DefaultActions": _weighted(w)}),
    _on(
        "ModifyListener",
        "to HTTPS",
        lambda w: {"ListenerArn": w.listener(), "Protocol": "HTTPS", "Certificates": [{"CertificateArn": w.certificate()}]},
    ),
    _on(
        "ModifyListener", "no group", lambda w: {"ListenerArn": w.listener(), "DefaultActions": [_forward(NO_GROUP)]}, "TargetGroupNotFound"
    ),
    _on(
        "ModifyListener",
        "login without its secret",
        lambda w: {"ListenerArn": w.secure_listener(w.login(ClientSecret="s")), "DefaultActions": w.login()},
        "ValidationError",
    ),
    _on(
        "ModifyListener",
        "login with its secret",
        lambda w: {"ListenerArn": w.secure_listener(w.login(ClientSecret="s")), "DefaultActions": w.login(UseExistingClientSecret=True)},
    ),
    _case("ModifyListener", "absent", "ListenerNotFound", ListenerArn=NO_LISTENER, Port=81),
    _on("DeleteListener", "one", lambda w: {"ListenerArn": w.listener()}),
    _case("DeleteListener", "absent", "ListenerNotFound", ListenerArn=NO_LISTENER),
    _on("DescribeListenerAttributes", "all", lambda w: {"ListenerArn": w.listener()}),
    _case("DescribeListenerAttributes", "absent", "ListenerNotFound", ListenerArn=NO_LISTENER),
    _on(
        "ModifyListenerAttributes",
        "server",
        lambda w: {"ListenerArn": w.listener(), "Attributes": _attribute("routing.http.response.server.enabled", "false")},
    ),
    _case("ModifyListenerAttributes", "absent", "ListenerNotFound", ListenerArn=NO_LISTENER, Attributes=_attribute("a", "b")),
    _on(
        "AddListenerCertificates",
        "one",
        lambda w: {"ListenerArn": w.secure_listener(), "Certificates": [{"CertificateArn": w.certificate()}]},
    ),
    _on(
        "AddListenerCertificates",
        "absent",
        lambda w: {"ListenerArn": w.secure_listener(), "Certificates": [{"CertificateArn": NO_CERTIFICATE}]},
        "CertificateNotFound",
    ),
    _on(
        "RemoveListenerCertificates",
        "other",
        lambda w: {"ListenerArn": w.secure_listener(), "Certificates": [{"CertificateArn": w.certificate()}]},
    ),
    Case("RemoveListenerCertificates", "default", lambda w: _remove_default(w), "OperationNotPermitted"),
    _on("DescribeListenerCertificates", "one", lambda w: {"ListenerArn": w.secure_listener()}),
    _on("DescribeListenerCertificates", "none", lambda w: {"ListenerArn": w.listener()}),
    _case("DescribeListenerCertificates", "absent", "ListenerNotFound", ListenerArn=NO_LISTENER),
    _case("DescribeSSLPolicies", "all"),
    _case("DescribeSSLPolicies", "absent", "SSLPolicyNotFound", Names=["none"]),
]

RULES: list[Case] = [
    _on("CreateRule", "path", _rule),
    _on("CreateRule", "weighted", lambda w: _rule(w, Actions=_weighted(w))),
    _condition("host", {"Field": "host-header", "HostHeaderConfig": {"Values": ["*.example.com"]}}),
    _condition("header", {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "X-Canary", "Values": ["yes"]}}),
    _condition("method", {"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": ["POST"]}}),
    _condition("query", {"Field": "query-string", "QueryStringConfig": {"Values": [{"Key": "v", "Value": "2*"}, {"Value": "x"}]}}),
    _condition("source", {"Field": "source-ip", "SourceIpConfig": {"Values": ["10.0.0.0/8"]}}),
    _condition("no field", {"Field": "colour", "Values": ["green"]}, "ValidationError"),
    _condition("no CIDR", {"Field": "source-ip", "SourceIpConfig": {"Values": ["10.0.0.0/40"]}}, "ValidationError"),
    _condition("no values", {"Field": "path-pattern", "Values": []}, "ValidationError"),
    _condition("six values", {"Field": "path-pattern", "PathPatternConfig": {"Values": list("abcdef")}}, "InvalidConfigurationRequest"),
    Case("CreateRule", "priority", lambda w: [w.rule(listener) for listener in [w.listener()] * 2], "PriorityInUse"),
    _on("CreateRule", "no group", lambda w: _rule(w, Actions=[_forward(NO_GROUP)]), "TargetGroupNotFound"),
    _case(
        "CreateRule", "absent", "ListenerNotFound", ListenerArn=NO_LISTENER, Priority=1, Conditions=[World.path()], Actions=[World.fixed()]
    ),
    _on("DescribeRules", "all", lambda w: {"ListenerArn": w.listener()}),
    _on("DescribeRules", "one", lambda w: {"RuleArns": [w.rule()]}),
    _case("DescribeRules", "absent", "RuleNotFound", RuleArns=[NO_RULE]),
    _case("DescribeRules", "absent listener", "ListenerNotFound", ListenerArn=NO_LISTENER),
    _on("ModifyRule", "weights", lambda w: {"RuleArn": w.rule(), "Actions": _weighted(w)}),
    _on("ModifyRule", "path", lambda w: {"RuleArn": w.rule(), "Conditions": [w.path("/y")]}),
    _on("ModifyRule", "default", lambda w: {"RuleArn": w.default_rule(), "Actions": [w.fixed()]}, "OperationNotPermitted"),
    _case("ModifyRule", "absent", "RuleNotFound", RuleArn=NO_RULE, Actions=[World.fixed()]),
    _on("DeleteRule", "one", lambda w: {"RuleArn": w.rule()}),
    _on("DeleteRule", "default", lambda w: {"RuleArn": w.default_rule()}, "OperationNotPermitted"),
    _case("DeleteRule", "absent", "RuleNotFound", RuleArn=NO_RULE),
    _on("SetRulePriorities", "another", lambda w: {"RulePriorities": [{"RuleArn": w.rule(), "Priority": 20}]}),
    Case("SetRulePriorities", "taken", lambda w: _taken(w), "PriorityInUse"),
    _case("SetRulePriorities", "absent", "RuleNotFound", RulePriorities=[{"RuleArn": NO_RULE, "Priority": 20}]),
]

GROUPS: list[Case] = [
    Case("CreateTargetGroup", "one", World.group),
    Case("CreateTargetGroup", "again", lambda w: w.group() == w.group(), None, True),
    Case("CreateTargetGroup", "other settings", lambda w: [w.group(), w.group(Port=81)], "DuplicateTargetGroupName"),
    Case("CreateTargetGroup", "no VPC", lambda w: w.group(VpcId="vpc-00000000000000000"), "ValidationError"),
    Case("CreateTargetGroup", "TCP", lambda w: w.group(Protocol="TCP"), "InvalidConfigurationRequest"),
    Case("CreateTargetGroup", "interval", lambda w: w.group(HealthCheckIntervalSeconds=5), "ValidationError"),
    Case("CreateTargetGroup", "codes", lambda w: w.group(Matcher={"HttpCode": "200-"}), "ValidationError"),
    _case("DescribeTargetGroups", "all"),
    _on("DescribeTargetGroups", "by balancer", lambda w: {"LoadBalancerArn": w.balancer}),
    _case("DescribeTargetGroups", "absent name", "TargetGroupNotFound", Names=["there-is-none"]),
    _case("DescribeTargetGroups", "absent", "TargetGroupNotFound", TargetGroupArns=[NO_GROUP]),
    _on("ModifyTargetGroup", "path", lambda w: {"TargetGroupArn": w.group(), "HealthCheckPath": "/up", "Matcher": {"HttpCode": "200,204"}}),
    _on("ModifyTargetGroup", "timeout", lambda w: {"TargetGroupArn": w.group(), "HealthCheckTimeoutSeconds": 60}, "ValidationError"),
    _case("ModifyTargetGroup", "absent", "TargetGroupNotFound", TargetGroupArn=NO_GROUP, HealthCheckPath="/up"),
    _on("DeleteTargetGroup", "one", lambda w: {"TargetGroupArn": w.group()}),
    _case("DeleteTargetGroup", "absent", TargetGroupArn=NO_GROUP),
    _on("DeleteTargetGroup", "used", lambda w: {"TargetGroupArn": w.used_group()}, "ResourceInUse"),
    _on("DescribeTargetGroupAttributes", "all", lambda w: {"TargetGroupArn": w.group()}),
    _case("DescribeTargetGroupAttributes", "absent", "TargetGroupNotFound", TargetGroupArn=NO_GROUP),
    _on(
        "ModifyTargetGroupAttributes",
        "delay",
        lambda w: {"TargetGroupArn": w.group(), "Attributes": _attribute("deregistration_delay.timeout_seconds", "5")},
    ),
    _on(
        "ModifyTargetGroupAttributes",
        "no cookie",
        lambda w: {"TargetGroupArn": w.group(), "Attributes": _attribute("stickiness.type", "app_cookie")},
        "InvalidConfigurationRequest",
    ),
    _case("ModifyTargetGroupAttributes", "absent", "TargetGroupNotFound", TargetGroupArn=NO_GROUP, Attributes=_attribute("a", "b")),
    _on("RegisterTargets", "address", lambda w: {"TargetGroupArn": w.group(), "Targets": [{"Id": w.address(), "Port": 80}]}),
    _on(
        "RegisterTargets", "no address", lambda w: {"TargetGroupArn": w.group(), "Targets": [{"Id": "i-0", "Port": 80}]}, "ValidationError"
    ),
    _on(
        "RegisterTargets", "public", lambda w: {"TargetGroupArn": w.group(), "Targets": [{"Id": "8.8.8.8", "Port": 80}]}, "ValidationError"
    ),
    _on(
        "RegisterTargets",
        "no instance",
        lambda w: {"TargetGroupArn": w.group(TargetType="instance"), "Targets": [{"Id": "i-00000000000000000"}]},
        "InvalidTarget",
    ),
    _case("RegisterTargets", "absent", "TargetGroupNotFound", TargetGroupArn=NO_GROUP, Targets=[{"Id": "10.0.0.1"}]),
    _on("DeregisterTargets", "unused", lambda w: _registered(w, w.group())),
    _on("DeregisterTargets", "used", lambda w: _registered(w, w.used_group())),
    _on("DeregisterTargets", "not registered", lambda w: {"TargetGroupArn": w.group(), "Targets": [{"Id": w.address()}]}, "InvalidTarget"),
    _on("DescribeTargetHealth", "unused", lambda w: {"TargetGroupArn": _registered(w, w.group())["TargetGroupArn"]}),
    _on("DescribeTargetHealth", "used", lambda w: {"TargetGroupArn": _registered(w, w.used_group())["TargetGroupArn"]}),
    _on("DescribeTargetHealth", "not registered", lambda w: {"TargetGroupArn": w.group(), "Targets": [{"Id": w.address(), "Port": 80}]}),
    _case("DescribeTargetHealth", "absent", "TargetGroupNotFound", TargetGroupArn=NO_GROUP),
    _on(
        "AddTags",
        "four kinds",
        lambda w: {"ResourceArns": [w.balancer, w.group(), w.listener(), w.rule()], "Tags": [{"Key": "a", "Value": "b"}]},
    ),
    _case("AddTags", "absent", "TargetGroupNotFound", ResourceArns=[NO_GROUP], Tags=[{"Key": "a", "Value": "b"}]),
    _on("AddTags", "twice", lambda w: {"ResourceArns": [w.group()], "Tags": [{"Key": "a", "Value": "b"}] * 2}, "DuplicateTagKeys"),
    _on("RemoveTags", "one", lambda w: {"ResourceArns": [w.group()], "TagKeys": ["a"]}),
    _case("RemoveTags", "absent", "LoadBalancerNotFound", ResourceArns=[NO_BALANCER], TagKeys=["a"]),
    _on("DescribeTags", "two", lambda w: {"ResourceArns": [w.balancer, w.group()]}),
    _case("DescribeTags", "absent", "RuleNotFound", ResourceArns=[NO_RULE]),
]

CASES = BALANCERS + LISTENERS + RULES + GROUPS
CANNOT_FAIL = frozenset({"DescribeAccountLimits"})


def _heavy(w: World) -> dict[str, t.Any]:
    return {"Type": "forward", "ForwardConfig": {"TargetGroups": [{"TargetGroupArn": w.group(), "Weight": 1000}]}}


def _remove_default(w: World) -> None:
    listener = w.secure_listener()
    (default,) = w.elb.describe_listener_certificates(ListenerArn=listener)["Certificates"]
    w.elb.remove_listener_certificates(ListenerArn=listener, Certificates=[{"CertificateArn": default["CertificateArn"]}])


def _taken(w: World) -> None:
    listener = w.listener()
    first, _ = w.rule(listener, 10), w.rule(listener, 20)
    w.elb.set_rule_priorities(RulePriorities=[{"RuleArn": first, "Priority": 20}])


def _registered(w: World, group: str) -> dict[str, t.Any]:
    targets = [{"Id": w.address(), "Port": 80}]
    w.elb.register_targets(TargetGroupArn=group, Targets=targets)
    return {"TargetGroupArn": group, "Targets": targets}
