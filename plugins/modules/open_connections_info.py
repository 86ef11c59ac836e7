#!/usr/bin/python
# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: open_connections_info
short_description: How many long-lived connections an application still has, and wait until they are gone
version_added: 0.1.0
description:
  - Elastic Load Balancing does not say how many connections go to a target group, and shows a target that is deregistered as draining
    until its delay is over, whether it has connections or not. The application knows; it logs the number at a steady pace, one JSON
    object a line.
  - Adds up the newest number of each log stream (one per task), and with O(wait_timeout) waits until it is 0 or the limit is reached.
  - Nothing is closed and nothing is changed.
author:
  - bluegreen.aws maintainers (@bluegreen-aws)
options:
  log_group:
    description: Log group of the application, or of one colour of it.
    type: str
    required: true
  event:
    description: Value of C(message) in the lines that count; a word.
    type: str
    default: connections
  field:
    description: Name of the field with the number.
    type: str
    default: websockets
  max_age:
    description: Seconds for which a line counts; at least twice as many as there are between two lines of a task.
    type: int
    default: 30
  wait_timeout:
    description: Seconds to wait until no connection is left. V(0) looks once.
    type: int
    default: 0
  interval:
    description: Seconds between two looks.
    type: int
    default: 5
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - bluegreen.aws.attributes
attributes:
  check_mode:
    support: full
    details: In check mode it looks once.
  diff_mode:
    support: N/A
  idempotent:
    support: full
"""

EXAMPLES = r"""
- name: Until everybody has left blue, for ten minutes at most
  bluegreen.aws.open_connections_info:
    log_group: /ecs/chat-dev/blue
    wait_timeout: 600
  register: blue
"""

RETURN = r"""
open_connections:
  description: What was found.
  returned: success
  type: dict
  contains:
    outcome:
      description:
        - V(none) when there was none from the start, V(gone) when all have left, V(limit) when some are left after the limit (without
          waiting, when there are some), V(unknown) when no task logs the number.
      type: str
      sample: gone
    first:
      description: Open connections at the start.
      type: int
      sample: 41
    left:
      description: Open connections at the end.
      type: int
      sample: 0
    seconds:
      description: How long it took.
      type: float
      sample: 182.4
    tasks:
      description: Open connections of each log stream at the end.
      type: dict
      sample: {"app/app/0b2d1c": 0}
    counts:
      description: Seconds since the start and the number then, of each look.
      type: list
      elements: list
      sample: [[0.1, 41], [5.2, 40]]
"""

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.bluegreen.aws.plugins.module_utils._aws import logs
from ansible_collections.bluegreen.aws.plugins.module_utils._aws.client import make_client
from ansible_collections.bluegreen.aws.plugins.module_utils._aws.errors import BluegreenAWSError, fail


def main():
    spec = {
        "log_group": {"type": "str", "required": True},
        "event": {"type": "str", "default": "connections"},
        "field": {"type": "str", "default": "websockets"},
        "max_age": {"type": "int", "default": 30},
        "wait_timeout": {"type": "int", "default": 0},
        "interval": {"type": "int", "default": 5},
    }
    module = AnsibleAWSModule(argument_spec=spec, supports_check_mode=True)
    try:
        found = logs.open_connections(make_client(module, "logs"), module.params, check=module.check_mode)
    except BluegreenAWSError as exc:
        fail(module, exc)
    module.exit_json(changed=False, open_connections=found)


if __name__ == "__main__":
    main()
