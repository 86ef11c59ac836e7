# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""EC2's answers against botocore's model, from a whole cloud with instances in containers."""

from __future__ import annotations

import pytest

from . import ec2_cases
from .cases import Case, check, gaps
from .ec2_world import World


@pytest.mark.parametrize("case", ec2_cases.CASES, ids=str)
def test_ec2(case: Case, ec2_world: World) -> None:
    check(case, ec2_world)


def test_every_case_of_ec2_has_its_counterpart() -> None:
    operations = {case.operation for case in ec2_cases.CASES}
    assert gaps(operations, ec2_cases.CASES, cannot_fail=ec2_cases.CANNOT_FAIL) == []
