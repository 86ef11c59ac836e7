# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors of the Session Manager API as one sentence each: what was tried, on what, the cause, the remedy; makes no calls."""

from __future__ import annotations

from ansible_collections.bluegreen.aws.plugins.module_utils._iam import denials

from .errors import ApiError, DocumentRefused, SessionUnknown, TargetNotReady

DEFAULT_DOCUMENT = "SSM-SessionManagerRunShell"

_DOING = {
    "start_session": "Cannot start a session with {subject} in {region}",
    "resume_session": "Cannot resume session {subject} in {region}",
    "terminate_session": "Cannot terminate session {subject} in {region}",
    "generate_data_key": "Cannot get the session's key from KMS key {subject} in {region}",
}
_ACTION = {
    "start_session": "ssm:StartSession",
    "resume_session": "ssm:ResumeSession",
    "terminate_session": "ssm:TerminateSession",
    "generate_data_key": "kms:GenerateDataKey",
}
_EXPIRED = ("ExpiredToken", "ExpiredTokenException", "RequestExpired")
_WRONG_KEY = ("UnrecognizedClientException", "InvalidClientTokenId", "InvalidSignatureException", "SignatureDoesNotMatch", "AuthFailure")
_THROTTLED = ("ThrottlingException", "Throttling", "TooManyRequestsException", "RequestLimitExceeded")
_NO_ANSWER = ("EndpointConnectionError", "ConnectTimeoutError", "ReadTimeoutError", "ProxyConnectionError", "ConnectionClosedError")
_SKEWED = ("Signature expired", "Signature not yet current", "RequestTimeTooSkewed")


def refused(error: dict, method: str, subject: str, document: str | None, region: str) -> ApiError:
    """Return the exception for an API error (`Code` and `Message` as botocore has them)."""
    code, text = error.get("Code", ""), error.get("Message", "").rstrip(".")
    doing = _DOING[method].format(subject=subject, region=region)
    if code == "TargetNotConnected" or (code in ("InvalidInstanceId", "InvalidTarget") and method == "start_session"):
        return TargetNotReady(
            f"{doing}: it is not managed by Systems Manager there or its agent is offline; check that the instance runs in this region, "
            "that amazon-ssm-agent runs on it, that its instance role allows ssm:UpdateInstanceInformation and ssmmessages:*, "
            "and that it has a route to the ssm and ssmmessages endpoints."
        )
    if code == "RequestTimeTooSkewed" or any(mark in text for mark in _SKEWED):
        return ApiError(f"{doing}: the controller's clock is wrong, AWS refuses its signatures; set it with NTP.")
    if code in _EXPIRED:
        return ApiError(f"{doing}: the credentials have expired; renew them, for example with `aws sso login`, and run again.")
    if code in _WRONG_KEY:
        return ApiError(
            f"{doing}: AWS does not know these credentials; check the access key, the secret key and the session token, "
            "and that they belong together."
        )
    if code in denials.CODES and denials.of_another_policy(text):
        remedy = denials.remedy(text, "the caller's IAM policy")
        return ApiError(f"{doing}: {text}. {remedy}")
    if code in denials.CODES and method == "start_session":
        name = document or DEFAULT_DOCUMENT
        partition = "aws-cn" if region.startswith("cn-") else "aws-us-gov" if region.startswith("us-gov-") else "aws"
        owner = "" if name.startswith(("AWS-", "AmazonSSM")) else "<account>"
        return DocumentRefused(
            f"{doing}: these credentials lack ssm:StartSession on the instance or on the document "
            f"arn:{partition}:ssm:{region}:{owner}:document/{name}; allow both in the caller's IAM policy."
        )
    if code in denials.CODES:
        return ApiError(f"{doing}: these credentials lack {_ACTION[method]}; allow it in the caller's IAM policy.")
    if code in ("InvalidDocument", "InvalidDocumentVersion"):
        return DocumentRefused(
            f"{doing}: there is no session document {document or DEFAULT_DOCUMENT} in this region; check ansible_aws_ssm_document."
        )
    if code == "DoesNotExistException":
        return SessionUnknown(f"{doing}: there is no such session any more; start another one.")
    if code in _THROTTLED:
        return ApiError(
            f"{doing}: AWS limits the rate of {_ACTION[method]} calls and all attempts were used up; lower the number of forks."
        )
    return ApiError(f"{doing}: {code}: {text}; look the error code up in the Systems Manager API reference.")


def unreachable(error: Exception, method: str, subject: str, region: str) -> ApiError:
    """Return the exception for what botocore raises before or instead of an answer."""
    doing = _DOING[method].format(subject=subject, region=region)
    name = type(error).__name__
    if name in ("NoCredentialsError", "CredentialRetrievalError"):
        return ApiError(
            f"{doing}: no AWS credentials were found; set AWS_PROFILE, AWS_ACCESS_KEY_ID with AWS_SECRET_ACCESS_KEY, "
            "or ansible_aws_ssm_profile."
        )
    if name == "PartialCredentialsError":
        return ApiError(f"{doing}: half of the AWS credentials is missing; set the access key id and the secret access key together.")
    if name == "ProfileNotFound":
        return ApiError(f"{doing}: {str(error).rstrip('.')}; check AWS_PROFILE or ansible_aws_ssm_profile against ~/.aws/config.")
    if name == "NoRegionError":
        return ApiError(f"{doing}: no AWS region is set; set AWS_REGION or ansible_aws_ssm_region.".replace(" in ?", ""))
    if name == "InvalidRegionError":
        return ApiError(f"{doing}: {region!r} is not a region name; check AWS_REGION or ansible_aws_ssm_region.")
    if "SSO" in name or name in ("TokenRetrievalError", "LoginError"):
        return ApiError(f"{doing}: the single sign-on session has expired; run `aws sso login` and run again.")
    if name in _NO_ANSWER:
        return ApiError(
            f"{doing}: the API endpoint does not answer ({str(error).rstrip('.')}); check the region's name, the network, "
            "the proxy settings, and AWS_ENDPOINT_URL or AWS_ENDPOINT_URL_SSM if they are set."
        )
    if name == "SSLError":
        return ApiError(f"{doing}: the API endpoint's certificate is not trusted; set AWS_CA_BUNDLE to the certificates of your proxy.")
    return ApiError(f"{doing}: {str(error).rstrip('.')}; check the AWS configuration of the controller.")


def incomplete(missing: list[str], method: str, subject: str, region: str) -> ApiError:
    """Return the exception for an answer that is none of AWS's."""
    doing = _DOING[method].format(subject=subject, region=region)
    return ApiError(
        f"{doing}: the answer has no {' and no '.join(missing)}; check that the endpoint is the one of AWS, and the proxy settings."
    )
