#!/usr/bin/python
# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: traffic_weights
short_description: Move traffic between target groups, and see that it moved
version_added: 0.1.0
description:
  - Sets the weights of target groups on a listener of an Application Load Balancer, or on one of its rules, by their names.
  - Waits first until every group that is to get traffic has a healthy target, reads the weights back, and on request
    asks through the load balancer until the answers show the split.
  - Knows target groups and not what is behind them, so that it serves ECS services, Auto Scaling groups and single instances.
  - Everything else on the listener (authentication, stickiness, certificates) stays as it is.
author:
  - bluegreen.aws maintainers (@bluegreen-aws)
options:
  weights:
    description:
      - "Percentages by name of the target group, such as V({blue: 90, green: 10}); they add up to 100."
      - A group that is on the listener and not named here gets V(0).
    type: dict
    required: true
  only_if_unset:
    description:
      - Leave the weights alone when the listener forwards to all of these groups already.
      - This is how provisioning gives the first weights and never moves live ones.
    type: bool
    default: false
  required_tags:
    description:
      - Tags that the load balancer must carry, for example the environment's.
      - Without them the task fails, so that the traffic of another environment's listener is not moved by mistake.
    type: dict
    default: {}
  wait_timeout:
    description: Seconds to wait for a healthy target in every group that gets traffic. V(0) looks once.
    type: int
    default: 60
  probe:
    description: Ask through the load balancer until the split is seen. Left out, the weights are read back only.
    type: dict
    suboptions:
      url:
        description: URL that goes through this listener. V({dns_name}) in it is replaced by the load balancer's name.
        type: str
        required: true
      header:
        description: Response header that says which colour answered.
        type: str
        default: X-App-Colour
      values:
        description: "Which group answers with which value of the header, such as V({blue: chat-dev-blue})."
        type: dict
        required: true
      count:
        description: How many answers are counted at a time.
        type: int
        default: 40
      timeout:
        description: Seconds until the split must have been seen.
        type: int
        default: 30
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
    support: full
  idempotent:
    support: full
notes:
  - >-
    Needs C(elasticloadbalancing:DescribeLoadBalancers), C(DescribeListeners), C(DescribeRules), C(DescribeTargetGroups),
    C(DescribeTargetHealth), C(DescribeTags), and C(ModifyListener) or C(ModifyRule).
  - AWS does not say how long a new weight takes to reach every node of a load balancer; O(probe) sees it from outside.
seealso:
  - module: bluegreen.aws.canary
  - module: bluegreen.aws.traffic_weights_info
"""

EXAMPLES = r"""
- name: Everything to blue, and see that green gets no requests any more
  bluegreen.aws.traffic_weights:
    load_balancer: chat-dev
    listener_port: 80
    weights:
      chat-dev-blue: 100
      chat-dev-green: 0
    probe:
      url: "http://{dns_name}/api/info"
      values:
        blue: chat-dev-blue
        green: chat-dev-green

- name: First weights of a new listener; live ones are never moved
  bluegreen.aws.traffic_weights:
    load_balancer: chat-dev
    weights:
      chat-dev-blue: 90
      chat-dev-green: 10
    only_if_unset: true
"""

RETURN = r"""
traffic_weights:
  description: What is in force after the task; in check mode, what would be.
  returned: success
  type: dict
  contains:
    weights:
      description: Percentages by name of the target group.
      type: dict
      sample: {"chat-dev-blue": 100, "chat-dev-green": 0}
    before:
      description: The same before the task.
      type: dict
      sample: {"chat-dev-blue": 50, "chat-dev-green": 50}
    delegated:
      description: Whether O(only_if_unset=true) left live weights alone.
      type: bool
      sample: false
    healthy:
      description: Healthy targets of each group that gets traffic.
      type: dict
      sample: {"chat-dev-blue": 1}
    set_ms:
      description: Milliseconds until the weights read back as set; V(0) when nothing was set.
      type: int
      sample: 43
    total_ms:
      description: Milliseconds of the whole task, probes included.
      type: int
      sample: 310
    probes:
      description: Answers by group, when O(probe) was given.
      type: dict
      sample: {"chat-dev-blue": 40}
    dns_name:
      description: Name of the load balancer.
      type: str
      sample: chat-dev-1234567890.ap-northeast-2.elb.amazonaws.com
    listener_arn:
      description: ARN of the listener.
      type: str
      sample: arn:aws:elasticloadbalancing:ap-northeast-2:123456789012:listener/app/chat-dev/50dc6c495c0c9188/f2f7dc8efc522ab2
"""

from datetime import datetime, timezone

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.bluegreen.aws.plugins.module_utils import _traffic as traffic
from ansible_collections.bluegreen.aws.plugins.module_utils._aws import elbv2, split
from ansible_collections.bluegreen.aws.plugins.module_utils._aws.client import make_client
from ansible_collections.bluegreen.aws.plugins.module_utils._aws.errors import BluegreenAWSError, fail
from ansible_collections.bluegreen.aws.plugins.module_utils._aws.weights import Weights

PROBE = {
    "url": {"type": "str", "required": True},
    "header": {"type": "str", "default": "X-App-Colour"},
    "values": {"type": "dict", "required": True},
    "count": {"type": "int", "default": 40},
    "timeout": {"type": "int", "default": 30},
}
SPEC = {
    "load_balancer": {"type": "str", "required": True},
    "listener_port": {"type": "int", "default": 80},
    "rule_priority": {"type": "int"},
    "weights": {"type": "dict", "required": True},
    "only_if_unset": {"type": "bool", "default": False},
    "required_tags": {"type": "dict", "default": {}},
    "wait_timeout": {"type": "int", "default": 60},
    "probe": {"type": "dict", "options": PROBE},
}


def run(module):
    params = module.params
    given = traffic.check(params["weights"])
    client = make_client(module, "elbv2")
    place = elbv2.find(client, params["load_balancer"], params["listener_port"], params["rule_priority"])
    elbv2.require_tags(client, place, params["required_tags"])
    place.known(given)
    weights = Weights(client, place)
    before = weights.read()
    delegated = params["only_if_unset"] and set(given) <= set(before)
    after = before if delegated else traffic.wanted(before, given)
    changed = after != before
    healthy, seconds, probes = {}, 0.0, {}
    if not delegated:
        receiving = [name for name, weight in after.items() if weight]
        healthy = weights.await_healthy(receiving, 0 if module.check_mode else params["wait_timeout"])
        # Another run may have set weights meanwhile: those of this task are newer, and `before` is to say what they replace.
        before = weights.read()
        after = traffic.wanted(before, given)
        changed = after != before
        if changed and not module.check_mode:
            seconds = weights.write(after)
        if params["probe"] and not module.check_mode:
            probe = params["probe"]
            url = probe["url"].replace("{dns_name}", place.dns_name)
            probes = split.observe(url, probe["header"], probe["values"], after, probes=probe["count"], timeout_s=probe["timeout"])
    found = {
        "weights": after,
        "before": before,
        "delegated": delegated,
        "healthy": {name: state[0] for name, state in healthy.items()},
        "set_ms": round(seconds * 1000),
        "probes": probes,
        "dns_name": place.dns_name,
        "listener_arn": place.listener_arn,
    }
    return changed, found, {"before": before, "after": after}


def main():
    module = AnsibleAWSModule(argument_spec=SPEC, supports_check_mode=True)
    began = datetime.now(timezone.utc)
    try:
        changed, found, diff = run(module)
    except traffic.TrafficError as exc:
        module.fail_json(msg=str(exc))
    except BluegreenAWSError as exc:
        fail(module, exc)
    total = round((datetime.now(timezone.utc) - began).total_seconds() * 1000)
    module.exit_json(changed=changed, traffic_weights={**found, "total_ms": total}, diff=diff)


if __name__ == "__main__":
    main()
