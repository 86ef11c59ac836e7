#!/usr/bin/python
# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: resource_owner_info
short_description: Tell whose the resources with given names are
version_added: 0.1.0
description:
  - Looks resources of any type up by their names and answers from the tags C(bluegreen:system) and C(bluegreen:environment) whether they
    are this environment's, another environment's, another system's, or without an owner.
  - Every role asks it before it changes or removes anything, and changes and removes only what is this environment's or does not exist.
author:
  - bluegreen.aws maintainers (@bluegreen-aws)
options:
  resources:
    description: The resources.
    type: list
    elements: dict
    required: true
    suboptions:
      type:
        description:
          - Its type.
          - An V(cloudfront_origin_access_control) has its owner in its description, since it cannot carry tags.
          - One of these that has no owner has that of another resource of the same name. An V(elasticache_subnet_group) follows the
            V(elasticache_replication_group), a V(cloudfront_origin_access_control) the V(cloudfront_distribution), and an
            V(ecs_task_family) the V(ecs_cluster) O(resources[].within).
        type: str
        required: true
        choices:
          - acm_certificate
          - autoscaling_group
          - cloudfront_distribution
          - cloudfront_origin_access_control
          - cloudwatch_dashboard
          - dynamodb_table
          - ecr_repository
          - ecs_cluster
          - ecs_service
          - ecs_task_family
          - elasticache_replication_group
          - elasticache_subnet_group
          - iam_instance_profile
          - iam_role
          - launch_template
          - load_balancer
          - log_group
          - rds_instance
          - rds_parameter_group
          - rds_subnet_group
          - s3_bucket
          - security_group
          - ssm_parameter
          - target_group
          - vpc
          - wafv2_web_acl
      name:
        description:
          - Its name. A VPC and a certificate have theirs in the tag C(Name), a distribution in its comment.
          - C({account}) in it stands for the account's number.
        type: str
        required: true
      within:
        description:
          - The cluster of an V(ecs_service) or an V(ecs_task_family), the VPC of a V(security_group) by its id or its C(Name) tag, the
            domain of an V(acm_certificate).
        type: str
        default: ""
      region:
        description: Its region, where that is not O(region).
        type: str
      existing:
        description: It is somebody's who said that it may be used. It must exist, whosever it is. Not given, O(existing) says so.
        type: bool
      variable:
        description: Variable that has the name, for the sentence.
        type: str
        default: ""
  tags:
    description: Tags of this environment's resources; C(bluegreen:system) and C(bluegreen:environment) are compared.
    type: dict
    required: true
  existing:
    description:
      - What is used as it is, a boolean for all of O(resources) or for none, or a list of types, of names, or of C(type/name).
    type: raw
    default: false
  existing_variable:
    description: Variable that O(existing) comes from, for the sentence.
    type: str
    default: ""
  adopt:
    description:
      - Resources without an owner, as C(type/name), that count as this environment's. What carries another owner's tags is never adopted.
    type: list
    elements: str
    default: []
  foreign:
    description:
      - What happens when there is a sentence. V(fail) ends the run, V(warn) shows each, V(report) only returns them.
    type: str
    choices: [fail, warn, report]
    default: report
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - bluegreen.aws.attributes
attributes:
  check_mode:
    support: full
    details: Changes nothing in any mode.
  diff_mode:
    support: N/A
  idempotent:
    support: full
notes:
  - Needs the permissions to describe the resources and to list their tags, such as C(ecr:DescribeRepositories) and
    C(ecr:ListTagsForResource).
seealso:
  - module: bluegreen.aws.resource_tags
"""

EXAMPLES = r"""
- name: Nothing of these names is another environment's
  bluegreen.aws.resource_owner_info:
    resources:
      - {type: ecr_repository, name: popcon-dev, variable: registry_repositories}
      - {type: s3_bucket, name: "popcon-dev-logs-{account}"}
    tags:
      "bluegreen:system": popcon
      "bluegreen:environment": dev
    existing_variable: registry_existing
    foreign: fail

- name: What of these is ours to remove
  bluegreen.aws.resource_owner_info:
    resources:
      - {type: dynamodb_table, name: chat-dev-messages}
      - {type: dynamodb_table, name: chat-shared}
    tags:
      "bluegreen:system": chat
      "bluegreen:environment": dev
    existing: [dynamodb_table/chat-shared]
    foreign: warn
  register: owners

- name: Remove it
  community.aws.dynamodb_table:
    name: "{{ item }}"
    state: absent
  loop: "{{ owners.ours.dynamodb_table }}"
"""

RETURN = r"""
resources:
  description: The answer on each resource, in the order of O(resources).
  returned: success
  type: list
  elements: dict
  contains:
    type:
      description: Type.
      type: str
      sample: ecr_repository
    name:
      description: Name.
      type: str
      sample: popcon-dev
    existing:
      description: Whether it is declared as existing.
      type: bool
      sample: false
    verdict:
      description:
        - V(absent), V(ours), V(other_environment), V(other_system), V(untagged), or V(unreadable) when AWS does not show its tags.
        - When several resources have the name, the last of V(ours), V(untagged), V(unreadable), V(other_environment), V(other_system)
          that is one's.
      type: str
      sample: other_environment
    owner:
      description: System and environment of its tags. Empty when it has none.
      type: str
      sample: popcon-prod
    arns:
      description: ARNs, or ids where there is no ARN.
      type: list
      elements: str
      sample: ["arn:aws:ecr:ap-northeast-2:123456789012:repository/popcon-dev"]
    sentence:
      description: What speaks against changing or removing it, and what to do. Empty when nothing does.
      type: str
      sample: >-
        Repository popcon-dev belongs to popcon-prod and this run is for popcon-dev, so it is left as it is; choose another name in
        registry_repositories, or use it as it is with registry_existing: [ecr_repository/popcon-dev].
ours:
  description: Names of those that exist, are this environment's and not declared as existing, by type. Every type of O(resources) is there.
  returned: success
  type: dict
  sample: {"ecr_repository": ["popcon-dev"], "s3_bucket": []}
sentences:
  description: The sentences that are not empty.
  returned: success
  type: list
  elements: str
  sample: []
"""

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.bluegreen.aws.plugins.module_utils import _ownership as ownership
from ansible_collections.bluegreen.aws.plugins.module_utils._aws import tagged as api
from ansible_collections.bluegreen.aws.plugins.module_utils._aws.client import make_client
from ansible_collections.bluegreen.aws.plugins.module_utils._aws.errors import BluegreenAWSError, fail


def argument_spec():
    resource = {
        "type": {"type": "str", "required": True, "choices": sorted(api.TYPES)},
        "name": {"type": "str", "required": True},
        "within": {"type": "str", "default": ""},
        "region": {"type": "str"},
        "existing": {"type": "bool"},
        "variable": {"type": "str", "default": ""},
    }
    return {
        "resources": {"type": "list", "elements": "dict", "required": True, "options": resource},
        "tags": {"type": "dict", "required": True},
        "existing": {"type": "raw", "default": False},
        "existing_variable": {"type": "str", "default": ""},
        "adopt": {"type": "list", "elements": "str", "default": []},
        "foreign": {"type": "str", "choices": ["fail", "warn", "report"], "default": "report"},
    }


def named(module):
    """The resources, each with its full name and whether it is declared as existing."""
    items = module.params["resources"]
    account = api.account(make_client(module, "sts")) if any("{account}" in item["name"] for item in items) else ""
    for item in items:
        name = item["name"].replace("{account}", account)
        declared = item["existing"]
        if declared is None:
            declared = ownership.is_existing(module.params["existing"], item["type"], name)
        yield {**item, "name": name, "existing": declared}


def run(module):
    params = module.params
    owner = ownership.wanted_owner(params["tags"])
    items = list(named(module))
    found = api.find_all(lambda service, region: make_client(module, service, region), items)
    answers = []
    for item, resources in zip(items, found, strict=True):
        asked = ownership.Asked(item["type"], api.TYPES[item["type"]].label, item["name"], item["existing"], item["variable"])
        tags = [resource.tags for resource in resources]
        answers.append(ownership.answer(asked, tags, owner, adopted=params["adopt"], existing_variable=params["existing_variable"]))
    ours = {item["type"]: [] for item in items}
    for one in answers:
        if one.verdict is ownership.Verdict.OURS and not one.asked.existing:
            ours[one.asked.type].append(one.asked.name)
    shown = [
        {**ownership.shown(one), "arns": [resource.arn for resource in resources]} for one, resources in zip(answers, found, strict=True)
    ]
    return {"changed": False, "resources": shown, "ours": ours, "sentences": [one.sentence for one in answers if one.sentence]}


def main():
    module = AnsibleAWSModule(argument_spec=argument_spec(), supports_check_mode=True)
    try:
        result = run(module)
    except ownership.OwnershipError as exc:
        module.fail_json(msg=str(exc))
    except BluegreenAWSError as exc:
        fail(module, exc)
    if result["sentences"] and module.params["foreign"] == "fail":
        module.fail_json(msg=f"{' '.join(result['sentences'])} Nothing was changed.", **result)
    for sentence in result["sentences"] if module.params["foreign"] == "warn" else ():
        module.warn(sentence)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
