# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which services and operations have contract cases."""

from __future__ import annotations

from . import (
    application_autoscaling_cases,
    autoscaling_cases,
    cloudwatch_cases,
    ec2_cases,
    ecr_cases,
    ecs_cases,
    elasticache_cases,
    elbv2_cases,
    rds_cases,
    site_cases,
    ssm_cases,
)
from .cases import Case

CASES: dict[str, list[Case]] = {
    "application-autoscaling": application_autoscaling_cases.CASES,
    "acm": site_cases.ACM,
    "cloudfront": site_cases.CLOUDFRONT,
    "route53": site_cases.ROUTE53,
    "autoscaling": autoscaling_cases.CASES,
    "cloudwatch": cloudwatch_cases.CASES,
    "ec2": ec2_cases.CASES,
    "ecr": ecr_cases.CASES,
    "ecs": ecs_cases.CASES,
    "elasticache": elasticache_cases.CASES,
    "elbv2": elbv2_cases.CASES,
    "rds": rds_cases.CASES,
    "ssm": ssm_cases.CASES,
}
"""botocore's name of a service -> its cases."""

OPERATIONS_WITH_CASES = frozenset((service, case.operation) for service, cases in CASES.items() for case in cases)
