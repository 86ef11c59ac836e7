# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameter Store through boto3: what AWS refuses, pages, hides and tags. No agent, no container."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from ssm_world import World


def refused(call: Callable[..., Any], **arguments: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return caught.value.response["Error"]["Code"]


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with World(tmp_path_factory.mktemp("parameters")) as world:
        yield world


@pytest.fixture(scope="module")
def ssm(world):
    return world.ssm


def test_path_pages_at_ten(ssm):
    for number in range(23):
        ssm.put_parameter(Name=f"/pages/p{number:02}", Value=str(number), Type="String")
    ssm.put_parameter(Name="/pages/deep/one", Value="x", Type="String")
    pages = list(ssm.get_paginator("get_parameters_by_path").paginate(Path="/pages"))
    assert [len(page["Parameters"]) for page in pages] == [10, 10, 3]
    assert len(ssm.get_parameters_by_path(Path="/pages/", Recursive=True, MaxResults=10)["Parameters"]) == 10
    recursive = [
        item["Name"]
        for page in ssm.get_paginator("get_parameters_by_path").paginate(Path="/pages", Recursive=True)
        for item in page["Parameters"]
    ]
    assert "/pages/deep/one" in recursive and len(recursive) == 24
    assert refused(ssm.get_parameters_by_path, Path="/pages", NextToken="nonsense") == "InvalidNextToken"
    assert refused(ssm.get_parameters_by_path, Path="pages") == "ValidationException"
    assert ssm.get_parameters_by_path(Path="/nothing")["Parameters"] == []


def test_secure_string_is_opaque_and_decrypts(ssm):
    ssm.put_parameter(Name="/s/secret", Value="hunter2", Type="SecureString")
    sealed = ssm.get_parameter(Name="/s/secret")["Parameter"]["Value"]
    assert "hunter2" not in sealed and b"hunter2" not in base64.b64decode(sealed)
    assert ssm.get_parameter(Name="/s/secret", WithDecryption=True)["Parameter"]["Value"] == "hunter2"
    for answer in (
        ssm.get_parameters(Names=["/s/secret"]),
        ssm.get_parameters_by_path(Path="/s"),
        ssm.get_parameter_history(Name="/s/secret"),
    ):
        assert base64.b64encode(b"hunter2").decode() not in answer["Parameters"][0]["Value"]
    assert ssm.get_parameters_by_path(Path="/s", WithDecryption=True)["Parameters"][0]["Value"] == "hunter2"
    assert ssm.describe_parameters(ParameterFilters=[{"Key": "Name", "Values": ["/s/secret"]}])["Parameters"][0]["KeyId"] == "alias/aws/ssm"


def test_key_of_a_secure_string(world, ssm):
    key = world.kms.create_key()["KeyMetadata"]["KeyId"]
    world.kms.create_alias(AliasName="alias/mine", TargetKeyId=key)
    for name, key_id in (("/k/id", key), ("/k/alias", "alias/mine")):
        ssm.put_parameter(Name=name, Value="x", Type="SecureString", KeyId=key_id)
        assert ssm.describe_parameters(ParameterFilters=[{"Key": "Name", "Values": [name]}])["Parameters"][0]["KeyId"] == key_id
    assert refused(ssm.put_parameter, Name="/k/no", Value="x", Type="SecureString", KeyId="alias/nobody") == "InvalidKeyId"
    world.kms.disable_key(KeyId=key)
    assert refused(ssm.put_parameter, Name="/k/off", Value="x", Type="SecureString", KeyId=key) == "InvalidKeyId"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"Name": "/v/empty", "Value": "", "Type": "String"}, "ValidationException"),
        ({"Name": "/v/type", "Value": "x", "Type": "Text"}, "ValidationException"),
        ({"Name": "/v/none", "Value": "x"}, "ValidationException"),
        ({"Name": "/v/sp ace", "Value": "x", "Type": "String"}, "ValidationException"),
        ({"Name": "a/b", "Value": "x", "Type": "String"}, "ValidationException"),
        ({"Name": "/" + "/".join("abcdefghijklmnop"), "Value": "x", "Type": "String"}, "HierarchyLevelLimitExceededException"),
        ({"Name": "/v/long", "Value": "x" * 4097, "Type": "String"}, "ValidationException"),
        ({"Name": "/v/longer", "Value": "x" * 8193, "Type": "String", "Tier": "Advanced"}, "ValidationException"),
        ({"Name": "/v/pattern", "Value": "abc", "Type": "String", "AllowedPattern": "^[0-9]+$"}, "ParameterPatternMismatchException"),
        ({"Name": "/v/key", "Value": "x", "Type": "String", "KeyId": "alias/aws/ssm"}, "ValidationException"),
        ({"Name": "/aws/mine", "Value": "x", "Type": "String"}, "AccessDeniedException"),
    ],
)
def test_put_refusals(ssm, arguments, code):
    assert refused(ssm.put_parameter, **arguments) == code
    assert refused(ssm.get_parameter, Name=arguments["Name"]) == "ParameterNotFound"


def test_overwrite_keeps_the_type(ssm):
    ssm.put_parameter(Name="/o/x", Value="1", Type="String", Description="kept")
    assert refused(ssm.put_parameter, Name="/o/x", Value="2", Type="String") == "ParameterAlreadyExists"
    assert refused(ssm.put_parameter, Name="/o/x", Value="2", Type="SecureString", Overwrite=True) == "HierarchyTypeMismatchException"
    assert ssm.put_parameter(Name="/o/x", Value="2", Overwrite=True)["Version"] == 2
    assert ssm.get_parameter(Name="/o/x:1")["Parameter"]["Value"] == "1"
    assert [item["Version"] for item in ssm.get_parameter_history(Name="/o/x")["Parameters"]] == [1, 2]


def test_delete_several(ssm):
    for number in range(3):
        ssm.put_parameter(Name=f"/d/{number}", Value="x", Type="String")
    answer = ssm.delete_parameters(Names=["/d/0", "/d/1", "/d/9"])
    assert sorted(answer["DeletedParameters"]) == ["/d/0", "/d/1"]
    assert answer["InvalidParameters"] == ["/d/9"]
    names = [f"/d/{number}" for number in range(11)]
    assert refused(ssm.delete_parameters, Names=names) == "ValidationException"
    assert refused(ssm.get_parameters, Names=names) == "ValidationException"
    assert refused(ssm.delete_parameter, Name="/d/0") == "ParameterNotFound"


def test_tags(ssm):
    ssm.put_parameter(Name="/t/x", Value="1", Type="String", Tags=[{"Key": "system", "Value": "popcon"}])
    ssm.put_parameter(Name="/t/y", Value="1", Type="String")
    ssm.add_tags_to_resource(ResourceType="Parameter", ResourceId="/t/y", Tags=[{"Key": "system", "Value": "chat"}])

    def named(**wanted: Any) -> list[str]:
        return [item["Name"] for item in ssm.describe_parameters(ParameterFilters=[wanted])["Parameters"]]

    assert named(Key="tag:system", Values=["popcon"]) == ["/t/x"]
    assert {"/t/x", "/t/y"} <= set(named(Key="tag:system"))
    assert ssm.list_tags_for_resource(ResourceType="Parameter", ResourceId="/t/y")["TagList"] == [{"Key": "system", "Value": "chat"}]
    ssm.remove_tags_from_resource(ResourceType="Parameter", ResourceId="/t/y", TagKeys=["system"])
    assert named(Key="tag:system", Values=["chat"]) == []
    assert refused(ssm.list_tags_for_resource, ResourceType="Parameter", ResourceId="/t/none") == "InvalidResourceId"
    assert (
        refused(ssm.add_tags_to_resource, ResourceType="Parameter", ResourceId="/t/none", Tags=[{"Key": "a", "Value": "b"}])
        == "InvalidResourceId"
    )


def test_describe_by_path_is_one_level_unless_recursive(ssm):
    ssm.put_parameter(Name="/l/one", Value="1", Type="String")
    ssm.put_parameter(Name="/l/two/three", Value="1", Type="String")

    def names(**option: str) -> list[str]:
        return [
            item["Name"] for item in ssm.describe_parameters(ParameterFilters=[{"Key": "Path", "Values": ["/l"], **option}])["Parameters"]
        ]

    assert names() == ["/l/one"]
    assert names(Option="Recursive") == ["/l/one", "/l/two/three"]


def test_labels(ssm):
    """An operation that is left to MiniStack answers in the protocol of Systems Manager too."""
    ssm.put_parameter(Name="/label/x", Value="1", Type="String")
    assert ssm.label_parameter_version(Name="/label/x", Labels=["live"])["InvalidLabels"] == []
    assert ssm.get_parameter(Name="/label/x:live")["Parameter"]["Value"] == "1"
    assert refused(ssm.label_parameter_version, Name="/label/none", Labels=["live"]) == "ParameterNotFound"


PUBLIC = [
    "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64",
    "/aws/service/debian/release/13/latest/amd64",
    "/aws/service/debian/release/trixie/latest/amd64",
    "/aws/service/canonical/ubuntu/server/24.04/stable/current/amd64/hvm/ebs-gp3/ami-id",
]


@pytest.mark.parametrize("name", PUBLIC)
def test_public_parameters(ssm, name):
    found = ssm.get_parameter(Name=name)["Parameter"]
    assert found["Value"].startswith("ami-") and found["ARN"] == f"arn:aws:ssm:ap-northeast-2::parameter{name}"
    assert ssm.get_parameters(Names=[name, "/none"])["Parameters"][0]["Value"] == found["Value"]
    by_path = ssm.get_parameters_by_path(Path=name.rpartition("/")[0])["Parameters"]
    assert found["Value"] in [item["Value"] for item in by_path]


@pytest.mark.case("C7")
@pytest.mark.case("D3")
def test_an_advanced_parameter_does_not_become_a_standard_one(ssm):
    ssm.put_parameter(Name="/tier/a", Value="x" * 5000, Type="String", Tier="Advanced")
    with pytest.raises(ClientError, match="You can't downgrade a parameter from the advanced-parameter tier") as caught:
        ssm.put_parameter(Name="/tier/a", Value="short", Type="String", Tier="Standard", Overwrite=True)
    assert caught.value.response["Error"]["Code"] == "ValidationException"
    for tier in ({"Tier": "Advanced"}, {}, {"Tier": "Intelligent-Tiering"}):
        ssm.put_parameter(Name="/tier/a", Value="short", Type="String", Overwrite=True, **tier)
        (found,) = ssm.describe_parameters(ParameterFilters=[{"Key": "Name", "Values": ["/tier/a"]}])["Parameters"]
        assert found["Tier"] == "Advanced"


@pytest.mark.case("D3")
@pytest.mark.parametrize(("size", "tier"), [(10, "Standard"), (4097, "Advanced")])
def test_intelligent_tiering_is_one_of_the_two(ssm, size, tier):
    ssm.put_parameter(Name=f"/tier/{size}", Value="x" * size, Type="String", Tier="Intelligent-Tiering")
    (found,) = ssm.describe_parameters(ParameterFilters=[{"Key": "Name", "Values": [f"/tier/{size}"]}])["Parameters"]
    assert found["Tier"] == tier
