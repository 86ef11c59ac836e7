# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CloudWatch's metrics of application load balancers from requests, as AWS/ApplicationELB has them; pure.

Which metric has which dimensions: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html
"""

from __future__ import annotations

import collections
import dataclasses
import math
import typing as t

from .requests import Request

NAMESPACE = "AWS/ApplicationELB"
Dimensions = tuple[tuple[str, str], ...]
Datum = dict[str, t.Any]


@dataclasses.dataclass(frozen=True)
class Place:
    """Where a request went, in the words of the dimensions: `app/<name>/<id>`, `targetgroup/<name>/<id>` and a zone; None where unknown."""

    balancer: str
    group: str | None = None
    zone: str | None = None

    def dimensions(self, *, with_group: bool) -> list[Dimensions]:
        """The sets of dimensions that a metric is recorded under."""
        whole = (("LoadBalancer", self.balancer),)
        found: list[Dimensions] = [whole]
        if self.zone is not None:
            found.append((("AvailabilityZone", self.zone), *whole))
        if with_group and self.group is not None:
            found.append((*whole, ("TargetGroup", self.group)))
            if self.zone is not None:
                found.append((("AvailabilityZone", self.zone), *whole, ("TargetGroup", self.group)))
        return found


class Minute:
    """The metrics of one minute; not safe for threads."""

    def __init__(self) -> None:
        self._sums: collections.Counter[tuple[str, str, Dimensions]] = collections.Counter()
        self._values: dict[tuple[str, str, Dimensions], collections.Counter[float]] = collections.defaultdict(collections.Counter)
        self._healthy: dict[str, list[int]] = collections.defaultdict(list)
        """Target group -> how many of its targets were healthy, each time that was looked at."""

    def __bool__(self) -> bool:
        return bool(self._sums or self._values)

    def count(self, request: Request, place: Place) -> None:
        """Count one request that has ended."""
        self.add("ProcessedBytes", request.received_bytes + request.sent_bytes, place, unit="Bytes", with_group=False)
        kind = f"{request.status // 100}XX"
        if request.target is not None:
            self.add("RequestCount", 1, place)
            if place.group is not None:
                self._sums["RequestCountPerTarget", "Count", (("TargetGroup", place.group),)] += 1
                self._sums["RequestCountPerTarget", "Count", (("LoadBalancer", place.balancer), ("TargetGroup", place.group))] += 1
            if request.target_status is not None and 200 <= request.target_status < 600:
                self.add(f"HTTPCode_Target_{request.target_status // 100}XX_Count", 1, place)
            seconds = request.response_seconds
            if seconds is not None:
                self.observe("TargetResponseTime", seconds, place)
            if request.connection_failed:
                self.add("TargetConnectionErrorCount", 1, place)
        elif request.redirect:
            self.add("HTTP_Redirect_Count", 1, place, with_group=False)
        elif request.cause.startswith("L") and request.status < 500:
            self.add("HTTP_Fixed_Response_Count", 1, place, with_group=False)
        if not request.by_target and request.status >= 300:
            self.add(f"HTTPCode_ELB_{kind}_Count", 1, place, with_group=False)
            if request.status in (500, 502, 503, 504):
                self.add(f"HTTPCode_ELB_{request.status}_Count", 1, place, with_group=False)

    def add(self, name: str, value: float, place: Place, *, unit: str = "Count", with_group: bool = True) -> None:
        """Add to a sum."""
        for dimensions in place.dimensions(with_group=with_group):
            self._sums[name, unit, dimensions] += value  # type: ignore[assignment]

    def peak(self, name: str, value: float, place: Place) -> None:
        """Keep the largest of the values of a minute as its sum."""
        for dimensions in place.dimensions(with_group=False):
            key = name, "Count", dimensions
            if value:
                self._sums[key] = max(self._sums[key], value)  # type: ignore[assignment]

    def observe(self, name: str, seconds: float, place: Place) -> None:
        """Add one value of a distribution; kept with three significant digits."""
        for dimensions in place.dimensions(with_group=True):
            self._values[name, "Seconds", dimensions][rounded(seconds)] += 1

    def hosts(self, place: Place, healthy: int, unhealthy: int) -> None:
        """Record how many targets are healthy; `place` has a group."""
        if place.zone is None and place.group is not None:
            self._healthy[place.group].append(healthy)
        for dimensions in [found for found in place.dimensions(with_group=True) if ("TargetGroup", place.group) in found]:
            if place.zone is None or dimensions[0][0] == "AvailabilityZone":
                self._values["HealthyHostCount", "Count", dimensions][float(healthy)] += 1
                self._values["UnHealthyHostCount", "Count", dimensions][float(unhealthy)] += 1

    def data(self, timestamp: int) -> list[Datum]:
        """Everything as PutMetricData takes it, at this time (seconds since the epoch)."""
        sums = [{**_datum(key, timestamp), "Value": float(value) / self._targets(key)} for key, value in self._sums.items()]
        values = [
            {**_datum(key, timestamp), "Values": list(found), "Counts": [float(count) for count in found.values()]}
            for key, found in self._values.items()
        ]
        return sums + values

    def _targets(self, key: tuple[str, str, Dimensions]) -> float:
        """By how many targets a sum is divided: the healthy ones of its target group, on average, for RequestCountPerTarget."""
        name, _, dimensions = key
        if name != "RequestCountPerTarget":
            return 1.0
        seen = self._healthy.get(dict(dimensions)["TargetGroup"], [])
        return max(sum(seen) / len(seen), 1.0) if seen else 1.0


def _datum(key: tuple[str, str, Dimensions], timestamp: int) -> Datum:
    name, unit, dimensions = key
    return {
        "MetricName": name,
        "Unit": unit,
        "Timestamp": timestamp,
        "Dimensions": [{"Name": dimension, "Value": value} for dimension, value in dimensions],
    }


def rounded(seconds: float) -> float:
    """The value with three significant digits, so that a minute of many requests has some hundred different values."""
    if seconds <= 0:
        return 0.0
    return round(seconds, 2 - math.floor(math.log10(seconds)))
