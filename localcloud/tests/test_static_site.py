# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CloudFront's data plane: HTTPS with the cloud's authority, a bucket that answers nobody else, behaviours, WebSocket, aliases."""

from __future__ import annotations

import json
import pathlib
import socket
import ssl
import urllib.error
import urllib.request

import pytest
import site_world
import websockets.exceptions
import websockets.sync.client
from botocore.exceptions import ClientError
from conftest import wait_for
from site_world import curl


@pytest.fixture(scope="module")
def authority(state_root, cloud_name, cloud_env):
    assert cloud_env["LOCALCLOUD_CA_BUNDLE"] == str(state_root / cloud_name / "ca.pem")
    return pathlib.Path(cloud_env["LOCALCLOUD_CA_BUNDLE"])


@pytest.fixture(scope="module")
def origin():
    return site_world.Origin()


@pytest.fixture(scope="module")
def site(boto, origin):
    return site_world.create(boto, "static-site", origin.port)


def test_the_site_over_https(site, authority):
    assert site.domain.endswith(".cloudfront.localcloud.test")
    status, headers, body = curl(authority, f"https://{site.domain}/")
    assert (status, headers["content-type"], body) == (200, "text/html", "<h1>hello</h1>")
    assert curl(authority, f"https://{site.domain}/app.js")[2] == "let x"
    assert curl(authority, "--http1.1", "-I", f"https://{site.domain}/app.js")[1]["content-length"] == "5"


def test_only_the_authority_makes_it_trusted(site):
    with pytest.raises(urllib.error.URLError, match="CERTIFICATE_VERIFY_FAILED"):
        urllib.request.urlopen(f"https://{site.domain}/", timeout=5)


def test_http_is_redirected_or_refused_as_the_behaviour_says(site, authority):
    status, headers, _ = curl(authority, f"http://{site.domain}/app.js?a=b")
    assert (status, headers["location"]) == (301, f"https://{site.domain}/app.js?a=b")
    assert curl(authority, f"http://{site.domain}/api/x")[0] == 403


def test_each_distribution_has_an_address_of_its_own_with_two_ports(site, boto, origin, authority):
    address = socket.gethostbyname(site.domain)
    assert address.startswith("127.")
    other = site_world.create(boto, "another-site", origin.port)
    assert socket.gethostbyname(other.domain) != address
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((address, 22), timeout=2)


def test_the_bucket_answers_nobody_else(site, boto, cloud_env):
    for path in ("index.html", "", "?list-type=2"):
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(f"{cloud_env['AWS_ENDPOINT_URL']}/{site.bucket}/{path}", timeout=5)
        assert caught.value.code == 403
        assert b"AccessDenied" in caught.value.read()
    assert boto("s3").get_object(Bucket=site.bucket, Key="index.html")["Body"].read() == b"<h1>hello</h1>", "its owner reads it"


def test_another_distribution_does_not_get_the_objects(site, boto, origin, authority):
    config = site_world.configuration("thief", site.bucket, site.control_id, origin.port, CustomErrorResponses={"Quantity": 0})
    thief = boto("cloudfront").create_distribution(DistributionConfig=config)["Distribution"]
    answer = curl(authority, f"https://{thief['DomainName']}/index.html")
    assert answer[0] == 403, answer


def test_a_public_bucket_is_still_public(boto, cloud_env):
    s3 = boto("s3")
    s3.create_bucket(Bucket="public-site", CreateBucketConfiguration={"LocationConstraint": "ap-northeast-2"})
    s3.put_object(Bucket="public-site", Key="a", Body=b"public")
    statement = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::public-site/*"}
    s3.put_bucket_policy(Bucket="public-site", Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    assert urllib.request.urlopen(f"{cloud_env['AWS_ENDPOINT_URL']}/public-site/a", timeout=5).read() == b"public"


def test_an_absent_page_is_the_error_page(site, authority):
    assert curl(authority, f"https://{site.domain}/deep/link")[::2] == (200, "<h1>hello</h1>")


def test_the_api_is_another_origin(site, authority):
    status, _, body = curl(authority, f"https://{site.domain}/api/users?a=1&b=2")
    assert (status, json.loads(body)) == (200, {"path": "/api/users?a=1&b=2", "host": site.domain, "forwarded": "127.0.0.1"})
    assert curl(authority, f"https://{site.domain}/api/broken")[0] == 503, "errors of the API stay errors"


def connect(site, authority, path="/ws"):
    context = ssl.create_default_context(cafile=str(authority))
    return websockets.sync.client.connect(f"wss://{site.domain}{path}", ssl=context, open_timeout=10, proxy=None)


def test_websockets_pass(site, authority):
    with connect(site, authority) as connection:
        assert json.loads(connection.recv(5)) == {"path": "/ws", "host": site.domain}
        for message in ("hello", b"\x00\x01", "x" * 200_000):
            connection.send(message)
            assert connection.recv(5) == message


def test_there_are_no_websockets_to_a_bucket(site, authority):
    with pytest.raises(websockets.exceptions.InvalidStatus) as caught:
        connect(site, authority, "/app.js")
    assert caught.value.response.status_code == 403


def test_a_dead_origin_is_a_bad_gateway(boto, authority):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        dead = site_world.create(boto, "dead-site", unused.getsockname()[1])
        assert curl(authority, f"https://{dead.domain}/api/x")[0] == 502
        assert curl(authority, f"https://{dead.domain}/")[0] == 200


def test_an_alias_with_its_own_certificate_and_a_record(boto, origin, authority):
    name = "www.chat.example"
    acm, route53 = boto("acm"), boto("route53")
    zone = route53.create_hosted_zone(Name="chat.example", CallerReference="static-site")["HostedZone"]["Id"]
    arn = acm.request_certificate(DomainName=name, SubjectAlternativeNames=["*.chat.example"], ValidationMethod="DNS")["CertificateArn"]
    asked = acm.describe_certificate(CertificateArn=arn)["Certificate"]
    assert (asked["Status"], "IssuedAt" in asked) == ("PENDING_VALIDATION", False)

    def upsert(record):
        change = {"Action": "UPSERT", "ResourceRecordSet": record}
        route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": [change]})

    records = {option["ResourceRecord"]["Name"]: option["ResourceRecord"] for option in asked["DomainValidationOptions"]}
    assert len(records) == 2
    for index, record in enumerate(records.values()):
        assert acm.describe_certificate(CertificateArn=arn)["Certificate"]["Status"] == "PENDING_VALIDATION", index
        upsert({"Name": record["Name"], "Type": "CNAME", "TTL": 60, "ResourceRecords": [{"Value": record["Value"]}]})
    wait_for(lambda: acm.describe_certificate(CertificateArn=arn)["Certificate"]["Status"] == "ISSUED", 10)

    certificate = {"ACMCertificateArn": arn, "SSLSupportMethod": "sni-only", "MinimumProtocolVersion": "TLSv1.2_2021"}
    made = site_world.create(boto, "alias-site", origin.port, Aliases={"Quantity": 1, "Items": [name]}, ViewerCertificate=certificate)
    upsert({
        "Name": name, "Type": "A",
        "AliasTarget": {"HostedZoneId": "Z2FDTNDATAQYW2", "DNSName": made.domain, "EvaluateTargetHealth": False},
    })  # fmt: skip
    assert socket.gethostbyname(name) == socket.gethostbyname(made.domain)
    assert curl(authority, f"https://{name}/")[::2] == (200, "<h1>hello</h1>")
    context = ssl.create_default_context(cafile=str(authority))
    with socket.create_connection((name, 443), timeout=5) as plain, context.wrap_socket(plain, server_hostname=name) as tls:
        assert ("DNS", "*.chat.example") in tls.getpeercert()["subjectAltName"]
    with pytest.raises(ClientError, match="ResourceInUseException"):
        acm.delete_certificate(CertificateArn=arn)
    cloudfront = boto("cloudfront")
    found = cloudfront.get_distribution_config(Id=made.id)
    disabled = {**found["DistributionConfig"], "Enabled": False}
    etag = cloudfront.update_distribution(Id=made.id, IfMatch=found["ETag"], DistributionConfig=disabled)["ETag"]
    cloudfront.delete_distribution(Id=made.id, IfMatch=etag)
    acm.delete_certificate(CertificateArn=arn)


def test_a_disabled_distribution_is_gone_and_a_deleted_one_leaves_nothing(boto, origin, authority):
    cloudfront = boto("cloudfront")
    made = site_world.create(boto, "brief-site", origin.port)
    found = cloudfront.get_distribution_config(Id=made.id)
    cloudfront.update_distribution(Id=made.id, IfMatch=found["ETag"], DistributionConfig={**found["DistributionConfig"], "Enabled": False})
    with pytest.raises(OSError, match="not known"):
        socket.gethostbyname(made.domain)
    with pytest.raises(ClientError, match="OriginAccessControlInUse"):
        control = cloudfront.get_origin_access_control(Id=made.control_id)
        cloudfront.delete_origin_access_control(Id=made.control_id, IfMatch=control["ETag"])
    arn = cloudfront.get_distribution(Id=made.id)["Distribution"]["ARN"]
    cloudfront.tag_resource(Resource=arn, Tags={"Items": [{"Key": "of", "Value": "a test"}]})
    wanted = [{"Key": "of", "Values": ["a test"]}]
    (tagged,) = boto("resourcegroupstaggingapi").get_resources(TagFilters=wanted)["ResourceTagMappingList"]
    assert tagged["ResourceARN"] == arn
    cloudfront.delete_distribution(Id=made.id, IfMatch=cloudfront.get_distribution(Id=made.id)["ETag"])
    assert boto("resourcegroupstaggingapi").get_resources(TagFilters=wanted)["ResourceTagMappingList"] == []
    cloudfront.delete_origin_access_control(Id=made.control_id, IfMatch=control["ETag"])
