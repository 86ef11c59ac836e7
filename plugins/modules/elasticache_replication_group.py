#!/usr/bin/python
# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: elasticache_replication_group
short_description: Manage a replication group of ElastiCache (Valkey or Redis)
version_added: 0.1.0
description:
  - Creates, changes and deletes a replication group with one shard (cluster mode disabled), a primary and its replicas.
  - A replica is added before failover is switched on, and removed after it is switched off, so that enabling and disabling Multi-AZ
    keep the data and the primary endpoint.
author:
  - bluegreen.aws maintainers (@bluegreen-aws)
options:
  name:
    description: Id of the replication group, at most 40 letters, digits and hyphens; AWS keeps it in lower case.
    type: str
    required: true
  state:
    description: Whether the group is to exist.
    type: str
    choices: [present, absent]
    default: present
  description:
    description: Description. A new group has its name when it is not given.
    type: str
  engine:
    description:
      - Engine. A new group is one of V(valkey) when it is not given.
      - AWS can change V(redis) to V(valkey), and nothing else.
    type: str
    choices: [valkey, redis]
  engine_version:
    description: Version, for example V(8.0) or V(7.1). V(7.1) is satisfied by V(7.1.0).
    type: str
  node_type:
    description: Node type, for example V(cache.t4g.micro). Needed when the group is created.
    type: str
  port:
    description: Port, V(6379) in a new group when it is not given. Cannot be changed.
    type: int
  replicas:
    description:
      - Number of replicas beside the primary, 0 to 5.
      - When it is not given, a group with O(multi_az=true) or O(automatic_failover=true) has at least one; other groups keep theirs.
    type: int
  automatic_failover:
    description:
      - Whether a replica is promoted when the primary fails.
      - Follows O(multi_az=true), and is switched off by O(replicas=0), when it is not given.
    type: bool
  multi_az:
    description: Whether primary and replicas are in different availability zones.
    type: bool
  subnet_group:
    description: Name of the cache subnet group. Cannot be changed.
    type: str
  security_group_ids:
    description: Ids of the security groups.
    type: list
    elements: str
  parameter_group:
    description: Name of the cache parameter group. A new group has the default one of its engine and version when it is not given.
    type: str
  at_rest_encryption:
    description: Whether data is encrypted on disk. Cannot be changed.
    type: bool
  kms_key_id:
    description: KMS key of the encryption on disk, by id, ARN or alias. Cannot be changed.
    type: str
  transit_encryption:
    description: Whether connections are encrypted with TLS. Cannot be changed by this module.
    type: bool
  auth_token:
    description:
      - Password that clients give with C(AUTH), 16 to 128 characters. Needs O(transit_encryption=true).
      - Set when the group is created. AWS does not show it, so a later run cannot tell whether it differs; see O(auth_token_update).
    type: str
  auth_token_update:
    description:
      - What to do with the token of a group that exists. Such a task always reports a change.
      - V(rotate) lets O(auth_token) in beside the old one, V(set) lets only O(auth_token) in, V(delete) removes it.
    type: str
    choices: [rotate, set, delete]
  snapshot_retention:
    description: Days that automatic snapshots are kept. V(0) means no automatic snapshots.
    type: int
  snapshot_window:
    description: Time of day of automatic snapshots in UTC, for example V(16:00-17:00).
    type: str
  maintenance_window:
    description: Time of the week of maintenance in UTC, for example V(sun:18:00-sun:19:00).
    type: str
  auto_minor_version_upgrade:
    description: Whether AWS upgrades minor versions in the maintenance window.
    type: bool
  apply_immediately:
    description:
      - Whether changes are made now. V(false) leaves those that AWS can postpone to the maintenance window.
      - Until then every run reports them as changes again.
    type: bool
    default: true
  final_snapshot:
    description: Name of a snapshot that is made before the group is deleted.
    type: str
  tags:
    description: Tags of the group; AWS copies them to its nodes.
    type: dict
    aliases: [resource_tags]
  purge_tags:
    description: Whether tags that are not in O(tags) are removed. Nothing is removed when O(tags) is not given.
    type: bool
    default: true
  wait:
    description:
      - Whether to wait until the group is available, or gone.
      - Between several changes the module always waits, because AWS takes one at a time.
    type: bool
    default: true
  wait_timeout:
    description: Seconds to wait for each change. Creating a group takes AWS 5 to 15 minutes.
    type: int
    default: 1800
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
    support: partial
    details:
      - A task with O(auth_token_update) reports a change each time.
      - So does one with O(apply_immediately=false) while a change waits for its window.
notes:
  - Needs C(elasticache:DescribeReplicationGroups), C(elasticache:DescribeCacheClusters) and C(elasticache:ListTagsForResource) to look.
  - Needs C(elasticache:CreateReplicationGroup), C(elasticache:ModifyReplicationGroup), C(elasticache:IncreaseReplicaCount),
    C(elasticache:DecreaseReplicaCount), C(elasticache:DeleteReplicationGroup), C(elasticache:AddTagsToResource) and
    C(elasticache:RemoveTagsFromResource) to change.
seealso:
  - module: bluegreen.aws.elasticache_replication_group_info
  - module: community.aws.elasticache_subnet_group
  - module: community.aws.elasticache_parameter_group
"""

EXAMPLES = r"""
- name: A primary and a replica in two zones that fails over by itself
  bluegreen.aws.elasticache_replication_group:
    name: chat-dev
    engine: redis
    engine_version: "7.1"
    node_type: cache.t4g.micro
    multi_az: true
    subnet_group: chat-dev
    security_group_ids:
      - sg-0123456789abcdef0
    at_rest_encryption: true
    tags:
      "bluegreen:system": chat
      "bluegreen:environment": dev
  register: cache

- name: One node is enough; the replica goes when nothing depends on it any more
  bluegreen.aws.elasticache_replication_group:
    name: chat-dev
    replicas: 0

- name: Remove it
  bluegreen.aws.elasticache_replication_group:
    name: chat-dev
    state: absent
"""

RETURN = r"""
replication_group:
  description: The group after the task; empty when it does not exist. In check mode its configuration alone is predicted.
  returned: success
  type: dict
  contains:
    name:
      description: Id.
      type: str
      sample: chat-dev
    status:
      description: Status, for example V(available).
      type: str
      sample: available
    arn:
      description: ARN.
      type: str
      sample: arn:aws:elasticache:ap-northeast-2:123456789012:replicationgroup:chat-dev
    description:
      description: Description.
      type: str
      sample: chat-dev
    engine:
      description: Engine.
      type: str
      sample: redis
    engine_version:
      description: Full version.
      type: str
      sample: 7.1.0
    node_type:
      description: Node type.
      type: str
      sample: cache.t4g.micro
    port:
      description: Port.
      type: int
      sample: 6379
    replicas:
      description: Number of replicas.
      type: int
      sample: 1
    automatic_failover:
      description: Whether a replica is promoted when the primary fails.
      type: bool
      sample: true
    multi_az:
      description: Whether the nodes are in different zones.
      type: bool
      sample: true
    primary_endpoint:
      description: Where the node is that takes writes.
      type: dict
      contains:
        address:
          description: DNS name.
          type: str
          sample: chat-dev.abcdef.ng.0001.apn2.cache.amazonaws.com
        port:
          description: Port.
          type: int
          sample: 6379
    reader_endpoint:
      description: Where the replicas are.
      type: dict
      contains:
        address:
          description: DNS name.
          type: str
          sample: chat-dev-ro.abcdef.ng.0001.apn2.cache.amazonaws.com
        port:
          description: Port.
          type: int
          sample: 6379
    members:
      description: The nodes, by their ids.
      type: list
      elements: dict
      contains:
        id:
          description: Id of the node's cache cluster.
          type: str
          sample: chat-dev-001
        role:
          description: V(primary) or V(replica).
          type: str
          sample: primary
        status:
          description: Status of the node.
          type: str
          sample: available
        availability_zone:
          description: Zone.
          type: str
          sample: ap-northeast-2a
        endpoint:
          description: Address and port of the node itself.
          type: dict
    subnet_group:
      description: Cache subnet group.
      type: str
      sample: chat-dev
    security_group_ids:
      description: Security groups.
      type: list
      elements: str
    parameter_group:
      description: Cache parameter group.
      type: str
      sample: default.redis7
    at_rest_encryption:
      description: Whether data is encrypted on disk.
      type: bool
    transit_encryption:
      description: Whether connections are encrypted.
      type: bool
    auth_token:
      description: Whether clients need a token.
      type: bool
    snapshot_retention:
      description: Days that automatic snapshots are kept.
      type: int
    snapshot_window:
      description: Time of automatic snapshots.
      type: str
    maintenance_window:
      description: Time of maintenance.
      type: str
    tags:
      description: Tags.
      type: dict
steps:
  description: The calls that were made, in their order, or would be in check mode.
  returned: success
  type: list
  elements: str
  sample: [increase, modify]
"""

import dataclasses

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.bluegreen.aws.plugins.module_utils import _replication_group as groups
from ansible_collections.bluegreen.aws.plugins.module_utils._aws import elasticache as api
from ansible_collections.bluegreen.aws.plugins.module_utils._aws.client import make_client
from ansible_collections.bluegreen.aws.plugins.module_utils._aws.errors import BluegreenAWSError, fail
from ansible_collections.bluegreen.aws.plugins.module_utils._aws.kms import Keys

_TEXTS = (
    "description", "engine_version", "node_type", "subnet_group", "parameter_group", "snapshot_window", "maintenance_window",
    "final_snapshot",
)  # fmt: skip
_FLAGS = ("automatic_failover", "multi_az", "at_rest_encryption", "transit_encryption", "auto_minor_version_upgrade")
_NUMBERS = ("port", "replicas", "snapshot_retention")


def argument_spec():
    return {
        "name": {"type": "str", "required": True},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "engine": {"type": "str", "choices": ["valkey", "redis"]},
        **{name: {"type": "str"} for name in _TEXTS},
        **{name: {"type": "bool"} for name in _FLAGS},
        **{name: {"type": "int"} for name in _NUMBERS},
        "security_group_ids": {"type": "list", "elements": "str"},
        "kms_key_id": {"type": "str", "no_log": False},
        "auth_token": {"type": "str", "no_log": True},
        "auth_token_update": {"type": "str", "choices": ["rotate", "set", "delete"], "no_log": False},
        "apply_immediately": {"type": "bool", "default": True},
        "tags": {"type": "dict", "aliases": ["resource_tags"]},
        "purge_tags": {"type": "bool", "default": True},
        "wait": {"type": "bool", "default": True},
        "wait_timeout": {"type": "int", "default": 1800},
    }


def wanted_from(params):
    """The wish that the options describe."""
    names = {field.name for field in dataclasses.fields(groups.Group)} - {"auth_token"}
    values = {name: value for name, value in params.items() if name in names}
    values["name"] = params["name"].lower()
    if params["security_group_ids"] is not None:
        values["security_group_ids"] = tuple(sorted(params["security_group_ids"]))
    return groups.Group(**values)


def observe(client, name):
    """(configuration or None, what only a live group has, status)."""
    found = api.describe_group(client, name)
    if found is None:
        return None, {}, None
    clusters = api.describe_members(client, found)
    return groups.from_api(found, clusters, api.list_tags(client, found["ARN"])), groups.live(found, clusters), found["Status"]


def apply(module, client, name, arn, plan):
    """Make the calls, one after the other; AWS takes the next one only when the group is available again."""
    timeout = module.params["wait_timeout"]
    for number, step in enumerate(plan.steps):
        arguments = step.arguments
        if step.action == "create":
            api.create_group(client, name, **arguments)
        elif step.action == "tag":
            api.add_tags(client, arn, **arguments)
        elif step.action == "untag":
            api.remove_tags(client, arn, **arguments)
        elif step.action == "increase":
            api.increase_replicas(client, name, **arguments)
        elif step.action == "modify":
            api.modify_group(client, name, ApplyImmediately=module.params["apply_immediately"], **arguments)
        elif step.action == "decrease":
            api.decrease_replicas(client, name, **arguments)
        elif step.action == "delete":
            api.delete_group(client, name, **arguments)
        if module.params["wait"] or number + 1 < len(plan.steps):
            (api.wait_gone if step.action == "delete" else api.wait_available)(client, name, timeout)


def settled(module, client, name):
    """What is there once nothing is under way; in check mode, and without ``wait``, as it is now."""
    before, shown, status = observe(client, name)
    if module.check_mode or not module.params["wait"] or status in (None, api.AVAILABLE):
        return before, shown, status
    wait = api.wait_gone if status == "deleting" else api.wait_available
    wait(client, name, module.params["wait_timeout"])
    return observe(client, name)


def decide(module, before, status):
    """The plan; nothing needs to be done for a group that is being deleted when it is to be absent."""
    params = module.params
    if params["state"] == "absent":
        return groups.removal(None if status == "deleting" else before, params["final_snapshot"])
    wanted = wanted_from(params)
    if before is not None and wanted.kms_key_id and before.kms_key_id and Keys(module).same(wanted.kms_key_id, before.kms_key_id):
        wanted = dataclasses.replace(wanted, kms_key_id=before.kms_key_id)
    return groups.decide(
        None if status == "deleting" else before, wanted, purge_tags=params["purge_tags"],
        auth_token=params["auth_token"], auth_token_update=params["auth_token_update"],
    )  # fmt: skip


def run(module):
    name = module.params["name"].lower()
    client = make_client(module, "elasticache")
    before, shown, status = settled(module, client, name)
    plan = decide(module, before, status)
    changed = bool(plan.steps)
    after = plan.after
    if not module.check_mode:
        if changed and status not in (None, api.AVAILABLE):
            raise groups.ReplicationGroupError(
                f"Failed to change replication group {name}: it is {status}, and AWS changes a group only while it is available. "
                "Run again later, or with wait: true."
            )
        apply(module, client, name, shown.get("arn"), plan)
        if changed:
            after, shown, _status = observe(client, name)
        elif module.params["state"] == "present":
            after = before
    group = {**groups.configuration(after), **shown} if after is not None else {}
    result = {"changed": changed, "replication_group": group, "steps": [step.action for step in plan.steps]}
    if module._diff:
        result["diff"] = {"before": groups.configuration(before), "after": groups.configuration(after if changed else before)}
    return result


def main():
    module = AnsibleAWSModule(
        argument_spec=argument_spec(), supports_check_mode=True,
        required_if=[("auth_token_update", "rotate", ["auth_token"]), ("auth_token_update", "set", ["auth_token"])],
    )  # fmt: skip
    try:
        result = run(module)
    except groups.ReplicationGroupError as exc:
        module.fail_json(msg=str(exc))
    except BluegreenAWSError as exc:
        fail(module, exc)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
