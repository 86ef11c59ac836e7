# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests as botocore writes them are read back, and answers as botocore reads them are written."""

from __future__ import annotations

import datetime

import botocore.parsers
import botocore.serialize
import pytest

from localcloud.input_model import service_model
from localcloud.services import query_protocol
from localcloud.services.query_protocol import ApiError

MODEL = service_model("elasticache")


def written(operation, members):
    """The form that botocore sends for a call."""
    request = botocore.serialize.QuerySerializer().serialize_to_request(members, MODEL.operation_model(operation))
    return {name: str(value) for name, value in request["body"].items()}


@pytest.mark.parametrize(
    ("operation", "members"),
    [
        ("DescribeReplicationGroups", {}),
        ("DescribeReplicationGroups", {"ReplicationGroupId": "chat", "MaxRecords": 20}),
        (
            "CreateReplicationGroup",
            {
                "ReplicationGroupId": "chat", "ReplicationGroupDescription": "a & b", "AutomaticFailoverEnabled": True,
                "MultiAZEnabled": False, "SecurityGroupIds": ["sg-1", "sg-2"], "CacheSecurityGroupNames": [],
                "Tags": [{"Key": "a", "Value": "b"}, {"Key": "c", "Value": ""}],
                "NodeGroupConfiguration": [{"ReplicaCount": 1, "ReplicaAvailabilityZones": ["x", "y"]}],
            },
        ),
        ("DescribeEvents", {"StartTime": datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.UTC), "Duration": 60}),
    ],
)  # fmt: skip
def test_what_botocore_writes_is_read_back(operation, members):
    assert query_protocol.parse(MODEL.operation_model(operation), written(operation, members)) == members


def test_ten_items_keep_their_order():
    members = {
        "ReplicationGroupId": "chat",
        "ReplicationGroupDescription": "d",
        "SecurityGroupIds": [f"sg-{number}" for number in range(12)],
    }
    form = written("CreateReplicationGroup", members)
    assert query_protocol.parse(MODEL.operation_model("CreateReplicationGroup"), form) == members


def test_a_map_in_a_request():
    model = service_model("sns")
    members = {"PlatformApplicationArn": "arn", "Attributes": {"a": "b", "c": "d"}}
    request = botocore.serialize.QuerySerializer().serialize_to_request(members, model.operation_model("SetPlatformApplicationAttributes"))
    assert query_protocol.parse(model.operation_model("SetPlatformApplicationAttributes"), request["body"]) == members


@pytest.mark.parametrize(
    ("form", "code", "message"),
    [
        ({}, "MissingParameter", "The request must contain the parameter ReplicationGroupId"),
        (
            {"ReplicationGroupId": "a", "ReplicationGroupDescription": "", "Port": "x"},
            "InvalidParameterValue",
            "The value 'x' of Port is not of the type integer",
        ),
        (
            {"ReplicationGroupId": "a", "ReplicationGroupDescription": "", "MultiAZEnabled": "yes"},
            "InvalidParameterValue",
            "The value 'yes' of MultiAZEnabled is not of the type boolean",
        ),
    ],
)
def test_bad_requests(form, code, message):
    with pytest.raises(ApiError) as caught:
        query_protocol.parse(MODEL.operation_model("CreateReplicationGroup"), form)
    assert (caught.value.code, caught.value.message) == (code, message)


def test_what_is_rendered_botocore_reads():
    operation = MODEL.operation_model("DescribeReplicationGroups")
    members = {
        "ReplicationGroups": [
            {
                "ReplicationGroupId": "chat", "Description": "a < b", "MemberClusters": ["chat-001"], "ClusterEnabled": False,
                "ReplicationGroupCreateTime": datetime.datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=datetime.UTC),
                "PendingModifiedValues": {}, "SnapshotRetentionLimit": 0, "GlobalReplicationGroupInfo": None,
                "NodeGroups": [{"NodeGroupId": "0001", "PrimaryEndpoint": {"Address": "x", "Port": 6379}}],
            }
        ],
    }  # fmt: skip
    status, headers, body = query_protocol.render(operation, members)
    parsed = botocore.parsers.QueryParser().parse({"status_code": status, "headers": headers, "body": body}, operation.output_shape)
    parsed.pop("ResponseMetadata")
    del members["ReplicationGroups"][0]["GlobalReplicationGroupInfo"]
    assert parsed == members


def test_an_error_as_botocore_reads_it():
    operation = MODEL.operation_model("DescribeReplicationGroups")
    status, headers, body = query_protocol.render_error(ApiError("ReplicationGroupNotFoundFault", "no <chat>", 404), "urn:x")
    parsed = botocore.parsers.QueryParser().parse({"status_code": status, "headers": headers, "body": body}, operation.output_shape)
    assert parsed["Error"] == {"Type": "Sender", "Code": "ReplicationGroupNotFoundFault", "Message": "no <chat>"}
    assert parsed["ResponseMetadata"]["HTTPStatusCode"] == 404


def test_a_member_that_the_model_does_not_have_is_a_bug():
    with pytest.raises(KeyError):
        query_protocol.render(MODEL.operation_model("DescribeReplicationGroups"), {"Absent": 1})
