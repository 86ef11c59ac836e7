#!/usr/bin/python
# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: canary_command
short_description: Tell a rollout that runs to go on, to wait, or to go back
version_added: 0.1.0
description:
  - Leaves a word for the rollout of M(bluegreen.aws.canary) that runs with the same O(record), on whatever machine.
author:
  - bluegreen.aws maintainers (@bluegreen-aws)
options:
  record:
    description: Path in Parameter Store, as given to M(bluegreen.aws.canary).
    type: str
    required: true
  command:
    description:
      - V(promote) goes straight to the plan's last step; a verdict to abort still counts.
      - V(skip) ends the wait of the present step.
      - V(pause) waits for a human at the end of the present step, V(resume) ends that.
      - V(abort) goes back.
    type: str
    choices: [promote, abort, skip, pause, resume]
    required: true
  by:
    description: Who says so; shown in the rollout's record.
    type: str
    default: ""
  wait_timeout:
    description: Seconds to wait for V(abort) to have ended the rollout. Other commands are not waited for.
    type: int
    default: 10
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - bluegreen.aws.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  idempotent:
    support: partial
    details: Without a rollout that runs nothing changes; a word to one that runs is a change each time.
seealso:
  - module: bluegreen.aws.canary
"""

EXAMPLES = r"""
- name: Go on
  bluegreen.aws.canary_command:
    record: /bluegreen/chat/dev/rollout
    command: resume
    by: kim
"""

RETURN = r"""
canary_command:
  description: The rollout that was spoken to.
  returned: success
  type: dict
  contains:
    running:
      description: Whether a rollout was under way when the task began.
      type: bool
      sample: true
    ended:
      description: Whether the rollout has ended since (V(abort) only).
      type: bool
      sample: true
    rollout:
      description: The rollout's state as recorded; empty when there was none.
      type: dict
      sample: {"id": "20261121T101500Z", "state": "rolled_back", "weights": {"chat-dev-blue": 100, "chat-dev-green": 0}}
"""

from datetime import datetime, timezone

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.bluegreen.aws.plugins.module_utils._aws.client import make_client
from ansible_collections.bluegreen.aws.plugins.module_utils._aws.errors import BluegreenAWSError, fail
from ansible_collections.bluegreen.aws.plugins.module_utils._aws.rollout_record import Record, await_end
from ansible_collections.bluegreen.aws.plugins.module_utils._canary.rollout import FINISHED


def main():
    spec = {
        "record": {"type": "str", "required": True},
        "command": {"type": "str", "choices": ["promote", "abort", "skip", "pause", "resume"], "required": True},
        "by": {"type": "str", "default": ""},
        "wait_timeout": {"type": "int", "default": 10},
    }
    module = AnsibleAWSModule(argument_spec=spec, supports_check_mode=True)
    params = module.params
    try:
        record = Record(make_client(module, "ssm"), params["record"])
        state = record.read() or {}
        running = bool(state) and state.get("state") not in FINISHED
        ended = False
        if running and not module.check_mode:
            record.tell(params["command"], params["by"], datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"))
            if params["command"] == "abort":
                state = await_end(record, params["wait_timeout"])
                ended = state.get("state") in FINISHED
    except BluegreenAWSError as exc:
        fail(module, exc)
    module.exit_json(changed=running, canary_command={"running": running, "ended": ended, "rollout": state})


if __name__ == "__main__":
    main()
