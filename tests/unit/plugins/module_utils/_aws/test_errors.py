# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every AWS failure becomes one sentence: what on what, AWS's words, the remedy."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError, WaiterError

from ansible_collections.bluegreen.aws.plugins.module_utils._aws import errors


def client_error(code, message):
    return ClientError({"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"RequestId": "r-1"}}, "PutParameter")


@errors.attempt("write parameter {name} of {names} (ssm:PutParameter)")
def call(name, names=(), raises=None):
    if raises:
        raise raises
    return name


CASES = [
    (
        client_error("AccessDeniedException", "User x is not authorized to perform: ssm:PutParameter."),
        "Failed to write parameter /a of b, c (ssm:PutParameter): An error occurred (AccessDeniedException) when calling the PutParameter "
        "operation: User x is not authorized to perform: ssm:PutParameter. "
        "Allow the named action on the named resource in the caller's IAM policy.",
    ),
    (
        client_error(
            "AccessDenied",
            "User x is not authorized to perform: iam:GetRole on resource: y with an explicit deny in a service control policy",
        ),
        "Failed to write parameter /a of b, c (ssm:PutParameter): An error occurred (AccessDenied) when calling the PutParameter "
        "operation: User x is not authorized to perform: iam:GetRole on resource: y with an explicit deny in a service control policy. "
        "Change the Deny statement in the service control policy: no Allow outweighs it.",
    ),
    (
        client_error("SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided."),
        "Failed to write parameter /a of b, c (ssm:PutParameter): An error occurred (SignatureDoesNotMatch) when calling the PutParameter "
        "operation: The request signature we calculated does not match the signature you provided. "
        "Check the secret access key and the session token: they do not belong to the access key id.",
    ),
    (
        client_error("SignatureDoesNotMatch", "Signature expired: 20261201T060000Z is now earlier than 20261201T061000Z"),
        "Failed to write parameter /a of b, c (ssm:PutParameter): An error occurred (SignatureDoesNotMatch) when calling the PutParameter "
        "operation: Signature expired: 20261201T060000Z is now earlier than 20261201T061000Z. "
        "Set this machine's clock (NTP); AWS refuses signatures more than five minutes off.",
    ),
    (
        client_error("ExpiredTokenException", "The security token included in the request is expired"),
        "Failed to write parameter /a of b, c (ssm:PutParameter): An error occurred (ExpiredTokenException) when calling the PutParameter "
        "operation: The security token included in the request is expired. "
        "Renew the credentials (for SSO: 'aws sso login') and run again; the run goes on from where it was.",
    ),
    (
        NoCredentialsError(),
        "Failed to write parameter /a of b, c (ssm:PutParameter): Unable to locate credentials. "
        "Give credentials: AWS_PROFILE, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or an instance role; "
        "for the local cloud run 'eval $(localcloud env)'.",
    ),
    (
        EndpointConnectionError(endpoint_url="http://127.0.0.1:1"),
        'Failed to write parameter /a of b, c (ssm:PutParameter): Could not connect to the endpoint URL: "http://127.0.0.1:1". '
        "Check the network, the region's name and AWS_ENDPOINT_URL; for the local cloud run 'localcloud up'.",
    ),
    (
        WaiterError(name="instance_running", reason="Max attempts exceeded", last_response={}),
        "Timeout trying to write parameter /a of b, c (ssm:PutParameter): Waiter instance_running failed: Max attempts exceeded.",
    ),
]


@pytest.mark.case("C3")
@pytest.mark.parametrize(("exception", "sentence"), CASES, ids=[type(case[0]).__name__ + str(index) for index, case in enumerate(CASES)])
def test_sentence(exception, sentence):
    with pytest.raises(errors.BluegreenAWSError) as caught:
        call("/a", names=["b", "c"], raises=exception)
    assert errors.sentence(caught.value) == sentence


def test_what_succeeds_is_returned_as_it_is():
    assert call("/a") == "/a"


def test_other_exceptions_are_not_swallowed():
    with pytest.raises(ZeroDivisionError):
        call("/a", raises=ZeroDivisionError())


def test_error_code():
    assert errors.error_code(client_error("X", "y")) == "X"
    assert errors.error_code(NoCredentialsError()) == "NoCredentialsError"
