# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Policies of what is given; tests/unit/roles/policies decides requests by those that the roles make."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.bluegreen.aws.plugins.filter.policies import iam_policy
from ansible_collections.bluegreen.aws.plugins.module_utils import _policies as policies

pytestmark = pytest.mark.case("A2")

REGION = "ap-northeast-2"
ROOT = f"arn:aws:ssm:{REGION}:*:parameter"


def statements(**given):
    """{Sid: statement} of what is given."""
    return {one["Sid"]: one for one in policies.document(given, REGION)["Statement"]}


def test_nothing_given_is_nothing_allowed():
    empty = dict.fromkeys(policies._BUILDERS)
    assert policies.document(empty, REGION) == policies.document({}, REGION) == {"Version": "2012-10-17", "Statement": []}


def test_an_agent_reads_no_parameter():
    (agent,) = statements(ssm_agent=True).values()
    assert [action for action in agent["Action"] if not action.startswith("ssmmessages:")] == ["ssm:UpdateInstanceInformation"]


@pytest.mark.parametrize("path", ["/shop/dev", "/shop/dev/", "shop/dev"])
def test_a_path_ends_at_a_separator(path):
    found = statements(parameter_paths=[path])
    assert found["ReadParametersByPath"]["Resource"] == [f"{ROOT}/shop/dev", f"{ROOT}/shop/dev/*"]
    assert found["ReadParametersBelow"]["Resource"] == [f"{ROOT}/shop/dev/*"]


@pytest.mark.parametrize("path", ["/", ""])
def test_the_whole_account_is_no_path(path):
    with pytest.raises(AnsibleFilterError) as caught:
        iam_policy({"parameter_paths": [path]}, REGION)
    assert str(caught.value) == "The path / is every parameter of the account; name the path of one system and environment."


def test_names_are_said_once_and_in_order():
    assert statements(parameters=["/shop/b", "/shop/a", "/shop/b"])["ReadParameters"]["Resource"] == [f"{ROOT}/shop/a", f"{ROOT}/shop/b"]


def test_a_single_parameter_is_no_path():
    assert set(statements(parameters=["/shop/dev/a"])["ReadParameters"]["Action"]) == {"ssm:GetParameter", "ssm:GetParameters"}


@pytest.mark.parametrize(
    ("key", "resource", "aliases"),
    [
        ("1234abcd-12ab-34cd-56ef-1234567890ab", f"arn:aws:kms:{REGION}:*:key/1234abcd-12ab-34cd-56ef-1234567890ab", None),
        (f"arn:aws:kms:{REGION}:1:key/1234abcd", f"arn:aws:kms:{REGION}:1:key/1234abcd", None),
        ("alias/shop", f"arn:aws:kms:{REGION}:*:key/*", ["alias/shop"]),
        (f"arn:aws:kms:{REGION}:1:alias/shop", f"arn:aws:kms:{REGION}:*:key/*", ["alias/shop"]),
    ],
)
def test_a_key_opens_these_parameters_alone(key, resource, aliases):
    found = statements(kms_key=key, parameters=["/shop/dev/a"], parameter_paths=["/shop/prod"])["DecryptParameters"]
    assert (found["Action"], found["Resource"]) == (["kms:Decrypt"], [resource])
    condition = {"StringLike": {"kms:EncryptionContext:PARAMETER_ARN": [f"{ROOT}/shop/dev/a", f"{ROOT}/shop/prod/*"]}}
    assert found["Condition"] == ({**condition, "ForAnyValue:StringEquals": {"kms:ResourceAliases": aliases}} if aliases else condition)


def test_a_key_of_no_parameter_opens_nothing():
    assert statements(kms_key="alias/shop") == {}


def test_secrets_of_a_task_are_their_own_resource():
    parameter = f"arn:aws:ssm:{REGION}:1:parameter/shop/a"
    secret = f"arn:aws:secretsmanager:{REGION}:1:secret:shop-AbCdEf"
    found = statements(secrets=["/shop/b", parameter, f"{secret}:password::", f"{secret}:user:AWSCURRENT:"])
    assert found["ReadSecretParameters"]["Resource"] == [f"{ROOT}/shop/b", parameter]
    assert found["ReadSecretParameters"]["Action"] == ["ssm:GetParameters"]
    assert found["ReadSecrets"]["Resource"] == [secret]
    assert found["ReadSecrets"]["Action"] == ["secretsmanager:GetSecretValue"]


def test_only_kinds_of_secrets_that_there_are_get_a_statement():
    assert list(statements(secrets=["/shop/b"])) == ["ReadSecretParameters"]
    assert list(statements(secrets=[f"arn:aws:secretsmanager:{REGION}:1:secret:shop-AbCdEf"])) == ["ReadSecrets"]


def test_what_it_does_not_know_is_refused():
    with pytest.raises(AnsibleFilterError) as caught:
        iam_policy({"repository": ["shop"], "paths": ["/shop"]}, REGION)
    assert str(caught.value) == (
        "A policy cannot be made of paths, repository; it knows auto_scaling_groups, bucket, kms_key, log_groups, objects, "
        "parameter_paths, parameters, repositories, secrets, ssm_agent, statements."
    )


def test_a_sid_is_there_once():
    own = {"Sid": "PullImages", "Effect": "Allow", "Action": "ecr:BatchGetImage", "Resource": "*"}
    with pytest.raises(AnsibleFilterError) as caught:
        iam_policy({"repositories": ["shop"], "statements": [own]}, REGION)
    assert str(caught.value) == "A policy has each Sid once, and this one has PullImages more often; rename those in statements."


def test_statements_are_taken_as_they_are():
    own = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "*"}
    assert iam_policy({"statements": [own]}, REGION)["Statement"] == [own]
