# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Metric sources: counts and percentiles of each colour from CloudWatch and from Prometheus."""

from __future__ import annotations

import datetime
import json
import math
import urllib.parse

from ansible.module_utils.urls import open_url

from ...module_utils._aws.errors import attempt
from ...module_utils._canary.samples import CANDIDATE, LIVE, Sample

NAMESPACE = "AWS/ApplicationELB"
PERIOD_S = 60  # ALB metrics reach CloudWatch once a minute
LOOK_BACK_S = 300
# Query id → (metric, statistic). A metric without a datapoint counts as 0: ALB reports only what is not zero.
QUERIES = {
    "requests": ("RequestCount", "Sum"),
    "errors": ("HTTPCode_Target_5XX_Count", "Sum"),
    "broken": ("TargetConnectionErrorCount", "Sum"),
    "client_errors": ("HTTPCode_Target_4XX_Count", "Sum"),
    "p95": ("TargetResponseTime", "p95"),
}


def dimension(arn: str) -> str:
    """What CloudWatch calls a load balancer or a target group: the end of its ARN (without ``loadbalancer/``)."""
    return arn.split(":")[-1].removeprefix("loadbalancer/")


class CloudWatch:
    """``groups``: {LIVE: target group ARN, CANDIDATE: …}.

    The counts of a minute come from CloudWatch when they come: one colour's or one metric's later than the other's, and for some time more
    of the same. So each minute is read again as long as it is asked for (LOOK_BACK_S). A colour's counts are handed out when two polls in
    a row have read the same, and what comes later is handed out later.
    """

    NAME = "cloudwatch"

    def __init__(self, client, load_balancer_arn: str, groups: dict, now=lambda: datetime.datetime.now(datetime.UTC)):
        self._client, self._balancer, self._groups, self._now = client, dimension(load_balancer_arn), groups, now
        self._began = now()
        self._read: dict = {}  # (minute, colour): the sample that the latest poll has read
        self._handed: dict = {}  # (minute, colour): what has been handed out

    def history(self, seconds: int) -> Sample:
        """What the live colour answered in the time before."""
        now = self._now()
        minutes = self._minutes(now - datetime.timedelta(seconds=seconds), now)
        total = Sample(self.NAME, LIVE, 0)
        for found in minutes.values():
            total += found.get(LIVE) or Sample(self.NAME, LIVE, 0)
        return total

    def __call__(self):
        now = self._now()
        minutes = self._minutes(now - datetime.timedelta(seconds=LOOK_BACK_S), now)
        for start in sorted(minutes):
            end = start + datetime.timedelta(seconds=PERIOD_S)
            if end <= self._began or end > now:
                continue  # from before the rollout, or not yet complete
            samples = [new for colour, sample in minutes[start].items() if (new := self._news(start, colour, sample))]
            if samples:
                yield ("on_samples", samples)

    def _news(self, start, colour, sample) -> Sample | None:
        """What has not been handed out of a colour's minute, once two polls in a row have read the same."""
        key = (start, colour)
        settled = self._read.get(key) == sample
        self._read[key] = sample
        if not settled or self._handed.get(key) == sample:
            return None
        before = self._handed.get(key) or Sample(self.NAME, colour, 0)
        self._handed[key] = sample
        errors = max(0, sample.errors - before.errors)
        requests = max(sample.requests - before.requests, errors)
        return Sample(self.NAME, colour, requests, errors, max(0, sample.client_errors - before.client_errors), (), sample.p95_ms)

    def _minutes(self, start, end) -> dict:
        queries = [
            {
                "Id": f"{colour}_{name}",
                "MetricStat": {
                    "Metric": {
                        "Namespace": NAMESPACE,
                        "MetricName": metric,
                        "Dimensions": [{"Name": "LoadBalancer", "Value": self._balancer}, {"Name": "TargetGroup", "Value": dimension(arn)}],
                    },
                    "Period": PERIOD_S,
                    "Stat": statistic,
                },
            }
            for colour, arn in self._groups.items()
            for name, (metric, statistic) in QUERIES.items()
        ]
        values: dict = {}
        for result in _metric_data(self._client, queries, start, end):
            colour, _underscore, name = result["Id"].partition("_")
            for moment, value in zip(result["Timestamps"], result["Values"], strict=True):
                values.setdefault(moment, {}).setdefault(colour, {})[name] = value
        return {moment: {colour: self._sample(colour, found) for colour, found in colours.items()} for moment, colours in values.items()}

    def _sample(self, colour, found) -> Sample:
        errors = int(found.get("errors", 0) + found.get("broken", 0))
        requests = max(int(found.get("requests", 0)), errors)
        p95 = found.get("p95")
        return Sample(self.NAME, colour, requests, errors, int(found.get("client_errors", 0)), (), None if p95 is None else 1000 * p95)


@attempt("read the load balancer's metrics (cloudwatch:GetMetricData)")
def _metric_data(client, queries, start, end):
    pages = client.get_paginator("get_metric_data").paginate(MetricDataQueries=queries, StartTime=start, EndTime=end)
    return [result for page in pages for result in page["MetricDataResults"]]


class Prometheus:
    """Counters by PromQL. ``queries``: {"requests", "errors", "client_errors" (counters), "p95_s"}, with ``{colour}`` where the label's
    value belongs; ``names``: {LIVE: value, CANDIDATE: value}. Samples are the increases from poll to poll; a reset counts from 0."""

    NAME = "prometheus"

    def __init__(self, url: str, queries: dict, names: dict, timeout_s: float = 5.0):
        self._url, self._queries, self._names, self._timeout = url.rstrip("/"), queries, names, timeout_s
        self._before: dict = {}

    def __call__(self):
        # All are read before any is counted: what fails in between takes nothing from the next poll.
        read = {
            colour: {key: self._value(query.replace("{colour}", name)) for key, query in self._queries.items()}
            for colour, name in self._names.items()
        }
        samples = []
        for colour, values in read.items():
            increase = {key: self._increase(colour, key, values.get(key)) for key in ("requests", "errors", "client_errors")}
            if increase["requests"]:
                p95_ms = None if values.get("p95_s") is None else 1000 * values["p95_s"]
                errors = min(increase["errors"], increase["requests"])
                samples.append(Sample(self.NAME, colour, increase["requests"], errors, increase["client_errors"], (), p95_ms))
        if any(sample.colour in (LIVE, CANDIDATE) for sample in samples):
            yield ("on_samples", samples)

    def _increase(self, colour, key, now) -> int:
        """Since the latest poll. A series that is not there has not begun, or is missing from one answer: that is no reset to 0."""
        before = self._before.get((colour, key))
        if now is None:
            self._before.setdefault((colour, key), 0.0)
            return 0
        self._before[colour, key] = now
        return 0 if before is None else round(now - before if now >= before else now)

    def _value(self, query: str):
        """The one value of an instant query; None without a series. Raises OSError or ValueError."""
        address = f"{self._url}/api/v1/query?{urllib.parse.urlencode({'query': query})}"
        with open_url(address, timeout=self._timeout) as answer:
            found = json.load(answer)
        if found.get("status") != "success":
            raise ValueError(f"Prometheus refused {query}: {found.get('error', 'no reason given')}")
        series = found["data"]["result"]
        value = float(series[0]["value"][1]) if series else math.nan
        return None if math.isnan(value) else value
