# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters on a load balancer's listeners, as amazon.aws.elb_application_lb_info returns them and elb_application_lb takes them; pure."""

from __future__ import annotations

from ansible.errors import AnsibleFilterError


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

    On a port whose listener forwards already the action is given in the very form that elb_application_lb compares, so that it sees no
    difference whatever the weights are. A new forwarding listener (HTTPS is switched on, say) takes over the live groups and weights.
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
        (action,) = _forward_actions(live[wanted["Port"]])
        arn = action.get("target_group_arn")
        return {**wanted, "DefaultActions": [{"Type": "forward", **({"TargetGroupArn": arn} if arn else {})}]}
    groups = [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in _weights(next(iter(live.values()))).items()]
    return {**wanted, "DefaultActions": [{"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}]}


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
        return {"live_weights": live_weights, "routing_rules": routing_rules, "with_live_forwarding": with_live_forwarding}
