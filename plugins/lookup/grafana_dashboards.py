# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: grafana_dashboards
short_description: Make Grafana dashboards out of short descriptions
version_added: 0.1.0
description:
  - Reads every C(*.yml) in a folder, each a description of a dashboard (rows of panels, each with its queries), and returns Grafana's JSON.
  - A C(*.json) beside them is passed through, so that a dashboard that was made in Grafana can be kept as it is.
author:
  - bluegreen.aws maintainers (@bluegreen-aws)
options:
  _terms:
    description: Folders on the controller. A later folder's file replaces an earlier one's of the same name.
    required: true
    type: list
    elements: path
"""

EXAMPLES = r"""
- name: Names of the dashboards
  ansible.builtin.debug:
    msg: "{{ lookup('bluegreen.aws.grafana_dashboards', inventory_dir ~ '/files/dashboards').keys() }}"
"""

RETURN = r"""
_raw:
  description: One dictionary for all folders; file name, C(.json), to the dashboard as text.
  type: list
  elements: dict
"""

import json
import os

import yaml
from ansible.errors import AnsibleLookupError
from ansible.module_utils.common.yaml import yaml_load
from ansible.plugins.lookup import LookupBase

from ansible_collections.bluegreen.aws.plugins.module_utils import _grafana


def read(folder):
    """{file name: JSON text}; AnsibleLookupError for what is no description of a dashboard."""
    if not os.path.isdir(folder):
        raise AnsibleLookupError(f"Failed to read dashboards in {folder}: there is no such folder. Create it or correct the path.")
    found = {}
    for name in sorted(os.listdir(folder)):
        stem, suffix = os.path.splitext(name)
        if suffix not in (".yml", ".json"):
            continue
        try:
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                text = file.read()
            model = json.loads(text) if suffix == ".json" else _grafana.dashboard(yaml_load(text))
        except (OSError, ValueError, yaml.YAMLError, _grafana.DashboardError) as exc:
            raise AnsibleLookupError(f"Failed to read dashboard {os.path.join(folder, name)}: {exc} Correct the file.") from exc
        found[f"{stem}.json"] = json.dumps(model, indent=1, sort_keys=True) + "\n"
    return found


class LookupModule(LookupBase):
    def run(self, terms, variables=None, **kwargs):
        found = {}
        for term in terms:
            found.update(read(term))
        return [found]
