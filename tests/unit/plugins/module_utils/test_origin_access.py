# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an origin access control becomes."""

from __future__ import annotations

import pytest

from ansible_collections.bluegreen.aws.plugins.module_utils import _origin_access as origin_access
from ansible_collections.bluegreen.aws.plugins.module_utils._origin_access import Control

BEFORE = Control("E1", "chat", "site", "s3", "always")


def wanted(**options):
    return {"name": "chat", "description": None, "origin_type": "s3", "signing_behavior": "always", **options}


@pytest.mark.parametrize(
    ("before", "wish", "after"),
    [
        (None, None, None),
        (None, wanted(), Control("", "chat", "", "s3", "always")),
        (None, wanted(description="d"), Control("", "chat", "d", "s3", "always")),
        (BEFORE, wanted(), BEFORE),
        (BEFORE, wanted(description=""), Control("E1", "chat", "", "s3", "always")),
        (BEFORE, wanted(signing_behavior="never"), Control("E1", "chat", "site", "s3", "never")),
        (BEFORE, None, None),
    ],
)
def test_decide(before, wish, after):
    assert origin_access.decide(before, wish) == after


def test_shapes():
    config = {"Name": "chat", **origin_access.to_api(BEFORE)}
    assert origin_access.from_api("E1", config) == BEFORE
    assert origin_access.shown(BEFORE)["signing_protocol"] == "sigv4"
    assert origin_access.shown(None) == {}
    assert origin_access.identified(None, "E2") is None
    assert origin_access.identified(BEFORE, "E2").id == "E2"
