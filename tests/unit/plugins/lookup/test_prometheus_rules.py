# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""prometheus_rules."""

from __future__ import annotations

import pathlib
import re

import pytest
import yaml
from ansible.errors import AnsibleLookupError

from ansible_collections.bluegreen.aws.plugins.lookup.prometheus_rules import texts

ROOT = pathlib.Path(__file__).parents[4]
SHIPPED = ROOT / "roles/monitoring/files/rules"
SAID = {"summary": "s {{ $value }}", "description": "d", "runbook_url": "https://r"}


def run(*folders, disabled=()):
    return texts([str(folder) for folder in folders], disabled)


def alert(name, **changes):
    return {"alert": name, "expr": "up == 0", "labels": {"severity": "warning"}, "annotations": SAID, **changes}


def write(folder, *rules, name="own.yml"):
    (folder / name).write_text(yaml.safe_dump({"groups": [{"name": "own", "rules": list(rules)}]}))


def names(text):
    return [rule.get("alert") or rule["record"] for group in yaml.safe_load(text)["groups"] for rule in group["rules"]]


def test_rules_are_read_and_one_is_left_out(tmp_path):
    write(tmp_path, alert("A"), {"record": "x:y", "expr": "up"}, alert("B"))
    found = run(tmp_path, disabled=["A"])
    assert list(found) == ["own.yml"]
    assert names(found["own.yml"]) == ["x:y", "B"]
    assert "{{ $value }}" in found["own.yml"]
    assert run(tmp_path, disabled=["A"]) == found


def test_a_file_of_which_nothing_is_left_is_left_out(tmp_path):
    write(tmp_path, alert("A"))
    assert run(tmp_path, disabled=["A"]) == {}


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (alert("A", labels={}), "Alert A in {} has no the label severity. Add what is missing."),
        (alert("A", annotations={"summary": "s"}), "Alert A in {} has no description, runbook_url. Add what is missing."),
        ({"alert": "A"}, "A rule in {} needs expr, and either alert or record. Correct the file."),
        ({"alert": "A", "record": "b", "expr": "up"}, "A rule in {} needs expr, and either alert or record. Correct the file."),
    ],
)
def test_an_alert_that_says_too_little(tmp_path, rule, said):
    write(tmp_path, rule)
    with pytest.raises(AnsibleLookupError) as caught:
        run(tmp_path)
    assert said.format(tmp_path / "own.yml") in str(caught.value)


@pytest.mark.parametrize("text", ["", "groups:\n- name: x\n", "- 1", "{"])
def test_what_is_no_file_of_rules(tmp_path, text):
    (tmp_path / "own.yml").write_text(text)
    with pytest.raises(AnsibleLookupError, match="own.yml: it has no groups of rules"):
        run(tmp_path)


def test_a_name_that_no_alert_has(tmp_path):
    write(tmp_path, alert("A"))
    with pytest.raises(AnsibleLookupError, match="Failed to leave out B: there is no such alert. It can be A."):
        run(tmp_path, disabled=["B"])


def test_a_missing_folder(tmp_path):
    with pytest.raises(AnsibleLookupError, match="there is no such folder. Create it or correct the path"):
        run(tmp_path / "none")


def test_every_runbook_is_in_the_documentation():
    """The link of each shipped alert leads to a heading of its own in docs/monitoring.md."""
    headings = {
        line.lstrip("#").strip().lower()
        for line in (ROOT / "docs/monitoring.md").read_text(encoding="utf-8").splitlines()
        if line.startswith("#")
    }
    for text in run(SHIPPED).values():
        for group in yaml.safe_load(text)["groups"]:
            for rule in group["rules"]:
                if "alert" in rule:
                    page, _hash, anchor = rule["annotations"]["runbook_url"].partition("#")
                    assert page.endswith("/docs/monitoring.md")
                    assert anchor == rule["alert"].lower()
                    assert anchor in headings, rule["alert"]


def test_alert_names_are_there_once():
    found = [name for text in run(SHIPPED).values() for name in names(text) if re.match("[A-Z]", name)]
    assert len(found) == len(set(found)) > 40
