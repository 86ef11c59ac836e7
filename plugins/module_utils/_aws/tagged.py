# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Finds a resource of any type that a role makes by its name, with its tags; one function per type; decides nothing.

What is not in TYPES has its owner from what it belongs to: a listener and its rules from the load balancer, a scaling policy and a
lifecycle hook from their group, a scalable target from the service, an inline policy from the role, a policy or a lifecycle rule from
the bucket, an image from the repository, a subnet and an internet gateway from the VPC. NAT gateways, gateway endpoints, route tables and
instances are found by this environment's tags, never by name. A lock and a rollout's record have system and environment in their names.
"""

from __future__ import annotations

import concurrent.futures
import dataclasses
import re
from collections.abc import Callable

from .._ownership import owner_of
from .errors import attempt, error_code

try:
    from botocore.exceptions import ClientError
except ImportError:  # AnsibleAWSModule says so before anything here is called
    ClientError = ()

_MARK = re.compile(r"(bluegreen:[a-z]+)=([^ \])]+)")


@dataclasses.dataclass(frozen=True)
class Found:
    """One resource: its ARN or id, and its tags (None when AWS refuses to show them)."""

    arn: str
    tags: dict | None


@dataclasses.dataclass(frozen=True)
class Type:
    """How a type is called in a sentence, whose client finds it, and the type whose owner is its own while it has no tags."""

    label: str
    service: str
    find: Callable[..., list[Found]]
    follows: str = ""


def _absent_at(*codes):
    """Decorator of a finder: these error codes mean that there is none."""

    def decorate(function):
        def call(client, name, within):
            try:
                return function(client, name, within)
            except ClientError as exc:
                if error_code(exc) in codes:
                    return []
                raise

        return call

    return decorate


def _tags(items, key="Key", value="Value"):
    return {item[key]: item.get(value, "") for item in items or ()}


def mark(tags):
    """The owner's tags as a text, for the description of what cannot carry tags."""
    return " ".join(f"{key}={tags[key]}" for key in ("bluegreen:system", "bluegreen:environment") if key in tags)


def marked(text):
    """The tags that mark() wrote into a text."""
    return dict(_MARK.findall(text or ""))


@_absent_at("RepositoryNotFoundException")
def _ecr_repository(client, name, _within):
    arn = client.describe_repositories(repositoryNames=[name])["repositories"][0]["repositoryArn"]
    return [Found(arn, _tags(client.list_tags_for_resource(resourceArn=arn)["tags"]))]


@_absent_at("NoSuchBucket")
def _s3_bucket(client, name, _within):
    arn = f"arn:aws:s3:::{name}"
    try:
        return [Found(arn, _tags(client.get_bucket_tagging(Bucket=name)["TagSet"]))]
    except ClientError as exc:
        if error_code(exc) == "NoSuchTagSet":
            return [Found(arn, {})]
        # A bucket's name is unique in the world, so it may be one of another account.
        if error_code(exc) in ("AccessDenied", "AllAccessDisabled", "PermanentRedirect"):
            return [Found(arn, None)]
        raise


def _elbv2_tags(client, arn):
    return _tags(client.describe_tags(ResourceArns=[arn])["TagDescriptions"][0]["Tags"])


@_absent_at("LoadBalancerNotFound", "LoadBalancerNotFoundException")
def _load_balancer(client, name, _within):
    arn = client.describe_load_balancers(Names=[name])["LoadBalancers"][0]["LoadBalancerArn"]
    return [Found(arn, _elbv2_tags(client, arn))]


@_absent_at("TargetGroupNotFound", "TargetGroupNotFoundException")
def _target_group(client, name, _within):
    arn = client.describe_target_groups(Names=[name])["TargetGroups"][0]["TargetGroupArn"]
    return [Found(arn, _elbv2_tags(client, arn))]


def _tag_list(client, arn):
    return _tags(client.list_tags_for_resource(ResourceName=arn)["TagList"])


@_absent_at("DBInstanceNotFound", "DBInstanceNotFoundFault")
def _rds_instance(client, name, _within):
    arn = client.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]["DBInstanceArn"]
    return [Found(arn, _tag_list(client, arn))]


@_absent_at("DBSubnetGroupNotFoundFault", "DBSubnetGroupNotFound")
def _rds_subnet_group(client, name, _within):
    arn = client.describe_db_subnet_groups(DBSubnetGroupName=name)["DBSubnetGroups"][0]["DBSubnetGroupArn"]
    return [Found(arn, _tag_list(client, arn))]


@_absent_at("DBParameterGroupNotFound", "DBParameterGroupNotFoundFault")
def _rds_parameter_group(client, name, _within):
    arn = client.describe_db_parameter_groups(DBParameterGroupName=name)["DBParameterGroups"][0]["DBParameterGroupArn"]
    return [Found(arn, _tag_list(client, arn))]


@_absent_at("ReplicationGroupNotFoundFault", "ReplicationGroupNotFound")
def _elasticache_replication_group(client, name, _within):
    arn = client.describe_replication_groups(ReplicationGroupId=name)["ReplicationGroups"][0]["ARN"]
    return [Found(arn, _tag_list(client, arn))]


@_absent_at("CacheSubnetGroupNotFoundFault", "CacheSubnetGroupNotFound")
def _elasticache_subnet_group(client, name, _within):
    arn = client.describe_cache_subnet_groups(CacheSubnetGroupName=name)["CacheSubnetGroups"][0]["ARN"]
    return [Found(arn, _tag_list(client, arn))]


def _autoscaling_group(client, name, _within):
    groups = client.describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"]
    return [Found(group["AutoScalingGroupARN"], _tags(group.get("Tags"))) for group in groups]


@_absent_at("InvalidLaunchTemplateName.NotFoundException", "InvalidLaunchTemplateName.NotFound")
def _launch_template(client, name, _within):
    templates = client.describe_launch_templates(LaunchTemplateNames=[name])["LaunchTemplates"]
    return [Found(one["LaunchTemplateId"], _tags(one.get("Tags"))) for one in templates]


def _ecs_cluster(client, name, _within):
    clusters = client.describe_clusters(clusters=[name], include=["TAGS"])["clusters"]
    return [Found(one["clusterArn"], _tags(one.get("tags"), "key", "value")) for one in clusters if one["status"] != "INACTIVE"]


@_absent_at("ClusterNotFoundException")
def _ecs_service(client, name, within):
    services = client.describe_services(cluster=within, services=[name], include=["TAGS"])["services"]
    return [Found(one["serviceArn"], _tags(one.get("tags"), "key", "value")) for one in services if one["status"] != "INACTIVE"]


@_absent_at("ClientException")
def _ecs_task_family(client, name, _within):
    answer = client.describe_task_definition(taskDefinition=name, include=["TAGS"])
    newest = answer["taskDefinition"]
    return [Found(newest["taskDefinitionArn"], _tags(answer.get("tags"), "key", "value"))] if newest.get("status") != "INACTIVE" else []


@_absent_at("NoSuchEntity", "NoSuchEntityException")
def _iam_role(client, name, _within):
    role = client.get_role(RoleName=name)["Role"]
    return [Found(role["Arn"], _tags(role.get("Tags")))]


@_absent_at("NoSuchEntity", "NoSuchEntityException")
def _iam_instance_profile(client, name, _within):
    profile = client.get_instance_profile(InstanceProfileName=name)["InstanceProfile"]
    return [Found(profile["Arn"], _tags(profile.get("Tags")))]


def _log_group(client, name, _within):
    pages = client.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=name)
    arns = [group["arn"].removesuffix(":*") for page in pages for group in page["logGroups"] if group["logGroupName"] == name]
    return [Found(arn, client.list_tags_for_resource(resourceArn=arn).get("tags", {})) for arn in arns]


@_absent_at("ResourceNotFoundException")
def _dynamodb_table(client, name, _within):
    arn = client.describe_table(TableName=name)["Table"]["TableArn"]
    pages = client.get_paginator("list_tags_of_resource").paginate(ResourceArn=arn)
    return [Found(arn, _tags([tag for page in pages for tag in page["Tags"]]))]


@_absent_at("DashboardNotFoundError", "ResourceNotFound")
def _cloudwatch_dashboard(client, name, _within):
    arn = client.get_dashboard(DashboardName=name)["DashboardArn"]
    return [Found(arn, _tags(client.list_tags_for_resource(ResourceARN=arn)["Tags"]))]


def _cloudfront_distribution(client, name, _within):
    pages = client.get_paginator("list_distributions").paginate()
    arns = [one["ARN"] for page in pages for one in page["DistributionList"].get("Items", []) if one["Comment"] == name]
    return [Found(arn, _tags(client.list_tags_for_resource(Resource=arn)["Tags"]["Items"])) for arn in arns]


def _cloudfront_origin_access_control(client, name, _within):
    """It cannot carry tags; its description carries mark()."""
    found, marker = [], {}
    while True:
        page = client.list_origin_access_controls(**marker)["OriginAccessControlList"]
        found += [Found(one["Id"], marked(one.get("Description"))) for one in page.get("Items", []) if one["Name"] == name]
        if not page.get("IsTruncated") or not page.get("NextMarker"):
            return found
        marker = {"Marker": page["NextMarker"]}


def _wafv2_web_acl(client, name, _within):
    found, marker = [], {}
    while True:
        page = client.list_web_acls(Scope="REGIONAL", **marker)
        for arn in [one["ARN"] for one in page["WebACLs"] if one["Name"] == name]:
            found.append(Found(arn, _tags(client.list_tags_for_resource(ResourceARN=arn)["TagInfoForResource"]["TagList"])))
        if not page.get("NextMarker") or not page["WebACLs"]:
            return found
        marker = {"NextMarker": page["NextMarker"]}


def _acm_certificate(client, name, within):
    """By its Name tag among the certificates for the domain ``within``."""
    pages = client.get_paginator("list_certificates").paginate(CertificateStatuses=["PENDING_VALIDATION", "ISSUED"])
    arns = [one["CertificateArn"] for page in pages for one in page["CertificateSummaryList"] if one["DomainName"] == within]
    found = [Found(arn, _tags(client.list_tags_for_certificate(CertificateArn=arn)["Tags"])) for arn in arns]
    return [one for one in found if (one.tags or {}).get("Name") == name]


@_absent_at("InvalidResourceId")
def _ssm_parameter(client, name, _within):
    answer = client.list_tags_for_resource(ResourceType="Parameter", ResourceId=name)
    return [Found(name, _tags(answer["TagList"]))]


def _vpcs(client, name):
    pages = client.get_paginator("describe_vpcs").paginate(Filters=[{"Name": "tag:Name", "Values": [name]}])
    return [Found(one["VpcId"], _tags(one.get("Tags"))) for page in pages for one in page["Vpcs"]]


def _vpc(client, name, _within):
    return _vpcs(client, name)


def _security_group(client, name, within):
    """In the VPC ``within``, which is an id or a Name tag."""
    ids = [within] if within.startswith("vpc-") else [one.arn for one in _vpcs(client, within)]
    if not ids:
        return []
    asked = [{"Name": "group-name", "Values": [name]}, {"Name": "vpc-id", "Values": ids}]
    pages = client.get_paginator("describe_security_groups").paginate(Filters=asked)
    return [Found(one["GroupId"], _tags(one.get("Tags"))) for page in pages for one in page["SecurityGroups"]]


TYPES = {
    "acm_certificate": Type("Certificate", "acm", _acm_certificate),
    "autoscaling_group": Type("Auto Scaling group", "autoscaling", _autoscaling_group),
    "cloudfront_distribution": Type("Distribution", "cloudfront", _cloudfront_distribution),
    "cloudfront_origin_access_control": Type(
        "Origin access control", "cloudfront", _cloudfront_origin_access_control, follows="cloudfront_distribution"
    ),
    "cloudwatch_dashboard": Type("Dashboard", "cloudwatch", _cloudwatch_dashboard),
    "dynamodb_table": Type("Table", "dynamodb", _dynamodb_table),
    "ecr_repository": Type("Repository", "ecr", _ecr_repository),
    "ecs_cluster": Type("ECS cluster", "ecs", _ecs_cluster),
    "ecs_service": Type("ECS service", "ecs", _ecs_service),
    "ecs_task_family": Type("Family of task definitions", "ecs", _ecs_task_family, follows="ecs_cluster"),
    "elasticache_replication_group": Type("Replication group", "elasticache", _elasticache_replication_group),
    "elasticache_subnet_group": Type(
        "Cache subnet group", "elasticache", _elasticache_subnet_group, follows="elasticache_replication_group"
    ),
    "iam_instance_profile": Type("Instance profile", "iam", _iam_instance_profile),
    "iam_role": Type("IAM role", "iam", _iam_role),
    "launch_template": Type("Launch template", "ec2", _launch_template),
    "load_balancer": Type("Load balancer", "elbv2", _load_balancer),
    "log_group": Type("Log group", "logs", _log_group),
    "rds_instance": Type("DB instance", "rds", _rds_instance),
    "rds_parameter_group": Type("DB parameter group", "rds", _rds_parameter_group),
    "rds_subnet_group": Type("DB subnet group", "rds", _rds_subnet_group),
    "s3_bucket": Type("Bucket", "s3", _s3_bucket),
    "security_group": Type("Security group", "ec2", _security_group),
    "ssm_parameter": Type("Parameter", "ssm", _ssm_parameter),
    "target_group": Type("Target group", "elbv2", _target_group),
    "vpc": Type("VPC", "ec2", _vpc),
    "wafv2_web_acl": Type("Web ACL", "wafv2", _wafv2_web_acl),
}


@attempt("find {kind} {name} and read its tags")
def find(client, kind, name, within=""):
    """Every resource of the type that has the name; AWS's refusal is an error that names the call."""
    return TYPES[kind].find(client, name, within)


def find_all(make_client, items):
    """For each item {"type", "name", "within", "region"} what find() gives, several at once.

    A resource whose tags name no owner and whose type follows another has the tags of that one.
    ``make_client(service, region)`` makes a client.
    """
    clients = {}
    for item in items:
        kind, region = TYPES[item["type"]], item.get("region")
        if (kind.service, region) not in clients:
            clients[kind.service, region] = make_client(kind.service, region)

    def look(item):
        kind = TYPES[item["type"]]
        client = clients[kind.service, item.get("region")]
        found = find(client, item["type"], item["name"], item.get("within", ""))
        if not kind.follows or not any(owner_of(one.tags) is None for one in found):
            return found
        leading = find(client, kind.follows, item.get("within") or item["name"])
        tags = leading[0].tags if len(leading) == 1 else {}
        return [one if owner_of(one.tags) else dataclasses.replace(one, tags=tags) for one in found]

    with concurrent.futures.ThreadPoolExecutor(max_workers=8) as pool:
        return list(pool.map(look, items))


@attempt("read the account (sts:GetCallerIdentity)")
def account(client):
    """Twelve digits."""
    return client.get_caller_identity()["Account"]
