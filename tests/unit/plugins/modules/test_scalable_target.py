# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""scalable_target: made, changed and removed, each in check mode first and once more after; requests checked by botocore's stubber."""

from __future__ import annotations

import boto3
import pytest
from botocore.stub import Stubber

from ansible_collections.bluegreen.aws.plugins.module_utils._aws.errors import BluegreenAWSError
from ansible_collections.bluegreen.aws.plugins.modules import scalable_target as module

NAME = {"ServiceNamespace": "ecs", "ResourceId": "service/c/s", "ScalableDimension": "ecs:service:DesiredCount"}
PARAMS = {"service_namespace": "ecs", "resource_id": "service/c/s", "scalable_dimension": "ecs:service:DesiredCount"}
ASKED = {"ServiceNamespace": "ecs", "ResourceIds": ["service/c/s"], "ScalableDimension": "ecs:service:DesiredCount"}


def described(*limits):
    target = {**NAME, "MinCapacity": limits[0], "MaxCapacity": limits[1], "RoleARN": "arn:role", "CreationTime": 0} if limits else None
    return {"ScalableTargets": [target] if target else []}


@pytest.mark.parametrize(
    ("there", "wish", "call"),
    [
        ((), (1, 4), ("register_scalable_target", {"MinCapacity": 1, "MaxCapacity": 4})),
        ((1, 4), (1, 4), None),
        ((1, 4), (2, 4), ("register_scalable_target", {"MinCapacity": 2, "MaxCapacity": 4})),
        ((1, 4), (), ("deregister_scalable_target", {})),
        ((), (), None),
    ],
)
@pytest.mark.parametrize("check", [True, False])
def test_it_does_what_is_missing_and_nothing_in_check_mode(there, wish, call, check):
    client = boto3.client("application-autoscaling", region_name="ap-northeast-2", aws_access_key_id="x", aws_secret_access_key="x")
    minimum, maximum = wish or (None, None)
    params = {**PARAMS, "state": "present" if wish else "absent", "minimum": minimum, "maximum": maximum}
    with Stubber(client) as stub:
        stub.add_response("describe_scalable_targets", described(*there), ASKED)
        if call and not check:
            stub.add_response(call[0], {}, {**NAME, **call[1]})
        before, after = module.apply(client, params, check=check)
        stub.assert_no_pending_responses()
    assert (before != after) is bool(call)
    assert tuple(after.values()) == wish


def test_an_error_names_the_target_and_the_call():
    client = boto3.client("application-autoscaling", region_name="ap-northeast-2", aws_access_key_id="x", aws_secret_access_key="x")
    with Stubber(client) as stub:
        stub.add_client_error("describe_scalable_targets", "AccessDeniedException", "no")
        with pytest.raises(BluegreenAWSError) as caught:
            module.apply(client, {**PARAMS, "state": "absent", "minimum": None, "maximum": None}, check=False)
    assert caught.value.message == "Failed to read scalable target service/c/s (application-autoscaling:DescribeScalableTargets)"
