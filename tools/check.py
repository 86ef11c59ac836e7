"""Runs the stages of `make test`; a stage that fails, or that ran no test, fails the run.

check.py all | lint | unit | sanity | connection | cloud | role | compose | e2e
"""

from __future__ import annotations

import argparse
import json
import os
import re
import selectors
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import threading
import time
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field
from pathlib import Path

import cloud

ROOT = cloud.ROOT
BIN = ROOT / ".venv/bin"
CLOUD_BIN = ROOT / ".venv-localcloud/bin"
WORK = ROOT / ".work"
# Another name lets two checkouts run their tests side by side on one machine.
TEST_CLOUD = os.environ.get("LOCALCLOUD_TEST_NAME", "test")


@dataclass
class Outcome:
    """What a stage came to: how many tests ran, how many failed, what the failed ones said."""

    ran: int = 0
    failed: int = 0
    said: list = field(default_factory=list)

    def add(self, other):
        self.ran += other.ran
        self.failed += other.failed
        self.said += other.said


class Ticker:
    """Prints a line when a quiet command has said nothing for ten seconds."""

    def __init__(self, what):
        self._what, self._stop, self._began = what, threading.Event(), time.monotonic()

    def __enter__(self):
        threading.Thread(target=self._run, daemon=True).start()
        return self

    def _run(self):
        while not self._stop.wait(10):
            print(f"  … {self._what} ({time.monotonic() - self._began:.0f} s)", flush=True)

    def __exit__(self, *_unused):
        self._stop.set()


def command(words, *, env=None, cwd=ROOT, quiet=False):
    """(exit code, output). A quiet command's output is shown only when it fails."""
    words = [str(word) for word in words]
    env = {**os.environ, "ANSIBLE_FORCE_COLOR": "0", "PATH": f"{BIN}:{os.environ['PATH']}", **(env or {})}
    if not quiet:
        return aloud(words, cwd, env), ""
    with Ticker(" ".join(words[:3])):
        done = subprocess.run(words, cwd=cwd, env=env, check=False, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode:
        print(done.stdout, flush=True)
    return done.returncode, done.stdout


def aloud(words, cwd, env):
    """Exit code of a command whose output is shown as it comes; when nothing comes for ten seconds a line says how long it has taken."""
    began = heard = time.monotonic()
    process = subprocess.Popen(words, cwd=cwd, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    with process.stdout, selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while True:
            if selector.select(1):
                data = os.read(process.stdout.fileno(), 65536)
                if not data:
                    return process.wait()
                sys.stdout.buffer.write(data)
                sys.stdout.flush()
                heard = time.monotonic()
            elif time.monotonic() - heard > 10:
                print(f" … {time.monotonic() - began:.0f} s", flush=True)
                heard = time.monotonic()


TELLING = re.compile(r"^(fatal: |\[ERROR\]|ERROR! |ERROR: |failed: )|^TASK \[.*(?=\])")


def telling(output, lines=12):
    """The lines of a command's output that say what went wrong: errors with the task they belong to, else its last lines."""
    found, task = [], None
    for line in output.splitlines():
        match = TELLING.match(line)
        if match and line.startswith("TASK"):
            task = line.rstrip(" *")
        elif match:
            found += [task] if task else []
            found.append(line[:600])
            task = None
    return (found or output.splitlines())[-lines:]


def one(name, words, **kwargs):
    """One command counts as one test."""
    began = time.monotonic()
    code, output = command(words, quiet=True, **kwargs)
    print(f"  {'ok' if code == 0 else 'FAILED':6} {name} ({time.monotonic() - began:.0f} s)", flush=True)
    return Outcome(1, int(code != 0), [name, *telling(output)] if code else [])


def pytest(python, *arguments, env=None):
    """Runs pytest and counts from its junit file, so that a run that collected nothing is seen."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "junit.xml"
        words = [python, "-m", "pytest", "-q", f"--junitxml={report}", "--durations=5", *arguments]
        code, _output = command(words, env=env)
        outcome = Outcome()
        if report.exists():
            for suite in ElementTree.parse(report).getroot().iter("testsuite"):  # noqa: S314, our own file
                failed = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
                outcome.add(Outcome(int(suite.get("tests", 0)) - int(suite.get("skipped", 0)), failed))
                for case in suite.iter("testcase"):
                    for trouble in [*case.iter("failure"), *case.iter("error")]:
                        message = (trouble.get("message") or "").split("\n")[0]
                        outcome.said.append(f"{case.get('classname')}.{case.get('name')}: {message[:300]}")
    if code and not outcome.failed:
        outcome.failed += 1
        outcome.said.append(f"pytest {' '.join(map(str, arguments))} ended with code {code}, see above")
    return outcome


def tracked(*patterns):
    """Files of the repository, uncommitted ones included, that match."""
    words = ["git", "ls-files", "-co", "--exclude-standard", "--", *patterns]
    return sorted(set(subprocess.run(words, cwd=ROOT, text=True, capture_output=True, check=True).stdout.split()))


def lint():
    outcome = Outcome()
    outcome.add(one("ruff check", [BIN / "ruff", "check", "."]))
    outcome.add(one("ruff format", [BIN / "ruff", "format", "--check", "."]))
    outcome.add(one("yamllint", [BIN / "yamllint", "-s", *tracked("*.yml", "*.yaml")]))
    outcome.add(one("ansible-lint", [BIN / "ansible-lint", "--offline", "-q"]))
    words = [BIN / "mypy", "--config-file", ROOT / "pyproject.toml", "-p", "ansible_collections.bluegreen.aws.plugins.module_utils"]
    outcome.add(one("mypy", words, cwd=WORK))
    outcome.add(one("shellcheck", [BIN / "shellcheck", *tracked("*.sh", ".ci/run")]))
    # Plugins' documentation is checked by ansible-test sanity; antsibull-docs cannot see the fragments of collections that we depend on.
    outcome.add(one("antsibull-docs", [BIN / "antsibull-docs", "lint-collection-docs", "."]))
    outcome.add(one("antsibull-changelog", [BIN / "antsibull-changelog", "lint"]))
    return outcome


def unit():
    return pytest(BIN / "python", "tests/unit", "-n", "2", env={"PYTHONPATH": str(WORK)})


GET_PIP = '''"""Stand in for get-pip.py: install pip from the package index with the wheel that ensurepip bundles."""
import glob
import os
import sys

import ensurepip

bundled = os.path.join(os.path.dirname(ensurepip.__file__), "_bundled", "pip-*.whl")
sys.path.insert(0, glob.glob(bundled)[0])

from pip._internal.cli.main import main

options = [arg for arg in sys.argv[1:] if arg not in ("--no-setuptools", "--no-wheel")]
sys.exit(main(["install", "--upgrade", *options]))
'''


# Not part of the collection's artifact; linted and tested as ordinary Python.
OUTSIDE = (
    *("localcloud/", "samples/", "benchmarks/", "tools/"),
    *("tests/e2e", "tests/integration", "tests/unit/benchmarks", "tests/unit/samples", "tests/unit/tools"),
)


def sanity():
    """ansible-test sanity in a copy outside the repository, where it neither sees nor leaves anything of ours."""
    cache = Path.home() / ".ansible/test/cache/get_pip_24_2.py"
    if not cache.exists():  # ansible-test fetches this file from a host that not every machine reaches
        cache.parent.mkdir(parents=True, exist_ok=True)
        cache.write_text(GET_PIP, encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        collections = Path(folder) / "ansible_collections"
        copy = collections / "bluegreen/aws"
        copy.mkdir(parents=True)
        for name in tracked():
            if name.startswith(OUTSIDE):
                continue
            source = ROOT / name
            if source.is_file():
                (copy / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, copy / name)
        for name in ("amazon", "community"):
            (collections / name).symlink_to(Path(sysconfig.get_path("purelib")) / "ansible_collections" / name)
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        interpreter = Path(sys.base_prefix) / "bin"
        env = {"PATH": f"{BIN}:{interpreter}:{os.environ['PATH']}", "LC_ALL": "C.UTF-8"}
        words = [BIN / "ansible-test", "sanity", "--local", "--python", version, "--color", "no"]
        code, output = command(words, env=env, cwd=copy, quiet=True)
    ran = len(re.findall(r"^Running sanity test ", output, re.MULTILINE))
    print(f"  {'ok' if code == 0 else 'FAILED':6} ansible-test sanity: {ran} tests", flush=True)
    return Outcome(ran, int(code != 0), telling(output) if code else [])


def cloud_tests(*, thorough=True):
    words = [] if thorough else ["-m", "not thorough"]
    return pytest(CLOUD_BIN / "python", "localcloud/tests", "-c", "localcloud/pyproject.toml", "--rootdir", "localcloud", *words)


def connection():
    return pytest(BIN / "python", "tests/integration/targets/connection_ssm", env={"PYTHONPATH": str(WORK)})


def compose(*, thorough=True):
    words = [] if thorough else ["-m", "not thorough"]
    suites = [f"tests/integration/{name}" for name in ("compose", "samples", "monitoring")]
    return pytest(BIN / "python", *suites, *words, env={"PYTHONPATH": str(WORK)})


def with_cloud(run):
    if cloud.start(TEST_CLOUD):
        print("  FAILED the local cloud did not come up")
        return Outcome(0, 1, ["the local cloud did not come up, see above"])
    return run(cloud.environment(TEST_CLOUD))


# Scenarios of the roles of chat and wealist: with them `make test` would take longer than it may; `make role` runs them.
THOROUGH_SCENARIOS = {"database", "database_bootstrap", "fleet", "monitoring", "services", "site", "stores", "tables"}


def scenario(name, env):
    """One scenario of molecule, with a state of its own: it would take what an earlier run prepared for still there."""
    with tempfile.TemporaryDirectory(prefix="molecule-") as state:
        words = [BIN / "molecule", "test", "-s", name]
        return one(f"molecule {name}", words, env={**env, "MOLECULE_EPHEMERAL_DIRECTORY": state})


def role(*, thorough=True):
    def run(env):
        outcome = Outcome()
        names = {path.parent.name for path in (ROOT / "molecule").glob("*/molecule.yml")}
        for name in sorted(names if thorough else names - THOROUGH_SCENARIOS):
            outcome.add(scenario(name, env))
        return outcome

    return with_cloud(run)


def e2e(*, thorough=True):
    words = [] if thorough else ["-m", "not thorough"]
    return with_cloud(lambda env: pytest(BIN / "python", "tests/e2e", "-v", *words, env={**env, "PYTHONPATH": str(WORK)}))


STAGES = {
    "lint": lint,
    "unit": unit,
    "sanity": sanity,
    "connection": connection,
    "cloud": cloud_tests,
    "compose": compose,
    "role": role,
    "e2e": e2e,
}
# What `make test` does of a stage that alone does more.
QUICKLY = STAGES | {
    "cloud": lambda: cloud_tests(thorough=False),
    "compose": lambda: compose(thorough=False),
    "role": lambda: role(thorough=False),
    "e2e": lambda: e2e(thorough=False),
}
# They mostly wait for the cloud; in `make test` they run, one after the other, beside the stages before them, which mostly compute.
BESIDE = ("connection", "role", "e2e")


class Beside:
    """Stages one after the other, each in a process of its own, their output kept until it is asked for."""

    def __init__(self, names):
        self._folder = tempfile.TemporaryDirectory()
        self._ended = {name: threading.Event() for name in names}
        self._codes: dict = {}
        threading.Thread(target=self._run, daemon=True).start()
        print(f"  {' and then '.join(names)} run beside what follows", flush=True)

    def _run(self):
        for name, ended in self._ended.items():
            words = [sys.executable, __file__, name, "--report", self._path(name, "report"), "--quickly"]
            with self._path(name, "log").open("wb") as log:
                self._codes[name] = subprocess.call(words, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT)
            ended.set()

    def _path(self, name, kind):
        return Path(self._folder.name) / f"{name}.{kind}"

    def outcome(self, name):
        """Wait for the stage's end; show its output; (what it came to, seconds)."""
        with Ticker(f"waiting for {name}"):
            self._ended[name].wait()
        print(self._path(name, "log").read_text(errors="replace"), flush=True)
        if not self._path(name, "report").exists():
            return Outcome(0, 1, [f"stage {name} ended with code {self._codes[name]} and no report"]), 0.0
        report = json.loads(self._path(name, "report").read_text())
        return Outcome(report["ran"], report["failed"], report["said"]), report["seconds"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stage", choices=["all", *STAGES])
    parser.add_argument("--report", type=Path, help="write what the stage came to there, as JSON, and no summary")
    parser.add_argument("--quickly", action="store_true", help="what make test does of the stage")
    options = parser.parse_args()
    wanted = options.stage
    began, rows = time.monotonic(), []
    beside = Beside(BESIDE) if wanted == "all" else None
    for name in STAGES if wanted == "all" else [wanted]:
        print(f"\n== {name}", flush=True)
        started = time.monotonic()
        if beside is not None and name in BESIDE:
            outcome, seconds = beside.outcome(name)
        else:
            outcome = (QUICKLY if wanted == "all" or options.quickly else STAGES)[name]()
            seconds = time.monotonic() - started
        if outcome.ran == 0:
            print(f"  FAILED stage {name} ran no test", flush=True)
            outcome.failed += 1
        rows.append((name, outcome, seconds))
    if wanted in ("all", "role", "e2e") and cloud.LOCALCLOUD.exists():
        cloud.stop(TEST_CLOUD)
    if options.report:
        ((name, outcome, seconds),) = rows
        report = {"ran": outcome.ran, "failed": outcome.failed, "said": outcome.said, "seconds": seconds}
        options.report.write_text(json.dumps(report), encoding="utf-8")
        return
    for name, outcome, _seconds in rows:
        if outcome.said:
            print(f"\n== what failed in {name}", *outcome.said, sep="\n  ")
    print("\n== summary")
    for name, outcome, seconds in rows:
        print(f"  {name:11} {outcome.ran:5} ran {outcome.failed:4} failed {seconds:7.0f} s")
    ran = sum(outcome.ran for _name, outcome, _seconds in rows)
    failed = sum(outcome.failed for _name, outcome, _seconds in rows)
    print(f"  {'total':11} {ran:5} ran {failed:4} failed {time.monotonic() - began:7.0f} s\n")
    print(f"{max(ran - failed, 0)} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
