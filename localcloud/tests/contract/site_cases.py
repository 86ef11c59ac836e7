# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ACM answers, good and bad, and what is ours of Route 53 and CloudFront: three tables of cases, run by test_site_contract."""

from __future__ import annotations

import functools
import itertools
import pathlib
import tempfile
import typing as t

import botocore
import site_world
from conftest import wait_for

from localcloud.certificates import Authority

from .cases import Case

ABSENT = "arn:aws:acm:ap-northeast-2:123456789012:certificate/00000000-0000-0000-0000-000000000000"
TAGS = [{"Key": "a", "Value": "b"}]
_numbers = itertools.count(1)


@functools.cache
def pem(name: str) -> tuple[bytes, bytes]:
    """A certificate and its key, of somebody else's authority."""
    issued = Authority("elsewhere", pathlib.Path(tempfile.mkdtemp())).issue([name])
    return issued.certificate.encode(), issued.key.encode()


class World:
    """Clients, and names of the case's own."""

    def __init__(self, boto: t.Callable[[str], t.Any]) -> None:
        self.boto = boto
        self.acm, self.route53, self.cloudfront = boto("acm"), boto("route53"), boto("cloudfront")
        self.name = f"contract-{next(_numbers)}"

    def call(self, operation: str, **members: t.Any) -> t.Any:
        """Call an operation of ACM by its API name."""
        return getattr(self.acm, botocore.xform_name(operation))(**members)

    def requested(self, **members: t.Any) -> str:
        """The ARN of a certificate that was asked for."""
        return self.call("RequestCertificate", DomainName=f"{self.name}.example", **members)["CertificateArn"]

    def issued(self) -> str:
        """One that is issued: no zone of this cloud is responsible for its name."""
        arn = self.requested(ValidationMethod="DNS", Tags=TAGS)
        wait_for(lambda: self.call("DescribeCertificate", CertificateArn=arn)["Certificate"]["Status"] == "ISSUED", 10)
        return arn

    def imported(self, **members: t.Any) -> str:
        """The ARN of an imported certificate."""
        body, key = pem("www.elsewhere.example")
        return self.call("ImportCertificate", Certificate=body, PrivateKey=key, **members)["CertificateArn"]

    def details(self, arn: str) -> dict[str, t.Any]:
        return self.call("DescribeCertificate", CertificateArn=arn)["Certificate"]

    def zone(self) -> str:
        return self.route53.create_hosted_zone(Name=f"{self.name}.test-zone", CallerReference=self.name)["HostedZone"]["Id"]

    def control(self) -> tuple[str, str]:
        """(id, ETag) of an origin access control."""
        config = {"Name": self.name, "SigningProtocol": "sigv4", "SigningBehavior": "always", "OriginAccessControlOriginType": "s3"}
        made = self.cloudfront.create_origin_access_control(OriginAccessControlConfig=config)
        return made["OriginAccessControl"]["Id"], made["ETag"]


def _case(operation: str, name: str, error: str | None = None, **members: t.Any) -> Case:
    return Case(operation, name, lambda w: w.call(operation, **members), error)


def _on(operation: str, name: str, error: str | None = None, **members: t.Any) -> Case:
    """A call on an imported certificate of the case's own."""
    return Case(operation, name, lambda w: w.call(operation, CertificateArn=w.imported(Tags=TAGS), **members), error)


def _in_use(w: World) -> None:
    arn, (control, _) = w.issued(), w.control()
    certificate = {"ACMCertificateArn": arn, "SSLSupportMethod": "sni-only", "MinimumProtocolVersion": "TLSv1.2_2021"}
    config = site_world.configuration(w.name, w.name, control, 80, ViewerCertificate=certificate)
    w.cloudfront.create_distribution(DistributionConfig=config)
    w.call("DeleteCertificate", CertificateArn=arn)


def _control_in_use(w: World) -> None:
    control, etag = w.control()
    w.cloudfront.create_distribution(DistributionConfig=site_world.configuration(w.name, w.name, control, 80))
    w.cloudfront.delete_origin_access_control(Id=control, IfMatch=etag)


def _delete_control(w: World) -> None:
    control, etag = w.control()
    w.cloudfront.delete_origin_access_control(Id=control, IfMatch=etag)


ACM: list[Case] = [
    Case("RequestCertificate", "dns", lambda w: w.requested(ValidationMethod="DNS")),
    Case("RequestCertificate", "email", lambda w: w.details(w.requested(ValidationMethod="EMAIL"))),
    Case("DescribeCertificate", "pending", lambda w: w.details(w.requested(ValidationMethod="DNS"))["Status"], None, "PENDING_VALIDATION"),
    Case("DescribeCertificate", "issued", lambda w: w.details(w.issued())["Type"], None, "AMAZON_ISSUED"),
    Case("DescribeCertificate", "imported", lambda w: w.details(w.imported())["DomainName"], None, "www.elsewhere.example"),
    _case("DescribeCertificate", "absent", "ResourceNotFoundException", CertificateArn=ABSENT),
    _case("ListCertificates", "all"),
    _case("ListCertificates", "issued", CertificateStatuses=["ISSUED"]),
    Case("GetCertificate", "issued", lambda w: w.call("GetCertificate", CertificateArn=w.issued())),
    _on("GetCertificate", "imported"),
    Case(
        "GetCertificate",
        "pending",
        lambda w: w.call("GetCertificate", CertificateArn=w.requested(ValidationMethod="DNS")),
        "RequestInProgressException",
    ),
    Case("ImportCertificate", "new", World.imported),
    Case("ImportCertificate", "again", lambda w: w.imported(CertificateArn=w.imported())),
    _case("ImportCertificate", "no pem", "ValidationException", Certificate=b"x", PrivateKey=b"y"),
    Case(
        "ImportCertificate",
        "other key",
        lambda w: w.call("ImportCertificate", Certificate=pem("a.example")[0], PrivateKey=pem("b.example")[1]),
        "ValidationException",
    ),
    _on("DeleteCertificate", "own"),
    _case("DeleteCertificate", "absent", "ResourceNotFoundException", CertificateArn=ABSENT),
    Case("DeleteCertificate", "in use", _in_use, "ResourceInUseException"),
    _on("AddTagsToCertificate", "own", Tags=TAGS),
    _case("AddTagsToCertificate", "absent", "ResourceNotFoundException", CertificateArn=ABSENT, Tags=TAGS),
    _on("RemoveTagsFromCertificate", "own", Tags=TAGS),
    _case("RemoveTagsFromCertificate", "absent", "ResourceNotFoundException", CertificateArn=ABSENT, Tags=TAGS),
    _on("ListTagsForCertificate", "own"),
    _case("ListTagsForCertificate", "absent", "ResourceNotFoundException", CertificateArn=ABSENT),
]
ACM_CANNOT_FAIL = frozenset({"ListCertificates", "RequestCertificate"})

ROUTE53: list[Case] = [
    Case("GetDNSSEC", "own", lambda w: w.route53.get_dnssec(HostedZoneId=w.zone())["Status"], None, {"ServeSignature": "NOT_SIGNING"}),
    Case("GetDNSSEC", "absent", lambda w: w.route53.get_dnssec(HostedZoneId="Z00000000000"), "NoSuchHostedZone"),
]

CLOUDFRONT: list[Case] = [
    Case("DeleteOriginAccessControl", "own", _delete_control),
    Case("DeleteOriginAccessControl", "in use", _control_in_use, "OriginAccessControlInUse"),
]
