# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The validator itself: it accepts answers as AWS gives them, and finds each single thing that is made wrong in them."""

from __future__ import annotations

import json
import typing as t

import botocore.session
import pytest

from .answers import Answer, problems_of
from .cases import Case, gaps
from .watch import ContractBroken, seen, watch

JSON = {"content-type": "application/x-amz-json-1.1", "x-amzn-requestid": "0b1"}
XML = {"content-type": "text/xml;charset=UTF-8"}
EC2_NS = "http://ec2.amazonaws.com/doc/2016-11-15/"
ASG_NS = "http://autoscaling.amazonaws.com/doc/2011-01-01/"
_session = botocore.session.Session()


def _problems(service: str, operation: str, status: int, headers: dict[str, str], body: str) -> list[str]:
    return problems_of(_session.get_service_model(service).operation_model(operation), Answer(status, headers, body.encode()))


# -- JSON

REPOSITORY = {
    "registryId": "123456789012",
    "repositoryName": "popcon",
    "createdAt": 1795280000.5,
    "imageTagMutability": "MUTABLE",
    "imageScanningConfiguration": {"scanOnPush": False},
}


def _repository(**changes: t.Any) -> str:
    return json.dumps({"repository": {**REPOSITORY, **changes}})


def test_a_good_json_answer_passes() -> None:
    assert _problems("ecr", "CreateRepository", 200, JSON, _repository()) == []


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (_repository(color="blue"), "$.repository.color is not a member of Repository"),
        (_repository(createdAt="2026-11-21T00:00:00Z"), "instead of seconds since the epoch"),
        (_repository(createdAt=1795280000500), "too large for seconds"),
        (_repository(createdAt=True), "instead of seconds since the epoch"),
        (_repository(imageTagMutability="CHANGEABLE"), "not one of ImageTagMutability's values"),
        (_repository(imageScanningConfiguration={"scanOnPush": "false"}), "instead of a boolean"),
        (_repository(imageScanningConfiguration=[]), "instead of an object"),
        (_repository(registryId=123456789012), "instead of text"),
        (_repository(registryId=None), "leaves such a member out"),
        (_repository(encryptionConfiguration={}), "encryptionType is missing"),
        (json.dumps([]), "instead of an object"),
        ("<html/>", "cannot be read"),
    ],
)
def test_a_bad_json_answer_is_found(body: str, problem: str) -> None:
    found = _problems("ecr", "CreateRepository", 200, JSON, body)
    assert len(found) == 1 and problem in found[0], found


@pytest.mark.parametrize(
    ("headers", "status", "problem"),
    [
        ({**JSON, "content-type": "application/json"}, 200, "Content-Type"),
        ({**JSON, "content-type": "application/x-amz-json-1.0"}, 200, "Content-Type"),
        ({"content-type": JSON["content-type"]}, 200, "RequestId"),
        (JSON, 201, "status is 201"),
    ],
)
def test_a_bad_json_envelope_is_found(headers: dict[str, str], status: int, problem: str) -> None:
    found = _problems("ecr", "CreateRepository", status, headers, _repository())
    assert len(found) == 1 and problem in found[0], found


@pytest.mark.parametrize(
    ("operation", "body", "problem"),
    [
        ("CreateRepository", {"__type": "RepositoryAlreadyExistsException", "message": "x"}, None),
        ("CreateRepository", {"__type": "com.amazonaws.ecr#RepositoryAlreadyExistsException", "message": "x"}, None),
        ("CreateRepository", {"__type": "AccessDeniedException", "message": "x"}, None),
        ("CreateRepository", {"__type": "RepositoryNotFoundException", "message": "x"}, "not documented"),
        ("CreateRepository", {"__type": "NoSuchThing", "message": "x"}, "not documented"),
        ("CreateRepository", {"__type": "RepositoryAlreadyExistsException"}, "has no 'message'"),
        ("CreateRepository", {"__type": "RepositoryAlreadyExistsException", "message": "x", "hint": "y"}, "member 'hint'"),
        ("CreateRepository", {"message": "x"}, "no code"),
    ],
)
def test_json_errors(operation: str, body: dict[str, str], problem: str | None) -> None:
    found = _problems("ecr", operation, 400, JSON, json.dumps(body))
    assert (found == []) if problem is None else (len(found) == 1 and problem in found[0]), found


# -- EC2


def _ec2(content: str, *, root: str = "DescribeVpcsResponse", ns: str = EC2_NS, request_id: str = "<requestId>0b1</requestId>") -> str:
    return f'<?xml version="1.0"?><{root} xmlns="{ns}">{request_id}{content}</{root}>'


VPC = "<vpcSet><item><vpcId>vpc-1</vpcId><state>available</state><isDefault>false</isDefault></item></vpcSet>"


def test_a_good_ec2_answer_passes() -> None:
    assert _problems("ec2", "DescribeVpcs", 200, XML, _ec2(VPC)) == []


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (_ec2(VPC.replace("vpcId", "VpcId")), "VpcId is not a member of Vpc"),
        (_ec2(VPC.replace("available", "ready")), "not one of VpcState's values"),
        (_ec2(VPC.replace("false", "False")), "instead of true or false"),
        (_ec2(VPC.replace("item>", "member>")), "where its list has 'item'"),
        (_ec2(VPC + VPC), "occurs 2 times"),
        (_ec2(VPC, root="DescribeVpcsResult"), "the root is"),
        (_ec2(VPC, ns="http://ec2.amazonaws.com/doc/2013-10-15/"), "the namespace is"),
        (_ec2(VPC, request_id=""), "no requestId"),
        (_ec2(VPC)[:-3], "cannot be read"),
    ],
)
def test_a_bad_ec2_answer_is_found(body: str, problem: str) -> None:
    found = _problems("ec2", "DescribeVpcs", 200, XML, body)
    assert len(found) == 1 and problem in found[0], found


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("<Errors><Error><Code>InvalidVpcID.NotFound</Code><Message>x</Message></Error></Errors><RequestID>1</RequestID>", None),
        ("<Errors><Error><Code>NoSuchVpc</Code><Message>x</Message></Error></Errors><RequestID>1</RequestID>", "not documented"),
        ("<Errors><Error><Code>InvalidVpcID.NotFound</Code></Error></Errors><RequestID>1</RequestID>", "no Message"),
        ("<Errors><Error><Code>InvalidVpcID.NotFound</Code><Message>x</Message></Error></Errors>", "no RequestID"),
        ("<Error><Code>InvalidVpcID.NotFound</Code><Message>x</Message></Error><RequestID>1</RequestID>", "no Errors/Error"),
    ],
)
def test_ec2_errors(content: str, problem: str | None) -> None:
    found = _problems("ec2", "DescribeVpcs", 400, XML, f"<Response>{content}</Response>")
    assert (found == []) if problem is None else (len(found) == 1 and problem in found[0]), found


# -- query

GROUP = """<member><AutoScalingGroupName>g</AutoScalingGroupName><MinSize>1</MinSize><MaxSize>2</MaxSize>
<DesiredCapacity>1</DesiredCapacity><DefaultCooldown>300</DefaultCooldown><AvailabilityZones><member>a</member></AvailabilityZones><HealthCheckType>EC2</HealthCheckType>
<CreatedTime>2026-11-21T04:20:12.345Z</CreatedTime></member>"""


def _groups(members: str, *, after: str = "", metadata: str = "<ResponseMetadata><RequestId>0b1</RequestId></ResponseMetadata>") -> str:
    name = "DescribeAutoScalingGroups"
    result = f"<{name}Result><AutoScalingGroups>{members}</AutoScalingGroups></{name}Result>"
    return f'<{name}Response xmlns="{ASG_NS}">{result}{after}{metadata}</{name}Response>'


def test_a_good_query_answer_passes() -> None:
    assert _problems("autoscaling", "DescribeAutoScalingGroups", 200, XML, _groups(GROUP)) == []


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (_groups(GROUP.replace("<MaxSize>2</MaxSize>", "")), "MaxSize is missing"),
        (_groups(GROUP.replace(">300<", ">5 minutes<")), "instead of an integer"),
        (_groups(GROUP.replace("2026-11-21T04:20:12.345Z", "2026-11-21 04:20:12")), "ISO 8601"),
        (_groups(GROUP.replace("2026-11-21T", "2026-13-21T")), "no time"),
        (_groups(GROUP, metadata=""), "no ResponseMetadata/RequestId"),
        (_groups(GROUP, after="<Extra/>"), "Extra is beside"),
    ],
)
def test_a_bad_query_answer_is_found(body: str, problem: str) -> None:
    found = _problems("autoscaling", "DescribeAutoScalingGroups", 200, XML, body)
    assert len(found) == 1 and problem in found[0], found


def test_query_errors() -> None:
    error = "<Error><Type>Sender</Type><Code>AlreadyExists</Code><Message>x</Message></Error>"
    good = f"<ErrorResponse>{error}<RequestId>1</RequestId></ErrorResponse>"
    assert _problems("autoscaling", "CreateAutoScalingGroup", 400, XML, good) == []
    assert "not documented" in _problems("autoscaling", "CreateAutoScalingGroup", 400, XML, good.replace("Already", "Never"))[0]
    assert "Type is" in _problems("autoscaling", "CreateAutoScalingGroup", 400, XML, good.replace("Sender", "Client"))[0]


# -- REST


def test_rest_answers() -> None:
    headers = {"content-type": "application/json"}
    function = {"FunctionName": "notify", "MemorySize": 128, "State": "Active"}
    assert _problems("lambda", "CreateFunction", 201, headers, json.dumps(function)) == []
    assert "status is 200" in _problems("lambda", "CreateFunction", 200, headers, json.dumps(function))[0]
    assert "instead of an integer" in _problems("lambda", "CreateFunction", 201, headers, json.dumps({"MemorySize": "128"}))[0]
    buckets = "<ListAllMyBucketsResult><Buckets><Bucket><Name>b</Name><Colour>red</Colour></Bucket></Buckets></ListAllMyBucketsResult>"
    assert "Colour is not a member" in _problems("s3", "ListBuckets", 200, {"content-type": "application/xml"}, buckets)[0]


# -- the hook, and the rule that nothing goes without a case


def test_a_watched_client_refuses_a_bad_answer() -> None:
    client = _session.create_client("ecr", region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="y")
    watch(client)
    good = {"status_code": 200, "headers": JSON, "body": _repository().encode()}
    model = client.meta.service_model.operation_model("CreateRepository")
    before = seen["ecr", "CreateRepository", None]
    client.meta.events.emit("before-parse.ecr.CreateRepository", operation_model=model, response_dict=good)
    assert seen["ecr", "CreateRepository", None] == before + 1
    bad = {**good, "body": _repository(color="blue").encode()}
    with pytest.raises(ContractBroken, match="color is not a member"):
        client.meta.events.emit("before-parse.ecr.CreateRepository", operation_model=model, response_dict=bad)


def test_a_new_operation_needs_cases() -> None:
    def nothing(world: object) -> None:
        return None

    cases = [Case("Old", "good", nothing), Case("Old", "bad", nothing, "Code"), Case("Gone", "good", nothing)]
    assert gaps(["Old", "New"], cases) == [
        "New has no case that succeeds",
        "New has no case that fails",
        "Gone has cases, and no handler of ours answers it",
    ]
