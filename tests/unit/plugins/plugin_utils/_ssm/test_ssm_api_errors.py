# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every error of the API as the sentence that the user reads, word for word."""

from __future__ import annotations

import pytest
from botocore import exceptions

from ansible_collections.bluegreen.aws.plugins.plugin_utils._ssm import errors
from ansible_collections.bluegreen.aws.plugins.plugin_utils._ssm.api_errors import refused, unreachable

TARGET = "i-0123456789abcdef0"
START = f"Cannot start a session with {TARGET} in ap-northeast-2: "

REFUSED = [
    (
        "agent offline",
        {"Code": "TargetNotConnected", "Message": f"{TARGET} is not connected."},
        None,
        errors.TargetNotReady,
        "it is not managed by Systems Manager there or its agent is offline; check that the instance runs in this region, that "
        "amazon-ssm-agent runs on it, that its instance role allows ssm:UpdateInstanceInformation and ssmmessages:*, and that it has a "
        "route to the ssm and ssmmessages endpoints.",
    ),
    (
        "iam on the command document",
        {"Code": "AccessDeniedException", "Message": "User: arn:aws:iam::1:user/x is not authorized"},
        "AWS-StartInteractiveCommand",
        errors.DocumentRefused,
        "these credentials lack ssm:StartSession on the instance or on the document "
        "arn:aws:ssm:ap-northeast-2::document/AWS-StartInteractiveCommand; allow both in the caller's IAM policy.",
    ),
    (
        "denied by the organization",
        {
            "Code": "AccessDeniedException",
            "Message": "User: x is not authorized to perform: ssm:StartSession with an explicit deny in a service control policy",
        },
        None,
        errors.ApiError,
        "User: x is not authorized to perform: ssm:StartSession with an explicit deny in a service control policy. "
        "Change the Deny statement in the service control policy: no Allow outweighs it.",
    ),
    (
        "iam on the default document",
        {"Code": "AccessDeniedException", "Message": ""},
        None,
        errors.DocumentRefused,
        "these credentials lack ssm:StartSession on the instance or on the document "
        "arn:aws:ssm:ap-northeast-2:<account>:document/SSM-SessionManagerRunShell; allow both in the caller's IAM policy.",
    ),
    (
        "no such document",
        {"Code": "InvalidDocument", "Message": "Document with name x does not exist."},
        "x",
        errors.DocumentRefused,
        "there is no session document x in this region; check ansible_aws_ssm_document.",
    ),
    (
        "expired token",
        {"Code": "ExpiredTokenException", "Message": "The security token included in the request is expired"},
        None,
        errors.ApiError,
        "the credentials have expired; renew them, for example with `aws sso login`, and run again.",
    ),
    (
        "clock skew",
        {"Code": "InvalidSignatureException", "Message": "Signature expired: 20260101T000000Z is now earlier than 20260101T010000Z"},
        None,
        errors.ApiError,
        "the controller's clock is wrong, AWS refuses its signatures; set it with NTP.",
    ),
    (
        "clock ahead",
        {"Code": "InvalidSignatureException", "Message": "Signature not yet current: 20260101T010000Z is still later than"},
        None,
        errors.ApiError,
        "the controller's clock is wrong, AWS refuses its signatures; set it with NTP.",
    ),
    (
        "wrong secret",
        {"Code": "InvalidSignatureException", "Message": "The request signature we calculated does not match"},
        None,
        errors.ApiError,
        "AWS does not know these credentials; check the access key, the secret key and the session token, and that they belong together.",
    ),
    (
        "unknown key",
        {"Code": "UnrecognizedClientException", "Message": "The security token included in the request is invalid."},
        None,
        errors.ApiError,
        "AWS does not know these credentials; check the access key, the secret key and the session token, and that they belong together.",
    ),
    (
        "throttled",
        {"Code": "ThrottlingException", "Message": "Rate exceeded"},
        None,
        errors.ApiError,
        "AWS limits the rate of ssm:StartSession calls and all attempts were used up; lower the number of forks.",
    ),
    (
        "anything else",
        {"Code": "InternalServerError", "Message": "Something went wrong."},
        None,
        errors.ApiError,
        "InternalServerError: Something went wrong; look the error code up in the Systems Manager API reference.",
    ),
]


@pytest.mark.parametrize(("error", "document", "kind", "text"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_refused(error, document, kind, text):
    found = refused(error, "start_session", TARGET, document, "ap-northeast-2")
    assert str(found) == START + text
    assert found.__class__ is kind


@pytest.mark.parametrize(("region", "partition"), [("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov"), ("eu-central-1", "aws")])
def test_document_arn_has_the_regions_partition(region, partition):
    text = str(refused({"Code": "AccessDeniedException"}, "start_session", TARGET, "AWS-X", region))
    assert f"arn:{partition}:ssm:{region}::document/AWS-X" in text


OTHER_CALLS = [
    (
        "resume_session",
        "AccessDeniedException",
        errors.ApiError,
        "Cannot resume session s-1 in r: these credentials lack ssm:ResumeSession; allow it in the caller's IAM policy.",
    ),
    (
        "resume_session",
        "DoesNotExistException",
        errors.SessionUnknown,
        "Cannot resume session s-1 in r: there is no such session any more; start another one.",
    ),
    (
        "terminate_session",
        "AccessDeniedException",
        errors.ApiError,
        "Cannot terminate session s-1 in r: these credentials lack ssm:TerminateSession; allow it in the caller's IAM policy.",
    ),
    (
        "generate_data_key",
        "AccessDeniedException",
        errors.ApiError,
        "Cannot get the session's key from KMS key s-1 in r: these credentials lack kms:GenerateDataKey; allow it in the caller's "
        "IAM policy.",
    ),
]


@pytest.mark.parametrize(("method", "code", "kind", "text"), OTHER_CALLS)
def test_other_calls(method, code, kind, text):
    found = refused({"Code": code, "Message": ""}, method, "s-1", None, "r")
    assert (type(found), str(found)) == (kind, text)


UNREACHABLE = [
    (
        exceptions.NoCredentialsError(),
        "no AWS credentials were found; set AWS_PROFILE, AWS_ACCESS_KEY_ID with AWS_SECRET_ACCESS_KEY, or ansible_aws_ssm_profile.",
    ),
    (
        exceptions.PartialCredentialsError(provider="env", cred_var="AWS_SECRET_ACCESS_KEY"),
        "half of the AWS credentials is missing; set the access key id and the secret access key together.",
    ),
    (
        exceptions.ProfileNotFound(profile="prod"),
        "The config profile (prod) could not be found; check AWS_PROFILE or ansible_aws_ssm_profile against ~/.aws/config.",
    ),
    (
        exceptions.EndpointConnectionError(endpoint_url="https://ssm.us-esat-1.amazonaws.com/"),
        'the API endpoint does not answer (Could not connect to the endpoint URL: "https://ssm.us-esat-1.amazonaws.com/"); check the '
        "region's name, the network, the proxy settings, and AWS_ENDPOINT_URL or AWS_ENDPOINT_URL_SSM if they are set.",
    ),
    (
        exceptions.InvalidRegionError(region_name="us east"),
        "'ap-northeast-2' is not a region name; check AWS_REGION or ansible_aws_ssm_region.",
    ),
    (
        exceptions.UnauthorizedSSOTokenError(),
        "the single sign-on session has expired; run `aws sso login` and run again.",
    ),
    (
        exceptions.SSLError(endpoint_url="https://x", error="certificate verify failed"),
        "the API endpoint's certificate is not trusted; set AWS_CA_BUNDLE to the certificates of your proxy.",
    ),
    (ValueError("Invalid endpoint: nonsense"), "Invalid endpoint: nonsense; check the AWS configuration of the controller."),
]


@pytest.mark.parametrize(("error", "text"), UNREACHABLE, ids=[type(row[0]).__name__ for row in UNREACHABLE])
def test_unreachable(error, text):
    assert str(unreachable(error, "start_session", TARGET, "ap-northeast-2")) == START + text


def test_no_region():
    text = str(unreachable(exceptions.NoRegionError(), "start_session", TARGET, "?"))
    assert text == f"Cannot start a session with {TARGET}: no AWS region is set; set AWS_REGION or ansible_aws_ssm_region."
