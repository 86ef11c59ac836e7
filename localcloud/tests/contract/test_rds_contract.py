# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""RDS's answers against botocore's model, from a whole cloud with real servers."""

from __future__ import annotations

import contextlib
import itertools
import typing as t

import botocore.exceptions
import pytest
from conftest import set_seconds
from rds_world import RdsWorld

from localcloud.services.rds import OPERATIONS

from .cases import Case, check, gaps
from .rds_cases import CANNOT_FAIL, CASES, SECOND, SHARED

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def shared(boto: t.Callable[[str], t.Any], vpc: t.Any, cloud_env: dict[str, str]) -> t.Iterator[None]:
    """A DB instance with a snapshot, and creations that are quick to see."""
    set_seconds(cloud_env, "rds", 0.2)
    world = RdsWorld(boto, vpc, SHARED)
    world.instance(Tags=[{"Key": "bluegreen:system", "Value": "contract"}])
    RdsWorld(boto, vpc, SECOND).snapshot(SHARED)
    world.available()
    yield
    world.delete()
    set_seconds(cloud_env, "rds", 2.0)


@pytest.fixture
def world(boto: t.Callable[[str], t.Any], vpc: t.Any, shared: None) -> t.Iterator[RdsWorld]:
    """A world whose own DB instance, if the case made one, goes with the case."""
    made = RdsWorld(boto, vpc, f"contract-{next(_numbers)}")
    yield made
    with contextlib.suppress(botocore.exceptions.ClientError):
        if made.describe()["DeletionProtection"]:
            made.modify(DeletionProtection=False)
        made.delete()


@pytest.mark.parametrize("case", CASES, ids=str)
def test_case(case: Case, world: RdsWorld) -> None:
    check(case, world)


def test_every_operation_has_cases() -> None:
    assert gaps(OPERATIONS, CASES, cannot_fail=CANNOT_FAIL) == []


def test_lists_are_paged(world: RdsWorld) -> None:
    names = [f"{world.name}-{number:02}" for number in range(25)]
    for name in names:
        world.call("CreateDBParameterGroup", DBParameterGroupName=name, DBParameterGroupFamily="postgres17", Description="x")
    first = world.call("DescribeDBParameterGroups", MaxRecords=20)
    assert len(first["DBParameterGroups"]) == 20
    pages = world.client.get_paginator("describe_db_parameter_groups").paginate(PaginationConfig={"PageSize": 20})
    found = [group["DBParameterGroupName"] for page in pages for group in page["DBParameterGroups"]]
    assert len(found) == len(set(found))
    assert set(names) <= set(found)
