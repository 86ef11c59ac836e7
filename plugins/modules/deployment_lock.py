#!/usr/bin/python
# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: deployment_lock
short_description: One deployment at a time per environment
version_added: 0.1.0
description:
  - Takes or releases a lock that all controllers of an environment see. It is kept in Parameter Store.
  - A lock whose Ansible process died on this machine is taken over at once; one of another machine after its lease.
  - A run that holds the lock already keeps it.
author:
  - bluegreen.aws maintainers (@bluegreen-aws)
options:
  name:
    description: Name of the lock, a Parameter Store path of its own, such as V(/bluegreen/popcon/dev/lock).
    type: str
    required: true
  state:
    description: V(present) takes the lock or fails with a sentence that says who holds it; V(absent) releases it if this run holds it.
    type: str
    choices: [present, absent]
    default: present
  lease:
    description: Seconds after which other machines may take the lock over.
    type: int
    default: 3600
  purpose:
    description: Shown to who is refused.
    type: str
    default: ""
  break_lock:
    description: Take the lock from whoever holds it.
    type: bool
    default: false
  owner:
    description: Set by the action plugin. The Ansible process for which the lock is taken.
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
  idempotent:
    support: full
notes:
  - Runs on the controller (C(delegate_to=localhost)).
  - Needs C(ssm:GetParametersByPath), C(ssm:PutParameter) and C(ssm:DeleteParameters) on the name.
"""

EXAMPLES = r"""
- name: Nobody else deploys meanwhile
  bluegreen.aws.deployment_lock:
    name: /bluegreen/popcon/dev/lock
    purpose: release of the frontend
  delegate_to: localhost
  run_once: true

- name: Let others deploy
  bluegreen.aws.deployment_lock:
    name: /bluegreen/popcon/dev/lock
    state: absent
  delegate_to: localhost
  run_once: true
"""

RETURN = r"""
deployment_lock:
  description: Who holds the lock after the task. Empty when nobody does.
  returned: success
  type: dict
  contains:
    user:
      description: Login name.
      type: str
      sample: kim
    host:
      description: Controller.
      type: str
      sample: laptop
    pid:
      description: Process id of the Ansible run.
      type: int
      sample: 4711
    since:
      description: When it was taken.
      type: str
      sample: "2026-11-21T04:15:30Z"
"""

import os
import time
from dataclasses import asdict

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.bluegreen.aws.plugins.module_utils import _lock as lock
from ansible_collections.bluegreen.aws.plugins.module_utils._aws import ssm_parameters as api
from ansible_collections.bluegreen.aws.plugins.module_utils._aws.client import make_client
from ansible_collections.bluegreen.aws.plugins.module_utils._aws.errors import BluegreenAWSError, error_code, fail
from ansible_collections.bluegreen.aws.plugins.module_utils._process import process_started


def observe(client, name):
    """The generations that exist."""
    found = []
    for item in api.get_parameters_by_path(client, name):
        generation = item["Name"].rsplit("/", 1)[-1]
        if generation.isdigit():
            found.append(lock.parse(int(generation), item["Value"]))
    return found


def alive(owner_host):
    def check(holder):
        if holder.host != owner_host:
            return None
        return process_started(holder.pid) == holder.started

    return check


def take(module, client, name, me):
    locks = observe(client, name)
    verdict = lock.decide(locks, me, now=time.time(), alive=alive(me.host), break_lock=module.params["break_lock"])
    if verdict.action == "refuse":
        top = max(locks, key=lambda item: item.generation)
        module.fail_json(msg=lock.refusal(name, top))
    if verdict.action == "keep" or module.check_mode:
        return verdict.action == "take", me
    if verdict.why:
        module.warn(f"The deployment lock {name} is taken over: {verdict.why}.")
    try:
        api.put_parameter(client, f"{name}/{verdict.generation}", Value=me.to_json(), Type="String", Description="Deployment lock")
    except BluegreenAWSError as exc:
        if error_code(exc.exception) != "ParameterAlreadyExists":
            raise
    locks = observe(client, name)
    mine = [item for item in locks if item.holder is not None and item.holder.same_run(me)]
    if not mine or not lock.confirmed(locks, mine[-1].generation):
        api.delete_parameters(client, [f"{name}/{item.generation}" for item in mine])
        module.fail_json(msg=lock.refusal(name, max(locks, key=lambda item: item.generation)))
    api.delete_parameters(client, [f"{name}/{generation}" for generation in verdict.stale])
    return True, me


def release(module, client, name, me):
    mine = [item for item in observe(client, name) if item.holder is not None and item.holder.same_run(me)]
    if mine and not module.check_mode:
        api.delete_parameters(client, [f"{name}/{item.generation}" for item in mine])
    return bool(mine), None


def main():
    spec = {
        "name": {"type": "str", "required": True},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "lease": {"type": "int", "default": 3600},
        "purpose": {"type": "str", "default": ""},
        "break_lock": {"type": "bool", "default": False},
        "owner": {"type": "dict"},
    }
    module = AnsibleAWSModule(argument_spec=spec, supports_check_mode=True)
    owner = module.params["owner"] or {"user": "unknown", "host": os.uname().nodename, "pid": os.getppid()}
    now = time.time()
    pid = int(owner["pid"])
    me = lock.Holder(
        user=owner["user"],
        host=owner["host"],
        pid=pid,
        started=process_started(pid) or "",
        since=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now)),
        expires=now + module.params["lease"],
        purpose=module.params["purpose"],
    )
    name = "/" + module.params["name"].strip("/")
    act = take if module.params["state"] == "present" else release
    try:
        changed, holder = act(module, make_client(module, "ssm"), name, me)
    except BluegreenAWSError as exc:
        fail(module, exc)
    shown = asdict(holder) if holder else {}
    before, after = ("free", "held by this run") if module.params["state"] == "present" else ("held by this run", "free")
    diff = {"before": before if changed else after, "after": after}
    module.exit_json(changed=changed, deployment_lock=shown, diff=diff)


if __name__ == "__main__":
    main()
