#!/usr/bin/python
# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: cloudfront_origin_access_control
short_description: Manage an origin access control of CloudFront
version_added: 0.1.0
description:
  - Creates, changes and deletes an origin access control (OAC), with which CloudFront signs its requests to an origin, so that a bucket
    need answer nobody else.
  - An OAC is found by its name, which is unique in an account.
author:
  - bluegreen.aws maintainers (@bluegreen-aws)
options:
  name:
    description: Name of the OAC.
    type: str
    required: true
  state:
    description: Whether the OAC is to exist.
    type: str
    choices: [present, absent]
    default: present
  description:
    description: Description. Left alone when not given.
    type: str
  origin_type:
    description: What kind of origin it is for.
    type: str
    choices: [s3, lambda, mediapackagev2, mediastore]
    default: s3
  signing_behavior:
    description:
      - V(always) signs every request.
      - V(no-override) signs those to which the viewer gave no C(Authorization) header.
      - V(never) signs none, and so switches the OAC off everywhere.
    type: str
    choices: [always, no-override, never]
    default: always
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
  - Needs C(cloudfront:ListOriginAccessControls), C(cloudfront:GetOriginAccessControl), C(cloudfront:CreateOriginAccessControl),
    C(cloudfront:UpdateOriginAccessControl) and C(cloudfront:DeleteOriginAccessControl).
  - An OAC has no tags in AWS; its name has to tell whose it is.
seealso:
  - module: community.aws.cloudfront_distribution
"""

EXAMPLES = r"""
- name: CloudFront signs its requests to the bucket
  bluegreen.aws.cloudfront_origin_access_control:
    name: chat-dev
    description: The static site of chat in dev
  register: control

- name: Remove it, after the distribution that used it
  bluegreen.aws.cloudfront_origin_access_control:
    name: chat-dev
    state: absent
"""

RETURN = r"""
origin_access_control:
  description: The OAC after the task; empty when it does not exist.
  returned: success
  type: dict
  contains:
    id:
      description: Id, for C(origin_access_control_id) of a distribution's origin; empty for one that check mode only predicts.
      type: str
      sample: E327GJI25M56DG
    name:
      description: Name.
      type: str
      sample: chat-dev
    description:
      description: Description.
      type: str
      sample: The static site of chat in dev
    origin_type:
      description: Kind of origin.
      type: str
      sample: s3
    signing_behavior:
      description: Which requests are signed.
      type: str
      sample: always
    signing_protocol:
      description: How they are signed.
      type: str
      sample: sigv4
"""

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.bluegreen.aws.plugins.module_utils import _origin_access as origin_access
from ansible_collections.bluegreen.aws.plugins.module_utils._aws import cloudfront as api
from ansible_collections.bluegreen.aws.plugins.module_utils._aws.client import make_client
from ansible_collections.bluegreen.aws.plugins.module_utils._aws.errors import BluegreenAWSError, fail


def argument_spec():
    return {
        "name": {"type": "str", "required": True},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "description": {"type": "str"},
        "origin_type": {"type": "str", "choices": ["s3", "lambda", "mediapackagev2", "mediastore"], "default": "s3"},
        "signing_behavior": {"type": "str", "choices": ["always", "no-override", "never"], "default": "always"},
    }


def observe(client, name):
    """(control or None, ETag)."""
    for item in api.list_controls(client):
        if item["Name"] == name:
            config, etag = api.get_control(client, item["Id"])
            return origin_access.from_api(item["Id"], config), etag
    return None, None


def apply(client, before, etag, after):
    """Make the change; the id of what is there afterwards."""
    if after is None:
        api.delete_control(client, before.name, before.id, etag)
        return ""
    if before is None:
        return api.create_control(client, after.name, origin_access.to_api(after))
    api.update_control(client, after.name, before.id, etag, origin_access.to_api(after))
    return before.id


def run(module):
    params = module.params
    client = make_client(module, "cloudfront")
    before, etag = observe(client, params["name"])
    wanted = {name: params[name] for name in ("name", "description", "origin_type", "signing_behavior")}
    after = origin_access.decide(before, wanted if params["state"] == "present" else None)
    changed = before != after
    if changed and not module.check_mode:
        control_id = apply(client, before, etag, after)
        after = origin_access.identified(after, control_id)
    result = {"changed": changed, "origin_access_control": origin_access.shown(after)}
    if module._diff:
        result["diff"] = {"before": origin_access.shown(before), "after": origin_access.shown(after)}
    return result


def main():
    module = AnsibleAWSModule(argument_spec=argument_spec(), supports_check_mode=True)
    try:
        result = run(module)
    except BluegreenAWSError as exc:
        fail(module, exc)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
