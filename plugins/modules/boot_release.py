#!/usr/bin/python
# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: boot_release
short_description: Write a release to S3, from which instances boot alone
version_added: 0.1.0
description:
  - Uploads the application's files, the release program (the code of M(bluegreen.aws.compose_release) as one file), and a description of
    the release that pins a version and the SHA-256 of each, the images by digest, and the names of the parameters.
  - An instance of an Auto Scaling group that is given the description's key runs exactly this release, whenever it boots; role
    P(bluegreen.aws.fleet#role) gives it.
  - Nothing that was written for an earlier release is changed, so that one can always be gone back to.
author:
  - bluegreen.aws maintainers (@bluegreen-aws)
options:
  bucket:
    description: Name of the bucket. It must have versioning.
    type: str
    required: true
  name:
    description: Whose release this is, for example the name of the Auto Scaling group.
    type: str
    required: true
  prefix:
    description: Folder in the bucket for the application's files.
    type: str
    default: config
  files:
    description: The application's files, relative path to text; see P(bluegreen.aws.bundle#lookup).
    type: dict
    required: true
  release:
    description:
      - Options of M(bluegreen.aws.compose_release) for the release, but for those that the instance decides itself (C(files), C(source),
        C(state), C(release), C(install_cli), C(actor), C(region), C(endpoint_url)).
      - Give images by digest; a tag may mean something else to every instance.
    type: dict
    required: true
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - bluegreen.aws.attributes
attributes:
  check_mode:
    support: full
    details: The id of a release whose files would be uploaded is not known before, and is empty.
  diff_mode:
    support: full
  idempotent:
    support: full
notes:
  - Needs C(s3:GetBucketVersioning), C(s3:GetObject), C(s3:ListBucket) and C(s3:PutObject) on the bucket.
seealso:
  - module: bluegreen.aws.compose_release
  - module: bluegreen.aws.autoscaling_refresh
"""

EXAMPLES = r"""
- name: What instances of the backend run
  bluegreen.aws.boot_release:
    bucket: wealist-deploy-scripts
    name: wealist-prod-backend
    files: "{{ lookup('bluegreen.aws.bundle', 'files/config').files }}"
    release:
      project: wealist
      directory: /opt/wealist
      compose_file: docker-compose.prod.yml
      registry: ecr
      images:
        user-service: sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae
      parameters:
        USER_DB_PASSWORD: /wealist/prod/db/user_db_password
"""

RETURN = r"""
boot_release:
  description: The release.
  returned: success
  type: dict
  contains:
    id:
      description: Twelve hexadecimal digits of its content; empty when check mode cannot know them.
      type: str
      sample: 3f2c1d0a9b8c
    key:
      description: Key of its description in the bucket.
      type: str
      sample: releases/wealist-prod-backend/3f2c1d0a9b8c.json
    program:
      description: Key of the release program.
      type: str
      sample: boot/compose-release-0a1b2c3d4e5f.pyz
    written:
      description: Keys of the objects that were written, or would be.
      type: list
      elements: str
      sample: [config/docker-compose.prod.yml]
"""

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.bluegreen.aws.plugins.module_utils import _boot_release as boot_release
from ansible_collections.bluegreen.aws.plugins.module_utils._aws import objects as api
from ansible_collections.bluegreen.aws.plugins.module_utils._aws.client import make_client
from ansible_collections.bluegreen.aws.plugins.module_utils._aws.errors import BluegreenAWSError, fail
from ansible_collections.bluegreen.aws.plugins.module_utils._compose import description
from ansible_collections.bluegreen.aws.plugins.module_utils._compose.errors import InvalidInput
from ansible_collections.bluegreen.aws.plugins.module_utils._host import cli, pyz  # noqa: F401  # pylint: disable=unused-import  # pyz packs cli


def argument_spec():
    return {
        "bucket": {"type": "str", "required": True},
        "name": {"type": "str", "required": True},
        "prefix": {"type": "str", "default": "config"},
        "files": {"type": "dict", "required": True},
        "release": {"type": "dict", "required": True},
    }


def write(client, bucket, items):
    """Version by key of what was written."""
    return {item.key: api.put(client, bucket, item.key, item.content, item.sha256, item.content_type) for item in items}


def run(module):
    params, bucket = module.params, module.params["bucket"]
    description.check(params["release"], params["files"])
    client = make_client(module, "s3")
    if not api.is_versioned(client, bucket):
        raise InvalidInput(
            f"Cannot write a release to bucket {bucket}: it has no versioning, so an earlier release would lose its files. "
            "Switch it on (role deploy_bucket does), or name another bucket. Nothing was changed."
        )
    wanted = boot_release.wanted(pyz.build(), params["prefix"], params["files"])
    existing = {item.key: api.head(client, bucket, item.key) for item in wanted}
    todo = boot_release.to_write(wanted, existing)
    versions = {key: found[0] for key, found in existing.items() if found}
    versions.update({item.key: boot_release.NEW_VERSION for item in todo} if module.check_mode else write(client, bucket, todo))
    found = boot_release.describe(params["name"], wanted, versions, params["release"])
    known = not (module.check_mode and todo)
    document = boot_release.Wanted("", found.key, found.text().encode(), "application/json")
    if not known:
        todo = [*todo, document]
    elif not api.head(client, bucket, found.key):
        todo = [*todo, document]
        if not module.check_mode:
            write(client, bucket, [document])
    keys = [item.key for item in todo if known or item is not document]
    shown = {"id": found.id if known else "", "key": found.key if known else "", "program": found.program.key, "written": keys}
    return {"changed": bool(todo), "boot_release": shown, "diff": boot_release.diff([*wanted, document] if known else wanted, existing)}


def main():
    module = AnsibleAWSModule(argument_spec=argument_spec(), supports_check_mode=True)
    try:
        result = run(module)
    except InvalidInput as exc:
        module.fail_json(msg=str(exc))
    except BluegreenAWSError as exc:
        fail(module, exc)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
