# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""EC2's and Auto Scaling's answers against botocore's model, from a whole cloud with instances in containers."""

from __future__ import annotations

import itertools
import typing as t

import pytest

from . import autoscaling_cases, ec2_cases
from .cases import Case, check, gaps
from .ec2_world import World

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def image(boto: t.Callable[[str], t.Any]) -> str:
    """The id of the machine image."""
    return boto("ssm").get_parameter(Name="/aws/service/debian/release/13/latest/amd64")["Parameter"]["Value"]


@pytest.fixture
def world(boto: t.Callable[[str], t.Any], vpc: t.Any, image: str) -> t.Iterator[World]:
    """A world whose instances are terminated when the case has ended."""
    made = World(boto, vpc, image, f"contract-{next(_numbers)}")
    yield made
    found = made.ec2.describe_instances(Filters=[{"Name": "tag:Name", "Values": [made.name]}])["Reservations"]
    instances = [instance["InstanceId"] for reservation in found for instance in reservation["Instances"]]
    if instances:
        made.ec2.terminate_instances(InstanceIds=instances)


@pytest.mark.parametrize("case", ec2_cases.CASES, ids=str)
def test_ec2(case: Case, world: World) -> None:
    check(case, world)


@pytest.mark.parametrize("case", autoscaling_cases.CASES, ids=str)
def test_autoscaling(case: Case, world: World) -> None:
    check(case, world)


def test_every_case_of_ec2_has_its_counterpart() -> None:
    operations = {case.operation for case in ec2_cases.CASES}
    assert gaps(operations, ec2_cases.CASES, cannot_fail=ec2_cases.CANNOT_FAIL) == []


def test_every_case_of_autoscaling_has_its_counterpart() -> None:
    operations = {case.operation for case in autoscaling_cases.CASES}
    assert gaps(operations, autoscaling_cases.CASES, cannot_fail=autoscaling_cases.CANNOT_FAIL) == []
