# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signatures of agents: botocore's own pass, anything changed afterwards does not. No network."""

from __future__ import annotations

import dataclasses
import datetime

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from localcloud.services.ssm_signature import Signature, SignatureError
from localcloud.session.http import Request


def now() -> datetime.datetime:
    """When the test runs; botocore signs with the same clock."""
    return datetime.datetime.now(datetime.UTC)


def signed(secret: str = "secret") -> Request:
    request = AWSRequest(
        "POST", "http://10.0.0.1:4568/v1/control-channel/i-1", headers={"Content-Type": "application/json"}, data=b'{"a": 1}'
    )
    SigV4Auth(Credentials("AKID", secret, "token"), "ssmmessages", "ap-northeast-2").add_auth(request)
    headers = {name.lower(): value for name, value in request.prepare().headers.items()} | {"host": "10.0.0.1:4568"}
    return Request("POST", "/v1/control-channel/i-1", {}, headers, b'{"a": 1}')


def test_good_signature():
    signature = Signature(signed())
    assert signature.access_key_id == "AKID"
    signature.verify("secret", now())


@pytest.mark.parametrize(
    ("part", "change"),
    [
        ("body", lambda _body: b"{}"),
        ("path", lambda _path: "/v1/control-channel/i-2"),
        ("method", lambda _method: "PUT"),
        ("query", lambda _query: {"a": "b"}),
        ("headers", lambda headers: headers | {"x-amz-security-token": "other"}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_changed_request(part, change):
    request = signed()
    with pytest.raises(SignatureError, match="does not match"):
        Signature(dataclasses.replace(request, **{part: change(getattr(request, part))})).verify("secret", now())


def test_another_secret():
    with pytest.raises(SignatureError, match="does not match"):
        Signature(signed("other")).verify("secret", now())


def test_clock_that_is_wrong():
    with pytest.raises(SignatureError, match="Signature expired"):
        Signature(signed()).verify("secret", now() + datetime.timedelta(minutes=6))


@pytest.mark.parametrize("header", ["", "Basic x", "AWS4-HMAC-SHA256 Credential=AKID/x"])
def test_no_signature(header):
    request = signed()
    with pytest.raises(SignatureError, match="is not signed"):
        Signature(dataclasses.replace(request, headers=request.headers | {"authorization": header}))
