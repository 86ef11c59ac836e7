# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Provisioning never moves live weights: what is live is handed back unchanged, by the stock module's own comparison."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.amazon.aws.plugins.module_utils import elbv2
from ansible_collections.bluegreen.aws.plugins.filter.listeners import live_weights, routing_rules, with_live_forwarding, with_live_logins

BLUE, GREEN, OTHER = "arn:tg/blue", "arn:tg/green", "arn:tg/other"
COLOURS = {"blue": BLUE, "green": GREEN}
REDIRECT = {"Type": "redirect", "RedirectConfig": {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}}


def forward(**weights):
    groups = [{"TargetGroupArn": COLOURS[name], "Weight": weight} for name, weight in weights.items()]
    return {"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}


def wanted(port, action, protocol="HTTP"):
    return {"Protocol": protocol, "Port": port, "DefaultActions": [action]}


def live(port, *groups, protocol="http"):
    """As AWS answers: one group alone is named beside the configuration too."""
    config = {"target_groups": [{"target_group_arn": arn, "weight": weight} for arn, weight in groups]}
    action = {"type": "forward", "order": 1, "forward_config": config}
    if len(groups) == 1:
        action["target_group_arn"] = groups[0][0]
    return {"port": port, "protocol": protocol, "default_actions": [action]}


def described(listener):
    """A live listener as DescribeListeners names its parts, for the stock module's comparison."""
    (action,) = listener["default_actions"]
    live_groups = action["forward_config"]["target_groups"]
    groups = [{"TargetGroupArn": group["target_group_arn"], "Weight": group["weight"]} for group in live_groups]
    shown = {"Type": "forward", "Order": 1, "ForwardConfig": {"TargetGroups": groups}}
    if "target_group_arn" in action:
        shown["TargetGroupArn"] = action["target_group_arn"]
    return {"Port": listener["port"], "Protocol": listener["protocol"].upper(), "DefaultActions": [shown]}


@pytest.mark.parametrize(
    ("listeners", "weights"),
    [
        ([], {}),
        ([live(80, (BLUE, 90), (GREEN, 10))], {"blue": 90, "green": 10}),
        ([live(80, (BLUE, 0), (GREEN, 100))], {"blue": 0, "green": 100}),
        ([live(80, (BLUE, 7))], {"blue": 7, "green": 0}),
        ([{"port": 80, "default_actions": [{"type": "forward", "target_group_arn": GREEN}]}], {"blue": 0, "green": 1}),
        ([live(80, (OTHER, 1))], {}),
        ([{"port": 80, "default_actions": [{"type": "redirect"}]}, live(443, (BLUE, 50), (GREEN, 50))], {"blue": 50, "green": 50}),
    ],
)
def test_live_weights(listeners, weights):
    assert live_weights(listeners, COLOURS) == weights


def test_nothing_live_is_created_as_wanted():
    asked = [wanted(80, forward(blue=90, green=10))]
    assert with_live_forwarding(asked, []) == asked
    redirecting = [{"port": 80, "default_actions": [{"type": "fixed-response"}]}]
    assert with_live_forwarding(asked, redirecting) == asked


@pytest.mark.parametrize("groups", [[(BLUE, 50), (GREEN, 50)], [(BLUE, 0), (GREEN, 100)], [(GREEN, 1)], [(BLUE, 90), (GREEN, 10)]])
def test_the_stock_module_sees_no_difference_whatever_is_live(groups):
    (asked,) = with_live_forwarding([wanted(80, forward(blue=90, green=10))], [live(80, *groups)])
    assert elbv2._compare_listener(described(live(80, *groups)), asked) == {}


def test_without_the_filter_the_stock_module_would_move_the_weights():
    """What the filter is for; when this fails the stock module has changed, and the filter may go."""
    assert "DefaultActions" in elbv2._compare_listener(described(live(80, (BLUE, 50), (GREEN, 50))), wanted(80, forward(blue=50, green=50)))


def test_https_switched_on_in_the_middle_of_a_canary_takes_the_weights_along():
    asked = [wanted(80, REDIRECT), wanted(443, forward(blue=90, green=10), "HTTPS")]
    redirect, https = with_live_forwarding(asked, [live(80, (BLUE, 10), (GREEN, 90))])
    assert redirect["DefaultActions"] == [REDIRECT]
    assert https["DefaultActions"] == [forward(blue=10, green=90)]


def test_something_else_is_refused():
    with pytest.raises(AnsibleFilterError, match="elb_application_lb_info"):
        live_weights(None, COLOURS)


ARNS = {"user": "arn:tg/user", "board": "arn:tg/board", "default": "arn:tg/default"}
ROUTED = [
    {"name": "user", "paths": ["/user/*", "/user"]},
    {"name": "board", "hosts": ["board.example.com"], "paths": ["/*"], "priority": 5},
    {"name": "default"},
]


def test_rules_by_host_and_path():
    user, board = routing_rules(ROUTED, ARNS)
    assert user == {
        "Priority": 10,
        "Conditions": [{"Field": "path-pattern", "PathPatternConfig": {"Values": ["/user/*", "/user"]}}],
        "Actions": [{"Type": "forward", "Order": 1, "TargetGroupArn": "arn:tg/user"}],
    }
    assert board["Priority"] == 5
    assert [one["Field"] for one in board["Conditions"]] == ["host-header", "path-pattern"]


def described_rule(rule):
    """A rule as DescribeRules has it: priority as text, conditions with Values beside their configuration, forward with both forms."""
    conditions = []
    for one in rule["Conditions"]:
        (config,) = [value for key, value in one.items() if key.endswith("Config")]
        conditions.append({**one, "Values": config["Values"]})
    (action,) = rule["Actions"]
    groups = [{"TargetGroupArn": action["TargetGroupArn"], "Weight": 1}]
    shown = {**action, "ForwardConfig": {"TargetGroups": groups, "TargetGroupStickinessConfig": {"Enabled": False}}}
    return {"RuleArn": "arn:rule", "Priority": str(rule["Priority"]), "Conditions": conditions, "Actions": [shown], "IsDefault": False}


def test_the_stock_module_sees_no_difference_in_what_it_made():
    rules = routing_rules(ROUTED, ARNS)
    assert elbv2._group_rules([described_rule(rule) for rule in rules], rules) == ([], [], [], [])


def test_a_rule_to_a_group_that_is_not_there():
    with pytest.raises(AnsibleFilterError, match="target group user is not there"):
        routing_rules(ROUTED, {})


LOGIN = {
    "type": "authenticate-oidc",
    "order": 1,
    "authenticate_oidc_config": {"issuer": "https://id.test", "client_id": "chat", "session_timeout": 604800, "scope": "openid"},
}
SENT = {
    "Type": "authenticate-oidc",
    "Order": 1,
    "AuthenticateOidcConfig": {
        "Issuer": "https://id.test", "ClientId": "chat", "SessionTimeout": 604800, "Scope": "openid", "UseExistingClientSecret": True,
    },
}  # fmt: skip


def with_login(listener):
    return {**listener, "default_actions": [LOGIN, *({**action, "order": 2} for action in listener["default_actions"])]}


@pytest.mark.case("B7")
def test_a_login_before_the_weights_is_left_alone():
    (asked,) = with_live_forwarding([wanted(443, forward(blue=90, green=10), "HTTPS")], [with_login(live(443, (BLUE, 50), (GREEN, 50)))])
    assert asked["DefaultActions"] == []
    shown = {"Port": 443, "Protocol": "HTTPS", "DefaultActions": [{"Type": "authenticate-oidc"}, forward(blue=50, green=50)]}
    assert elbv2._compare_listener(shown, asked) == {}


@pytest.mark.case("B7")
def test_a_new_listener_does_not_forward_without_the_login():
    with pytest.raises(AnsibleFilterError, match="The listener on port 443 authenticates before it forwards, and AWS does not show"):
        with_live_forwarding([wanted(8443, forward(blue=90, green=10), "HTTPS")], [with_login(live(443, (BLUE, 50), (GREEN, 50)))])


@pytest.mark.case("B7")
def test_logins_before_rules_and_default_actions_stay():
    rules = routing_rules([{"name": "blue", "paths": ["/a/*"]}, {"name": "green", "paths": ["/b/*"]}], COLOURS)
    asked = {**wanted(443, {"Type": "forward", "TargetGroupArn": BLUE}, "HTTPS"), "Rules": rules}
    there = with_login(live(443, (BLUE, 1)))
    there["rules"] = [{"priority": "10", "actions": [LOGIN, {"type": "forward", "order": 2}]}, {"priority": "default", "actions": []}]
    (kept,) = with_live_logins([asked], [there])
    assert kept["DefaultActions"] == []
    first, second = kept["Rules"]
    assert first["Actions"] == [SENT, {"Type": "forward", "Order": 2, "TargetGroupArn": BLUE}]
    assert second == rules[1]
    current = [
        {**SENT, "AuthenticateOidcConfig": {**SENT["AuthenticateOidcConfig"]}},
        {"Type": "forward", "Order": 2, "TargetGroupArn": BLUE},
    ]
    del current[0]["AuthenticateOidcConfig"]["UseExistingClientSecret"]
    current[0]["AuthenticateOidcConfig"].update(OnUnauthenticatedRequest="authenticate", SessionCookieName="AWSELBAuthSessionCookie")
    assert elbv2._compare_rule_actions(current, first["Actions"]), "the stock module sees no difference"
    assert with_live_logins([asked], [live(443, (BLUE, 1))]) == [asked]


@pytest.mark.case("B7")
def test_a_default_action_that_changes_behind_a_login_is_refused():
    asked = wanted(443, {"Type": "forward", "TargetGroupArn": GREEN}, "HTTPS")
    with pytest.raises(AnsibleFilterError, match="The listener on port 443 authenticates before its default action"):
        with_live_logins([asked], [with_login(live(443, (BLUE, 1)))])
