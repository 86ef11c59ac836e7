# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""AWS as far as a rollout sees it, in memory: a load balancer with a listener and target groups, Parameter Store, metrics."""

from __future__ import annotations

ARN = "arn:aws:elasticloadbalancing:ap-northeast-2:123456789012"


class ClientError(Exception):
    def __init__(self, code):
        super().__init__(code)
        self.response = {"Error": {"Code": code}}


class Pages:
    def __init__(self, answer):
        self._answer = answer

    def paginate(self, **members):
        return [self._answer(**members)]


class Elb:
    """Botocore's elbv2 client, with the members that are used."""

    def __init__(self):
        self.weights = {"chat-blue": 100, "chat-green": 0}
        self.health = {"chat-blue": ["healthy"], "chat-green": ["healthy"], "other": []}
        self.tags = {"bluegreen:system": "chat"}
        self.actions = None
        self.modified = []

    def arn(self, name):
        return f"{ARN}:targetgroup/{name}/1"

    def describe_load_balancers(self, Names):
        assert Names == ["chat"], Names
        return {"LoadBalancers": [{"LoadBalancerArn": f"{ARN}:loadbalancer/app/chat/1", "DNSName": "chat.test", "VpcId": "vpc-1"}]}

    def get_paginator(self, name):
        return Pages({"describe_listeners": self._listeners, "describe_rules": self._rules, "describe_target_groups": self._groups}[name])

    def _listeners(self, LoadBalancerArn):
        assert LoadBalancerArn
        return {"Listeners": [{"ListenerArn": f"{ARN}:listener/app/chat/1/1", "Port": 80, "DefaultActions": self._actions()}]}

    def describe_listeners(self, ListenerArns):
        return self._listeners(ListenerArns)

    def _rules(self, ListenerArn):
        assert ListenerArn
        return {"Rules": [{"RuleArn": f"{ARN}:listener-rule/1", "Priority": "10", "Actions": self._actions()}]}

    def describe_rules(self, RuleArns):
        return self._rules(RuleArns)

    def _groups(self):
        names = ["chat-blue", "chat-green", "other"]
        return {"TargetGroups": [{"TargetGroupArn": self.arn(name), "TargetGroupName": name, "VpcId": "vpc-1"} for name in names]}

    def _actions(self):
        if self.actions is not None:
            return self.actions
        groups = [{"TargetGroupArn": self.arn(name), "Weight": weight} for name, weight in self.weights.items()]
        return [{"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}]

    def describe_target_health(self, TargetGroupArn):
        name = TargetGroupArn.split("/")[1]
        states = [{"Target": {"Id": "10.0.0.4"}, "TargetHealth": {"State": state}} for state in self.health[name]]
        return {"TargetHealthDescriptions": states}

    def describe_tags(self, ResourceArns):
        tags = [{"Key": key, "Value": value} for key, value in self.tags.items()]
        return {"TagDescriptions": [{"ResourceArn": ResourceArns[0], "Tags": tags}]}

    def modify_listener(self, ListenerArn, DefaultActions):
        assert ListenerArn
        named = {item["TargetGroupArn"].split("/")[1]: item["Weight"] for item in DefaultActions[0]["ForwardConfig"]["TargetGroups"]}
        self.modified.append(named)
        self.weights = named

    def modify_rule(self, RuleArn, Actions):
        self.modify_listener(RuleArn, Actions)


class Ssm:
    """Botocore's ssm client, with the members that are used."""

    class exceptions:  # noqa: N801 - botocore's name
        ParameterNotFound = KeyError

    def __init__(self):
        self.parameters = {}

    def get_parameter(self, Name):
        return {"Parameter": {"Value": self.parameters[Name]}}

    def put_parameter(self, Name, Value, **_rest):
        self.parameters[Name] = Value


class Cloudwatch:
    """No datapoint ever."""

    def get_paginator(self, _name):
        return Pages(lambda **_members: {"MetricDataResults": []})


class Account:
    """Stands for the account that the options name."""

    def __init__(self):
        self.clients = {"elbv2": Elb(), "ssm": Ssm(), "cloudwatch": Cloudwatch()}

    def client(self, service):
        return self.clients[service]
