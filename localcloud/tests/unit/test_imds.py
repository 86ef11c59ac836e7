# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The metadata service's answers: tokens, their end, and the renewal of credentials; without sockets and with a clock of its own."""

from __future__ import annotations

import asyncio
import datetime
import json
import types

import pytest

from localcloud.dataplane.imds import Imds
from localcloud.dataplane.metadata import lookup


def metadata(**changes):
    instance = types.SimpleNamespace(
        id="i-1", private_ip="10.0.1.4", public_ip=None, subnet_id="subnet-1", vpc_id="vpc-1", image_id="ami-1", availability_zone="zone-a",
        tags={"Name": "web"}, profile_arn="arn:p", role_name="web", launch_time=datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC),
    )  # fmt: skip
    values = {
        "instance": instance, "account_id": "1", "region": "r", "hostname": "h", "mac": "m", "interface_id": "eni-1", "instance_type": "t",
        "security_groups": ["g"], "security_group_ids": ["sg-1"], "subnet_cidr": "c", "vpc_cidr": "v", "zone_id": "z", "launch_index": 0,
        "key_name": None, "user_data": None, "profile_id": "AIPA", "endpoint_enabled": True, "tokens_required": True, "hop_limit": 1,
        "tags_enabled": False,
    }  # fmt: skip
    return types.SimpleNamespace(**{**values, **changes})


@pytest.fixture
def service():
    """The service, its clock and a count of credentials issued."""
    state = types.SimpleNamespace(now=1_000_000.0, issued=0)

    async def issue(role, instance_id):
        state.issued += 1
        until = datetime.datetime.fromtimestamp(state.now + 3600, datetime.UTC)
        return types.SimpleNamespace(
            access_key_id=f"ASIA{state.issued}", secret_access_key="s", session_token="t", expiration=until.strftime("%Y-%m-%dT%H:%M:%SZ")
        )

    state.imds = Imds(lambda address: None, issue, clock=lambda: state.now)
    return state


def ask(service, method, path, data=None, **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return asyncio.run(service.imds.answer(data or metadata(), method, path, named))


def token(service, data=None, ttl="60"):
    status, _, body = ask(service, "PUT", "/latest/api/token", data, x_aws_ec2_metadata_token_ttl_seconds=ttl)
    assert status == 200
    return body.decode()


def test_without_a_token_only_where_it_is_optional(service):
    assert ask(service, "GET", "/latest/meta-data/instance-id")[0] == 401
    assert ask(service, "GET", "/latest/meta-data/instance-id", metadata(tokens_required=False))[2] == b"i-1"


def test_a_wrong_token_is_refused_even_where_it_is_optional(service):
    assert ask(service, "GET", "/latest/meta-data/", metadata(tokens_required=False), x_aws_ec2_metadata_token="x")[0] == 401


def test_a_token_ends_and_belongs_to_one_instance(service):
    own = token(service)
    assert ask(service, "GET", "/latest/meta-data/instance-id", x_aws_ec2_metadata_token=own)[2] == b"i-1"
    other = metadata()
    other.instance.id = "i-2"
    assert ask(service, "GET", "/latest/meta-data/instance-id", other, x_aws_ec2_metadata_token=own)[0] == 401
    service.now += 61
    assert ask(service, "GET", "/latest/meta-data/instance-id", x_aws_ec2_metadata_token=own)[0] == 401


@pytest.mark.parametrize("ttl", ["", "0", "21601", "x"])
def test_a_token_needs_a_life_time(service, ttl):
    assert ask(service, "PUT", "/latest/api/token", x_aws_ec2_metadata_token_ttl_seconds=ttl)[0] == 400


def test_a_forwarded_request_gets_no_token(service):
    assert ask(service, "PUT", "/latest/api/token", x_aws_ec2_metadata_token_ttl_seconds="60", x_forwarded_for="1.2.3.4")[0] == 403


def test_switched_off_and_unknown(service):
    assert ask(service, "GET", "/latest/meta-data/", metadata(endpoint_enabled=False))[0] == 403
    assert asyncio.run(service.imds.answer(None, "GET", "/latest/", {}))[0] == 404
    assert ask(service, "POST", "/latest/")[0] == 405


def test_credentials_are_kept_and_renewed_in_time(service):
    path = "/latest/meta-data/iam/security-credentials/web"
    optional = metadata(tokens_required=False)
    first = json.loads(ask(service, "GET", path, optional)[2])
    service.now += 1800
    assert json.loads(ask(service, "GET", path, optional)[2]) == first
    service.now += 1000
    assert json.loads(ask(service, "GET", path, optional)[2])["AccessKeyId"] == "ASIA2"
    assert service.issued == 2


def test_no_role_no_credentials(service):
    bare = metadata(tokens_required=False)
    bare.instance.role_name = bare.instance.profile_arn = None
    assert ask(service, "GET", "/latest/meta-data/iam/", bare)[0] == 404
    assert ask(service, "GET", "/latest/user-data", bare)[0] == 404


def test_listing():
    assert lookup({"a": {"b": "1", "c": {"d": "2"}}}, "a/") == "b\nc/"
    assert lookup({"a": {"b": "1"}}, "a/b") == "1"
    assert lookup({"a": {"b": "1"}}, "a/b/c") is None
