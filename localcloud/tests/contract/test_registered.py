# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No handler of ours without contract cases, and none of them unwatched; the operations are compared in each service's own test."""

from __future__ import annotations

import boto3

from localcloud.services import MODULES

from .registered import CASES
from .watch import OURS, PARTLY

SERVICES = {
    "ec2": "ec2",
    "autoscaling": "autoscaling",
    "ssm": "ssm",
    "ecr": "ecr",
    "elasticloadbalancing": "elbv2",
    "elasticache": "elasticache",
    "rds": "rds",
    "ecs": "ecs",
    "application-autoscaling": "application-autoscaling",
    "monitoring": "cloudwatch",
    "route53": "route53",
    "acm": "acm",
    "cloudfront": "cloudfront",
}
"""MiniStack's name of a service -> botocore's; a handler that is missing here has nobody who compares its answers."""


def test_every_handler_has_cases() -> None:
    assert set(MODULES) == set(SERVICES)
    assert set(CASES) == set(SERVICES.values())


def test_every_handler_is_watched() -> None:
    assert set(SERVICES.values()) <= OURS | set(PARTLY)


def test_clients_are_watched_without_being_asked() -> None:
    client = boto3.client("ecr", region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="y")
    handlers = client.meta.events._emitter._handlers.prefix_search("before-parse.ecr.CreateRepository")
    assert any(handler.__module__.endswith("contract.watch") for handler in handlers)
