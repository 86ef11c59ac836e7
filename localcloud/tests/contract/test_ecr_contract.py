# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ECR's answers, operation by operation, against botocore's model."""

from __future__ import annotations

import itertools

import pytest
from ecr_standalone import Running, running  # noqa: F401 - a fixture

from localcloud.services.ecr_operations import OPERATIONS

from .cases import Case, check, gaps
from .ecr_cases import CASES, World

_numbers = itertools.count(1)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_case(case: Case, running: Running) -> None:  # noqa: F811
    check(case, World(running, f"contract/case-{next(_numbers)}"))


def test_every_operation_has_cases() -> None:
    assert gaps(OPERATIONS, CASES, cannot_fail=frozenset({"DescribeRegistry"})) == []
