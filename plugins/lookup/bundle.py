# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: bundle
short_description: Read a folder of text files, and its version
version_added: 0.1.0
description:
  - Returns the files below a folder as data, ready for O(bluegreen.aws.compose_release#module:files), and a fingerprint of them.
  - Hidden files are included; C(.git), C(__pycache__) and editors' backup files are not.
author:
  - bluegreen.aws maintainers (@bluegreen-aws)
options:
  _terms:
    description: Folders on the controller.
    required: true
    type: list
    elements: path
"""

EXAMPLES = r"""
- name: Show the version of the application's configuration
  ansible.builtin.debug:
    msg: "{{ lookup('bluegreen.aws.bundle', inventory_dir ~ '/files').version }}"
"""

RETURN = r"""
_raw:
  description: One dictionary per folder.
  type: list
  elements: dict
  contains:
    files:
      description: Relative path to text.
      type: dict
    version:
      description: 12 hexadecimal digits that change when the name or the text of a file does.
      type: str
"""

import os

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase

from ansible_collections.bluegreen.aws.plugins.module_utils._image import context_fingerprint


def read_files(folder):
    """{relative path: text}; AnsibleLookupError for a file that is not UTF-8 text."""
    files = {}
    for current, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in (".git", "__pycache__"))
        for name in sorted(name for name in names if not name.endswith(("~", ".swp"))):
            path = os.path.join(current, name)
            try:
                with open(path, encoding="utf-8") as file:
                    files[os.path.relpath(path, folder)] = file.read()
            except (OSError, UnicodeDecodeError) as exc:
                raise AnsibleLookupError(f"Failed to read {path} as text: {exc}. Keep it out of the bundle.") from exc
    return files


class LookupModule(LookupBase):
    def run(self, terms, variables=None, **kwargs):
        bundles = []
        for term in terms:
            if not os.path.isdir(term):
                raise AnsibleLookupError(f"Failed to read the bundle {term}: there is no such folder. Create it or correct the path.")
            bundles.append({"files": read_files(term), "version": context_fingerprint(term, {})})
        return bundles
