# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Turns what botocore raises into one sentence: what was tried, AWS's words, the remedy; makes no call."""

from __future__ import annotations

import functools
import inspect

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError

from .._iam import denials

try:
    from botocore.exceptions import BotoCoreError, ClientError, WaiterError
except ImportError:  # AnsibleAWSModule says so before anything here is called
    BotoCoreError = ClientError = WaiterError = ()

_CREDENTIALS = (
    "Give credentials: AWS_PROFILE, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or an instance role; "
    "for the local cloud run 'eval $(localcloud env)'."
)
_EXPIRED = "Renew the credentials (for SSO: 'aws sso login') and run again; the run goes on from where it was."
_WRONG_KEY = "Check the secret access key and the session token: they do not belong to the access key id."
# AWS gives the error code of a wrong key for a wrong clock too; only the message tells them apart.
_CLOCK_MARKS = ("Signature expired", "Signature not yet current")
_CLOCK = "Set this machine's clock (NTP); AWS refuses signatures more than five minutes off."

# AWS error code -> what to do about it. Codes: "Common errors" of the AWS API references and the services' own lists.
REMEDIES = {
    "ExpiredToken": _EXPIRED,
    "ExpiredTokenException": _EXPIRED,
    "RequestExpired": _CLOCK,
    "RequestTimeTooSkewed": _CLOCK,
    "SignatureDoesNotMatch": _WRONG_KEY,
    "InvalidSignatureException": _WRONG_KEY,
    "InvalidClientTokenId": _CREDENTIALS,
    "UnrecognizedClientException": _CREDENTIALS,
    "AuthFailure": _CREDENTIALS,
    **dict.fromkeys(
        ("Throttling", "ThrottlingException", "ThrottledException", "RequestThrottled", "RequestLimitExceeded", "TooManyRequestsException"),
        "AWS throttles this account; run again, finished work is not repeated.",
    ),
    "OptInRequired": "Enable the service or the region in this account, or correct bluegreen_region.",
    "InvalidKeyId": "Name an existing, enabled KMS key in this region (key id, ARN or alias/…), or leave key_id out for alias/aws/ssm.",
    **dict.fromkeys(
        ("KMSKeyNotAccessibleFault", "InvalidKMSKeyFault"),
        "Name an existing, enabled KMS key in this region (key id, ARN or alias/…), and allow kms:CreateGrant on it.",
    ),
    "KMSInvalidStateException": "Enable the KMS key, or name another one in key_id.",
    "ParameterLimitExceeded": "Delete unused parameters, or ask for a higher quota.",
    "ParameterMaxVersionLimitExceeded": "Remove the label from the oldest version of the parameter; Parameter Store keeps 100 versions.",
    "OriginAccessControlInUse": "Remove it from the origins of every distribution first, or remove the distributions.",
    "InvalidReplicationGroupState": "AWS changes one thing at a time; run again when the group is available, or with wait: true.",
    "CacheSubnetGroupNotFoundFault": "Create the subnet group first (community.aws.elasticache_subnet_group), or name one that exists.",
    "CacheParameterGroupNotFound": "Create the parameter group first (community.aws.elasticache_parameter_group), or name one that exists.",
    "TooManyUpdates": "Another run changes this parameter at the same time; run again.",
}

# botocore's own exceptions, by class name, because botocore may be missing when this file is imported.
_LOCAL_REMEDIES = {
    "NoCredentialsError": _CREDENTIALS,
    "PartialCredentialsError": _CREDENTIALS,
    "ProfileNotFound": "Name a profile that exists in ~/.aws/config, or unset AWS_PROFILE.",
    "NoRegionError": "Set bluegreen_region in the inventory, or AWS_REGION.",
    "InvalidRegionError": "Set bluegreen_region to an AWS region such as ap-northeast-2.",
    "EndpointConnectionError": "Check the network, the region's name and AWS_ENDPOINT_URL; for the local cloud run 'localcloud up'.",
    "ConnectTimeoutError": "Check the network and any proxy; from a private subnet a NAT gateway or an interface endpoint is needed.",
    "ReadTimeoutError": "Run again; finished work is not repeated.",
    "TokenRetrievalError": _EXPIRED,
    "SSOTokenLoadError": _EXPIRED,
    "UnauthorizedSSOTokenError": _EXPIRED,
}


class BluegreenAWSError(AnsibleAWSError):
    """One failed piece of AWS work: message (what on what) and exception (botocore's)."""


def attempt(description: str):
    """Decorator of one API call: what botocore raises becomes a BluegreenAWSError whose message is
    "Failed to <description>" (for a waiter "Timeout trying to <description>"), filled from the call's own arguments.
    """

    def decorate(function):
        signature = inspect.signature(function)

        @functools.wraps(function)
        def call(*args, **kwargs):
            try:
                return function(*args, **kwargs)
            except WaiterError as exc:
                words = "Timeout trying to"
                error = exc
            except (ClientError, BotoCoreError) as exc:
                words = "Failed to"
                error = exc
            bound = signature.bind_partial(*args, **kwargs)
            shown = {key: _readable(value) for key, value in bound.arguments.items()}
            raise BluegreenAWSError(message=f"{words} {description.format(**shown)}", exception=error) from error

        return call

    return decorate


def _readable(value) -> str:
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)


def error_code(exception) -> str:
    """AWS error code of a botocore ClientError, or the class name of any other exception."""
    response = getattr(exception, "response", None)
    if isinstance(response, dict):
        return response.get("Error", {}).get("Code", "")
    return type(exception).__name__


def remedy(exception) -> str:
    """What the reader can do about this exception; empty when nothing better than AWS's own words is known."""
    code, words = error_code(exception), str(exception)
    if code in denials.CODES:
        return denials.remedy(words, "the caller's IAM policy")
    if any(mark in words for mark in _CLOCK_MARKS):
        return _CLOCK
    return REMEDIES.get(code) or _LOCAL_REMEDIES.get(code, "")


def sentence(error) -> str:
    """Failed to <what on what>: <AWS's words>. <remedy>"""
    cause = str(error.exception or "").strip().rstrip(".")
    words = f"{error.message}: {cause}." if cause else f"{error.message}."
    return f"{words} {remedy(error.exception)}".strip()


def fail(module, error, **result):
    """The one place where an AWS error ends a module."""
    exception = error.exception
    response = getattr(exception, "response", {}) or {}
    request_id = response.get("ResponseMetadata", {}).get("RequestId")
    module.fail_json(msg=sentence(error), error_code=error_code(exception), request_id=request_id, **result)
