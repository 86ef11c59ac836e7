# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every name inside MiniStack and moto that this project relies on, with what breaks when it moves; checked at start."""

from __future__ import annotations

import importlib
import importlib.metadata

from ..errors import LocalCloudError

PINS = {"ministack": "1.5.33", "moto": "5.2.5"}

NAMES: dict[str, str] = {
    "ministack.app:app": "the ASGI application that everything is mounted on",
    "ministack.app:SERVICE_HANDLERS": "replacing whole services by ours",
    "ministack.app:_get_module": "reaching a service of MiniStack that one of ours wraps",
    "ministack.core.router:_KNOWN_AWS_SERVICE_NAMES": "answering requests to services that nobody provides, at no cost",
    "ministack.core.router:detect_service": "routing of requests to services by name",
    "ministack.core.router:extract_region": "the region of a request",
    "ministack.core.container_reaper:instance_id": "finding the containers that MiniStack started for this cloud",
    "ministack.services.iam:_instance_profiles": "instance profiles of EC2 instances",
    "ministack.services.iam:_roles": "the role of an instance profile",
    "ministack.services.iam:_lookup_instance_profile": "instance profiles of EC2 instances by name and ARN",
    "ministack.services.sts:handle_request": "credentials of an instance's role",
    "ministack.services.ssm:_PUBLIC_AMI_PARAMETERS": "public parameters that name machine images",
    "ministack.core.iam_evaluator:_gather_role_policies": "what an instance's role lets its agent do",
    "ministack.core.responses:get_account_id": "the account of a request",
    "ministack.core.responses:get_region": "the region of a request",
    "ministack.core.responses:request_scope": "asking IAM on behalf of an instance",
    "ministack.services.acm:_certificates": "certificates of HTTPS listeners with their keys",
    "ministack.services.s3:_buckets": "buckets for access logs",
    "ministack.services.s3:_bucket_policies": "whether access logs may be written to a bucket",
    "ministack.services.kms:_resolve_key": "the key of a SecureString parameter",
    "ministack.services.ssm:handle_request": "Parameter Store",
    "ministack.services.ssm:_apply_filter": "filters of DescribeParameters",
    "ministack.services.ssm:_lookup_parameter": "tags of parameters",
    "ministack.services.ssm:_parameters": "parameters and their policies",
    "ministack.services.ssm:_tags": "filters by tag in DescribeParameters",
    "ministack.services.tagging:_COLLECTORS": "EC2's, ECR's, ElastiCache's and RDS's tags in the tagging API",
    "ministack.services.tagging:_WRITERS": "tagging EC2 resources through the tagging API",
    "ministack.services.tagging:_REMOVERS": "removing tags through the tagging API",
    "ministack.services.tagging:_ResourceNotFound": "tagging a resource that does not exist",
    "ministack.services.cloudwatch:_alarms": "evaluating alarms",
    "ministack.services.cloudwatch:_calc_stats": "evaluating alarms",
    "ministack.services.cloudwatch:_composite_alarms": "alarms that an instance refresh watches",
    "ministack.services.cloudwatch:_dims_from_list": "evaluating alarms by their dimensions",
    "ministack.services.cloudwatch:_dims_key": "evaluating alarms by their dimensions",
    "ministack.services.cloudwatch:_dispatch_alarm_actions": "alarms that execute scaling policies",
    "ministack.services.cloudwatch:_evaluate_alarm": "evaluating alarms by their dimensions and periods",
    "ministack.services.cloudwatch:_evaluate_parent_alarms": "composite alarms of alarms that changed",
    "ministack.services.cloudwatch:_metrics": "evaluating alarms",
    "ministack.services.cloudwatch:_record_history": "the history of alarms",
    "ministack.services.cloudwatch:_stat_value": "evaluating alarms",
    "ministack.services.dynamodb:_compare_ddb": "comparing keys as DynamoDB does",
    "ministack.services.dynamodb:_evaluate_condition": "reading the key condition of a query once",
    "ministack.services.eventbridge:_put_events": "events of services of ours",
    "ministack.services.sns:_fanout": "notifications of Auto Scaling",
    "ministack.core.responses:set_request_account_id": "anonymous requests to S3",
    "ministack.services.s3:_apply_bucket_scope": "anonymous requests to S3",
    "ministack.services.s3:_request_access_key": "telling anonymous requests to S3 from others",
    "ministack.services.s3:_bucket_owner_account": "anonymous requests to S3",
    "ministack.services.s3:_foreign_bucket_allows": "what an anonymous request to S3 may do",
    "ministack.services.s3:_error": "refusing anonymous requests to S3",
    "ministack.services.route53:_lock": "reading hosted zones",
    "ministack.services.route53:_zones": "reading hosted zones",
    "ministack.services.route53:_records": "names of hosted zones that resolve",
    "ministack.services.cloudfront:_cloudfront_domain": "domain names of distributions",
    "ministack.services.cloudfront:_distributions": "distributions",
    "ministack.services.cloudfront:_tags": "tags of distributions go with them",
    "ministack.services.cloudfront:_dist_config_el": "reading distributions",
    "ministack.services.cloudfront:_find": "reading distributions",
    "ministack.services.cloudfront:_text": "reading distributions",
    "ministack.services.cloudfront:_get_enabled": "reading distributions",
    "ministack.services.cloudfront:_get_distribution_aliases": "aliases of distributions",
    "ministack.services.cloudfront:_match_behavior": "WebSocket connections through distributions",
    "ministack.services.cloudfront:_forwarding_predicates": "WebSocket connections through distributions",
    "ministack.services.cloudfront:_origin_connect_target": "WebSocket connections through distributions",
    "ministack.services.cloudfront:handle_viewer_request": "requests to distributions",
    "ministack.services.cloudfront:parse_distribution_dataplane_config": "WebSocket connections through distributions",
    "moto.core.request:Request.from_primitives": "mounting moto's services in this process",
    "moto.core.responses:BaseResponse.dispatch": "mounting moto's services in this process",
    "moto.ec2.models:ec2_backends": "the state of EC2",
    "moto.ec2.models:EC2Backend.describe_launch_templates": "launch templates of Auto Scaling groups",
    "moto.ec2.responses:EC2Response": "EC2's control plane",
    "moto.ec2.utils:EC2_PREFIX_TO_RESOURCE": "AWS's names of resource types in tags",
    "moto.ec2.models.launch_templates:LaunchTemplate.create_version": "user data of a launch template's later versions",
    "moto.ec2.models.launch_templates:LaunchTemplateBackend.create_launch_template": "tags of launch templates",
    "moto.ec2.responses.launch_templates:LaunchTemplates.create_launch_template_version": "versions made from other versions",
    "moto.ec2.models.instances:Instance": "giving instances a life cycle with containers",
    "moto.ec2.models.instances:Instance.prep_nics": "addresses of instances",
    "moto.ec2.models.instances:Instance.start": "the life cycle of instances",
    "moto.ec2.models.instances:Instance.stop": "the life cycle of instances",
    "moto.ec2.models.instances:Instance.terminate": "the life cycle of instances",
    "moto.ec2.models.instances:Instance.reboot": "the life cycle of instances",
    "moto.ec2.models.instances:MetadataOptions": "metadata options of instances",
    "moto.ec2.models.instances:InstanceBackend.modify_instance_metadata_options": "metadata options of instances",
    "moto.ec2.models.instances:InstanceState": "states of instances",
    "moto.ec2.models.instances:StateReason": "why an instance is in its state",
    "moto.ec2.models.subnets:Subnet.request_ip": "addresses that a caller asks for",
    "moto.ec2.models.subnets:Subnet.get_available_subnet_ip": "addresses of instances",
    "moto.ec2.models.subnets:Subnet.del_subnet_ip": "addresses of instances",
    "moto.ec2.models.elastic_network_interfaces:random_public_ip": "public addresses of instances",
    "moto.ec2.models.elastic_network_interfaces:random_private_ip": "private addresses of network interfaces",
    "moto.ec2.models.elastic_network_interfaces:NetworkInterface": "interfaces that services hold in a VPC",
    "moto.ec2.models.elastic_network_interfaces:NetworkInterfaceBackend.create_network_interface": "interfaces that services hold in a VPC",
    "moto.ec2.models.nat_gateways:NatGatewayBackend.create_nat_gateway": "NAT gateways that are pending for a while",
    "moto.ec2.models.nat_gateways:NatGatewayBackend.describe_nat_gateways": "NAT gateways that are pending for a while",
    "moto.ec2.models.security_groups:SecurityGroupRule.cidr_ipv4": "who may reach guarded addresses",
    "moto.ec2.models.elastic_ip_addresses:random_ip": "elastic addresses",
    "moto.ec2.models.iam_instance_profile:filter_iam_instance_profiles": "instance profiles when they are associated",
    "moto.ec2.responses.instances:filter_iam_instance_profiles": "instance profiles at RunInstances",
    "moto.ec2.models:EC2Backend.disassociate_address": "elastic addresses of terminated instances",
}
"""`module:attribute.path` → what it is used for."""


def missing() -> list[str]:
    """A sentence for each name that is not there, and for each package of another version."""
    found = []
    for package, version in PINS.items():
        installed = importlib.metadata.version(package)
        if installed != version:
            found.append(f"{package} {installed} is installed, {version} is needed")
    for name, purpose in NAMES.items():
        module_name, _, path = name.partition(":")
        try:
            value: object = importlib.import_module(module_name)
            for part in path.split("."):
                value = getattr(value, part)
        except (ImportError, AttributeError):
            found.append(f"{name} does not exist; it is needed for: {purpose}")
    return found


def check() -> None:
    """Raise LocalCloudError when something is missing."""
    problems = missing()
    if problems:
        raise LocalCloudError(
            f"Failed to start on the installed MiniStack and moto: {'; '.join(problems)}. "
            "Install the versions of localcloud/requirements.txt."
        )
