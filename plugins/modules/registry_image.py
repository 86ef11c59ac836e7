#!/usr/bin/python
# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: registry_image
short_description: Build an image and push it to ECR, once per content
version_added: 0.1.0
description:
  - Builds a folder's Dockerfile with the Docker Engine of the machine it runs on, and pushes the image under a tag.
  - The image also gets the tag C(TAG-FINGERPRINT), made from the context's content and the build arguments.
    When the repository has that tag already, nothing is built or pushed again.
  - The registry's token goes from ECR to the Engine in memory; nothing is written to a Docker configuration.
author:
  - bluegreen.aws maintainers (@bluegreen-aws)
options:
  repository:
    description: Name of an existing ECR repository.
    type: str
    required: true
  tag:
    description: Tag that moves to this image.
    type: str
    required: true
  context:
    description: Folder with a C(Dockerfile).
    type: path
    required: true
  build_args:
    description: Build arguments. They end up in the image, so never give a secret.
    type: dict
    default: {}
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - bluegreen.aws.attributes
requirements:
  - docker (the Python package)
attributes:
  check_mode:
    support: full
    details: The digest of an image that is not built yet is not known.
  diff_mode:
    support: full
  idempotent:
    support: full
notes:
  - Needs C(ecr:DescribeRepositories), C(ecr:DescribeImages), C(ecr:GetAuthorizationToken), C(ecr:BatchGetImage), C(ecr:PutImage)
    and the layer upload calls.
"""

EXAMPLES = r"""
- name: Build and push the backend
  bluegreen.aws.registry_image:
    repository: popcon
    tag: backend
    context: "{{ playbook_dir }}/../samples/backend"
    build_args:
      APP_VERSION: 1.2.0
"""

RETURN = r"""
registry_image:
  description: The image.
  returned: success
  type: dict
  contains:
    uri:
      description: Reference by tag.
      type: str
      sample: 123456789012.dkr.ecr.ap-northeast-2.amazonaws.com/popcon:backend
    digest:
      description: Digest that the tag points to. Empty in check mode when the image is not built yet.
      type: str
      sample: "sha256:0f3a…"
    fingerprint:
      description: What was built, 12 hexadecimal digits.
      type: str
      sample: 5f0c2f9f7d1b
"""

from ansible.module_utils.basic import missing_required_lib

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.bluegreen.aws.plugins.module_utils._aws import ecr as api
from ansible_collections.bluegreen.aws.plugins.module_utils._aws.client import make_client
from ansible_collections.bluegreen.aws.plugins.module_utils._aws.errors import BluegreenAWSError, error_code, fail
from ansible_collections.bluegreen.aws.plugins.module_utils._image import ImageError, check_stream, context_fingerprint


def observe(client, name, tag, fingerprint, *, missing_ok):
    """(repository's URI, digest that the tag points to, digest built from this fingerprint); None for what is not there.

    A repository that is missing is an error, except where it would have been created before this task.
    """
    try:
        uri = api.describe_repository(client, name)["repositoryUri"]
    except BluegreenAWSError as exc:
        if missing_ok and error_code(exc.exception) == "RepositoryNotFoundException":
            return name, None, None
        raise
    return uri, api.image_digest(client, name, tag), api.image_digest(client, name, f"{tag}-{fingerprint}")


def build_and_push(client, name, uri, tags, params):
    """Digest of the pushed image. ImageError with a sentence."""
    try:
        import docker  # where nothing is to be built, it is neither needed nor waited for
    except ImportError as exc:
        raise ImageError(missing_required_lib("docker")) from exc
    try:
        return _build_and_push(docker.APIClient(version="auto", timeout=1800), client, name, uri, tags, params)
    except docker.errors.DockerException as exc:
        said = f"Failed to build {uri}:{tags[-1]} with the Docker Engine: {exc}. Start the Engine, or set DOCKER_HOST."
        raise ImageError(said) from exc


def _build_and_push(engine, client, name, uri, tags, params):
    first = f"{uri}:{tags[0]}"
    arguments = {key: str(value) for key, value in params["build_args"].items()}
    events = engine.build(path=params["context"], tag=first, buildargs=arguments, rm=True, decode=True)
    check_stream(events, f"build {first} from {params['context']}")
    auth = api.authorization(client)
    digest = None
    for tag in tags:
        engine.tag(first, uri, tag)
        told = check_stream(engine.push(uri, tag=tag, auth_config=auth, stream=True, decode=True), f"push {uri}:{tag}")
        digest = told or digest
    return digest or api.image_digest(client, name, tags[0])


def main():
    spec = {
        "repository": {"type": "str", "required": True},
        "tag": {"type": "str", "required": True},
        "context": {"type": "path", "required": True},
        "build_args": {"type": "dict", "default": {}},
    }
    module = AnsibleAWSModule(argument_spec=spec, supports_check_mode=True)
    name, tag = module.params["repository"], module.params["tag"]
    try:
        fingerprint = context_fingerprint(module.params["context"], module.params["build_args"])
        client = make_client(module, "ecr")
        uri, before, built = observe(client, name, tag, fingerprint, missing_ok=module.check_mode)
        changed, after = built is None or built != before, built or ""
        if changed and not module.check_mode:
            if built is None:
                after = build_and_push(client, name, uri, [f"{tag}-{fingerprint}", tag], module.params)
            else:
                api.put_tag(client, name, built, tag)
    except BluegreenAWSError as exc:
        fail(module, exc)
    except OSError as exc:
        module.fail_json(msg=f"Failed to read the build context {module.params['context']}: {exc.strerror or exc}.")
    except ImageError as exc:
        module.fail_json(msg=str(exc))
    image = {"uri": f"{uri}:{tag}", "digest": after, "fingerprint": fingerprint}
    diff = {"before": {"digest": before or ""}, "after": {"digest": after or "not built yet"}}
    module.exit_json(changed=changed, registry_image=image, diff=diff)


if __name__ == "__main__":
    main()
