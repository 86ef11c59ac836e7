#!/usr/bin/python
# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: dynamodb_recovery
short_description: Point-in-time recovery of DynamoDB tables
version_added: 0.1.0
description:
  - Switches continuous backups with point-in-time recovery on or off, for any number of tables.
  - P(community.aws.dynamodb_table#module) cannot.
author:
  - bluegreen.aws maintainers (@bluegreen-aws)
options:
  tables:
    description: Names of existing tables.
    type: list
    elements: str
    required: true
  enabled:
    description: V(false) forgets the backups there are.
    type: bool
    default: true
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - bluegreen.aws.attributes
attributes:
  check_mode:
    support: full
    details: A table that is not there yet has no recovery; outside check mode it is an error.
  diff_mode:
    support: full
  idempotent:
    support: full
notes:
  - Needs C(dynamodb:DescribeContinuousBackups) and C(dynamodb:UpdateContinuousBackups) on the tables.
"""

EXAMPLES = r"""
- name: Be able to go back to any second of the last 35 days
  bluegreen.aws.dynamodb_recovery:
    tables: [chat-dev-messages, chat-dev-user-counter]
"""

RETURN = r"""
dynamodb_recovery:
  description: Whether point-in-time recovery is on, by table. In check mode whether it would be.
  returned: success
  type: dict
  sample: {"chat-dev-messages": true}
"""

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.bluegreen.aws.plugins.module_utils._aws import dynamodb as api
from ansible_collections.bluegreen.aws.plugins.module_utils._aws.client import make_client
from ansible_collections.bluegreen.aws.plugins.module_utils._aws.errors import BluegreenAWSError, error_code, fail


def observe(client, tables, *, missing_ok):
    """{table: whether recovery is on}; a missing table has none where it would have been created before this task."""
    before = {}
    for name in tables:
        try:
            before[name] = api.recovery_enabled(client, name)
        except BluegreenAWSError as exc:
            if not missing_ok or error_code(exc.exception) != "TableNotFoundException":
                raise
            before[name] = False
    return before


def main():
    spec = {"tables": {"type": "list", "elements": "str", "required": True}, "enabled": {"type": "bool", "default": True}}
    module = AnsibleAWSModule(argument_spec=spec, supports_check_mode=True)
    tables, enabled = module.params["tables"], module.params["enabled"]
    try:
        client = make_client(module, "dynamodb")
        before = observe(client, tables, missing_ok=module.check_mode)
        after = dict.fromkeys(before, enabled)
        for name in before:
            if before[name] != enabled and not module.check_mode:
                api.set_recovery(client, name, enabled)
    except BluegreenAWSError as exc:
        fail(module, exc)
    module.exit_json(changed=before != after, dynamodb_recovery=after, diff={"before": before, "after": after})


if __name__ == "__main__":
    main()
