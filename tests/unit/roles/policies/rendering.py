# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the roles would hand to AWS for an inventory, rendered by Ansible's own templar; asks AWS nothing.

A program, because Ansible's collection loader is for a whole process. Standard output: {inventory: [what a task hands over, …]}.
"""

from __future__ import annotations

import json
import pathlib
import sys

from ansible.inventory.manager import InventoryManager
from ansible.parsing.ajson import AnsibleJSONEncoder
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import init_plugin_loader
from ansible.template import Templar, trust_as_template
from ansible.vars.manager import VariableManager

ROOT = pathlib.Path(__file__).resolve().parents[4]
ACCOUNT, REGION = "111111111111", "ap-northeast-2"
# Modules that hand a policy over, or decide who gets a role.
HANDING = (
    "amazon.aws.iam_role",
    "amazon.aws.iam_policy",
    "amazon.aws.s3_bucket",
    "amazon.aws.ec2_instance",
    "amazon.aws.ec2_launch_template",
)
# Others of their arguments need resources of the account.
ARGUMENTS = (
    "name", "iam_name", "policy_name", "policy_json", "state", "assume_role_policy_document", "managed_policies", "policy",
    "iam_instance_profile", "metadata_options",
)  # fmt: skip
# What earlier tasks find out.
FOUND = {
    "ansible_check_mode": False,
    "__static_site_bucket": f"site-{ACCOUNT}",
    "__static_site_distribution": {"cloudfront_site": {"arn": f"arn:aws:cloudfront::{ACCOUNT}:distribution/EOURS"}},
    "__load_balancer_bucket": f"logs-{ACCOUNT}",
    "__load_balancer_caller": {"account": ACCOUNT},
}
ROLES = {
    "popcon": [("instance", "main.yml"), ("monitoring", "main.yml")],
    "popcon_prod": [("instance", "main.yml")],
    "chat": [("ecs_app", "roles.yml"), ("static_site", "main.yml"), ("load_balancer", "logs.yml")],
    "wealist": [("fleet", "role.yml"), ("fleet", "template.yml"), ("load_balancer", "logs.yml")],
}
# Files that a role includes once for each of a list, and the variable that has one of them.
TURNS = {("fleet", "template.yml"): (trust_as_template("{{ _fleet_chosen }}"), "__fleet_group")}


class Inventory:
    """One of the inventories, with what is different in a test."""

    def __init__(self, name, changes):
        self._loader = DataLoader()
        source = str(ROOT / "inventories" / name / "00_localhost.yml")
        manager = InventoryManager(loader=self._loader, sources=[source])
        self._variables = VariableManager(loader=self._loader, inventory=manager)
        self._host, self._changes = manager.get_host("localhost"), changes

    def read(self, *path):
        """A YAML file of a role; [] or {} when there is none."""
        path = ROOT.joinpath("roles", *path)
        return self._loader.load_from_file(str(path), trusted_as_template=True) if path.exists() else {}

    def templar(self, role, *more):
        """As a task of the role sees its variables."""
        own = self._variables.get_vars(host=self._host, include_hostvars=False)
        variables = {**self.read(role, "defaults/main.yml"), **own, **self.read(role, "vars/main.yml"), **FOUND, **self._changes}
        variables["role_path"] = str(ROOT / "roles" / role)
        for each in more:
            variables.update(each)
        return Templar(loader=self._loader, variables=variables)

    def handed_over(self, role, file, facts):
        """[{"role", "module", "arguments"}, …] of the tasks in this file that hand a policy over, once for each turn of a loop."""
        found = []
        for task in self.read(role, "tasks", file):
            module = next((name for name in HANDING if name in task), None)
            if module is None:
                continue
            kept = {key: value for key, value in task[module].items() if key in ARGUMENTS}
            own = task.get("vars", {})
            loop, variable = TURNS.get((role, file), (task.get("loop", ["once"]), "item"))
            for item in self.templar(role, facts, own).template(loop):
                templar = self.templar(role, facts, own, {variable: item})
                conditions = task.get("when", [])
                conditions = conditions if isinstance(conditions, list) else [conditions]
                if all(templar.evaluate_conditional(condition) for condition in conditions):
                    found.append({"role": role, "module": module, "arguments": templar.template(kept)})
        return found


def monitoring_facts(inventory):
    """What playbooks/provision.yml sets before the groups: the facts of role monitoring's file that policies depend on."""
    tasks = inventory.read("monitoring", "tasks", "files.yml")
    task = next(task for task in tasks if "monitoring_statements" in task["ansible.builtin.set_fact"])
    wanted = ("monitoring_statements", "monitoring_release", "monitoring_agent_services")
    facts = {key: task["ansible.builtin.set_fact"][key] for key in wanted}
    return inventory.templar("monitoring").template(facts)


def main():
    init_plugin_loader([str(ROOT / ".work")])
    changes = json.loads(sys.argv[1]) if len(sys.argv) > 1 else {}
    rendered = {}
    for name, parts in ROLES.items():
        inventory = Inventory(name, changes.get(name, {}))
        facts = monitoring_facts(inventory) if name == "wealist" else {}
        rendered[name] = [one for role, file in parts for one in inventory.handed_over(role, file, facts)]
    json.dump(rendered, sys.stdout, cls=AnsibleJSONEncoder, indent=1)


if __name__ == "__main__":
    main()
