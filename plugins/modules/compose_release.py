#!/usr/bin/python
# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: compose_release
short_description: Release a docker compose application on one instance without losing a request
version_added: 0.1.0
description:
  - Runs on the instance. Reads the application's parameters, writes its C(.env), logs in to the registry, pulls and pins every image by
    digest, starts what changed beside what runs, and moves the traffic when the new containers are healthy.
  - The application's own compose file is used as it is. A stateless service that has ports is put behind a small proxy that keeps the
    service's name and its published ports; a service that has a volume stays as it is unless its own definition changed.
  - When the new release does not become healthy it is removed again. The old one has then never stopped, and remains what is recorded.
author:
  - bluegreen.aws maintainers (@bluegreen-aws)
options:
  state:
    description:
      - V(present) releases what O(source) or O(files) hold.
      - V(rolled_back) returns to an earlier release, with its images, its compose file and its C(.env), in the same way.
    type: str
    choices: [present, rolled_back]
    default: present
  project:
    description: Compose project name.
    type: str
    required: true
  directory:
    description:
      - Directory on the instance that holds the releases, for example V(/opt/popcon). It is created when it is missing.
      - The live release is the symbolic link C(current) in it.
    type: path
    required: true
  source:
    description:
      - Directory on the instance with the application's bundle for this release; the compose file, C(.env.example), and whatever
        the compose file mounts.
      - It is copied into the release and never used in place.
      - With O(state=present) exactly one of O(source) and O(files) is needed.
    type: path
  files:
    description:
      - The bundle as data; relative path to text. Needs no copy on the instance beforehand, so that check mode is exact.
    type: dict
  compose_file:
    description: Name of the compose file in the bundle.
    type: str
    default: docker-compose.yml
  example_file:
    description:
      - File in the bundle that lists the keys the application needs, one C(KEY=) per line.
      - A parameter that is missing or extra against it is an error before anything is touched. Without this file nothing is compared,
        with a warning.
    type: str
    default: .env.example
  parameters_path:
    description:
      - Path in Parameter Store whose parameters become the release's C(.env), for example V(/popcon/dev/).
      - The last part of a name is the key.
      - Without it and without O(parameters) the bundle's own C(.env) is used, if it has one.
    type: str
  parameters:
    description:
      - >-
        Single parameters that become keys of C(.env), key to full name, for example V({DB_PASSWORD: /wealist/prod/db/user_db_password}).
      - For an application that needs some of what lies below a path, or under other names. Added to those of O(parameters_path).
    type: dict
    default: {}
  images:
    description:
      - Images that this release pins, by service. A digest (C(sha256:…)) keeps the repository that the compose file names; anything else
        is a full reference.
      - A service that is not listed uses the reference of the compose file, resolved to a digest when it is pulled.
    type: dict
    default: {}
  pull:
    description:
      - V(always) asks the registry what a tag means now. An image given by digest that is there already is never pulled.
      - V(missing) pulls only what is not on the instance. V(never) does not pull.
    type: str
    choices: [always, missing, never]
    default: always
  registry:
    description: V(ecr) logs in to Amazon ECR with the instance's role for the time of the pull. V(none) pulls as it is.
    type: str
    choices: [ecr, none]
    default: none
  services:
    description:
      - How single services are treated, by name. Each value is a dictionary with C(strategy) (V(auto), V(replace), V(recreate) or V(stay)),
        C(mode) (V(http) or V(tcp)) and C(ports) (list of container ports that the proxy serves, when they cannot be read from the
        compose file or the image).
      - V(replace) starts the new one beside the old one, V(recreate) stops the old one first as C(docker compose up) does, V(stay) is a
        service that is only touched when its own definition changes. V(auto) is V(stay) for anything with a volume or a writable bind
        mount outside the bundle, else V(replace).
      - In mode V(http) requests are moved one by one, in mode V(tcp) connections are.
    type: dict
    default: {}
  proxy_image:
    description: Image of the proxy. Any image that has C(haproxy) 2.4 or later on its C(PATH).
    type: str
    default: docker.io/library/haproxy:3.2
  health_timeout:
    description: Seconds that the new containers have to become healthy, together.
    type: int
    default: 120
  settle_time:
    description: Seconds that a container without a health check has to run, with its ports open, before it counts as healthy.
    type: int
    default: 3
  drain_timeout:
    description:
      - Seconds that requests and connections on the old containers may still take after the traffic has moved. Then they are stopped.
    type: int
    default: 60
  stop_timeout:
    description: Seconds between SIGTERM and SIGKILL for the old containers. Not given means the service's own C(stop_grace_period), or 10.
    type: int
  lock_timeout:
    description: Seconds to wait for another release of the same directory to end.
    type: int
    default: 10
  keep_releases:
    description: Number of successful releases that are kept for a rollback. Older ones and failed ones go, with their images.
    type: int
    default: 5
  release:
    description: Id of the release to return to, with O(state=rolled_back). Not given means the one before the live one.
    type: str
  actor:
    description: Who releases, for the record. Not given means the user that runs the module.
    type: str
  config_version:
    description: Version of the configuration (a commit id), for the record. A different one makes a new release.
    type: str
  install_cli:
    description:
      - Where to install the same release program as one file for the instance's own use, for example V(/opt/bluegreen/compose-release.pyz).
      - An instance that boots alone runs C(python3 compose-release.pyz deploy --config file.json).
      - The file's keys are the names of these options.
    type: path
  region:
    description:
      - AWS region of Parameter Store and the registry.
      - Not given means E(AWS_DEFAULT_REGION), E(AWS_REGION), or the instance's own region.
    type: str
  endpoint_url:
    description: Endpoint of the AWS API. Not given means E(AWS_ENDPOINT_URL) or AWS.
    type: str
requirements:
  - Docker Engine 20.10 and Docker Compose 2.20, or later.
  - botocore on the instance, with O(parameters_path), O(parameters) or O(registry=ecr).
extends_documentation_fragment: [bluegreen.aws.attributes]
attributes:
  check_mode:
    support: full
    details: Nothing is pulled; a tag is compared with what is on the instance. Give digests in O(images) for an exact prediction.
  diff_mode:
    support: full
    details: Shows images, configuration version and the names of changed keys, never a value.
  idempotent:
    support: full
    details: O(state=rolled_back) without O(release) goes back one release each time.
seealso:
  - module: bluegreen.aws.compose_release_info
  - module: bluegreen.aws.ssm_parameters
"""

EXAMPLES = r"""
- name: Release popcon
  bluegreen.aws.compose_release:
    project: popcon
    directory: /opt/popcon
    files:
      docker-compose.yml: "{{ lookup('ansible.builtin.file', 'docker-compose.yml', rstrip=false) }}"
      .env.example: "{{ lookup('ansible.builtin.file', '.env.example', rstrip=false) }}"
    parameters_path: /popcon/dev/
    registry: ecr
    images:
      backend: sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae
    config_version: 3f2c1d0
    actor: alice

- name: Return to the release before
  bluegreen.aws.compose_release:
    project: popcon
    directory: /opt/popcon
    state: rolled_back
"""

RETURN = r"""
compose_release:
  description: The live release after the task; in check mode the one that would be.
  returned: success
  type: dict
  contains:
    id:
      description: Id; sorts by time. Empty when check mode predicts a new release.
      type: str
      sample: 20261121T041530Z-ab12
    project:
      description: Compose project name.
      type: str
      sample: popcon
    action:
      description: V(release) or V(rollback).
      type: str
      sample: release
    actor:
      description: Who released.
      type: str
      sample: alice
    started:
      description: When it began, UTC.
      type: str
      sample: "2026-11-21T04:15:30Z"
    duration:
      description: Seconds until the traffic had moved.
      type: float
      sample: 8.4
    result:
      description: V(succeeded), V(failed), V(interrupted) or V(running).
      type: str
      sample: succeeded
    error:
      description: Why it failed.
      type: str
      sample: ""
    config_version:
      description: Version of the configuration.
      type: str
      sample: 3f2c1d0
    images:
      description: Image of each service, pinned.
      type: dict
      sample: {"backend": "127.0.0.1:5000/popcon@sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"}
    keys:
      description: Names of the keys in C(.env).
      type: list
      elements: str
      sample: [DB_HOST, DB_PASSWORD]
    previous:
      description: Id of the release that was live before.
      type: str
      sample: 20261120T101010Z-77f0
    restores:
      description: Id of the release that a rollback returned to.
      type: str
      sample: ""
services:
  description: What was done to each service, or would be in check mode.
  returned: success
  type: list
  elements: dict
  contains:
    service:
      description: Name in the compose file.
      type: str
      sample: backend
    kind:
      description: How it is treated. One of V(proxied), V(rolling), V(recreated), V(stateful), V(job).
      type: str
      sample: proxied
    action:
      description: What is done. One of V(none), V(create), V(replace), V(recreate), V(start), V(run), V(proxy), V(remove).
      type: str
      sample: replace
    reasons:
      description: What differs.
      type: list
      elements: str
      sample: [image]
    colour:
      description: Colour that is live afterwards, of a service that is replaced side by side.
      type: str
      sample: green
    image:
      description: Pinned image.
      type: str
      sample: 127.0.0.1:5000/popcon@sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae
timeline:
  description: What happened when, in seconds since the start.
  returned: always
  type: list
  elements: dict
  contains:
    seconds:
      description: Seconds since the start.
      type: float
      sample: 2.1
    event:
      description: One sentence.
      type: str
      sample: backend-green is healthy
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.bluegreen.aws.plugins.module_utils._compose import options as release_options
from ansible_collections.bluegreen.aws.plugins.module_utils._compose.errors import ComposeReleaseError
from ansible_collections.bluegreen.aws.plugins.module_utils._host import cli, pyz, release  # noqa: F401  # pylint: disable=unused-import  # pyz packs cli
from ansible_collections.bluegreen.aws.plugins.module_utils._host.host import Host


def argument_spec():
    return {
        "state": {"type": "str", "choices": ["present", "rolled_back"], "default": "present"},
        "project": {"type": "str", "required": True},
        "directory": {"type": "path", "required": True},
        "source": {"type": "path"},
        "files": {"type": "dict"},
        "compose_file": {"type": "str", "default": "docker-compose.yml"},
        "example_file": {"type": "str", "default": ".env.example"},
        "parameters_path": {"type": "str"},
        "parameters": {"type": "dict", "default": {}},
        "images": {"type": "dict", "default": {}},
        "pull": {"type": "str", "choices": ["always", "missing", "never"], "default": "always"},
        "registry": {"type": "str", "choices": ["ecr", "none"], "default": "none"},
        "services": {"type": "dict", "default": {}},
        "proxy_image": {"type": "str", "default": "docker.io/library/haproxy:3.2"},
        "health_timeout": {"type": "int", "default": 120},
        "settle_time": {"type": "int", "default": 3},
        "drain_timeout": {"type": "int", "default": 60},
        "stop_timeout": {"type": "int"},
        "lock_timeout": {"type": "int", "default": 10},
        "keep_releases": {"type": "int", "default": 5},
        "release": {"type": "str"},
        "actor": {"type": "str"},
        "config_version": {"type": "str"},
        "install_cli": {"type": "path"},
        "region": {"type": "str"},
        "endpoint_url": {"type": "str"},
    }


def run(module):
    options = release_options.from_dict(module.params)
    host = Host(options)
    try:
        outcome = release.perform(host, check=module.check_mode)
    except ComposeReleaseError as exc:
        module.fail_json(msg=str(exc), timeline=host.timeline, warnings=host.warnings)
    installed = pyz.install(options.install_cli, check=module.check_mode) if options.install_cli else False
    result = {
        "changed": outcome.changed or installed,
        "compose_release": outcome.record,
        "services": outcome.services,
        "timeline": outcome.timeline,
    }
    if module._diff:
        result["diff"] = {"before": outcome.before, "after": outcome.after}
    for warning in outcome.warnings:
        module.warn(warning)
    return result


def main():
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    try:
        result = run(module)
    except ComposeReleaseError as exc:
        module.fail_json(msg=str(exc))
    module.exit_json(**result)


if __name__ == "__main__":
    main()
