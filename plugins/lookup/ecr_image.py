# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: ecr_image
short_description: Reference by digest of an image in ECR
version_added: 0.1.0
description:
  - Asks ECR which image a tag points to, and returns its reference by digest, which never means another image later.
author:
  - bluegreen.aws maintainers (@bluegreen-aws)
options:
  _terms:
    description: Images as C(REPOSITORY:TAG).
    required: true
    type: list
    elements: str
  predict:
    description:
      - For an image that is not there yet, return its reference by tag instead of an error.
      - Meant for check mode, in which it would have been built before.
    type: bool
    default: false
extends_documentation_fragment:
  - amazon.aws.common.plugins
  - amazon.aws.region.plugins
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: What version 1.2.0 is
  ansible.builtin.debug:
    msg: "{{ lookup('bluegreen.aws.ecr_image', 'chat:backend-1.2.0', region='ap-northeast-2') }}"
"""

RETURN = r"""
_raw:
  description: One reference per image, such as V(123456789012.dkr.ecr.ap-northeast-2.amazonaws.com/chat@sha256:0f3a…).
  type: list
  elements: str
"""

from ansible.errors import AnsibleLookupError

from ansible_collections.amazon.aws.plugins.plugin_utils.lookup import AWSLookupBase
from ansible_collections.bluegreen.aws.plugins.module_utils._aws import ecr as api
from ansible_collections.bluegreen.aws.plugins.module_utils._aws.errors import BluegreenAWSError, error_code, sentence


def reference(client, term, *, predict):
    """``client`` is ECR's; AnsibleLookupError with one sentence when the image or its repository is not there."""
    name, colon, tag = term.partition(":")
    if not colon or not tag:
        raise AnsibleLookupError(f"'{term}' is no image of ECR; give REPOSITORY:TAG.")
    region = client.meta.region_name
    try:
        uri = api.describe_repository(client, name)["repositoryUri"]
        digest = api.image_digest(client, name, tag)
    except BluegreenAWSError as exc:
        if error_code(exc.exception) != "RepositoryNotFoundException":
            raise AnsibleLookupError(sentence(exc)) from exc
        if predict:
            return term
        said = f"Repository {name} does not exist in {region}; run the registry role first. Nothing was changed."
        raise AnsibleLookupError(said) from None
    if digest:
        return f"{uri}@{digest}"
    if predict:
        return f"{uri}:{tag}"
    raise AnsibleLookupError(
        f"There is no image {name}:{tag} in {region}; push it, or let the image role build it (image_builds). Nothing was changed."
    )


class LookupModule(AWSLookupBase):
    def run(self, terms, variables=None, **kwargs):
        super().run(terms, variables, **kwargs)
        client = self.client("ecr")
        return [reference(client, term, predict=self.get_option("predict")) for term in terms]
