# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every alert fires when it should and not when it should not, by promtool of the image that the role builds."""

from __future__ import annotations

import re

import pytest
import yaml
from monitoring import CASES, LABELS, RULES, limits

RULE_FILES = sorted(RULES.glob("*.yml"))
# Alert -> the file that it is in.
ALERTS = {
    rule["alert"]: path.name
    for path in RULE_FILES
    for group in yaml.safe_load(path.read_text())["groups"]
    for rule in group["rules"]
    if "alert" in rule
}
WITHOUT_QUIET = {"Deadman"}


def expanded(series: dict) -> list:
    """promtool's input_series, the short names replaced by labels."""
    found = []
    for name, values in series.items():
        for short, labels in LABELS.items():
            name = re.sub(rf"\b{short}\b", labels, name)
        found.append({"series": name, "values": str(values)})
    return found


FIRING, NOT_FIRING = [{"labels": "{}", "value": 1}], []


def write_tests(folder, suffix: str, expected: dict) -> list:
    """promtool's test files, one for each file of rules, so that a case evaluates only the rules beside it; returns their names."""
    tests: dict = {name: [] for name in sorted(set(ALERTS.values()))}
    for title, case in CASES.items():
        alert = title.partition(",")[0]
        told = "".join(f", {name}={value!r}" for name, value in case["says"].items())
        firing = f'count(ALERTS{{alertstate="firing", alertname="{alert}"{told}}})'
        for kind, samples in expected.items():
            if kind in case:
                check = {"expr": firing, "eval_time": case["at"], "exp_samples": samples}
                test = {"name": f"{title}: {kind}", "interval": "1m", "input_series": expanded(case[kind]), "promql_expr_test": [check]}
                tests[ALERTS[alert]].append(test)
    for name, cases in tests.items():
        content = {"rule_files": [name, "limits.yml"], "evaluation_interval": "1m", "tests": cases}
        (folder / f"{name}.{suffix}").write_text(yaml.safe_dump(content, width=1000))
    return [f"/work/{name}.{suffix}" for name in tests]


def test_every_alert_has_a_case_for_each_side():
    covered = {title.partition(",")[0]: case for title, case in CASES.items()}
    assert set(covered) == set(ALERTS)
    assert {name for name, case in covered.items() if "quiet" not in case} == WITHOUT_QUIET


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("rules")
    for path in RULE_FILES:
        (made / path.name).write_text(path.read_text())
    (made / "limits.yml").write_text(limits())
    return made


def test_prometheus_takes_the_rules(promtool, folder):
    done = promtool("check", "rules", "--lint=all", "--lint-fatal", *(f"/work/{path.name}" for path in folder.glob("*.yml")), folder=folder)
    assert done.returncode == 0, done.stdout
    assert sum(map(int, re.findall(r"SUCCESS: (\d+) rules found", done.stdout))) > len(ALERTS)


def test_alerts_fire_when_they_should_and_not_otherwise(promtool, folder):
    done = promtool("test", "rules", *write_tests(folder, "test", {"fires": FIRING, "quiet": NOT_FIRING}), folder=folder)
    assert done.returncode == 0, done.stdout[-6000:]
    assert done.stdout.count("SUCCESS") == len(set(ALERTS.values()))


def test_a_case_can_fail(promtool, folder):
    """With the two sides exchanged each case fails; so it looks at something."""
    done = promtool("test", "rules", *write_tests(folder, "swapped", {"fires": NOT_FIRING, "quiet": FIRING}), folder=folder)
    assert done.returncode == 1
    assert done.stdout.count("expr: ") == sum(len({"fires", "quiet"} & set(case)) for case in CASES.values())


def test_annotations_say_what_happened(promtool, folder):
    """One alert in full, as whoever gets it reads it."""
    case = CASES["HostDiskAlmostFull"]
    wanted = {
        "eval_time": case["at"],
        "alertname": "HostDiskAlmostFull",
        "exp_alerts": [
            {
                "exp_labels": {**dict(re.findall(r'(\w+)="([^"]*)"', f"{LABELS['NODE']},{LABELS['DISK']}")), "severity": "critical"},
                "exp_annotations": {
                    "summary": "/ of web has 9% left",
                    "description": "A full disk stops Docker, logs and databases.",
                    "runbook_url": "https://github.com/bluegreen-aws/bluegreen.aws/blob/main/docs/monitoring.md#hostdiskalmostfull",
                },
            }
        ],
    }
    test = {"interval": "1m", "input_series": expanded(case["fires"]), "alert_rule_test": [wanted]}
    (folder / "said.yaml").write_text(yaml.safe_dump({"rule_files": ["hosts.yml"], "tests": [test]}, width=1000))
    done = promtool("test", "rules", "/work/said.yaml", folder=folder)
    assert done.returncode == 0, done.stdout
