# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every type of resource × ours, another environment's, another system's, without tags, absent; botocore checks requests and answers."""

from __future__ import annotations

import functools

import botocore.session
import pytest
from botocore.stub import Stubber

from ansible_collections.bluegreen.aws.plugins.module_utils import _ownership as ownership
from ansible_collections.bluegreen.aws.plugins.module_utils._aws import tagged
from ansible_collections.bluegreen.aws.plugins.module_utils._aws.errors import BluegreenAWSError, sentence
from ansible_collections.bluegreen.aws.plugins.module_utils._ownership import Verdict

pytestmark = pytest.mark.case("A1")

DEV = ownership.Owner("shop", "dev")
TAGS = {
    Verdict.OURS: {"bluegreen:system": "shop", "bluegreen:environment": "dev"},
    Verdict.OTHER_ENVIRONMENT: {"bluegreen:system": "shop", "bluegreen:environment": "prod"},
    Verdict.OTHER_SYSTEM: {"bluegreen:system": "chat", "bluegreen:environment": "dev"},
    Verdict.UNTAGGED: {"team": "payments"},
}
ACCOUNT = "123456789012"


def arn(service, rest):
    return f"arn:aws:{service}:ap-northeast-2:{ACCOUNT}:{rest}"


def listed(tags, key="Key", value="Value"):
    return [{key: name, value: text} for name, text in tags.items()]


def ecr_repository(tags):
    repository = arn("ecr", "repository/name")
    yield "describe_repositories", {"repositories": [{"repositoryArn": repository}]}, {"repositoryNames": ["name"]}
    yield "list_tags_for_resource", {"tags": listed(tags)}, {"resourceArn": repository}


def s3_bucket(tags):
    yield "get_bucket_tagging", {"TagSet": listed(tags)}, {"Bucket": "name"}


def load_balancer(tags):
    balancer = arn("elasticloadbalancing", "loadbalancer/app/name/1")
    yield "describe_load_balancers", {"LoadBalancers": [{"LoadBalancerArn": balancer}]}, {"Names": ["name"]}
    yield "describe_tags", {"TagDescriptions": [{"ResourceArn": balancer, "Tags": listed(tags)}]}, {"ResourceArns": [balancer]}


def target_group(tags):
    group = arn("elasticloadbalancing", "targetgroup/name/1")
    yield "describe_target_groups", {"TargetGroups": [{"TargetGroupArn": group}]}, {"Names": ["name"]}
    yield "describe_tags", {"TagDescriptions": [{"ResourceArn": group, "Tags": listed(tags)}]}, {"ResourceArns": [group]}


def described(operation, answer, key, parameter, tags, resource):
    """A type of RDS or ElastiCache: described by its name, its tags listed by its ARN."""
    yield operation, {answer: [{key: resource}]}, {parameter: "name"}
    yield "list_tags_for_resource", {"TagList": listed(tags)}, {"ResourceName": resource}


def rds_instance(tags):
    return described("describe_db_instances", "DBInstances", "DBInstanceArn", "DBInstanceIdentifier", tags, arn("rds", "db:name"))


def rds_subnet_group(tags):
    return described(
        "describe_db_subnet_groups", "DBSubnetGroups", "DBSubnetGroupArn", "DBSubnetGroupName", tags, arn("rds", "subgrp:name")
    )


def rds_parameter_group(tags):
    names = "describe_db_parameter_groups", "DBParameterGroups", "DBParameterGroupArn", "DBParameterGroupName"
    return described(*names, tags, arn("rds", "pg:name"))


def elasticache_replication_group(tags):
    names = "describe_replication_groups", "ReplicationGroups", "ARN", "ReplicationGroupId"
    return described(*names, tags, arn("elasticache", "replicationgroup:name"))


def elasticache_subnet_group(tags):
    names = "describe_cache_subnet_groups", "CacheSubnetGroups", "ARN", "CacheSubnetGroupName"
    return described(*names, tags, arn("elasticache", "subnetgroup:name"))


def autoscaling_group(tags):
    group = {
        "AutoScalingGroupName": "name",
        "AutoScalingGroupARN": arn("autoscaling", "autoScalingGroup:1:autoScalingGroupName/name"),
        "MinSize": 0,
        "MaxSize": 0,
        "DesiredCapacity": 0,
        "DefaultCooldown": 0,
        "AvailabilityZones": [],
        "HealthCheckType": "EC2",
        "CreatedTime": 0,
        "Tags": listed(tags),
    }
    yield "describe_auto_scaling_groups", {"AutoScalingGroups": [group]}, {"AutoScalingGroupNames": ["name"]}


def launch_template(tags):
    template = {"LaunchTemplateId": "lt-1", "LaunchTemplateName": "name", "Tags": listed(tags)}
    yield "describe_launch_templates", {"LaunchTemplates": [template]}, {"LaunchTemplateNames": ["name"]}


def ecs_cluster(tags):
    cluster = {"clusterArn": arn("ecs", "cluster/name"), "status": "ACTIVE", "tags": listed(tags, "key", "value")}
    yield "describe_clusters", {"clusters": [cluster]}, {"clusters": ["name"], "include": ["TAGS"]}


def ecs_service(tags):
    service = {"serviceArn": arn("ecs", "service/w/name"), "status": "ACTIVE", "tags": listed(tags, "key", "value")}
    yield "describe_services", {"services": [service]}, {"cluster": "w", "services": ["name"], "include": ["TAGS"]}


def ecs_task_family(tags):
    definition = {"taskDefinitionArn": arn("ecs", "task-definition/name:3"), "status": "ACTIVE"}
    answer = {"taskDefinition": definition, "tags": listed(tags, "key", "value")}
    yield "describe_task_definition", answer, {"taskDefinition": "name", "include": ["TAGS"]}


def iam_role(tags):
    role = {"Path": "/", "RoleName": "name", "RoleId": "A" * 20, "Arn": "arn:aws:iam::1:role/name", "CreateDate": 0, "Tags": listed(tags)}
    yield "get_role", {"Role": role}, {"RoleName": "name"}


def iam_instance_profile(tags):
    profile = {
        "Path": "/",
        "InstanceProfileName": "name",
        "InstanceProfileId": "A" * 20,
        "Arn": "arn:aws:iam::1:instance-profile/name",
        "CreateDate": 0,
        "Roles": [],
        "Tags": listed(tags),
    }
    yield "get_instance_profile", {"InstanceProfile": profile}, {"InstanceProfileName": "name"}


def log_group(tags):
    groups = [{"logGroupName": name, "arn": arn("logs", f"log-group:{name}:*")} for name in ("name", "name2")]
    yield "describe_log_groups", {"logGroups": groups}, {"logGroupNamePrefix": "name"}
    yield "list_tags_for_resource", {"tags": tags}, {"resourceArn": arn("logs", "log-group:name")}


def dynamodb_table(tags):
    table = arn("dynamodb", "table/name")
    first, last = listed(tags)[:1], listed(tags)[1:]
    yield "describe_table", {"Table": {"TableArn": table}}, {"TableName": "name"}
    yield "list_tags_of_resource", {"Tags": first, "NextToken": "2"}, {"ResourceArn": table}
    yield "list_tags_of_resource", {"Tags": last}, {"ResourceArn": table, "NextToken": "2"}


def cloudwatch_dashboard(tags):
    board = f"arn:aws:cloudwatch::{ACCOUNT}:dashboard/name"
    yield "get_dashboard", {"DashboardArn": board, "DashboardBody": "{}", "DashboardName": "name"}, {"DashboardName": "name"}
    yield "list_tags_for_resource", {"Tags": listed(tags)}, {"ResourceARN": board}


def page_of_distributions(*comments, more=False):
    def one(comment):
        none = {"Quantity": 0}
        return {
            "Id": comment,
            "ARN": f"arn:aws:cloudfront::{ACCOUNT}:distribution/{comment}",
            "Status": "Deployed",
            "LastModifiedTime": 0,
            "DomainName": "d",
            "Aliases": none,
            "Origins": {"Quantity": 1, "Items": [{"Id": "o", "DomainName": "o"}]},
            "DefaultCacheBehavior": {"TargetOriginId": "o", "ViewerProtocolPolicy": "allow-all"},
            "CacheBehaviors": none,
            "CustomErrorResponses": none,
            "Comment": comment,
            "PriceClass": "PriceClass_All",
            "Enabled": True,
            "ViewerCertificate": {},
            "Restrictions": {"GeoRestriction": {"RestrictionType": "none", "Quantity": 0}},
            "WebACLId": "",
            "HttpVersion": "http2",
            "IsIPV6Enabled": True,
            "Staging": False,
        }

    page = {"Marker": "", "MaxItems": 100, "IsTruncated": more, "Quantity": len(comments), "Items": [one(comment) for comment in comments]}
    return {"DistributionList": {**page, **({"NextMarker": "2"} if more else {})}}


def cloudfront_distribution(tags):
    distribution = f"arn:aws:cloudfront::{ACCOUNT}:distribution/name"
    yield "list_distributions", page_of_distributions("other", more=True), {}
    yield "list_distributions", page_of_distributions("name"), {"Marker": "2"}
    yield "list_tags_for_resource", {"Tags": {"Items": listed(tags)}}, {"Resource": distribution}


def page_of_controls(*controls, more=False):
    items = [
        {
            "Id": "E1",
            "Name": name,
            "Description": description,
            "SigningProtocol": "sigv4",
            "SigningBehavior": "always",
            "OriginAccessControlOriginType": "s3",
        }
        for name, description in controls
    ]
    page = {"Marker": "", "MaxItems": 100, "IsTruncated": more, "Quantity": len(items), "Items": items}
    return {"OriginAccessControlList": {**page, **({"NextMarker": "2"} if more else {})}}


def cloudfront_origin_access_control(tags):
    description = f"Signs requests [{tagged.mark(tags)}]"
    yield "list_origin_access_controls", page_of_controls(("other", ""), more=True), {}
    yield "list_origin_access_controls", page_of_controls(("name", description)), {"Marker": "2"}


def wafv2_web_acl(tags):
    acl = arn("wafv2", "regional/webacl/name/1")
    first, second = [{"Name": "other", "ARN": arn("wafv2", "regional/webacl/other/1")}], [{"Name": "name", "ARN": acl}]
    yield "list_web_acls", {"WebACLs": first, "NextMarker": "2"}, {"Scope": "REGIONAL"}
    yield "list_web_acls", {"WebACLs": second}, {"Scope": "REGIONAL", "NextMarker": "2"}
    yield "list_tags_for_resource", {"TagInfoForResource": {"ResourceARN": acl, "TagList": listed(tags)}}, {"ResourceARN": acl}


def acm_certificate(tags):
    names = {number: arn("acm", f"certificate/{number}") for number in (1, 2, 3)}
    domains = {1: "w", 2: "another", 3: "w"}
    summaries = [{"CertificateArn": names[number], "DomainName": domain} for number, domain in domains.items()]
    yield "list_certificates", {"CertificateSummaryList": summaries}, {"CertificateStatuses": ["PENDING_VALIDATION", "ISSUED"]}
    yield "list_tags_for_certificate", {"Tags": listed({**tags, "Name": "name"})}, {"CertificateArn": names[1]}
    yield "list_tags_for_certificate", {"Tags": listed({"Name": "other"})}, {"CertificateArn": names[3]}


def ssm_parameter(tags):
    yield "list_tags_for_resource", {"TagList": listed(tags)}, {"ResourceType": "Parameter", "ResourceId": "name"}


def vpc(tags):
    found = [{"VpcId": "vpc-1", "Tags": listed(tags)}]
    yield "describe_vpcs", {"Vpcs": found}, {"Filters": [{"Name": "tag:Name", "Values": ["name"]}]}


def security_group(tags):
    yield "describe_vpcs", {"Vpcs": [{"VpcId": "vpc-1"}]}, {"Filters": [{"Name": "tag:Name", "Values": ["w"]}]}
    filters = [{"Name": "group-name", "Values": ["name"]}, {"Name": "vpc-id", "Values": ["vpc-1"]}]
    yield "describe_security_groups", {"SecurityGroups": [{"GroupId": "sg-1", "Tags": listed(tags)}]}, {"Filters": filters}


# Type -> the calls that find one, and what the first call answers when there is none: an error code or an empty answer.
NONE = {
    acm_certificate: {"CertificateSummaryList": []},
    autoscaling_group: {"AutoScalingGroups": []},
    cloudfront_distribution: page_of_distributions("other"),
    cloudfront_origin_access_control: page_of_controls(("other", "")),
    cloudwatch_dashboard: "ResourceNotFound",
    dynamodb_table: "ResourceNotFoundException",
    ecr_repository: "RepositoryNotFoundException",
    ecs_cluster: {"clusters": [{"clusterArn": "a", "status": "INACTIVE"}]},
    ecs_service: "ClusterNotFoundException",
    ecs_task_family: "ClientException",
    elasticache_replication_group: "ReplicationGroupNotFoundFault",
    elasticache_subnet_group: "CacheSubnetGroupNotFoundFault",
    iam_instance_profile: "NoSuchEntity",
    iam_role: "NoSuchEntity",
    launch_template: "InvalidLaunchTemplateName.NotFoundException",
    load_balancer: "LoadBalancerNotFound",
    log_group: {"logGroups": [{"logGroupName": "name2", "arn": "a"}]},
    rds_instance: "DBInstanceNotFound",
    rds_parameter_group: "DBParameterGroupNotFound",
    rds_subnet_group: "DBSubnetGroupNotFoundFault",
    s3_bucket: "NoSuchBucket",
    security_group: {"Vpcs": []},
    ssm_parameter: "InvalidResourceId",
    target_group: "TargetGroupNotFound",
    vpc: {"Vpcs": []},
    wafv2_web_acl: {"WebACLs": []},
}
# What leads a type without tags; its calls follow those of the type itself.
LEADS = {
    "cloudfront_origin_access_control": cloudfront_distribution,
    "elasticache_subnet_group": elasticache_replication_group,
    "ecs_task_family": ecs_cluster,
}
WITHIN = {"acm_certificate": "w", "ecs_service": "w", "ecs_task_family": "w", "security_group": "w"}
CALLS = {function.__name__: function for function in NONE}


@functools.cache
def client_of(service):
    """One client per service: reading the model is what takes the time."""
    keys = {"aws_access_key_id": "x", "aws_secret_access_key": "y"}
    return botocore.session.get_session().create_client(service, region_name="ap-northeast-2", **keys)


class Cloud:
    """Clients with answers laid out."""

    def __init__(self):
        self.stubbers = {}

    def expect(self, service, calls):
        if service not in self.stubbers:
            self.stubbers[service] = Stubber(client_of(service))
            self.stubbers[service].activate()
        for operation, answer, parameters in calls:
            if isinstance(answer, str):
                self.stubbers[service].add_client_error(operation, answer, "no", expected_params=parameters)
            else:
                self.stubbers[service].add_response(operation, answer, parameters)

    def client(self, service, _region):
        return self.stubbers[service].client

    def verdict(self, kind, within=None):
        """Fails when a call was not made."""
        item = {"type": kind, "name": "name", "within": WITHIN.get(kind, "") if within is None else within}
        found = tagged.find_all(self.client, [item])[0]
        for stubber in self.stubbers.values():
            stubber.assert_no_pending_responses()
        asked = ownership.Asked(kind, tagged.TYPES[kind].label, "name")
        return ownership.answer(asked, [one.tags for one in found], DEV).verdict


@pytest.fixture
def cloud():
    one = Cloud()
    yield one
    for stubber in one.stubbers.values():
        stubber.deactivate()


def test_every_type_is_in_this_table():
    assert set(CALLS) == set(tagged.TYPES)
    assert set(LEADS) == {kind for kind, one in tagged.TYPES.items() if one.follows}


@pytest.mark.parametrize("verdict", TAGS)
@pytest.mark.parametrize("kind", tagged.TYPES)
def test_whose_it_is(cloud, kind, verdict):
    calls = list(CALLS[kind](TAGS[verdict]))
    if kind in LEADS and verdict is Verdict.UNTAGGED:
        first = next(LEADS[kind]({}))
        calls.append((first[0], NONE[LEADS[kind]], _led(kind, first[2])))
    cloud.expect(tagged.TYPES[kind].service, calls)
    assert cloud.verdict(kind) is verdict


@pytest.mark.parametrize("kind", tagged.TYPES)
def test_there_is_none(cloud, kind):
    operation, _answer, parameters = next(CALLS[kind]({}))
    cloud.expect(tagged.TYPES[kind].service, [(operation, NONE[CALLS[kind]], parameters)])
    assert cloud.verdict(kind) is Verdict.ABSENT


@pytest.mark.parametrize("kind", tagged.TYPES)
def test_another_refusal_of_aws_is_an_error_and_never_an_absent_resource(cloud, kind):
    operation, _answer, parameters = next(CALLS[kind]({}))
    cloud.expect(tagged.TYPES[kind].service, [(operation, "ThrottlingException", parameters)])
    with pytest.raises(BluegreenAWSError) as caught:
        cloud.verdict(kind)
    assert sentence(caught.value).startswith(f"Failed to find {kind} name and read its tags: An error occurred (ThrottlingException)")


def _led(kind, parameters):
    """A cluster leads by the name that the item is within, the others by their own."""
    return {key: ["w"] if value == ["name"] else value for key, value in parameters.items()} if kind == "ecs_task_family" else parameters


@pytest.mark.parametrize("verdict", TAGS)
@pytest.mark.parametrize("kind", LEADS)
def test_without_tags_it_has_the_owner_of_what_it_follows(cloud, kind, verdict):
    leading = list(LEADS[kind](TAGS[verdict]))
    leading[0] = (*leading[0][:2], _led(kind, leading[0][2]))
    cloud.expect(tagged.TYPES[kind].service, [*CALLS[kind]({}), *leading])
    assert cloud.verdict(kind) is verdict


@pytest.mark.parametrize("code", ["AccessDenied", "PermanentRedirect"])
def test_a_bucket_that_another_account_has(cloud, code):
    cloud.expect("s3", [("get_bucket_tagging", code, {"Bucket": "name"})])
    assert cloud.verdict("s3_bucket") is Verdict.UNREADABLE


def test_a_bucket_without_any_tag(cloud):
    cloud.expect("s3", [("get_bucket_tagging", "NoSuchTagSet", {"Bucket": "name"})])
    assert cloud.verdict("s3_bucket") is Verdict.UNTAGGED


def test_a_security_group_in_a_vpc_that_has_an_id(cloud):
    cloud.expect("ec2", list(security_group(TAGS[Verdict.OURS]))[1:])
    assert cloud.verdict("security_group", within="vpc-1") is Verdict.OURS


def test_two_vpcs_of_one_name_are_not_ours_when_one_is_not(cloud):
    (_operation, _answer, parameters) = next(vpc({}))
    both = [{"VpcId": f"vpc-{number}", "Tags": listed(TAGS[one])} for number, one in enumerate((Verdict.OURS, Verdict.OTHER_ENVIRONMENT))]
    cloud.expect("ec2", [("describe_vpcs", {"Vpcs": both}, parameters)])
    assert cloud.verdict("vpc") is Verdict.OTHER_ENVIRONMENT


def test_answers_keep_their_order_and_a_service_has_one_client_per_region(cloud):
    wanted = [{"type": "ssm_parameter", "name": f"/name{number}"} for number in range(20)]
    client = type(
        "Client", (), {"list_tags_for_resource": lambda self, ResourceId, **_: {"TagList": [{"Key": "Name", "Value": ResourceId}]}}
    )()
    made = []
    found = tagged.find_all(lambda *asked: made.append(asked) or client, [*wanted, {**wanted[0], "region": "us-east-1"}])
    assert [one[0].tags["Name"] for one in found] == [item["name"] for item in wanted] + ["/name0"]
    assert made == [("ssm", None), ("ssm", "us-east-1")]


def test_a_description_carries_the_owner():
    tags = {"bluegreen:system": "shop", "bluegreen:environment": "dev", "Name": "name"}
    assert tagged.mark(tags) == "bluegreen:system=shop bluegreen:environment=dev"
    assert tagged.marked(f"Signs requests to a bucket [{tagged.mark(tags)}]") == TAGS[Verdict.OURS]
    assert tagged.marked("Signs requests to a bucket") == tagged.marked(None) == {}
