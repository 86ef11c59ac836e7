#!/usr/bin/python
# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: scalable_target
short_description: What Application Auto Scaling may scale, and between which limits
version_added: 0.1.0
description:
  - Registers a resource with its limits, or removes it together with its policies and their alarms.
  - P(community.aws.application_autoscaling_policy#module) registers a target with its first policy, and never removes one.
author:
  - bluegreen.aws maintainers (@bluegreen-aws)
options:
  service_namespace:
    description: The service, such as V(ecs).
    type: str
    default: ecs
  resource_id:
    description: The resource, such as V(service/CLUSTER/SERVICE).
    type: str
    required: true
  scalable_dimension:
    description: What of it is scaled.
    type: str
    default: ecs:service:DesiredCount
  minimum:
    description: Lower limit. Needed for O(state=present).
    type: int
  maximum:
    description: Upper limit. Needed for O(state=present).
    type: int
  state:
    description: Whether it is to exist.
    type: str
    choices: [present, absent]
    default: present
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
  - Needs C(application-autoscaling:DescribeScalableTargets), C(application-autoscaling:RegisterScalableTarget) and
    C(application-autoscaling:DeregisterScalableTarget).
"""

EXAMPLES = r"""
- name: Nothing scales this service any more
  bluegreen.aws.scalable_target:
    resource_id: service/chat-dev/chat-dev-blue
    state: absent
"""

RETURN = r"""
scalable_target:
  description: The limits. Empty when there is no such target. In check mode what it would be.
  returned: success
  type: dict
  sample: {"minimum": 1, "maximum": 4}
"""

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.bluegreen.aws.plugins.module_utils._aws import scaling_targets as api
from ansible_collections.bluegreen.aws.plugins.module_utils._aws.client import make_client
from ansible_collections.bluegreen.aws.plugins.module_utils._aws.errors import BluegreenAWSError, fail


def apply(client, params, *, check):
    """(before, after): the limits, empty for no target."""
    name = (params["service_namespace"], params["resource_id"], params["scalable_dimension"])
    found = api.find(client, *name)
    before = {"minimum": found["MinCapacity"], "maximum": found["MaxCapacity"]} if found else {}
    after = {"minimum": params["minimum"], "maximum": params["maximum"]} if params["state"] == "present" else {}
    if before != after and not check:
        if after:
            api.register(client, *name, after["minimum"], after["maximum"])
        else:
            api.deregister(client, *name)
    return before, after


def main():
    spec = {
        "service_namespace": {"type": "str", "default": "ecs"},
        "resource_id": {"type": "str", "required": True},
        "scalable_dimension": {"type": "str", "default": "ecs:service:DesiredCount"},
        "minimum": {"type": "int"},
        "maximum": {"type": "int"},
        "state": {"type": "str", "default": "present", "choices": ["present", "absent"]},
    }
    module = AnsibleAWSModule(argument_spec=spec, required_if=[("state", "present", ["minimum", "maximum"])], supports_check_mode=True)
    try:
        before, after = apply(make_client(module, "application-autoscaling"), module.params, check=module.check_mode)
    except BluegreenAWSError as exc:
        fail(module, exc)
    module.exit_json(changed=before != after, scalable_target=after, diff={"before": before, "after": after})


if __name__ == "__main__":
    main()
