# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Load balancing's answers against botocore's model, from a whole cloud with one load balancer that really runs."""

from __future__ import annotations

import itertools
import json
import types
import typing as t
import urllib.request

import boto3
import botocore.config
import botocore.exceptions
import pytest

from . import elbv2_cases
from .cases import Case, check, gaps
from .elbv2_world import World

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def balancer(boto: t.Callable[[str], t.Any], vpc: t.Any) -> t.Iterator[str]:
    """The load balancer of all cases."""
    elb = boto("elbv2")
    made = elb.create_load_balancer(Name="contract", Subnets=[vpc.public_subnet, vpc.private_subnet])["LoadBalancers"][0]["LoadBalancerArn"]
    elb.get_waiter("load_balancer_available").wait(LoadBalancerArns=[made], WaiterConfig={"Delay": 1})
    yield made
    elb.delete_load_balancer(LoadBalancerArn=made)
    for group in elb.describe_target_groups()["TargetGroups"]:
        if group["TargetGroupName"].startswith("contract-"):
            elb.delete_target_group(TargetGroupArn=group["TargetGroupArn"])


@pytest.fixture
def world(boto: t.Callable[[str], t.Any], vpc: t.Any, balancer: str) -> t.Iterator[World]:
    """A world whose listeners are deleted when the case has ended."""
    made = World(boto, vpc, balancer, f"contract-{next(_numbers)}")
    yield made
    for listener in made.elb.describe_listeners(LoadBalancerArn=balancer)["Listeners"]:
        made.elb.delete_listener(ListenerArn=listener["ListenerArn"])


@pytest.mark.parametrize("case", elbv2_cases.CASES, ids=str)
def test_elbv2(case: Case, world: World) -> None:
    check(case, world)


def test_every_operation_has_cases() -> None:
    from localcloud.services.elbv2_balancers import Balancers
    from localcloud.services.elbv2_groups import Groups
    from localcloud.services.elbv2_listeners import Listeners
    from localcloud.services.elbv2_targets import Targets

    nothing: t.Any = types.SimpleNamespace(store=None)
    parts: list[t.Any] = [Balancers(nothing, nothing), Groups(nothing), Listeners(nothing, nothing), Targets(nothing, nothing)]
    operations = {operation for part in parts for operation in part.operations}
    assert gaps(operations, elbv2_cases.CASES, cannot_fail=elbv2_cases.CANNOT_FAIL) == []


def _faults(cloud_env: dict[str, str], method: str, **fault: t.Any) -> t.Any:
    url = f"{cloud_env['AWS_ENDPOINT_URL']}/_localcloud/elasticloadbalancing/faults"
    request = urllib.request.Request(url, method=method, data=json.dumps(fault).encode() if fault else None)
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def test_a_fault_fails_as_often_as_it_says(cloud_env: dict[str, str], world: World) -> None:
    assert _faults(cloud_env, "POST", operation="DescribeRules", code="Throttling", times=4)[0]["times"] == 4
    listener = world.listener()
    world.elb.describe_listeners(ListenerArns=[listener])
    with pytest.raises(botocore.exceptions.ClientError, match="Throttling"):  # botocore itself tries a throttled call up to five times
        _once(cloud_env, listener)
    assert _faults(cloud_env, "GET")[0]["times"] == 3
    assert world.elb.describe_rules(ListenerArn=listener)["Rules"]
    assert _faults(cloud_env, "GET") == []


def _once(cloud_env: dict[str, str], listener: str) -> t.Any:
    """One attempt, where botocore would make several."""
    client = boto3.client(
        "elbv2",
        endpoint_url=cloud_env["AWS_ENDPOINT_URL"],
        region_name=cloud_env["AWS_REGION"],
        aws_access_key_id="x",
        aws_secret_access_key="y",
        config=botocore.config.Config(retries={"total_max_attempts": 1}),
    )
    return client.describe_rules(ListenerArn=listener)
