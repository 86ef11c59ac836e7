# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Policies as the roles render them, and MiniStack's evaluator that decides requests by them."""

from __future__ import annotations

import functools
import json
import pathlib
import subprocess
import sys

import pytest

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parents[3]


def run(python, program, *arguments, given=""):
    done = subprocess.run([python, HERE / program, *arguments], cwd=ROOT, check=False, text=True, input=given, capture_output=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


class Rendered:
    """What the roles hand over for one inventory."""

    def __init__(self, entries):
        self.entries = [{**entry, **entry["arguments"]} for entry in entries]

    def of(self, module):
        return [entry for entry in self.entries if entry["module"] == f"amazon.aws.{module}"]

    def policies(self):
        """{name of the role: its policy document}."""
        found = {entry["iam_name"]: entry["policy_json"] for entry in self.of("iam_policy") if entry.get("state") != "absent"}
        assert len(found) == len([entry for entry in self.of("iam_policy") if entry.get("state") != "absent"])
        return found

    def buckets(self):
        """{name of the bucket: its policy document}."""
        return {entry["name"]: entry["policy"] for entry in self.of("s3_bucket") if "policy" in entry}


@functools.cache
def rendered(changes="{}"):
    """{inventory: Rendered}; ``changes``: JSON, {inventory: variables that are different}."""
    return {name: Rendered(entries) for name, entries in run(sys.executable, "rendering.py", changes).items()}


@pytest.fixture(scope="session")
def render():
    return lambda **changes: rendered(json.dumps(changes, sort_keys=True))


@pytest.fixture(scope="session")
def decide():
    """decide([(policy, action, resource), …]) -> [bool, …]; a fourth member is a dict: kind, principal, context."""

    def decided(questions):
        full = []
        for policy, action, resource, *more in questions:
            common = {"kind": "identity", "principal": "", "context": {}, "policy": policy, "action": action, "resource": resource}
            full.append({**common, **(more[0] if more else {})})
        return run(ROOT / ".venv-localcloud/bin/python", "evaluator.py", given=json.dumps(full))

    return decided
