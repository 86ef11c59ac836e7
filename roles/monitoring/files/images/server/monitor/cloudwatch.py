# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Exporter of the environment's CloudWatch metrics: what carries its tags, and of that the minute that has settled.

Calls: tag:GetResources, elasticloadbalancing:DescribeTargetGroups, elasticache:DescribeReplicationGroups,
autoscaling:DescribeAutoScalingGroups, cloudwatch:GetMetricData.
The last one costs money for each metric asked for; docs/monitoring.md has the sum.
"""

from __future__ import annotations

import dataclasses
import datetime
import json
import os
import signal
import sys
import threading
import time
import typing as t

import botocore.config
import botocore.exceptions
import botocore.session

from . import exposition, machine
from .cloudwatch_metrics import METRICS, Metric, snake

FAILURES = (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError)
PORT = 9106
PERIOD = 60
"""Seconds; AWS's load balancers report once a minute."""
SETTLED = 120
"""Seconds until a minute's data are all there."""
LOOK_BACK = 600
"""Seconds in which the newest value of a gauge is looked for."""
_TYPES = ("elasticloadbalancing:loadbalancer", "rds:db", "elasticache:cluster", "elasticache:replicationgroup")


@dataclasses.dataclass(frozen=True)
class Resource:
    """Something that has metrics: a kind of METRICS, and CloudWatch's dimensions of it."""

    kind: str
    dimensions: tuple[tuple[str, str], ...]

    @property
    def labels(self) -> dict[str, str]:
        return {snake(name): value for name, value in self.dimensions}


class Source:
    """The account as the exporter reads it. `client(service)` makes a botocore client."""

    def __init__(self, client: t.Callable[[str], t.Any], tags: dict[str, str]):
        self._client, self._tags = client, tags

    def resources(self) -> list[Resource]:
        """Everything that carries the tags; target groups come with their load balancer, nodes with their replication group."""
        filters = [{"Key": key, "Values": [value]} for key, value in sorted(self._tags.items())]
        pages = (
            self._client("resourcegroupstaggingapi")
            .get_paginator("get_resources")
            .paginate(TagFilters=filters, ResourceTypeFilters=list(_TYPES))
        )
        arns = [item["ResourceARN"] for page in pages for item in page["ResourceTagMappingList"]]
        found: set[Resource] = set()
        balancers = {arn for arn in arns if ":loadbalancer/app/" in arn}
        found.update(Resource("load_balancer", (("LoadBalancer", _balancer(arn)),)) for arn in balancers)
        found.update(self._target_groups(balancers))
        found.update(
            Resource("database", (("DBInstanceIdentifier", arn.rpartition(":")[2]),)) for arn in arns if ":rds:" in arn and ":db:" in arn
        )
        found.update(_cache(arn.rpartition(":")[2]) for arn in arns if ":elasticache:" in arn and ":cluster:" in arn)
        found.update(self._members([arn.rpartition(":")[2] for arn in arns if ":replicationgroup:" in arn]))
        found.update(self._groups())
        return sorted(found, key=lambda resource: (resource.kind, resource.dimensions))

    def _target_groups(self, balancers: set[str]) -> t.Iterator[Resource]:
        if not balancers:
            return
        for page in self._client("elbv2").get_paginator("describe_target_groups").paginate():
            for group in page["TargetGroups"]:
                for arn in balancers.intersection(group["LoadBalancerArns"]):
                    yield Resource(
                        "target_group", (("TargetGroup", group["TargetGroupArn"].rpartition(":")[2]), ("LoadBalancer", _balancer(arn)))
                    )

    def _members(self, groups: list[str]) -> t.Iterator[Resource]:
        for name in groups:
            for group in self._client("elasticache").describe_replication_groups(ReplicationGroupId=name)["ReplicationGroups"]:
                yield from (_cache(member) for member in group["MemberClusters"])

    def _groups(self) -> t.Iterator[Resource]:
        """Auto Scaling groups, which the tagging API does not list."""
        filters = [{"Name": f"tag:{key}", "Values": [value]} for key, value in sorted(self._tags.items())]
        for page in self._client("autoscaling").get_paginator("describe_auto_scaling_groups").paginate(Filters=filters):
            for group in page["AutoScalingGroups"]:
                yield Resource("group", (("AutoScalingGroupName", group["AutoScalingGroupName"]),))

    def values(self, resources: list[Resource], now: datetime.datetime) -> list[tuple[Metric, Resource, float]]:
        """The settled minute's values; a metric that CloudWatch has nothing of is left out, or 0 where that is what it means."""
        end = now.replace(second=0, microsecond=0) - datetime.timedelta(seconds=SETTLED - PERIOD)
        asked = [(metric, resource) for resource in resources for metric in METRICS[resource.kind]]
        found = []
        for start in range(0, len(asked), 500):  # GetMetricData takes no more
            part = asked[start : start + 500]
            newest = self._newest(part, end)
            for number, (metric, resource) in enumerate(part):
                value = newest.get(f"m{number}", 0.0 if metric.zero else None)
                if value is not None:
                    found.append((metric, resource, value))
        return found

    def _newest(self, asked: list[tuple[Metric, Resource]], end: datetime.datetime) -> dict[str, float]:
        queries = [
            {
                "Id": f"m{number}",
                "MetricStat": {
                    "Metric": {
                        "Namespace": metric.namespace,
                        "MetricName": metric.name,
                        "Dimensions": [{"Name": name, "Value": value} for name, value in resource.dimensions],
                    },
                    "Period": PERIOD,
                    "Stat": metric.statistic,
                },
            }
            for number, (metric, resource) in enumerate(asked)
        ]
        if not queries:
            return {}
        pages = self._client("cloudwatch").get_paginator("get_metric_data")
        begin = end - datetime.timedelta(seconds=LOOK_BACK)
        settled = end - datetime.timedelta(seconds=PERIOD)
        found: dict[str, tuple[datetime.datetime, float]] = {}
        for page in pages.paginate(MetricDataQueries=queries, StartTime=begin, EndTime=end, ScanBy="TimestampDescending"):
            for result in page["MetricDataResults"]:
                zero = asked[int(result["Id"][1:])][0].zero
                for moment, value in zip(result["Timestamps"], result["Values"], strict=True):
                    # A count of an earlier minute is not this minute's.
                    if (not zero or moment >= settled) and (result["Id"] not in found or moment > found[result["Id"]][0]):
                        found[result["Id"]] = (moment, value)
        return {name: value for name, (_moment, value) in found.items()}


def _balancer(arn: str) -> str:
    return arn.partition(":loadbalancer/")[2]


def _cache(name: str) -> Resource:
    return Resource("cache", (("CacheClusterId", name),))


def render(values: list[tuple[Metric, Resource, float]]) -> str:
    """The exposition, series of one name together as the format asks."""
    by_name: dict[str, list[str]] = {}
    for metric, resource, value in values:
        by_name.setdefault(metric.series, []).append(exposition.line(metric.series, resource.labels, value))
    return "".join(f"# TYPE {name} gauge\n" + "\n".join(lines) + "\n" for name, lines in sorted(by_name.items()))


class Exporter:
    """What was read last. Values that are older than a few rounds are not shown again: an alert must not stand on them."""

    def __init__(self, source: Source, every: float):
        self._source, self._every = source, every
        self._text, self._read = "", 0.0
        self.own = exposition.Series()
        self.own.set("cloudwatch_failures_total", 0, "counter", "Rounds that failed.")
        self.own.set("cloudwatch_last_success_timestamp_seconds", 0, "gauge", "When CloudWatch was read last.")

    def round(self) -> None:
        try:
            resources = self._source.resources()
            self._text = render(self._source.values(resources, datetime.datetime.now(datetime.UTC)))
        except FAILURES as error:
            self.own.add("cloudwatch_failures_total")
            print(
                f"Failed to read CloudWatch: {error}. The role may lack one of the calls in docs/monitoring.md.",
                file=sys.stderr,
                flush=True,
            )
            return
        self._read = time.time()
        self.own.set("cloudwatch_last_success_timestamp_seconds", self._read, "gauge", "When CloudWatch was read last.")
        self.own.set("cloudwatch_resources", len(resources), "gauge", "Resources that carry the environment's tags.")

    def text(self) -> str:
        fresh = time.time() - self._read < 3 * self._every + SETTLED
        return self.own.text() + (self._text if fresh else "")


def start(_words: list[str]) -> None:
    """Read every CLOUDWATCH_SECONDS what carries CLOUDWATCH_TAGS (JSON), until SIGTERM."""
    every = float(os.environ.get("CLOUDWATCH_SECONDS", "60"))
    try:
        tags = json.loads(machine.required("CLOUDWATCH_TAGS"))
    except ValueError as error:
        raise machine.WrongSetting(f"Cannot start: CLOUDWATCH_TAGS is no JSON ({error}).") from error
    machine.drop()
    session = botocore.session.get_session()
    configuration = botocore.config.Config(retries={"mode": "adaptive", "max_attempts": 5}, connect_timeout=10, read_timeout=30)
    clients: dict[str, t.Any] = {}

    def client(service: str) -> t.Any:
        if service not in clients:
            clients[service] = session.create_client(service, config=configuration)
        return clients[service]

    exporter = Exporter(Source(client, tags), every)
    exposition.serve(PORT, exporter.text)
    end = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_unused: end.set())
    while not end.is_set():
        exporter.round()
        end.wait(every)
