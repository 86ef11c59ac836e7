"""Runs the tests of each known case and counts the cases that pass; the last line is `result: cases=… passed=…`.

A test names its cases with the marker `case("A1")`; a molecule scenario in a line `# Cases: A1, C9` of its molecule.yml.
A case passes when it has a test and each of its tests passes. cases.py [ID …] runs the tests of these cases only.
"""

from __future__ import annotations

import json
import os
import re
import sys
import tempfile
from pathlib import Path

import check

CASES = {
    "A1": "Resources of another environment with the same name are neither changed nor removed",
    "A2": "A role of IAM can read its own parameters and no other",
    "A3": "A PostgreSQL server proves that it knows the password; TLS is verified",
    "A4": "A check mode run that loses its session leaves no secret on the instance",
    "A5": "Secrets are redacted in each usual spelling",
    "B1": "Samples of a metric that arrive late are judged",
    "B2": "Verdicts, timeline and page name the real colours",
    "B3": "The page of a rollout shows what happened, and can be read",
    "B4": "A switch does not overwrite weights that another run has set",
    "B5": "The watchdog does not overwrite weights that another run has set",
    "B6": "The deployment lock is renewed, belongs to one run, and names the right remedy",
    "B7": "Weights of a listener that authenticates first can be set and keep the login",
    "B8": "A live release whose record is damaged is not removed",
    "B9": "A full disk does not stop a rollback",
    "B10": "A malformed answer ends one command, not the host's session",
    "B11": "Code that changes during a run is not executed in its old version later",
    "C1": "compose: shared namespaces, links and volumes_from are released",
    "C2": "compose: a rotated secret from the environment recreates its container",
    "C3": "Four kinds of `permission denied` have four sentences",
    "C4": "compose: what does not speak HTTP is not proxied as HTTP",
    "C5": "Request and response headers of 32 KB pass the proxy",
    "C6": "Images are built for the platform of their instances, with BuildKit",
    "C7": "The tier of an existing parameter is left alone",
    "C8": "An instance refresh keeps the mixed instances policy",
    "C9": "A table of another owner does not stop the grants",
    "C10": "Alias, id and ARN of one KMS key are one key",
    "C11": "Each supported distribution is tried, or said to be untried",
    "C12": "AWS's reason for a wait is shown while waiting and in the last sentence",
    "C13": "Images and parameters of another region or account",
    "C14": "The SSM connection keeps its throughput at long round trips",
    "C15": "After `raw` installed Python the next module uses it; errors name the user's path",
    "D1": "The local cloud has the three documents of port sessions",
    "D2": "Presigned S3 URLs work in the local cloud",
    "D3": "The local cloud is as strict as AWS about tiers, keys, authentication and mixed instances policies",
    "E1": "bench-rollback compares a rollback with an empty playbook",
    "E2": "bench-provision",
    "E3": "bench-noop settles the environment first",
    "E4": "selfheal counts requests that fail after the instance is known to be gone apart from others",
    "E5": "bench-noop, settled",
    "E6": "Whatever ends a benchmark, nothing of it runs on",
}
MOLECULE = re.compile(r"^# Cases: (.+)$", re.MULTILINE)


def scenarios(wanted):
    """{scenario: its cases}, of the scenarios that name one of the wanted cases."""
    found = {}
    for path in sorted((check.ROOT / "molecule").glob("*/molecule.yml")):
        line = MOLECULE.search(path.read_text(encoding="utf-8"))
        cases = re.split(r"[,\s]+", line[1].strip()) if line else []
        if set(cases) & set(wanted):
            found[path.parent.name] = cases
    return found


def run_pytest(python, *arguments, env, report):
    words = [python, "-m", "pytest", "-q", "-p", "pytest_cases", *arguments]
    path = os.pathsep.join([str(check.ROOT / "tools"), str(check.WORK)])
    code, _output = check.command(words, env={**env, "PYTHONPATH": path, "CASES_REPORT": str(report)})
    return code


def run_all(wanted, report):
    """Exit codes of the suites that could not run their tests at all; each test's outcome goes to the report."""
    broken = []

    def suite(python, *arguments, env=None):
        code = run_pytest(python, *arguments, env=env or {}, report=report)
        if code not in (0, 1, 5):  # passed, failed, none selected; the report has the rest
            broken.append(f"pytest {arguments[0]} ended with code {code}")

    suite(check.BIN / "python", "tests/unit")
    suite(check.CLOUD_BIN / "python", "localcloud/tests", "-c", "localcloud/pyproject.toml", "--rootdir", "localcloud")
    suite(check.BIN / "python", "tests/integration/targets/connection_ssm")
    suite(check.BIN / "python", *(f"tests/integration/{name}" for name in ("compose", "samples", "monitoring")))

    def with_cloud(env):
        suite(check.BIN / "python", "tests/e2e", env=env)
        for name, cases in scenarios(wanted).items():
            outcome = check.scenario(name, env)
            line = {"cases": cases, "test": f"molecule {name}", "outcome": "failed" if outcome.failed else "passed"}
            with report.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
        return check.Outcome(1)

    if check.with_cloud(with_cloud).failed:
        broken.append("the local cloud did not come up")
    check.cloud.stop(check.TEST_CLOUD)
    return broken


def main():
    wanted = sys.argv[1:] or list(CASES)
    unknown = [case for case in wanted if case not in CASES]
    if unknown:
        sys.exit(f"cases: no case is named {', '.join(unknown)}; there are {', '.join(CASES)}")
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.jsonl"
        report.touch()
        os.environ["CASES_WANTED"] = " ".join(wanted)
        broken = run_all(wanted, report)
        lines = [json.loads(line) for line in report.read_text(encoding="utf-8").splitlines()]
    passed = 0
    for case in wanted:
        tests = [line for line in lines if case in line["cases"]]
        failed = sorted({line["test"] for line in tests if line["outcome"] != "passed"})
        good = bool(tests) and not failed
        passed += good
        print(f"  {'ok' if good else 'FAILED':6} {case:4} {len(tests):4} tests  {CASES[case]}")
        for test in failed:
            print(f"              {test}")
    for sentence in broken:
        print(f"  FAILED {sentence}")
    print(f"result: cases={len(wanted)} passed={passed}")
    sys.exit(0 if passed == len(wanted) and not broken else 1)


if __name__ == "__main__":
    main()
