#!/usr/bin/python
# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: compose_release_info
short_description: List the releases of a docker compose application on one instance, and what runs
version_added: 0.1.0
description:
  - Runs on the instance. Lists the recorded releases, newest first, and the containers as they are observed now.
author:
  - bluegreen.aws maintainers (@bluegreen-aws)
options:
  project:
    description: Compose project name.
    type: str
    required: true
  directory:
    description: Directory on the instance that holds the releases.
    type: path
    required: true
requirements:
  - Docker Engine 20.10 or later.
extends_documentation_fragment: [bluegreen.aws.attributes]
attributes:
  check_mode:
    support: full
    details: This module changes nothing.
  diff_mode:
    support: N/A
  idempotent:
    support: full
seealso:
  - module: bluegreen.aws.compose_release
"""

EXAMPLES = r"""
- name: What runs, and what it can go back to
  bluegreen.aws.compose_release_info:
    project: popcon
    directory: /opt/popcon
  register: popcon
"""

RETURN = r"""
current:
  description: Id of the live release; empty when there is none.
  returned: success
  type: str
  sample: 20261121T041530Z-ab12
releases:
  description: All recorded releases, newest first. The keys are those that M(bluegreen.aws.compose_release) returns.
  returned: success
  type: list
  elements: dict
  sample: [{"id": "20261121T041530Z-ab12", "result": "succeeded", "actor": "alice"}]
services:
  description: What runs, by service, as observed.
  returned: success
  type: list
  elements: dict
  contains:
    service:
      description: Name in the compose file.
      type: str
      sample: backend
    managed:
      description: Whether a release made its containers; V(false) for what plain Compose started.
      type: bool
      sample: true
    live_colour:
      description: Colour that its proxy sends the traffic to; empty for a service without a proxy.
      type: str
      sample: green
    containers:
      description: Its containers with C(name), C(role), C(colour), C(state), C(health), C(release) and C(image).
      type: list
      elements: dict
      sample: [{"name": "popcon-backend-green-1", "role": "worker", "colour": "green", "state": "running", "health": "healthy"}]
lock:
  description: Who releases right now (C(actor), C(what), C(since), C(pid)), or null.
  returned: success
  type: dict
  sample: null
interrupted:
  description: Id of a release that was killed and that the next one puts right; empty when there is none.
  returned: success
  type: str
  sample: ""
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.bluegreen.aws.plugins.module_utils._compose import options as release_options
from ansible_collections.bluegreen.aws.plugins.module_utils._compose.errors import ComposeReleaseError
from ansible_collections.bluegreen.aws.plugins.module_utils._host import info
from ansible_collections.bluegreen.aws.plugins.module_utils._host.host import Host


def argument_spec():
    return {
        "project": {"type": "str", "required": True},
        "directory": {"type": "path", "required": True},
    }


def run(module):
    # state only decides which other options are needed; nothing is rolled back by reading.
    options = release_options.from_dict(dict(module.params, state=release_options.ROLLED_BACK))
    return info.read(Host(options))


def main():
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    try:
        result = run(module)
    except ComposeReleaseError as exc:
        module.fail_json(msg=str(exc))
    module.exit_json(changed=False, **result)


if __name__ == "__main__":
    main()
