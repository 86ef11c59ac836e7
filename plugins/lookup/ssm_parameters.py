# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: ssm_parameters
short_description: Read a whole path of Parameter Store
version_added: 0.1.0
description:
  - Returns one dictionary per path, from the parameter's name below the path to its value.
  - All pages are read. A path without parameters is an error unless O(allow_empty=true).
author:
  - bluegreen.aws maintainers (@bluegreen-aws)
options:
  _terms:
    description: Paths to read, for example V(/popcon/dev/).
    required: true
    type: list
    elements: str
  decrypt:
    description:
      - Return the values of C(SecureString) parameters too.
      - Without it they are left out, so that a play that only wants settings never holds a secret.
    type: bool
    default: false
  allow_empty:
    description: Return an empty dictionary for a path without parameters.
    type: bool
    default: false
extends_documentation_fragment:
  - amazon.aws.common.plugins
  - amazon.aws.region.plugins
  - amazon.aws.boto3
notes:
  - A decrypted value is a variable like any other; use C(no_log=true) on the tasks that are given it.
seealso:
  - module: bluegreen.aws.ssm_parameters
"""

EXAMPLES = r"""
- name: Show where the database is
  ansible.builtin.debug:
    msg: "{{ lookup('bluegreen.aws.ssm_parameters', '/popcon/dev/')['DB_HOST'] }}"
"""

RETURN = r"""
_raw:
  description: One dictionary per path.
  type: list
  elements: dict
"""

from ansible.errors import AnsibleLookupError

from ansible_collections.amazon.aws.plugins.plugin_utils.lookup import AWSLookupBase
from ansible_collections.bluegreen.aws.plugins.module_utils._aws import ssm_parameters as api
from ansible_collections.bluegreen.aws.plugins.module_utils._aws.errors import BluegreenAWSError, sentence
from ansible_collections.bluegreen.aws.plugins.module_utils._parameters import SECURE


class LookupModule(AWSLookupBase):
    def run(self, terms, variables=None, **kwargs):
        super().run(terms, variables, **kwargs)
        try:
            client = self.client("ssm")
            return [self._read(client, term) for term in terms]
        except BluegreenAWSError as exc:
            raise AnsibleLookupError(sentence(exc)) from exc

    def _read(self, client, term):
        path = "/" + term.strip("/")
        decrypt = self.get_option("decrypt")
        items = api.get_parameters_by_path(client, path, decrypt=decrypt)
        if not items and not self.get_option("allow_empty"):
            raise AnsibleLookupError(f"No parameter exists below {path}. Create them with the parameters role, or set allow_empty=true.")
        prefix = path.rstrip("/") + "/"
        return {item["Name"][len(prefix) :]: item["Value"] for item in items if decrypt or item["Type"] != SECURE}
