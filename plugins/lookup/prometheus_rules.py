# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: prometheus_rules
short_description: Read Prometheus rule files, without the alerts that are not wanted
version_added: 0.1.0
description:
  - Reads every C(*.yml) in a folder as a file of Prometheus rules, and checks what Prometheus would refuse only when it runs.
  - Every alert needs a C(severity) and, as annotations, C(summary), C(description) and C(runbook_url); whoever is woken by it needs them.
author:
  - bluegreen.aws maintainers (@bluegreen-aws)
options:
  _terms:
    description: Folders on the controller. A later folder's file replaces an earlier one's of the same name.
    required: true
    type: list
    elements: path
  disabled:
    description: Names of alerts that are left out. A name that no file has is an error.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Rules without two alerts
  ansible.builtin.debug:
    msg: "{{ lookup('bluegreen.aws.prometheus_rules', 'rules', disabled=['HostRebooted', 'EndpointSlow']) }}"
"""

RETURN = r"""
_raw:
  description: One dictionary for all folders; file name to the rules as text.
  type: list
  elements: dict
"""

import os

import yaml
from ansible.errors import AnsibleLookupError
from ansible.module_utils.common.yaml import yaml_dump, yaml_load
from ansible.plugins.lookup import LookupBase

NEEDED = ("summary", "description", "runbook_url")


def read(folder):
    """{file name: groups}; AnsibleLookupError for what is no file of rules."""
    if not os.path.isdir(folder):
        raise AnsibleLookupError(f"Failed to read rules in {folder}: there is no such folder. Create it or correct the path.")
    found = {}
    for name in sorted(name for name in os.listdir(folder) if name.endswith(".yml")):
        path = os.path.join(folder, name)
        try:
            with open(path, encoding="utf-8") as file:
                groups = yaml_load(file)["groups"]
            rules = [rule for group in groups for rule in group["rules"]]
        except (OSError, ValueError, KeyError, TypeError, yaml.YAMLError) as exc:
            raise AnsibleLookupError(f"Failed to read rules {path}: it has no groups of rules ({exc}). Correct the file.") from exc
        for rule in rules:
            check(rule, path)
        found[name] = groups
    return found


def check(rule, path):
    """That a rule records, or alerts with all that is said to whoever gets it."""
    if "expr" not in rule or ("alert" in rule) == ("record" in rule):
        raise AnsibleLookupError(f"A rule in {path} needs expr, and either alert or record. Correct the file.")
    if "alert" in rule:
        missing = [name for name in NEEDED if not (rule.get("annotations") or {}).get(name)]
        if not (rule.get("labels") or {}).get("severity"):
            missing.append("the label severity")
        if missing:
            raise AnsibleLookupError(f"Alert {rule['alert']} in {path} has no {', '.join(missing)}. Add what is missing.")


def without(groups, disabled):
    """The groups without the alerts of these names, and without groups that are then empty."""
    kept = [{**group, "rules": [rule for rule in group["rules"] if rule.get("alert") not in disabled]} for group in groups]
    return [group for group in kept if group["rules"]]


def texts(folders, disabled):
    """{file name: rules as text} of all folders without the disabled alerts; AnsibleLookupError for an unknown one."""
    files = {}
    for folder in folders:
        files.update(read(folder))
    known = {rule["alert"] for groups in files.values() for group in groups for rule in group["rules"] if "alert" in rule}
    unknown = sorted(set(disabled) - known)
    if unknown:
        raise AnsibleLookupError(f"Failed to leave out {', '.join(unknown)}: there is no such alert. It can be {', '.join(sorted(known))}.")
    kept = {name: without(groups, disabled) for name, groups in files.items()}
    return {name: yaml_dump({"groups": groups}, sort_keys=False, width=1000, allow_unicode=True) for name, groups in kept.items() if groups}


class LookupModule(LookupBase):
    def run(self, terms, variables=None, **kwargs):
        self.set_options(var_options=variables, direct=kwargs)
        return [texts(terms, self.get_option("disabled"))]
