# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""grafana_dashboards."""

from __future__ import annotations

import json

import pytest
from ansible.errors import AnsibleLookupError

from ansible_collections.bluegreen.aws.plugins.lookup.grafana_dashboards import LookupModule

DESCRIPTION = "{uid: one, title: One, rows: [{title: R, panels: [{title: P, queries: [{expr: up}]}]}]}\n"


def run(*folders):
    return LookupModule().run([str(folder) for folder in folders])[0]


def test_descriptions_become_json_and_json_stays(tmp_path):
    (tmp_path / "one.yml").write_text(DESCRIPTION)
    (tmp_path / "two.json").write_text('{"uid": "two"}')
    (tmp_path / "README.md").write_text("not a dashboard")
    found = run(tmp_path)
    assert sorted(found) == ["one.json", "two.json"]
    assert json.loads(found["one.json"])["title"] == "One"
    assert json.loads(found["two.json"]) == {"uid": "two"}
    assert run(tmp_path) == found, "the same text each time, or every run would be a change"


def test_a_later_folder_wins(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "one.yml").write_text(DESCRIPTION.replace("One", name))
    assert json.loads(run(tmp_path / "a", tmp_path / "b")["one.json"])["title"] == "b"


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("x.yml", "{uid: x}", "x.yml: the dashboard has missing keys: rows, title. Correct the file"),
        ("x.yml", "{", "x.yml: while parsing"),
        ("x.json", "{", "x.json: Expecting property name"),
    ],
)
def test_a_wrong_file_is_named(tmp_path, name, text, said):
    (tmp_path / name).write_text(text)
    with pytest.raises(AnsibleLookupError) as caught:
        run(tmp_path)
    assert said in str(caught.value)


def test_a_missing_folder(tmp_path):
    with pytest.raises(AnsibleLookupError, match="there is no such folder. Create it or correct the path"):
        run(tmp_path / "none")
