"""Brings a benchmark's environment into the state in which it measures: up, as its inventory describes it, and at rest."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))
import cloud  # noqa: E402

ANSIBLE = str(ROOT / ".venv/bin/ansible-playbook")
RUNS = 3
_CHANGED = re.compile(r"\bchanged=(\d+)")


class NotSettled(Exception):
    """The environment could not be brought to a state in which site.yml changes nothing."""


def changed(output: str) -> int:
    """How many tasks changed something, by the recap of a playbook's output."""
    counts = [int(count) for count in _CHANGED.findall(output)]
    if not counts:
        raise NotSettled(f"The playbook's output has no recap; its last lines were:\n{output[-3000:]}")
    return sum(counts)


def settle(run, runs: int = RUNS) -> int:
    """Calls `run` (a playbook's run: (exit code, output)) until it changes nothing; how many runs it took. Raises NotSettled."""
    for number in range(1, runs + 1):
        code, output = run()
        if code:
            raise NotSettled(f"site.yml failed with exit code {code}:\n{output[-3000:]}")
        if changed(output) == 0:
            return number
    raise NotSettled(f"site.yml still changed something in run {runs}:\n{output[-3000:]}")


def bring_up(system: str, name: str) -> dict[str, str]:
    """The local cloud `name` with `system` on it, at rest; the environment that points to it. Ends the program when that fails."""
    print(f"{system} is brought to the state that its inventory describes", flush=True)
    if cloud.start(name):
        sys.exit("The local cloud did not come up, see above.")
    env = cloud.environment(name)
    words = [ANSIBLE, "-i", f"inventories/{system}", "playbooks/site.yml"]

    def run():
        done = subprocess.run(words, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        return done.returncode, done.stdout

    try:
        runs = settle(run)
    except NotSettled as error:
        sys.exit(f"{system} could not be settled. {error}")
    print(f"{system} is at rest (site.yml changed nothing in run {runs})", flush=True)
    return env
