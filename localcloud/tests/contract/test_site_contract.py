# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The answers of ACM, and ours of Route 53 and CloudFront, against botocore's model."""

from __future__ import annotations

import typing as t

import pytest

from .cases import Case, check, gaps
from .site_cases import ACM, ACM_CANNOT_FAIL, CLOUDFRONT, ROUTE53, World
from .watch import PARTLY


@pytest.mark.parametrize("case", [*ACM, *ROUTE53, *CLOUDFRONT], ids=str)
def test_case(case: Case, boto: t.Callable[[str], t.Any]) -> None:
    check(case, World(boto))


def test_every_operation_has_cases() -> None:
    assert gaps({case.operation for case in ACM}, ACM, cannot_fail=ACM_CANNOT_FAIL) == []
    assert gaps(PARTLY["route53"], ROUTE53) == []
    assert gaps(PARTLY["cloudfront"], CLOUDFRONT) == []
