# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters on a load balancer's listeners, as amazon.aws.elb_application_lb_info returns them and elb_application_lb takes them; pure."""

from __future__ import annotations

from ansible.errors import AnsibleFilterError
from ansible.module_utils.common.dict_transformations import snake_dict_to_camel_dict


def live_weights(listeners, target_groups):
    """{"blue": 90, "green": 10} of the first listener that forwards to one of ``target_groups`` ({"blue": ARN, …}); {} when none does.

    A group that the listener does not name has weight 0. AWS allows weights from 0 to 999; they are returned as they are.
    """
    for listener in _listeners(listeners):
        weights = _weights(listener)
        if set(weights) & set(target_groups.values()):
            return {name: weights.get(arn, 0) for name, arn in target_groups.items()}
    return {}


def with_live_forwarding(wanted, listeners):
    """The wanted listeners, in which a forward action is what is live, wherever something is live.

    On a port whose listener forwards already no action is given, so that elb_application_lb leaves all that there are, a login before the
    forward action included. A new forwarding listener (HTTPS is switched on, say) takes over the live groups and weights.
    """
    live = {listener["port"]: listener for listener in _listeners(listeners) if _weights(listener)}
    return [_delegated(listener, live) for listener in wanted]


def routing_rules(groups, arns):
    """Rules of a listener as elb_application_lb takes them, one for each target group that has hosts or paths.

    ``groups``: [{"name", "hosts", "paths", "priority"}, …]; a rule's priority is its own, or its place times ten. ``arns``: ARN by name.
    """
    rules = []
    for place, group in enumerate(groups, 1):
        conditions = []
        if group.get("hosts"):
            conditions.append({"Field": "host-header", "HostHeaderConfig": {"Values": list(group["hosts"])}})
        if group.get("paths"):
            conditions.append({"Field": "path-pattern", "PathPatternConfig": {"Values": list(group["paths"])}})
        if not conditions:
            continue
        if group["name"] not in arns:
            raise AnsibleFilterError(f"routing_rules: target group {group['name']} is not there.")
        # With its order, because AWS may answer with one, and elb_application_lb would see a difference.
        action = {"Type": "forward", "Order": 1, "TargetGroupArn": arns[group["name"]]}
        rules.append({"Priority": int(group.get("priority") or place * 10), "Conditions": conditions, "Actions": [action]})
    return rules


def _delegated(wanted, live):
    if not any(action.get("Type") == "forward" for action in wanted["DefaultActions"]) or not live:
        return wanted
    if wanted["Port"] in live:
        return {**wanted, "DefaultActions": []}
    source = next(iter(live.values()))
    if _logins(source.get("default_actions", [])):
        raise AnsibleFilterError(
            f"The listener on port {source['port']} authenticates before it forwards, and AWS does not show the client secret, so the new "
            f"listener on port {wanted['Port']} would forward without that login: create it with the login by hand, then run again."
        )
    groups = [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in _weights(source).items()]
    return {**wanted, "DefaultActions": [{"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}]}


def with_live_logins(wanted, listeners):
    """The wanted listeners, whose default action and rules keep the login that stands before the action of the live ones.

    ``listeners`` need their rules. elb_application_lb cannot compare two default actions, so a listener with a login keeps the live ones as
    long as the last is as wanted; AnsibleFilterError when it is not.
    """
    live = {listener["port"]: listener for listener in _listeners(listeners)}
    return [_with_login(listener, live[listener["Port"]]) if listener["Port"] in live else listener for listener in wanted]


def _with_login(wanted, live):
    found = dict(wanted)
    if _logins(live.get("default_actions", [])):
        if not _same_target(live["default_actions"], wanted["DefaultActions"]):
            raise AnsibleFilterError(
                f"The listener on port {wanted['Port']} authenticates before its default action, and amazon.aws.elb_application_lb cannot "
                "change that action and keep the login: change it with `aws elbv2 modify-listener`, then run again."
            )
        found["DefaultActions"] = []
    if wanted.get("Rules"):
        logins = {str(rule["priority"]): _logins(rule.get("actions", [])) for rule in live.get("rules", [])}
        found["Rules"] = [_behind(rule, logins.get(str(rule["Priority"]), [])) for rule in wanted["Rules"]]
    return found


def _behind(rule, logins):
    """A rule whose actions are performed after ``logins``."""
    if not logins:
        return rule
    last = max(login.get("Order", 0) for login in logins)
    return {**rule, "Actions": [*logins, *({**action, "Order": last + 1} for action in rule["Actions"])]}


def _logins(actions):
    """The actions that authenticate, as the API takes them; without their secret, which stays."""
    found = [
        snake_dict_to_camel_dict(action, capitalize_first=True) for action in actions if action.get("type", "").startswith("authenticate-")
    ]
    for login in found:
        if "AuthenticateOidcConfig" in login:
            login["AuthenticateOidcConfig"]["UseExistingClientSecret"] = True
    return found


def _same_target(live, wanted):
    last, asked = live[-1], wanted[-1]
    if asked["Type"] == "forward" and last.get("type") == "forward":
        return list(_weights({"default_actions": [last]})) == [asked.get("TargetGroupArn")]
    config = {"redirect": "RedirectConfig", "fixed-response": "FixedResponseConfig"}.get(asked["Type"])
    shown = snake_dict_to_camel_dict(last, capitalize_first=True)
    return shown.get("Type") == asked["Type"] and shown.get(config) == asked.get(config)


def _listeners(listeners):
    if not isinstance(listeners, list):
        raise AnsibleFilterError("Listeners must be the list load_balancers[0].listeners of amazon.aws.elb_application_lb_info.")
    return listeners


def _forward_actions(listener):
    return [action for action in listener.get("default_actions", []) if action.get("type") == "forward"]


def _weights(listener):
    """{ARN: weight} of a listener's default action; {} when it does not forward. An action with one group may have no ForwardConfig."""
    weights = {}
    for action in _forward_actions(listener):
        groups = (action.get("forward_config") or {}).get("target_groups") or []
        if not groups and action.get("target_group_arn"):
            groups = [{"target_group_arn": action["target_group_arn"]}]
        weights.update({group["target_group_arn"]: group.get("weight", 1) for group in groups})
    return weights


class FilterModule:
    def filters(self):
        return {
            "live_weights": live_weights,
            "routing_rules": routing_rules,
            "with_live_forwarding": with_live_forwarding,
            "with_live_logins": with_live_logins,
        }
