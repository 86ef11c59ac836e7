# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Alias, id and ARN of one key are one key."""

from __future__ import annotations

import botocore.session
import pytest
from botocore.stub import Stubber

from ansible_collections.bluegreen.aws.plugins.module_utils._aws import kms
from ansible_collections.bluegreen.aws.plugins.module_utils._aws.errors import BluegreenAWSError, sentence

ARN = "arn:aws:kms:ap-northeast-2:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
ID = ARN.rpartition("/")[2]
ALIAS = "alias/cache"


class Module:
    def __init__(self, client):
        self._client, self.warnings = client, []

    def client(self, service, **_options):
        assert service == "kms"
        return self._client

    def warn(self, message):
        self.warnings.append(message)


@pytest.fixture
def kms_client():
    made = botocore.session.get_session().create_client(
        "kms", region_name="ap-northeast-2", aws_access_key_id="x", aws_secret_access_key="y"
    )
    with Stubber(made) as stubber:
        yield made, stubber
        stubber.assert_no_pending_responses()


@pytest.mark.case("C10")
@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (ARN, ID, True),
        (ID, ID, True),
        (ARN, ARN.replace("1234abcd", "ffffffff"), False),
        (ALIAS, "arn:aws:kms:ap-northeast-2:123456789012:alias/cache", True),
    ],
)
def test_spellings_that_tell_need_no_call(kms_client, one, other, same):
    keys = kms.Keys(Module(kms_client[0]))
    assert [keys.same(*pair) for pair in ((one, other), (other, one))] == [same, same]


@pytest.mark.case("C10")
def test_an_alias_is_looked_up_once(kms_client):
    client, stubber = kms_client
    stubber.add_response("describe_key", {"KeyMetadata": {"KeyId": ID, "Arn": ARN}}, {"KeyId": ALIAS})
    keys = kms.Keys(Module(client))
    assert keys.same(ALIAS, ARN)
    assert keys.same(ID, ALIAS)
    assert not keys.same(ALIAS, "another-id")


@pytest.mark.case("C10")
def test_without_the_permission_they_are_taken_for_the_same_with_a_warning(kms_client):
    client, stubber = kms_client
    stubber.add_client_error("describe_key", "AccessDeniedException", "User x is not authorized to perform: kms:DescribeKey")
    module = Module(client)
    assert kms.Keys(module).same(ALIAS, ARN)
    assert module.warnings == [
        f"Whether {ALIAS} and {ARN} are one KMS key is not known, and they were taken for the same: An error occurred "
        "(AccessDeniedException) when calling the DescribeKey operation: User x is not authorized to perform: kms:DescribeKey. "
        "Allow kms:DescribeKey on the key, or name it by its ARN."
    ]


@pytest.mark.case("C10")
def test_an_alias_that_does_not_exist_is_an_error(kms_client):
    client, stubber = kms_client
    stubber.add_client_error("describe_key", "NotFoundException", "Alias arn:…:alias/cache is not found.")
    with pytest.raises(BluegreenAWSError) as caught:
        kms.Keys(Module(client)).same(ALIAS, ARN)
    assert sentence(caught.value).startswith(
        "Failed to look up KMS key alias/cache (kms:DescribeKey): An error occurred (NotFoundException)"
    )
