# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Presigned URLs of S3, made with the cloud's own credentials and with those of a role, as a browser or curl uses them."""

from __future__ import annotations

import secrets
import time
import typing as t
import urllib.error
import urllib.parse
import urllib.request

import boto3
import pytest
from botocore.config import Config

pytestmark = pytest.mark.case("D2")

KEY = "reports/a b/März.txt"


def s3_client(environment: dict[str, str], style: str = "auto", **credentials: str) -> t.Any:
    """A client that signs with Signature Version 4, with other credentials where they are given."""
    wanted = {
        "aws_access_key_id": environment["AWS_ACCESS_KEY_ID"],
        "aws_secret_access_key": environment["AWS_SECRET_ACCESS_KEY"],
        **credentials,
    }
    config = Config(signature_version="s3v4", s3={"addressing_style": style})
    return boto3.client("s3", endpoint_url=environment["AWS_ENDPOINT_URL"], region_name=environment["AWS_REGION"], config=config, **wanted)


def fetch(url: str, method: str = "GET", body: bytes | None = None) -> tuple[int, bytes]:
    """(status, body), without any credentials but those of the URL."""
    request = urllib.request.Request(url, method=method, data=body)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


@pytest.fixture(scope="module")
def bucket(cloud_env: dict[str, str]) -> str:
    name = f"presigned-{secrets.token_hex(4)}"
    client = s3_client(cloud_env)
    client.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": cloud_env["AWS_REGION"]})
    client.put_object(Bucket=name, Key=KEY, Body=b"first")
    return name


@pytest.mark.parametrize("style", ["path", "virtual"])
def test_what_the_clouds_credentials_sign_is_done(cloud_env, bucket, style):
    client = s3_client(cloud_env, style)
    wanted = {"Bucket": bucket, "Key": f"{style}/{KEY}"}
    assert fetch(client.generate_presigned_url("put_object", Params=wanted), "PUT", b"second") == (200, b"")
    assert fetch(client.generate_presigned_url("get_object", Params=wanted)) == (200, b"second")
    assert fetch(client.generate_presigned_url("head_object", Params=wanted), "HEAD") == (200, b"")
    assert fetch(client.generate_presigned_url("delete_object", Params=wanted), "DELETE") == (204, b"")
    assert fetch(client.generate_presigned_url("get_object", Params=wanted))[0] == 404


def test_a_form_that_a_browser_posts_is_taken(cloud_env, bucket):
    signed = s3_client(cloud_env).generate_presigned_post(bucket, "posted.txt")
    boundary = secrets.token_hex(8)
    field = f"--{boundary}\r\nContent-Disposition: form-data; name="
    parts = [f'{field}"{name}"\r\n\r\n{value}\r\n' for name, value in signed["fields"].items()]
    parts.append(f'{field}"file"; filename="f"\r\n\r\nfrom a form\r\n--{boundary}--\r\n')
    request = urllib.request.Request(
        signed["url"], data="".join(parts).encode(), headers={"Content-Type": f"multipart/form-data; boundary={boundary}"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.status == 204
    assert s3_client(cloud_env).get_object(Bucket=bucket, Key="posted.txt")["Body"].read() == b"from a form"


def test_what_a_roles_credentials_sign_is_done(cloud_env, boto, bucket, instance_profile):
    arn = boto("iam").get_role(RoleName="test-web")["Role"]["Arn"]
    given = boto("sts").assume_role(RoleArn=arn, RoleSessionName="presign")["Credentials"]
    client = s3_client(
        cloud_env,
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
        aws_session_token=given["SessionToken"],
    )
    assert fetch(client.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": KEY})) == (200, b"first")


def test_another_secret_another_key_and_a_changed_url_are_refused(cloud_env, bucket):
    wanted = {"Bucket": bucket, "Key": KEY}
    other = s3_client(cloud_env, aws_secret_access_key="another").generate_presigned_url("get_object", Params=wanted)
    status, body = fetch(other)
    assert status == 403 and b"<Code>SignatureDoesNotMatch</Code>" in body
    unknown = s3_client(cloud_env, aws_access_key_id="AKIAUNKNOWN").generate_presigned_url("get_object", Params=wanted)
    status, body = fetch(unknown)
    assert status == 403 and b"<Code>InvalidAccessKeyId</Code>" in body
    good = s3_client(cloud_env).generate_presigned_url("get_object", Params=wanted)
    status, body = fetch(good.replace("reports", "secrets"))
    assert status == 403 and b"<Code>SignatureDoesNotMatch</Code>" in body


def test_a_url_whose_time_is_over_is_refused(cloud_env, bucket):
    url = s3_client(cloud_env).generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": KEY}, ExpiresIn=1)
    time.sleep(2.5)
    status, body = fetch(url)
    assert status == 403 and b"Request has expired" in body
