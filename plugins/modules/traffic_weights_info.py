#!/usr/bin/python
# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: traffic_weights_info
short_description: Which target groups get how much traffic, and which one is live
version_added: 0.1.0
description:
  - Reads the weights of a listener of an Application Load Balancer, or of one of its rules, and the health of the groups behind it.
author:
  - bluegreen.aws maintainers (@bluegreen-aws)
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - bluegreen.aws.attributes
  - bluegreen.aws.listener
attributes:
  check_mode:
    support: full
  diff_mode:
    support: N/A
  idempotent:
    support: full
seealso:
  - module: bluegreen.aws.traffic_weights
"""

EXAMPLES = r"""
- name: Who is live?
  bluegreen.aws.traffic_weights_info:
    load_balancer: chat-dev
  register: traffic
"""

RETURN = r"""
traffic_weights:
  description: What is in force.
  returned: success
  type: dict
  contains:
    weights:
      description: Percentages by name of the target group.
      type: dict
      sample: {"chat-dev-blue": 90, "chat-dev-green": 10}
    live:
      description: The group with most of the traffic; empty when no group gets any.
      type: str
      sample: chat-dev-blue
    targets:
      description: Healthy and all targets of each group.
      type: dict
      sample: {"chat-dev-blue": {"healthy": 1, "total": 1}}
    dns_name:
      description: Name of the load balancer.
      type: str
      sample: chat-dev-1234567890.ap-northeast-2.elb.amazonaws.com
    listener_arn:
      description: ARN of the listener.
      type: str
      sample: arn:aws:elasticloadbalancing:ap-northeast-2:123456789012:listener/app/chat-dev/50dc6c495c0c9188/f2f7dc8efc522ab2
"""

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.bluegreen.aws.plugins.module_utils import _traffic as traffic
from ansible_collections.bluegreen.aws.plugins.module_utils._aws import elbv2
from ansible_collections.bluegreen.aws.plugins.module_utils._aws.client import make_client
from ansible_collections.bluegreen.aws.plugins.module_utils._aws.errors import BluegreenAWSError, fail
from ansible_collections.bluegreen.aws.plugins.module_utils._aws.weights import Weights


def run(module):
    params = module.params
    client = make_client(module, "elbv2")
    place = elbv2.find(client, params["load_balancer"], params["listener_port"], params["rule_priority"])
    weights = Weights(client, place)
    found = weights.read()
    targets = {name: weights.healthy(name) for name in found}
    return {
        "weights": found,
        "live": max(found, key=found.get) if any(found.values()) else "",
        "targets": {name: {"healthy": state[0], "total": state[1]} for name, state in targets.items()},
        "dns_name": place.dns_name,
        "listener_arn": place.listener_arn,
    }


def main():
    spec = {
        "load_balancer": {"type": "str", "required": True},
        "listener_port": {"type": "int", "default": 80},
        "rule_priority": {"type": "int"},
    }
    module = AnsibleAWSModule(argument_spec=spec, supports_check_mode=True)
    try:
        found = run(module)
    except traffic.TrafficError as exc:
        module.fail_json(msg=str(exc))
    except BluegreenAWSError as exc:
        fail(module, exc)
    module.exit_json(changed=False, traffic_weights=found)


if __name__ == "__main__":
    main()
