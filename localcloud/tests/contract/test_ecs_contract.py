# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ECS's and Application Auto Scaling's answers, operation by operation, against botocore's model; a few cases start real tasks."""

from __future__ import annotations

import itertools
import typing as t

import pytest

from localcloud.services.application_autoscaling import OPERATIONS as SCALING_OPERATIONS
from localcloud.services.ecs import OPERATIONS

from . import application_autoscaling_cases
from .cases import Case, check, gaps
from .ecs_api import World
from .ecs_cases import CANNOT_FAIL, CANNOT_SUCCEED, CASES

_numbers = itertools.count(1)


@pytest.fixture
def world(boto: t.Callable[[str], t.Any], vpc: t.Any) -> t.Iterator[World]:
    """A world whose services and tasks end with the case."""
    made = World(boto, vpc, f"contract-{next(_numbers)}")
    yield made
    made.clean()


@pytest.mark.parametrize("case", CASES, ids=str)
def test_case(case: Case, world: World) -> None:
    check(case, world)


def test_every_operation_has_cases() -> None:
    assert gaps(OPERATIONS, CASES, cannot_fail=CANNOT_FAIL) == [f"{name} has no case that succeeds" for name in sorted(CANNOT_SUCCEED)]


@pytest.mark.parametrize("case", application_autoscaling_cases.CASES, ids=str)
def test_application_autoscaling(case: Case, world: World) -> None:
    check(case, world)


def test_every_operation_of_application_autoscaling_has_cases() -> None:
    assert gaps(SCALING_OPERATIONS, application_autoscaling_cases.CASES) == []
