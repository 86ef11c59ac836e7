# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: ecr_registry
short_description: Host name of the registry that holds an ECR repository
version_added: 0.1.0
description:
  - Asks ECR for the repository's URI and returns its host part, to which image references and C(docker login) go.
author:
  - bluegreen.aws maintainers (@bluegreen-aws)
options:
  _terms:
    description: Repository names.
    required: true
    type: list
    elements: str
  predict:
    description:
      - For a repository that does not exist yet, return the host that AWS would give it, instead of an error.
      - Meant for check mode of an empty environment.
    type: bool
    default: false
extends_documentation_fragment:
  - amazon.aws.common.plugins
  - amazon.aws.region.plugins
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Where images of popcon are pushed to
  ansible.builtin.debug:
    msg: "{{ lookup('bluegreen.aws.ecr_registry', 'popcon', region='ap-northeast-2') }}"
"""

RETURN = r"""
_raw:
  description: One host, with a port where there is one, per repository.
  type: list
  elements: str
"""

from ansible.errors import AnsibleLookupError

from ansible_collections.amazon.aws.plugins.plugin_utils.lookup import AWSLookupBase
from ansible_collections.bluegreen.aws.plugins.module_utils._aws import ecr as api
from ansible_collections.bluegreen.aws.plugins.module_utils._aws.errors import BluegreenAWSError, error_code, sentence


class LookupModule(AWSLookupBase):
    def run(self, terms, variables=None, **kwargs):
        super().run(terms, variables, **kwargs)
        client = self.client("ecr")
        return [self._host(client, term) for term in terms]

    def _host(self, client, name):
        try:
            return api.describe_repository(client, name)["repositoryUri"].partition("/")[0]
        except BluegreenAWSError as exc:
            if error_code(exc.exception) != "RepositoryNotFoundException":
                raise AnsibleLookupError(sentence(exc)) from exc
            if not self.get_option("predict"):
                region = client.meta.region_name
                raise AnsibleLookupError(f"Repository {name} does not exist in {region}; run the registry role first.") from None
        account = api.registry_account(client)
        return f"{account}.dkr.ecr.{client.meta.region_name}.amazonaws.com"
