# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter existing: what an option ROLE_existing declares."""

from __future__ import annotations

import pytest

from ansible_collections.bluegreen.aws.plugins.filter.existing import FilterModule

pytestmark = pytest.mark.case("A1")


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        (True, True),
        (False, False),
        (["iam_role"], True),
        (["iam_role/shop-dev"], True),
        (["shop-dev"], True),
        (["shop", "ecs_cluster"], False),
    ],
)
def test_what_is_declared(declared, expected):
    assert FilterModule().filters()["existing"](declared, "iam_role", "shop-dev") is expected


def test_a_type_without_a_name():
    assert FilterModule().filters()["existing"](["iam_role"], "iam_role") is True
    assert FilterModule().filters()["existing"](["iam_role/shop-dev"], "iam_role") is False
