#!/usr/bin/python
# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: boot_log_info
short_description: How the instances of an Auto Scaling group booted, and why one did not
version_added: 0.1.0
description:
  - Reads the last line that each boot leaves in its log group; an instance that could not release is gone by then, its log stream is not.
author:
  - bluegreen.aws maintainers (@bluegreen-aws)
options:
  log_group:
    description: Log group of the boots; one stream for each instance.
    type: str
    required: true
  max_age:
    description: Seconds to look back.
    type: int
    default: 3600
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - bluegreen.aws.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: N/A
  idempotent:
    support: full
notes:
  - Needs C(logs:FilterLogEvents) on the log group.
seealso:
  - module: bluegreen.aws.autoscaling_refresh
"""

EXAMPLES = r"""
- name: Why did nothing come up
  bluegreen.aws.boot_log_info:
    log_group: /wealist/prod/backend/boot
    max_age: 600
"""

RETURN = r"""
boots:
  description: Boots that have ended, the newest first. A log group that is not there has none.
  returned: success
  type: list
  elements: dict
  contains:
    instance:
      description: Instance id, and name of the log stream.
      type: str
      sample: i-0123456789abcdef0
    outcome:
      description: V(in service) or V(failed).
      type: str
      sample: failed
    why:
      description: Last line before the end, of one that failed.
      type: str
      sample: >-
        Parameter Store has no /wealist/prod/db/user_db_name. Create what is missing, or correct its name and the region.
        Nothing was changed.
    age:
      description: Seconds since then.
      type: int
      sample: 42
sentence:
  description: For people who ask why nothing is in service - what the newest boot that failed said, and where the logs are.
  returned: success
  type: str
  sample: >-
    Instance i-0123456789abcdef0 said: Cannot write .env.
    The log of each boot is in /wealist/prod/backend/boot, one stream for each instance.
"""

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.bluegreen.aws.plugins.module_utils import _boots
from ansible_collections.bluegreen.aws.plugins.module_utils._aws import boots
from ansible_collections.bluegreen.aws.plugins.module_utils._aws.client import make_client
from ansible_collections.bluegreen.aws.plugins.module_utils._aws.errors import BluegreenAWSError, fail


def main():
    spec = {"log_group": {"type": "str", "required": True}, "max_age": {"type": "int", "default": 3600}}
    module = AnsibleAWSModule(argument_spec=spec, supports_check_mode=True)
    try:
        found = boots.of_log_group(make_client(module, "logs"), module.params["log_group"], module.params["max_age"])
    except BluegreenAWSError as exc:
        fail(module, exc)
    module.exit_json(changed=False, boots=found, sentence=_boots.sentence(found, [module.params["log_group"]]))


if __name__ == "__main__":
    main()
