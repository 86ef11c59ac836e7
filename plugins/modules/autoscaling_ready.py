#!/usr/bin/python
# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: autoscaling_ready
short_description: Wait until every instance of Auto Scaling groups is in service, or say why one is not
version_added: 0.1.0
description:
  - Waits until each group has as many healthy instances in service as it wants.
  - Does not wait any longer for a group whose instances fail to boot again and again, and says what the last of them said. A group replaces
    such an instance with another one that fails the same way.
author:
  - bluegreen.aws maintainers (@bluegreen-aws)
options:
  names:
    description: Names of the groups.
    type: list
    elements: str
    required: true
  log_groups:
    description:
      - Log groups of the boots by name of the Auto Scaling group, with one stream for each instance; see M(bluegreen.aws.boot_log_info).
      - How the instances of a group boot that is not named here is not looked at.
    type: dict
    default: {}
  failed_boots:
    description:
      - A group is not waited for any longer when so many of its instances failed to boot since the task began.
      - V(0) waits to the end.
    type: int
    default: 3
  wait_timeout:
    description: Seconds to wait at most.
    type: int
    default: 900
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - bluegreen.aws.attributes
attributes:
  check_mode:
    support: full
    details: Looks once, and does not fail.
  diff_mode:
    support: N/A
  idempotent:
    support: full
notes:
  - Needs C(autoscaling:DescribeAutoScalingGroups), and C(logs:FilterLogEvents) on the log groups.
seealso:
  - module: bluegreen.aws.boot_log_info
  - module: bluegreen.aws.autoscaling_refresh
"""

EXAMPLES = r"""
- name: Until both groups serve
  bluegreen.aws.autoscaling_ready:
    names: [wealist-prod-monitoring, wealist-prod-backend]
    log_groups:
      wealist-prod-monitoring: /wealist/prod/monitoring/boot
      wealist-prod-backend: /wealist/prod/backend/boot
"""

RETURN = r"""
groups:
  description: The groups that are there, by name.
  returned: success or when they are not ready
  type: dict
  contains:
    version:
      description: Version of the launch template that the group starts.
      type: str
      sample: "3"
    instances:
      description: Number of its instances, in service or not.
      type: int
      sample: 2
    limits:
      description: Least and most instances.
      type: list
      elements: int
      sample: [2, 6]
lacking:
  description: Names of groups that are not there, or have fewer healthy instances in service than they want.
  returned: success or when they are not ready
  type: list
  elements: str
  sample: []
failed:
  description: Boots of these groups that failed meanwhile, the newest first, as M(bluegreen.aws.boot_log_info) returns them.
  returned: success or when they are not ready
  type: list
  elements: dict
  sample: []
seconds:
  description: How long it took.
  returned: success or when they are not ready
  type: float
  sample: 41.2
"""

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.bluegreen.aws.plugins.module_utils._aws import boots
from ansible_collections.bluegreen.aws.plugins.module_utils._aws.client import make_client
from ansible_collections.bluegreen.aws.plugins.module_utils._aws.errors import BluegreenAWSError, fail


def main():
    spec = {
        "names": {"type": "list", "elements": "str", "required": True},
        "log_groups": {"type": "dict", "default": {}},
        "failed_boots": {"type": "int", "default": 3},
        "wait_timeout": {"type": "int", "default": 900},
    }
    module = AnsibleAWSModule(argument_spec=spec, supports_check_mode=True)
    try:
        waited, seconds = boots.until_in_service(lambda service: make_client(module, service), module.params, check=module.check_mode)
    except BluegreenAWSError as exc:
        fail(module, exc)
    result = {"groups": waited.state(), "lacking": waited.lacking, "failed": waited.failed(), "seconds": round(seconds, 1)}
    if not waited.ready and not module.check_mode:
        module.fail_json(msg=waited.sentence(seconds, module.params["log_groups"]), **result)
    module.exit_json(changed=False, **result)


if __name__ == "__main__":
    main()
