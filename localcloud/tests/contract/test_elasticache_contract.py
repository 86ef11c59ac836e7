# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ElastiCache's answers against botocore's model, from a whole cloud with real nodes."""

from __future__ import annotations

import contextlib
import itertools
import typing as t

import botocore.exceptions
import pytest
from cache_world import CacheWorld
from conftest import set_seconds

from localcloud.services.elasticache import OPERATIONS

from .cases import Case, check, gaps
from .elasticache_cases import CANNOT_FAIL, CASES, SHARED

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def shared(boto: t.Callable[[str], t.Any], vpc: t.Any, cloud_env: dict[str, str]) -> t.Iterator[None]:
    """A group with a replica and automatic failover, and creations that are quick to see."""
    set_seconds(cloud_env, "elasticache", 0.2)
    world = CacheWorld(boto, vpc, SHARED)
    world.group(NumCacheClusters=2, AutomaticFailoverEnabled=True, Tags=[{"Key": "bluegreen:system", "Value": "contract"}])
    yield
    world.call("DeleteReplicationGroup", ReplicationGroupId=SHARED)
    set_seconds(cloud_env, "elasticache", 2.0)


@pytest.fixture
def world(boto: t.Callable[[str], t.Any], vpc: t.Any, shared: None) -> t.Iterator[CacheWorld]:
    """A world whose own group, if the case made one, goes with the case."""
    made = CacheWorld(boto, vpc, f"contract-{next(_numbers)}")
    yield made
    with contextlib.suppress(botocore.exceptions.ClientError):
        if made.available()["Status"] == "available":
            made.call("DeleteReplicationGroup", ReplicationGroupId=made.name)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_case(case: Case, world: CacheWorld) -> None:
    check(case, world)


def test_every_operation_has_cases() -> None:
    assert gaps(OPERATIONS, CASES, cannot_fail=CANNOT_FAIL) == []
