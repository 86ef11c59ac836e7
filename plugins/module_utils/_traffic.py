# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Decides about weights of target groups on a listener or rule; pure: actions are dictionaries as Elastic Load Balancing v2 has them."""

from __future__ import annotations

import copy
import math


class TrafficError(ValueError):
    """One sentence: what is wrong with the weights or the listener, and what to do."""


def check(weights: dict) -> dict:
    """{name: percent} with whole numbers that add up to 100; TrafficError otherwise."""
    checked = {}
    for name, weight in weights.items():
        text = str(weight).strip()
        if isinstance(weight, bool) or not text.isdigit():
            raise TrafficError(f"The weight of {name} is {weight!r}; write a whole percentage from 0 to 100.")
        checked[str(name)] = int(text)
    if not checked:
        raise TrafficError("No weights are given; name at least one target group with its percentage.")
    total = sum(checked.values())
    if total != 100:
        listed = ", ".join(f"{name} {weight}" for name, weight in checked.items())
        raise TrafficError(f"The weights {listed} add up to {total}; they must add up to 100.")
    return checked


def forward(actions: list, where: str) -> dict:
    """The action that forwards; TrafficError when there is none."""
    found = [action for action in actions if action.get("Type") == "forward"]
    if not found:
        kinds = ", ".join(sorted(action.get("Type", "?") for action in actions)) or "no action"
        raise TrafficError(f"{where} does not forward to target groups (it has: {kinds}); name the listener or rule that does.")
    return found[0]


def tuples(action: dict) -> dict:
    """{target group ARN: weight} of a forward action. A group that is named without a weight has 1, as AWS counts it."""
    listed = (action.get("ForwardConfig") or {}).get("TargetGroups") or []
    if listed:
        return {item["TargetGroupArn"]: item.get("Weight", 1) for item in listed}
    return {action["TargetGroupArn"]: 1} if action.get("TargetGroupArn") else {}


def percent(weights: dict) -> dict:
    """AWS's weights (0 to 999 each, any sum) as percentages that add up to 100, largest remainders rounded up; all 0 stays 0."""
    total = sum(weights.values())
    if not total:
        return dict.fromkeys(weights, 0)
    exact = {name: 100 * weight / total for name, weight in weights.items()}
    rounded = {name: math.floor(value) for name, value in exact.items()}
    for name in sorted(exact, key=lambda item: rounded[item] - exact[item])[: 100 - sum(rounded.values())]:
        rounded[name] += 1
    return rounded


def with_weights(actions: list, weights: dict) -> list:
    """The actions with the forward action's target groups weighted {ARN: percent}; everything else as it was."""
    changed = copy.deepcopy(actions)
    action = next(item for item in changed if item.get("Type") == "forward")
    config = action.setdefault("ForwardConfig", {})
    config["TargetGroups"] = [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in weights.items()]
    action.pop("TargetGroupArn", None)  # AWS wants either the one group or the list
    return changed


def wanted(live: dict, given: dict) -> dict:
    """Weights by name after the task: the given ones, and 0 for groups that are on the listener and not named."""
    return {**dict.fromkeys(live, 0), **given}


def other(live: dict, names) -> tuple:
    """(live colour, candidate) of two group names, by what is live: the one with more traffic, the first one on a tie."""
    first, second = names
    return (first, second) if live.get(first, 0) >= live.get(second, 0) else (second, first)


def tolerance(share: float, probes: int) -> float:
    """How far the observed share of ``probes`` may be from ``share`` (both 0 to 1): four standard errors of a binomial count."""
    return 4 * math.sqrt(share * (1 - share) / probes) + 1e-9 if probes else 1.0


def split_seen(weights: dict, counts: dict) -> bool:
    """Whether answers by group agree with the weights in percent: none from a group without weight, shares within tolerance."""
    probes = sum(counts.values())
    return probes > 0 and all(
        abs(counts.get(name, 0) / probes - weight / 100) <= tolerance(weight / 100, probes) for name, weight in weights.items()
    )
