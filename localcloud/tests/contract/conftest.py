# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Watches every client from the moment that pytest collects this directory, thus in all tests of a whole run."""

from __future__ import annotations

import contextlib
import itertools
import typing as t

import botocore.exceptions
import pytest

from . import watch
from .ec2_world import World

watch.install()

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def image(boto: t.Callable[[str], t.Any]) -> str:
    """The id of the machine image."""
    return boto("ssm").get_parameter(Name="/aws/service/debian/release/13/latest/amd64")["Parameter"]["Value"]


@pytest.fixture
def ec2_world(boto: t.Callable[[str], t.Any], vpc: t.Any, image: str) -> t.Iterator[World]:
    """A world whose Auto Scaling group and instances are removed when the case has ended."""
    made = World(boto, vpc, image, f"contract-{next(_numbers)}")
    yield made
    with contextlib.suppress(botocore.exceptions.ClientError):
        made.asg.delete_auto_scaling_group(AutoScalingGroupName=made.name, ForceDelete=True)
    found = made.ec2.describe_instances(Filters=[{"Name": "tag:Name", "Values": [made.name]}])["Reservations"]
    instances = [instance["InstanceId"] for reservation in found for instance in reservation["Instances"]]
    if instances:
        made.ec2.terminate_instances(InstanceIds=instances)
