#!/usr/bin/python
# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: elasticache_replication_group_info
short_description: Describe replication groups of ElastiCache
version_added: 0.1.0
description:
  - Describes one replication group, or all of a region, with endpoints, members and tags.
author:
  - bluegreen.aws maintainers (@bluegreen-aws)
options:
  name:
    description: Id of the replication group. All groups are described when it is not given.
    type: str
  tags:
    description: Describe only groups that carry all of these tags.
    type: dict
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - bluegreen.aws.attributes
attributes:
  check_mode:
    support: full
    details: Changes nothing in any mode.
  diff_mode:
    support: N/A
  idempotent:
    support: full
notes:
  - Needs C(elasticache:DescribeReplicationGroups), C(elasticache:DescribeCacheClusters) and C(elasticache:ListTagsForResource).
seealso:
  - module: bluegreen.aws.elasticache_replication_group
"""

EXAMPLES = r"""
- name: Where is the cache?
  bluegreen.aws.elasticache_replication_group_info:
    name: chat-dev
  register: cache

- name: Every cache of the system
  bluegreen.aws.elasticache_replication_group_info:
    tags:
      "bluegreen:system": chat
"""

RETURN = r"""
replication_groups:
  description: The groups, by their ids, each as P(bluegreen.aws.elasticache_replication_group#module) returns it. Empty when there is none.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Id.
      type: str
      sample: chat-dev
    status:
      description: Status.
      type: str
      sample: available
    primary_endpoint:
      description: DNS name and port of the node that takes writes.
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
"""

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.bluegreen.aws.plugins.module_utils import _replication_group as groups
from ansible_collections.bluegreen.aws.plugins.module_utils._aws import elasticache as api
from ansible_collections.bluegreen.aws.plugins.module_utils._aws.client import make_client
from ansible_collections.bluegreen.aws.plugins.module_utils._aws.errors import BluegreenAWSError, fail


def observe(client, name):
    """(group, its clusters) of each group that is asked for."""
    if name is not None:
        found = api.describe_group(client, name.lower())
        return [] if found is None else [(found, api.describe_members(client, found))]
    clusters = api.describe_clusters(client)
    described = sorted(api.describe_groups(client), key=lambda group: group["ReplicationGroupId"])
    return [(group, [clusters[member] for member in group["MemberClusters"] if member in clusters]) for group in described]


def run(module):
    wanted = {key: str(value) for key, value in (module.params["tags"] or {}).items()}
    client = make_client(module, "elasticache")
    shown = []
    for group, clusters in observe(client, module.params["name"]):
        tags = api.list_tags(client, group["ARN"])
        if wanted.items() <= tags.items():
            shown.append({**groups.configuration(groups.from_api(group, clusters, tags)), **groups.live(group, clusters)})
    return {"changed": False, "replication_groups": shown}


def main():
    spec = {"name": {"type": "str"}, "tags": {"type": "dict"}}
    module = AnsibleAWSModule(argument_spec=spec, supports_check_mode=True)
    try:
        result = run(module)
    except BluegreenAWSError as exc:
        fail(module, exc)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
