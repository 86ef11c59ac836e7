# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Reads, sets and verifies the weights of one place; used by the module, by the canary and by its watchdog."""

from __future__ import annotations

import time

from .. import _traffic as traffic
from . import elbv2

READ_BACK_S = 10.0


class Weights:
    """The weights of target groups on a listener or rule, by name and in percent. ``client``: botocore's elbv2 client."""

    def __init__(self, client, place: elbv2.Place):
        self._client = client
        self.place = place

    def read(self) -> dict:
        """{name: percent} of the groups that are there now. TrafficError when nothing is forwarded there."""
        return self._named(elbv2.actions(self._client, self.place))

    def _named(self, actions) -> dict:
        action = traffic.forward(actions, self.place.text.capitalize())
        found = {self.place.names.get(arn, arn): weight for arn, weight in traffic.tuples(action).items()}
        return traffic.percent(found)

    def write(self, weights: dict, expected: list | None = None) -> float:
        """Set {name: percent} and read them back; returns the seconds that took. TrafficError when they do not read back.

        ``expected``: the weights over which may be written. AWS has no conditional write here, so they are read immediately before, with
        nothing in between; WeightsChangedError, and nothing is written, when others are in force.
        """
        began = time.monotonic()
        arns = self.place.arns()
        before = elbv2.actions(self._client, self.place)
        in_force = self._named(before)
        if expected is not None:
            traffic.expect(in_force, expected, self.place.text)
        by_arn = {arns.get(name, name): weight for name, weight in weights.items()}
        elbv2.modify(self._client, self.place, traffic.with_weights(before, by_arn))
        while True:
            found = self.read()
            if found == weights:
                return time.monotonic() - began
            if time.monotonic() - began > READ_BACK_S:
                raise traffic.TrafficError(
                    f"The weights of {self.place.text} read back as {traffic.listed(found)} {READ_BACK_S:g} s after they were set; "
                    "something else changes them: find out what (CloudTrail: ModifyListener, ModifyRule) and run again."
                )
            time.sleep(0.1)

    def healthy(self, name: str) -> tuple:
        """(healthy targets, all targets, why the others are not) of a group."""
        targets = elbv2.target_health(self._client, self.place.arns()[name])
        bad = sorted({f"{state}: {why}" if why else state for _id, _port, state, why in targets if state != "healthy"})
        return sum(state == "healthy" for _id, _port, state, _why in targets), len(targets), "; ".join(bad)

    def await_healthy(self, names, timeout_s: float) -> dict:
        """{name: (healthy, all)}, once each of the groups has a healthy target. TrafficError after ``timeout_s``."""
        deadline = time.monotonic() + timeout_s
        while True:
            found = {name: self.healthy(name) for name in names}
            lacking = {name: state for name, state in found.items() if not state[0]}
            if not lacking:
                return {name: state[:2] for name, state in found.items()}
            if time.monotonic() >= deadline:
                said = "; ".join(
                    f"target group {name} has no healthy target ({total} registered{', ' + why if why else ''})"
                    for name, (_none, total, why) in lacking.items()
                )
                raise traffic.TrafficError(
                    f"Traffic was not moved on {self.place.text}: {said}, waited {timeout_s:g} s. "
                    "Look at the health check and at the application's log, or give that group no weight."
                )
            time.sleep(0.5)
