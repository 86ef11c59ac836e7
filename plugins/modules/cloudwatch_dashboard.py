#!/usr/bin/python
# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: cloudwatch_dashboard
short_description: Manage a dashboard of CloudWatch
version_added: 0.1.0
description:
  - Creates, changes and deletes a dashboard.
  - Bodies are compared by what they mean, so the order of keys and white space are no change.
author:
  - bluegreen.aws maintainers (@bluegreen-aws)
options:
  name:
    description: Name of the dashboard, of letters, digits, hyphens and underscores.
    type: str
    required: true
  state:
    description: Whether the dashboard is to exist.
    type: str
    choices: [present, absent]
    default: present
  body:
    description:
      - The dashboard as a dictionary, or as JSON text.
      - Its form is described in the CloudWatch API reference under "Dashboard Body Structure and Syntax".
    type: json
  tags:
    description: Tags that the dashboard carries. Left alone when not given.
    type: dict
    aliases: [resource_tags]
  purge_tags:
    description: Whether tags that are not in O(tags) are removed.
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
    details: CloudWatch validates a body only when it is written, so check mode does not.
  diff_mode:
    support: full
  idempotent:
    support: full
notes:
  - Needs C(cloudwatch:GetDashboard), C(cloudwatch:PutDashboard) and C(cloudwatch:DeleteDashboards), and for tags
    C(cloudwatch:ListTagsForResource), C(cloudwatch:TagResource) and C(cloudwatch:UntagResource).
"""

EXAMPLES = r"""
- name: Both colours side by side
  bluegreen.aws.cloudwatch_dashboard:
    name: chat-dev
    body:
      widgets:
        - type: metric
          x: 0
          "y": 0
          width: 12
          height: 6
          properties:
            title: Requests
            region: ap-northeast-2
            metrics:
              - [AWS/ApplicationELB, RequestCount, TargetGroup, targetgroup/chat-blue/0123456789abcdef]
              - [AWS/ApplicationELB, RequestCount, TargetGroup, targetgroup/chat-green/0123456789abcdef]
            stat: Sum
            period: 60

- name: Remove it
  bluegreen.aws.cloudwatch_dashboard:
    name: chat-dev
    state: absent
"""

RETURN = r"""
cloudwatch_dashboard:
  description: The dashboard after the task; empty when it does not exist.
  returned: success
  type: dict
  contains:
    name:
      description: Name.
      type: str
      sample: chat-dev
    arn:
      description: ARN; empty for one that check mode only predicts.
      type: str
      sample: arn:aws:cloudwatch::123456789012:dashboard/chat-dev
    body:
      description: The dashboard.
      type: dict
    tags:
      description: Tags, when O(tags) was given.
      type: dict
validation_messages:
  description: What CloudWatch objects to in a body that it took all the same.
  returned: success
  type: list
  elements: str
  sample: ["/widgets/0/properties/metrics/0: Should have at least two items"]
"""

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.bluegreen.aws.plugins.module_utils import _dashboard as dashboard
from ansible_collections.bluegreen.aws.plugins.module_utils._aws import dashboards as api
from ansible_collections.bluegreen.aws.plugins.module_utils._aws.client import make_client
from ansible_collections.bluegreen.aws.plugins.module_utils._aws.errors import BluegreenAWSError, fail


def argument_spec():
    return {
        "name": {"type": "str", "required": True},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "body": {"type": "json"},
        "tags": {"type": "dict", "aliases": ["resource_tags"]},
        "purge_tags": {"type": "bool", "default": True},
    }


def observe(client, name, *, with_tags):
    """(body or None, ARN, tags)."""
    found = api.get(client, name)
    if found is None:
        return None, "", {}
    text, arn = found
    return dashboard.parse(name, text), arn, api.list_tags(client, arn) if with_tags else {}


def write(client, name, body):
    """CloudWatch's objections to a body that it took. Raises DashboardError with those to one that it refused."""
    try:
        return dashboard.objections(api.put(client, name, dashboard.text(body)))
    except BluegreenAWSError as exc:
        messages = dashboard.objections(api.refused(exc.exception))
        if not messages:
            raise
        raise dashboard.DashboardError(f"{exc.message}: the body is invalid: {'; '.join(messages)}. Correct these parts.") from exc


def write_tags(client, arn, before, after):
    gone = sorted(before.keys() - after.keys())
    added = {key: value for key, value in after.items() if before.get(key) != value}
    if gone:
        api.remove_tags(client, arn, gone)
    if added:
        api.add_tags(client, arn, added)


def run(module):
    params = module.params
    name, tags = params["name"], params["tags"]
    wanted = dashboard.parse(name, params["body"]) if params["state"] == "present" else None
    client = make_client(module, "cloudwatch")
    before, arn, tags_before = observe(client, name, with_tags=tags is not None)
    tags_after = tags_before
    if wanted is None:
        tags_after = {}
    elif tags is not None:
        tags_after = {**({} if params["purge_tags"] else tags_before), **{key: str(value) for key, value in tags.items()}}
    body_changes = not dashboard.same(before, wanted)
    changed = body_changes or tags_before != tags_after
    messages = []
    if changed and not module.check_mode:
        if wanted is None:
            api.delete(client, name)
        else:
            if body_changes:
                messages = write(client, name, wanted)
                arn = arn or api.get(client, name)[1]
            write_tags(client, arn, tags_before, tags_after)
    for message in messages:
        module.warn(f"CloudWatch objects to dashboard {name}: {message}")
    shown = {} if wanted is None else {"name": name, "arn": arn, "body": wanted}
    if shown and tags is not None:
        shown["tags"] = tags_after
    result = {"changed": changed, "cloudwatch_dashboard": shown, "validation_messages": messages}
    if module._diff:
        result["diff"] = [
            {"before_header": name, "after_header": name, "before": dashboard.shown(before), "after": dashboard.shown(wanted)},
            {"before_header": f"{name} tags", "after_header": f"{name} tags", "before": tags_before, "after": tags_after},
        ]
    return result


def main():
    module = AnsibleAWSModule(argument_spec=argument_spec(), supports_check_mode=True, required_if=[("state", "present", ["body"])])
    try:
        result = run(module)
    except dashboard.DashboardError as exc:
        module.fail_json(msg=str(exc))
    except BluegreenAWSError as exc:
        fail(module, exc)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
