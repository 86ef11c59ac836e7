# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""A rollout's plan: pairs of weights, each with its gate; checks what a user wrote, in one sentence per mistake."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, fields


class PlanError(ValueError):
    """One sentence: what is wrong with the plan and what to write instead."""


@dataclass(frozen=True)
class Gate:
    """What must be true before the next step. Times in seconds.

    ``hold_s``: shortest time at these weights. ``timeout_s``: longest; what is still inconclusive then ends the rollout.
    ``min_requests``: answers of the candidate that must have been judged in this step. ``metrics``: wait for a datapoint of each metric
    source that was published in this step. ``pause``: wait for a human after the judge has said promote.
    """

    hold_s: float = 30.0
    timeout_s: float = 300.0
    min_requests: int = 0
    metrics: bool = True
    pause: bool = False


@dataclass(frozen=True)
class Step:
    """One pair of weights, in percent of the traffic, and its gate."""

    live: int
    candidate: int
    gate: Gate = Gate()

    @property
    def weights(self) -> tuple:
        return (self.live, self.candidate)


def parse(raw, gate=None) -> tuple:
    """The plan as steps. ``raw``: a list of ``[live, candidate]`` or ``{"weights": [live, candidate], <field of Gate>: value}``;
    ``gate``: fields of Gate for every step that does not say otherwise. Raises PlanError."""
    if not isinstance(raw, (list, tuple)) or not raw:
        raise PlanError("The plan is empty; write a list of steps such as [[90, 10], [50, 50], [0, 100]].")
    usual = _gate("the gate of all steps", gate or {}, Gate())
    steps = tuple(_step(number, item, usual) for number, item in enumerate(raw, 1))
    for number, (before, after) in enumerate(itertools.pairwise(steps), 2):
        if after.candidate <= before.candidate:
            raise PlanError(
                f"Step {number} of the plan gives the candidate {after.candidate} % after {before.candidate} %; "
                "the share of the candidate must grow from step to step (a rollback needs no plan)."
            )
    return steps


def _step(number: int, item, usual: Gate) -> Step:
    where = f"Step {number} of the plan"
    own = {}
    weights = item
    if isinstance(item, dict):
        own = dict(item)
        weights = own.pop("weights", None)
    if not isinstance(weights, (list, tuple)) or len(weights) != 2:
        raise PlanError(f"{where} has no pair of weights; write it as [90, 10]: percent for the live colour, percent for the candidate.")
    if any(isinstance(weight, bool) or not isinstance(weight, int) or not 0 <= weight <= 100 for weight in weights):
        raise PlanError(f"{where} is {list(weights)}; weights are whole percentages from 0 to 100.")
    if sum(weights) != 100:
        raise PlanError(f"{where} is {list(weights)}, which adds up to {sum(weights)}; the two weights must add up to 100.")
    if weights[1] == 0:
        raise PlanError(f"{where} gives the candidate nothing, so there is nothing to judge; leave it out.")
    return Step(weights[0], weights[1], _gate(where, own, usual))


def _gate(where: str, raw: dict, usual: Gate) -> Gate:
    known = {field.name: getattr(usual, field.name) for field in fields(Gate)}
    for name, value in raw.items():
        if name not in known:
            raise PlanError(f"{where} has an unknown entry {name!r}; known are weights, {', '.join(known)}.")
        if isinstance(known[name], bool):
            if not isinstance(value, bool):
                raise PlanError(f"{where} has {name}={value!r}; write true or false.")
        elif isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0:
            raise PlanError(f"{where} has {name}={value!r}; it must be a number that is not negative.")
        known[name] = value
    gate = Gate(**known)
    if gate.hold_s > gate.timeout_s:
        raise PlanError(f"{where} holds {gate.hold_s:g} s but gives up after {gate.timeout_s:g} s; make timeout_s the larger one.")
    return gate
