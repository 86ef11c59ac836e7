# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which metrics of CloudWatch are asked for, and what they are called in Prometheus; pure.

Names are those of prometheus/cloudwatch_exporter, so that alerts and dashboards work with either:
https://github.com/prometheus/cloudwatch_exporter. What a load balancer does not report did not happen in that minute, hence 0.
"""

from __future__ import annotations

import dataclasses
import re


@dataclasses.dataclass(frozen=True)
class Metric:
    """A metric and one statistic of it. `zero`: a minute without a datum counts as 0."""

    namespace: str
    name: str
    statistic: str
    zero: bool = False

    @property
    def series(self) -> str:
        statistic = self.statistic.lower().replace(".", "_")
        return re.sub(r"[^a-zA-Z0-9:_]", "_", f"{self.namespace.lower()}_{snake(self.name)}_{statistic}")


def snake(name: str) -> str:
    """CamelCase to snake_case, as cloudwatch_exporter does it."""
    return re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name).lower()


_ALB = "AWS/ApplicationELB"
# Kind of resource -> what is asked of each.
METRICS = {
    "load_balancer": (
        Metric(_ALB, "RequestCount", "Sum", zero=True),
        Metric(_ALB, "HTTPCode_ELB_5XX_Count", "Sum", zero=True),
        Metric(_ALB, "RejectedConnectionCount", "Sum", zero=True),
        Metric(_ALB, "ActiveConnectionCount", "Sum", zero=True),
    ),
    "target_group": (
        Metric(_ALB, "RequestCount", "Sum", zero=True),
        Metric(_ALB, "HTTPCode_Target_4XX_Count", "Sum", zero=True),
        Metric(_ALB, "HTTPCode_Target_5XX_Count", "Sum", zero=True),
        Metric(_ALB, "TargetConnectionErrorCount", "Sum", zero=True),
        Metric(_ALB, "TargetResponseTime", "p95"),
        Metric(_ALB, "HealthyHostCount", "Minimum"),
        Metric(_ALB, "UnHealthyHostCount", "Maximum"),
    ),
    "database": (
        Metric("AWS/RDS", "CPUUtilization", "Average"),
        Metric("AWS/RDS", "CPUCreditBalance", "Average"),
        Metric("AWS/RDS", "DatabaseConnections", "Average"),
        Metric("AWS/RDS", "DiskQueueDepth", "Average"),
        Metric("AWS/RDS", "FreeStorageSpace", "Average"),
        Metric("AWS/RDS", "FreeableMemory", "Average"),
        Metric("AWS/RDS", "ReadIOPS", "Average"),
        Metric("AWS/RDS", "WriteIOPS", "Average"),
    ),
    "cache": (
        Metric("AWS/ElastiCache", "CurrConnections", "Average"),
        Metric("AWS/ElastiCache", "DatabaseMemoryUsagePercentage", "Average"),
        Metric("AWS/ElastiCache", "EngineCPUUtilization", "Average"),
        Metric("AWS/ElastiCache", "Evictions", "Sum", zero=True),
        Metric("AWS/ElastiCache", "CacheHits", "Sum", zero=True),
        Metric("AWS/ElastiCache", "CacheMisses", "Sum", zero=True),
        Metric("AWS/ElastiCache", "ReplicationLag", "Maximum"),
    ),
    "group": (
        Metric("AWS/AutoScaling", "GroupMinSize", "Maximum"),
        Metric("AWS/AutoScaling", "GroupMaxSize", "Maximum"),
        Metric("AWS/AutoScaling", "GroupDesiredCapacity", "Maximum"),
        Metric("AWS/AutoScaling", "GroupInServiceInstances", "Minimum"),
    ),
}
