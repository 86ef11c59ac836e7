#!/usr/bin/python
# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: resource_tags
short_description: Tag any AWS resource by its ARN
version_added: 0.1.0
description:
  - Makes sure that resources carry tags, through the Resource Groups Tagging API.
  - For the resources whose own module cannot tag, such as P(community.aws.ecs_ecr#module).
  - Tags that are not named are left alone.
author:
  - bluegreen.aws maintainers (@bluegreen-aws)
options:
  arns:
    description: ARNs of the resources.
    type: list
    elements: str
    required: true
  tags:
    description: Tags they are to carry.
    type: dict
    required: true
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - bluegreen.aws.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
notes:
  - Needs C(tag:GetResources), C(tag:TagResources) and the service's own tagging permission, such as C(ecr:TagResource).
"""

EXAMPLES = r"""
- name: Say whose repository it is
  bluegreen.aws.resource_tags:
    arns:
      - arn:aws:ecr:ap-northeast-2:123456789012:repository/popcon
    tags:
      "bluegreen:system": popcon
"""

RETURN = r"""
resource_tags:
  description: All tags of each resource, by ARN. In check mode those it would have.
  returned: success
  type: dict
  sample: {"arn:aws:ecr:ap-northeast-2:123456789012:repository/popcon": {"bluegreen:system": "popcon"}}
"""

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.bluegreen.aws.plugins.module_utils._aws import tagging as api
from ansible_collections.bluegreen.aws.plugins.module_utils._aws.client import make_client
from ansible_collections.bluegreen.aws.plugins.module_utils._aws.errors import BluegreenAWSError, fail


def decide(before, tags):
    """(tags after, ARNs that lack one of them)."""
    after = {arn: {**have, **tags} for arn, have in before.items()}
    return after, [arn for arn in before if after[arn] != before[arn]]


def main():
    spec = {"arns": {"type": "list", "elements": "str", "required": True}, "tags": {"type": "dict", "required": True}}
    module = AnsibleAWSModule(argument_spec=spec, supports_check_mode=True)
    arns, tags = module.params["arns"], {key: str(value) for key, value in module.params["tags"].items()}
    try:
        client = make_client(module, "resourcegroupstaggingapi")
        before = api.get_tags(client, arns) if arns else {}
        after, lacking = decide(before, tags)
        if lacking and not module.check_mode:
            api.tag_resources(client, lacking, tags)
    except BluegreenAWSError as exc:
        fail(module, exc)
    module.exit_json(changed=bool(lacking), resource_tags=after, diff={"before": before, "after": after})


if __name__ == "__main__":
    main()
