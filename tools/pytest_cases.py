"""pytest plugin of `make cases`: runs only the tests marked with a case and writes which case each one shows.

CASES_WANTED has the ids of the cases that are run. The file named by CASES_REPORT gets one line of JSON a test:
{"cases": [...], "test": "...", "outcome": "passed" | "failed" | "skipped"}.
"""

from __future__ import annotations

import json
import os


def cases_of(item):
    """The case ids of a test, from each of its markers `case("A1", "B2")`."""
    return [case for marker in item.iter_markers("case") for case in marker.args]


def pytest_collection_modifyitems(config, items):
    wanted = set(os.environ["CASES_WANTED"].split())
    kept = [item for item in items if wanted.intersection(cases_of(item))]
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = kept
    for item in items:
        item.user_properties.append(("cases", cases_of(item)))


def pytest_runtest_logreport(report):
    """One line for each test: of its call, or of the set-up or the clean-up that failed."""
    cases = dict(report.user_properties).get("cases", [])
    if not cases or (report.when != "call" and report.passed):
        return
    with open(os.environ["CASES_REPORT"], "a", encoding="utf-8") as file:
        file.write(json.dumps({"cases": cases, "test": report.nodeid, "outcome": report.outcome}) + "\n")
