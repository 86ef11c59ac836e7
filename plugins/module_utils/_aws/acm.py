# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""One function per ACM call on certificates that Amazon issues; decides nothing."""

from __future__ import annotations

from .errors import attempt


@attempt("list certificates (acm:ListCertificates)")
def of_domain(client, domain):
    """ARNs of the certificates whose first name is ``domain`` and that are issued or may still be."""
    pages = client.get_paginator("list_certificates").paginate(CertificateStatuses=["PENDING_VALIDATION", "ISSUED"])
    found = [item for page in pages for item in page["CertificateSummaryList"]]
    return [item["CertificateArn"] for item in found if item["DomainName"] == domain]


@attempt("read certificate {arn} (acm:DescribeCertificate)")
def describe(client, arn):
    """The certificate as ACM describes it."""
    return client.describe_certificate(CertificateArn=arn)["Certificate"]


@attempt("read the tags of certificate {arn} (acm:ListTagsForCertificate)")
def tags(client, arn):
    """{key: value}"""
    return {tag["Key"]: tag.get("Value", "") for tag in client.list_tags_for_certificate(CertificateArn=arn)["Tags"]}


@attempt("request a certificate for {domain} (acm:RequestCertificate)")
def request(client, domain, alternatives, tag_values):
    """ARN of the new certificate, which waits for its validation by DNS."""
    more = {"SubjectAlternativeNames": alternatives} if alternatives else {}
    asked = [{"Key": key, "Value": value} for key, value in tag_values.items()]
    return client.request_certificate(DomainName=domain, ValidationMethod="DNS", Tags=asked, **more)["CertificateArn"]


@attempt("tag certificate {arn} (acm:AddTagsToCertificate)")
def tag(client, arn, tag_values):
    """Sets the tags; others stay."""
    client.add_tags_to_certificate(CertificateArn=arn, Tags=[{"Key": key, "Value": value} for key, value in tag_values.items()])


@attempt("see certificate {arn} issued (acm:DescribeCertificate)")
def wait(client, arn, seconds):
    """Return once Amazon has issued it."""
    delay = 5
    config = {"Delay": delay, "MaxAttempts": max(1, seconds // delay)}
    client.get_waiter("certificate_validated").wait(CertificateArn=arn, WaiterConfig=config)


@attempt("delete certificate {arn} (acm:DeleteCertificate)")
def delete(client, arn):
    """AWS refuses while something uses it."""
    client.delete_certificate(CertificateArn=arn)
