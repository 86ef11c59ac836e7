# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""One function per call of Elastic Load Balancing v2, and a listener or rule found by names; decides nothing."""

from __future__ import annotations

from dataclasses import dataclass

from .._traffic import TrafficError
from .errors import attempt, error_code

try:
    from botocore.exceptions import ClientError
except ImportError:  # AnsibleAWSModule says so before anything here is called
    ClientError = ()


@attempt("find load balancer {name} (elasticloadbalancing:DescribeLoadBalancers)")
def load_balancer(client, name):
    """The load balancer as AWS describes it, or None."""
    try:
        return client.describe_load_balancers(Names=[name])["LoadBalancers"][0]
    except ClientError as exc:
        if error_code(exc) == "LoadBalancerNotFound":
            return None
        raise


@attempt("list the listeners of {load_balancer_arn} (elasticloadbalancing:DescribeListeners)")
def listeners(client, load_balancer_arn):
    pages = client.get_paginator("describe_listeners").paginate(LoadBalancerArn=load_balancer_arn)
    return [item for page in pages for item in page["Listeners"]]


@attempt("read listener {listener_arn} (elasticloadbalancing:DescribeListeners)")
def listener(client, listener_arn):
    return client.describe_listeners(ListenerArns=[listener_arn])["Listeners"][0]


@attempt("list the rules of {listener_arn} (elasticloadbalancing:DescribeRules)")
def rules(client, listener_arn):
    pages = client.get_paginator("describe_rules").paginate(ListenerArn=listener_arn)
    return [item for page in pages for item in page["Rules"]]


@attempt("read rule {rule_arn} (elasticloadbalancing:DescribeRules)")
def rule(client, rule_arn):
    return client.describe_rules(RuleArns=[rule_arn])["Rules"][0]


@attempt("list the target groups (elasticloadbalancing:DescribeTargetGroups)")
def target_groups(client):
    """Every target group of the account and region."""
    pages = client.get_paginator("describe_target_groups").paginate()
    return [item for page in pages for item in page["TargetGroups"]]


@attempt("read the target health of {target_group_arn} (elasticloadbalancing:DescribeTargetHealth)")
def target_health(client, target_group_arn):
    """[(target id, port, state, reason)]; targets that drain are left out."""
    found = client.describe_target_health(TargetGroupArn=target_group_arn)["TargetHealthDescriptions"]
    described = [
        (
            item["Target"]["Id"],
            item["Target"].get("Port"),
            item["TargetHealth"]["State"],
            item["TargetHealth"].get("Description") or item["TargetHealth"].get("Reason", ""),
        )
        for item in found
    ]
    return [target for target in described if target[2] != "draining"]


@attempt("read the tags of {arn} (elasticloadbalancing:DescribeTags)")
def tags(client, arn):
    described = client.describe_tags(ResourceArns=[arn])["TagDescriptions"]
    return {tag["Key"]: tag["Value"] for item in described for tag in item["Tags"]}


@attempt("set the weights of listener {listener_arn} (elasticloadbalancing:ModifyListener)")
def modify_listener(client, listener_arn, actions):
    client.modify_listener(ListenerArn=listener_arn, DefaultActions=actions)


@attempt("set the weights of rule {rule_arn} (elasticloadbalancing:ModifyRule)")
def modify_rule(client, rule_arn, actions):
    client.modify_rule(RuleArn=rule_arn, Actions=actions)


@dataclass(frozen=True)
class Place:
    """Where weights are: a listener, or one of its rules. ``names``: {target group ARN: name} of the load balancer's VPC."""

    load_balancer_arn: str
    dns_name: str
    listener_arn: str
    rule_arn: str | None
    text: str
    names: dict

    def arns(self) -> dict:
        """{name: ARN}."""
        return {name: arn for arn, name in self.names.items()}

    def known(self, wanted):
        """Raises TrafficError for a name that is no target group here."""
        missing = [name for name in wanted if name not in self.names.values()]
        if missing:
            have = ", ".join(sorted(self.names.values())) or "none"
            raise TrafficError(f"There is no target group {', '.join(missing)} for {self.text}; there are: {have}.")


def find(client, name, port, priority=None) -> Place:
    """The listener of a load balancer at ``port``, or its rule of that priority. TrafficError when there is none."""
    found = load_balancer(client, name)
    if found is None:
        raise TrafficError(f"There is no load balancer {name} in this region; check the name, the region and the account.")
    arn = found["LoadBalancerArn"]
    at_port = [item for item in listeners(client, arn) if item["Port"] == int(port)]
    if not at_port:
        raise TrafficError(f"Load balancer {name} has no listener on port {port}; name a port that it listens on.")
    listener_arn, rule_arn, text = at_port[0]["ListenerArn"], None, f"listener {name}:{port}"
    if priority is not None:
        matching = [item for item in rules(client, listener_arn) if item["Priority"] == str(priority)]
        if not matching:
            raise TrafficError(f"Listener {name}:{port} has no rule of priority {priority}; name one that it has.")
        rule_arn, text = matching[0]["RuleArn"], f"rule {priority} of listener {name}:{port}"
    names = {item["TargetGroupArn"]: item["TargetGroupName"] for item in target_groups(client) if item.get("VpcId") == found.get("VpcId")}
    return Place(arn, found["DNSName"], listener_arn, rule_arn, text, names)


def require_tags(client, place: Place, required: dict) -> None:
    """Raises TrafficError when the load balancer does not carry these tags: it is not this environment's."""
    have = tags(client, place.load_balancer_arn) if required else {}
    lacking = [f"{key}={value}" for key, value in required.items() if have.get(key) != str(value)]
    if lacking:
        raise TrafficError(
            f"The load balancer of {place.text} does not carry {', '.join(lacking)}, so it is not this environment's and was left alone; "
            "name this environment's load balancer, or tag it if it is yours."
        )


def actions(client, place: Place) -> list:
    """The actions that are in force there."""
    if place.rule_arn:
        return rule(client, place.rule_arn)["Actions"]
    return listener(client, place.listener_arn)["DefaultActions"]


def modify(client, place: Place, changed: list) -> None:
    """Put these actions in force."""
    if place.rule_arn:
        modify_rule(client, place.rule_arn, changed)
    else:
        modify_listener(client, place.listener_arn, changed)
