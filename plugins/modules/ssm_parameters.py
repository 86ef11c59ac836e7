#!/usr/bin/python
# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ssm_parameters
short_description: Manage a whole path of Parameter Store in one task
version_added: 0.1.0
description:
  - Creates, updates and, on request, deletes the parameters below one path so that they are what is listed, in a single task.
  - A C(SecureString) is never shown; not in the result, not in a diff, not in an error.
  - A secret can be generated once. It is then never read back, so it exists nowhere but in Parameter Store.
author:
  - bluegreen.aws maintainers (@bluegreen-aws)
options:
  path:
    description:
      - Path below which the parameters live, for example V(/popcon/dev/).
    type: str
    required: true
  parameters:
    description:
      - The parameters that are to exist.
      - Of O(parameters[].value), O(parameters[].secret) and O(parameters[].generate) exactly one is given.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name below O(path).
        type: str
        required: true
      value:
        description: Text of a C(String) parameter.
        type: str
      secret:
        description: Text of a C(SecureString) parameter, from the environment or from a vault.
        type: str
      generate:
        description:
          - Create a C(SecureString) with this many random characters (letters and digits) when the parameter does not exist.
          - An existing value is left as it is.
        type: int
      description:
        description: Description of the parameter. Not given leaves an existing one alone.
        type: str
      key_id:
        description: KMS key of this C(SecureString). Wins over O(key_id).
        type: str
  key_id:
    description:
      - KMS key (id, ARN or alias) that encrypts C(SecureString) parameters.
      - Not given means the account's V(alias/aws/ssm).
      - The key of a generated secret is only used when the secret is created.
    type: str
  purge:
    description:
      - Delete parameters below O(path) that are not listed.
    type: bool
    default: false
  purge_only:
    description:
      - With O(purge), delete only parameters that carry all of these tags. Each of the others is left, with a warning.
    type: dict
  tags:
    description:
      - Tags that each listed parameter carries. Other tags are left alone.
    type: dict
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
    details: The diff of a C(SecureString) says that it changes and never its value.
  idempotent:
    support: full
notes:
  - Reading is C(ssm:DescribeParameters), C(ssm:GetParametersByPath) and, for given secrets only, C(ssm:GetParameters) with C(kms:Decrypt).
  - Writing is C(ssm:PutParameter), C(ssm:AddTagsToResource), C(ssm:DeleteParameters) and C(kms:Encrypt).
seealso:
  - plugin: bluegreen.aws.ssm_parameters
    plugin_type: lookup
"""

EXAMPLES = r"""
- name: Everything that the application reads
  bluegreen.aws.ssm_parameters:
    path: /popcon/dev/
    parameters:
      - name: DB_HOST
        value: mysql
      - name: DB_PASSWORD
        secret: "{{ lookup('ansible.builtin.env', 'POPCON_DB_PASSWORD') }}"
      - name: DB_ROOT_PASSWORD
        generate: 32
    purge: true
    tags:
      "bluegreen:system": popcon
      "bluegreen:environment": dev

- name: Remove them all
  bluegreen.aws.ssm_parameters:
    path: /popcon/dev/
    parameters: []
    purge: true

- name: Remove this environment's, and no other that somebody put there
  bluegreen.aws.ssm_parameters:
    path: /popcon/dev/
    purge: true
    purge_only:
      "bluegreen:system": popcon
      "bluegreen:environment": dev
"""

RETURN = r"""
ssm_parameters:
  description: Everything below the path after the task, sorted by name.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Full name.
      type: str
      sample: /popcon/dev/DB_HOST
    type:
      description: C(String), C(StringList) or C(SecureString).
      type: str
      sample: String
    version:
      description: Version number. In check mode the one that is expected.
      type: int
      sample: 1
    description:
      description: Description.
      type: str
      sample: ""
    arn:
      description: ARN. Empty for a parameter that check mode only predicts.
      type: str
      sample: arn:aws:ssm:ap-northeast-2:123456789012:parameter/popcon/dev/DB_HOST
    value:
      description: Text, of parameters that are not a C(SecureString).
      type: str
      sample: mysql
    key_id:
      description: KMS key, of a C(SecureString).
      type: str
      sample: alias/aws/ssm
changes:
  description: What was done, or would be in check mode.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Full name.
      type: str
      sample: /popcon/dev/DB_HOST
    action:
      description: One of V(create), V(update), V(replace), V(tag) and V(delete).
      type: str
      sample: update
    reasons:
      description: What differs.
      type: list
      elements: str
      sample: [value]
"""

import secrets
import string

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.bluegreen.aws.plugins.module_utils import _parameters as parameters
from ansible_collections.bluegreen.aws.plugins.module_utils._aws import ssm_parameters as api
from ansible_collections.bluegreen.aws.plugins.module_utils._aws.client import make_client
from ansible_collections.bluegreen.aws.plugins.module_utils._aws.errors import BluegreenAWSError, fail
from ansible_collections.bluegreen.aws.plugins.module_utils._aws.kms import Keys

_ALPHABET = string.ascii_letters + string.digits  # passes unquoted through shells, URLs and .env files


def argument_spec():
    return {
        "path": {"type": "str", "required": True},
        "parameters": {
            "type": "list",
            "elements": "dict",
            "default": [],
            "options": {
                "name": {"type": "str", "required": True},
                "value": {"type": "str"},
                "secret": {"type": "str", "no_log": True},
                "generate": {"type": "int"},
                "description": {"type": "str"},
                "key_id": {"type": "str", "no_log": False},
            },
        },
        "key_id": {"type": "str", "no_log": False},
        "purge": {"type": "bool", "default": False},
        "purge_only": {"type": "dict"},
        "tags": {"type": "dict"},
    }


def observe(client, path, wanted, *, with_tags):
    """What is there, with the values of those secrets that have to be compared."""
    existing = api.observe(client, path, with_tags=with_tags)
    names = parameters.needs_decryption(wanted, existing)
    if not names:
        return existing
    values = api.get_secrets(client, names)
    return [parameters.replace_value(item, values[item.name]) if item.name in values else item for item in existing]


def apply(client, changes, tags):
    """Makes the changes one by one; each is complete in itself, so a run that stops half-way is continued by the next."""
    deletions = [change.name for change in changes if change.action == "delete"]
    tag_list = [{"Key": key, "Value": str(value)} for key, value in (tags or {}).items()]
    for change in changes:
        wanted = change.wanted
        if change.action == "tag":
            api.add_tags(client, change.name, tags)
        elif change.action in ("create", "update", "replace"):
            value = wanted.value
            if value is None and change.action == "update":
                value = api.get_secrets(client, [change.name])[change.name]  # only its description changes; PutParameter wants a value
            elif value is None:
                value = "".join(secrets.choice(_ALPHABET) for _ignored in range(wanted.length))
            arguments = {
                "Value": value,
                "Type": wanted.type,
                "Tier": parameters.tier(value, change.existing if change.action == "update" else None),
            }
            if wanted.description:
                arguments["Description"] = wanted.description
            if wanted.type == parameters.SECURE and wanted.key_id:
                arguments["KeyId"] = wanted.key_id
            if change.action == "replace":
                api.delete_parameters(client, [change.name])
            if change.action == "update":
                arguments["Overwrite"] = True
            elif tag_list:
                arguments["Tags"] = tag_list
            api.put_parameter(client, change.name, **arguments)
    if deletions:
        api.delete_parameters(client, deletions)


def run(module):
    path = "/" + module.params["path"].strip("/")
    tags = module.params["tags"]
    wanted = parameters.wanted_from_options(path, module.params["parameters"], module.params["key_id"])
    client = make_client(module, "ssm")
    purge, purge_only = module.params["purge"], module.params["purge_only"]
    before = observe(client, path, wanted, with_tags=tags is not None or bool(purge and purge_only))
    changes = parameters.decide(wanted, before, purge=purge, tags=tags, same_key=Keys(module).same, purge_only=purge_only)
    for name in parameters.not_ours(wanted, before, purge_only) if purge else ():
        needed = " and ".join(f"{key}={value}" for key, value in purge_only.items())
        module.warn(f"Parameter {name} is not listed and does not carry {needed}, so it is left as it is.")
    after = parameters.predicted(before, changes)
    if changes and not module.check_mode:
        apply(client, changes, tags)
        after = api.observe(client, path, with_tags=False)
    result = {
        "changed": bool(changes),
        "ssm_parameters": [parameters.shown(item) for item in after],
        "changes": [{"name": change.name, "action": change.action, "reasons": list(change.reasons)} for change in changes],
    }
    if module._diff:
        result["diff"] = {
            "before_header": path,
            "after_header": path,
            "before": parameters.diff_text(before, changes, after=False),
            "after": parameters.diff_text(after, changes, after=True),
        }
    return result


def main():
    module = AnsibleAWSModule(argument_spec=argument_spec(), supports_check_mode=True)
    try:
        result = run(module)
    except parameters.ParametersError as exc:
        module.fail_json(msg=str(exc))
    except BluegreenAWSError as exc:
        fail(module, exc)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
