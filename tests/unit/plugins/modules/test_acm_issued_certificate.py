# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""acm_issued_certificate: requested once, found again by name and tag, anew for other names; requests checked by botocore's stubber."""

from __future__ import annotations

import boto3
import pytest
from botocore.stub import Stubber

from ansible_collections.bluegreen.aws.plugins.modules import acm_issued_certificate as module

ARN = "arn:aws:acm:us-east-1:123456789012:certificate/11111111-2222-3333-4444-555555555555"
PARAMS = {"name": "chat-dev-site", "domain": "chat.example.com", "alternatives": [], "tags": {"bluegreen:system": "chat"}}
TAGS = [{"Key": "Name", "Value": "chat-dev-site"}, {"Key": "bluegreen:system", "Value": "chat"}]
RECORD = {"Name": "_a.chat.example.com.", "Type": "CNAME", "Value": "_b.acm-validations.aws."}
LISTED = {"CertificateStatuses": ["PENDING_VALIDATION", "ISSUED"]}


def certificate(*names, records=True):
    option = {"DomainName": "chat.example.com", **({"ResourceRecord": RECORD} if records else {})}
    shown = {"CertificateArn": ARN, "DomainName": "chat.example.com", "Status": "PENDING_VALIDATION"}
    more = {"DomainValidationOptions": [option] * 2, "SubjectAlternativeNames": list(names or ["chat.example.com"])}
    return {"Certificate": {**shown, **more}}


@pytest.fixture
def acm():
    client = boto3.client("acm", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    with Stubber(client) as stub:
        yield client, stub
        stub.assert_no_pending_responses()


def there(stub, *names, tags=()):
    """An account with one certificate for another domain and, unless `tags` is None, ours with these tags, or with TAGS."""
    tags = TAGS if tags == () else tags
    listed = [{"CertificateArn": ARN.replace("1111", "9999"), "DomainName": "other.example.com"}]
    listed += [] if tags is None else [{"CertificateArn": ARN, "DomainName": "chat.example.com"}]
    stub.add_response("list_certificates", {"CertificateSummaryList": listed}, LISTED)
    if tags is not None:
        stub.add_response("list_tags_for_certificate", {"Tags": tags}, {"CertificateArn": ARN})
    if tags and tags[0]["Value"] == "chat-dev-site":
        stub.add_response("describe_certificate", certificate(*names), {"CertificateArn": ARN})


def run(client, *, check=False, **change):
    params = {**PARAMS, **change}
    found = module.observe(client, params["name"], params["domain"], params["alternatives"])
    shown, before, after = module.present(client, params, found, check=check)
    return shown, before != after


def test_none_in_check_mode_is_only_predicted(acm):
    client, stub = acm
    there(stub, tags=None)
    assert run(client, check=True) == ({}, True)


def test_none_is_requested_and_its_records_are_told_once_each(acm):
    client, stub = acm
    there(stub, tags=None)
    asked = {"DomainName": "chat.example.com", "ValidationMethod": "DNS", "Tags": TAGS}
    stub.add_response("request_certificate", {"CertificateArn": ARN}, asked)
    stub.add_response("describe_certificate", certificate(), {"CertificateArn": ARN})
    shown, changed = run(client)
    assert changed
    assert shown["validation_records"] == [{"name": RECORD["Name"], "value": RECORD["Value"]}]


def test_what_is_there_is_found_again_also_before_its_records_are_made(acm):
    client, stub = acm
    there(stub)
    stub.add_response("describe_certificate", certificate(records=False), {"CertificateArn": ARN})
    shown, changed = run(client)
    assert (shown["arn"], shown["validation_records"], changed) == (ARN, [], False)


def test_somebody_elses_certificate_for_the_same_name_is_not_ours(acm):
    client, stub = acm
    there(stub, tags=[{"Key": "Name", "Value": "their-site"}])
    assert run(client, check=True) == ({}, True)


def test_other_names_are_a_new_certificate(acm):
    client, stub = acm
    there(stub, "chat.example.com")
    assert run(client, check=True, alternatives=["www.chat.example.com"]) == ({}, True)


def test_a_missing_tag_is_added(acm):
    client, stub = acm
    there(stub, tags=TAGS[:1])
    stub.add_response("add_tags_to_certificate", {}, {"CertificateArn": ARN, "Tags": TAGS})
    stub.add_response("describe_certificate", certificate(), {"CertificateArn": ARN})
    assert run(client)[1] is True


def test_absent_removes_ours_alone(acm):
    client, stub = acm
    there(stub)
    found = module.observe(client, PARAMS["name"], PARAMS["domain"], [])
    stub.add_response("delete_certificate", {}, {"CertificateArn": ARN})
    assert module.absent(client, found, check=True)[1] == {"names": ["chat.example.com"]}
    assert module.absent(client, found, check=False)[2] == {}
    assert module.absent(client, [], check=False) == ({}, {}, {})
