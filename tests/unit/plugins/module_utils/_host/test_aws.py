# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameter Store and the registry's login, against botocore's own model of the services."""

from __future__ import annotations

import base64

import botocore.session
import pytest
from botocore.stub import Stubber

from ansible_collections.bluegreen.aws.plugins.module_utils._compose.errors import InvalidInput
from ansible_collections.bluegreen.aws.plugins.module_utils._host import aws


@pytest.fixture
def client():
    session = botocore.session.Session()
    session.set_credentials("key", "secret")
    return lambda service: session.create_client(service, region_name="ap-northeast-2")


def parameter(name, value="v", kind="String"):
    return {"Name": name, "Value": value, "Type": kind}


def test_all_pages_are_read_decrypted(client):
    ssm = client("ssm")
    expected = {"Path": "/popcon/dev", "Recursive": True, "WithDecryption": True}
    with Stubber(ssm) as stub:
        stub.add_response(
            "get_parameters_by_path",
            {"Parameters": [parameter(f"/popcon/dev/K{n}") for n in range(10)], "NextToken": "next"},
            expected,
        )
        stub.add_response(
            "get_parameters_by_path",
            {"Parameters": [parameter("/popcon/dev/DB_PASSWORD", "hunter2", "SecureString")]},
            dict(expected, NextToken="next"),
        )
        values, secret = aws.read_parameters(ssm, "/popcon/dev/")
        stub.assert_no_pending_responses()
    assert len(values) == 11 and values["/popcon/dev/DB_PASSWORD"] == "hunter2"
    assert secret == {"/popcon/dev/DB_PASSWORD"}


def test_a_path_without_parameters(client):
    ssm = client("ssm")
    with Stubber(ssm) as stub, pytest.raises(InvalidInput, match="there are no parameters below /popcon/dev"):
        stub.add_response("get_parameters_by_path", {"Parameters": []})
        aws.read_parameters(ssm, "/popcon/dev")


def test_a_role_that_may_not(client):
    ssm = client("ssm")
    with Stubber(ssm) as stub, pytest.raises(InvalidInput) as caught:
        stub.add_client_error("get_parameters_by_path", "AccessDeniedException", "not authorized")
        aws.read_parameters(ssm, "/popcon/dev")
    assert str(caught.value).startswith("Failed to read the parameters below /popcon/dev: ")
    assert str(caught.value).endswith("not authorized. Allow the action in the instance role's policy.")


def test_named_parameters_ten_at_a_time(client):
    ssm = client("ssm")
    names = [f"/wealist/prod/db/{number:02}" for number in range(12)]
    with Stubber(ssm) as stub:
        stub.add_response(
            "get_parameters", {"Parameters": [parameter(name) for name in names[:10]]}, {"Names": names[:10], "WithDecryption": True}
        )
        stub.add_response(
            "get_parameters",
            {"Parameters": [parameter(names[10], "hunter2", "SecureString"), parameter(names[11])]},
            {"Names": names[10:], "WithDecryption": True},
        )
        values, secret = aws.read_named_parameters(ssm, [*reversed(names), names[0]])
        stub.assert_no_pending_responses()
    assert sorted(values) == names and secret == {names[10]} and values[names[10]] == "hunter2"


def test_every_named_parameter_that_is_missing_is_named(client):
    ssm = client("ssm")
    with Stubber(ssm) as stub, pytest.raises(InvalidInput) as caught:
        stub.add_response("get_parameters", {"Parameters": [parameter("/a")], "InvalidParameters": ["/c", "/b"]})
        aws.read_named_parameters(ssm, ["/a", "/b", "/c"])
    assert str(caught.value) == (
        "Parameter Store has no /b, /c. Create what is missing, or correct its name and the region. Nothing was changed."
    )


def test_named_parameters_that_the_role_may_not_read(client):
    ssm = client("ssm")
    with Stubber(ssm) as stub, pytest.raises(InvalidInput, match="Failed to read the parameters /a: .* Allow the action"):
        stub.add_client_error("get_parameters", "AccessDeniedException", "not authorized")
        aws.read_named_parameters(ssm, ["/a"])


def test_logins(client):
    ecr = client("ecr")
    token = base64.b64encode(b"AWS:hunter2").decode()
    other = "2222.dkr.ecr.ap-northeast-2.amazonaws.com"
    with Stubber(ecr) as stub:
        stub.add_response(
            "get_authorization_token", {"authorizationData": [{"authorizationToken": token, "proxyEndpoint": "http://127.0.0.1:5000"}]}
        )
        logins = aws.registry_logins(ecr, [f"{other}/a:1", "127.0.0.1:5000/b:1", "redis:7", f"{other}/c"])
    assert logins == [("127.0.0.1:5000", "AWS", "hunter2"), (other, "AWS", "hunter2")]


def test_an_instance_without_botocore(monkeypatch):
    monkeypatch.setattr(aws, "HAS_BOTOCORE", False)
    with pytest.raises(InvalidInput, match="this instance's Python has no botocore"):
        aws.make_client("ssm", "", "")


def test_the_region_and_the_endpoint(monkeypatch):
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    assert aws.make_client("ssm", "", "http://127.0.0.1:4566").meta.endpoint_url == "http://127.0.0.1:4566"
    assert aws.make_client("ssm", "", "").meta.region_name == "eu-central-1"
    assert aws.make_client("ssm", "ap-northeast-2", "").meta.region_name == "ap-northeast-2"
