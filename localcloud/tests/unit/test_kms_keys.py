# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Services answer with a key's ARN, however it was named."""

from __future__ import annotations

import json

import pytest
from ministack.services import kms

from localcloud.emulation.kms_keys import key_arn

PLACE = ("ap-northeast-2", "123456789012")


@pytest.fixture
def key():
    _status, _headers, body = kms._create_key({})
    made = json.loads(body)["KeyMetadata"]
    kms._create_alias({"AliasName": "alias/cache", "TargetKeyId": made["KeyId"]})
    yield made
    kms._delete_alias({"AliasName": "alias/cache"})


@pytest.mark.case("D3")
@pytest.mark.case("C10")
def test_id_arn_and_alias_are_shown_as_the_arn(key):
    for name in (key["KeyId"], key["Arn"], "alias/cache"):
        assert key_arn(name, *PLACE) == key["Arn"]
    assert key_arn("alias/other", *PLACE) is None
    assert key_arn("alias/aws/rds", *PLACE) == "arn:aws:kms:ap-northeast-2:123456789012:key/aws-rds"


@pytest.mark.case("D3")
def test_a_disabled_key_cannot_be_named(key):
    kms._resolve_key(key["KeyId"])["KeyState"] = "Disabled"
    assert key_arn("alias/cache", *PLACE) is None
