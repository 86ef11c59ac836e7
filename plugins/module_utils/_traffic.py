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


class WeightsChangedError(TrafficError):
    """The weights in force are not those that the caller expects: another run or a person has set them. ``found``: {name: percent}."""

    def __init__(self, where: str, found: dict, expected: list):
        self.found = found
        super().__init__(
            f"The weights of {where} were not set: {listed(found)} are in force, where {' or '.join(map(listed, expected))} were expected; "
            "another run or a person has set them, and they stay (CloudTrail names who: ModifyListener, ModifyRule)."
        )


def listed(weights: dict) -> str:
    """Weights in a sentence: chat-blue 90, chat-green 10."""
    return ", ".join(f"{name} {weight}" for name, weight in weights.items())


def same(one: dict, other: dict) -> bool:
    """Whether two {name: percent} send the same traffic: a group that is not named has 0."""
    return {name: weight for name, weight in one.items() if weight} == {name: weight for name, weight in other.items() if weight}


def expect(found: dict, expected: list, where: str) -> None:
    """WeightsChangedError when what is in force is none of the expected weights."""
    if not any(same(found, weights) for weights in expected):
        raise WeightsChangedError(where, found, expected)


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
        raise TrafficError(f"The weights {listed(checked)} add up to {total}; they must add up to 100.")
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
    groups = (action.get("ForwardConfig") or {}).get("TargetGroups") or []
    if groups:
        return {item["TargetGroupArn"]: item.get("Weight", 1) for item in groups}
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
    """The actions with the forward action's target groups weighted {ARN: percent}; everything else as it was.

    What authenticates before it comes from AWS without its client secret, and is taken back without it only with `UseExistingClientSecret`
    (Elastic Load Balancing API reference, AuthenticateOidcActionConfig).
    """
    changed = copy.deepcopy(actions)
    for login in changed:
        if login.get("Type") == "authenticate-oidc":
            login["AuthenticateOidcConfig"]["UseExistingClientSecret"] = True
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
