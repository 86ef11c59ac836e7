# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the playbooks beside this file against the session's cloud, all at once: most of their time is waiting."""

from __future__ import annotations

import dataclasses
import os
import pathlib
import re
import subprocess
import sys
import typing as t

import pytest

from .. import watch

HERE = pathlib.Path(__file__).resolve().parent
REPOSITORY = HERE.parents[3]
PLAYBOOKS = {
    "network": [],
    "identity": [],
    "storage": [],
    "instance": ["-i", "stock.aws_ec2.yml"],
    "autoscaling": [],
    "scaling": [],
    "balancer": [],
    "ecs": [],
    "stores": [],
    "database": [],
}
# They take a minute of processor each, and the services that they call have cases of their own: `make cloud` runs them.
THOROUGH = {"scaling", "stores", "database"}
LEAST_TASKS = {
    "network": 80, "identity": 55, "storage": 25, "instance": 30, "autoscaling": 25, "scaling": 60, "balancer": 50, "ecs": 50, "stores": 80,
    "database": 45,
}  # fmt: skip
"""A playbook that ran fewer tasks than these skipped something, and its success means nothing."""

TIMEOUT_SECONDS = 900


@dataclasses.dataclass
class Run:
    """One playbook under way."""

    process: subprocess.Popen[str]
    contract_log: pathlib.Path


def _ansible_playbook() -> str:
    configured = os.environ.get("LOCALCLOUD_ANSIBLE_PLAYBOOK")
    path = pathlib.Path(configured) if configured else REPOSITORY / ".venv" / "bin" / "ansible-playbook"
    assert path.exists(), f"{path} does not exist: name an ansible-playbook that has amazon.aws in LOCALCLOUD_ANSIBLE_PLAYBOOK"
    return str(path)


@pytest.fixture(scope="module")
def runs(request: pytest.FixtureRequest, cloud_env: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[dict[str, Run]]:
    """The playbooks that are asked for, started; each has a log of the answers that were validated in its processes."""
    asked = {item.callspec.params["name"] for item in request.session.items if getattr(item, "originalname", "") == "test_stock_modules"}
    started: dict[str, Run] = {}
    logs = tmp_path_factory.mktemp("stock")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "ANSIBLE_"))}
    for name, options in PLAYBOOKS.items():
        if name not in asked:
            continue
        environment = {
            **kept,
            **cloud_env,
            "ANSIBLE_CONFIG": str(HERE / "ansible.cfg"),
            "ANSIBLE_HOME": str(logs / f"{name}.home"),
            "ANSIBLE_NOCOLOR": "1",
            "PYTHONPATH": os.pathsep.join((str(HERE / "site"), str(HERE.parents[1]))),
            watch.LOG: str(logs / f"{name}.contract"),
        }
        output = (logs / f"{name}.out").open("w+", encoding="utf-8")
        process = subprocess.Popen(
            [_ansible_playbook(), *options, f"{name}.yml"], cwd=HERE, env=environment, stdout=output, stderr=subprocess.STDOUT, text=True
        )
        started[name] = Run(process, logs / f"{name}.contract")
        output.close()
    yield started
    for run in started.values():
        run.process.kill()
        run.process.wait()


@pytest.mark.parametrize("name", [pytest.param(name, marks=[pytest.mark.thorough] if name in THOROUGH else []) for name in PLAYBOOKS])
def test_stock_modules(name: str, runs: dict[str, Run]) -> None:
    run = runs[name]
    code = run.process.wait(timeout=TIMEOUT_SECONDS)
    output = run.contract_log.with_suffix(".out").read_text(encoding="utf-8")
    assert code == 0, f"{name}.yml failed\n{output[-6000:]}"
    recap = re.search(r"^localhost +: ok=(\d+)", output, re.MULTILINE)
    assert recap and int(recap[1]) >= LEAST_TASKS[name], f"{name}.yml ran too few tasks\n{output[-3000:]}"
    assert run.contract_log.exists(), f"no answer to {name}.yml was validated: Python {sys.version_info[:2]} did not import sitecustomize"


def test_what_stock_modules_call_has_cases(runs: dict[str, Run]) -> None:
    """What an independent client needs is what ours may need tomorrow."""
    from ..registered import OPERATIONS_WITH_CASES

    called: set[tuple[str, str]] = set()
    for run in runs.values():
        run.process.wait(timeout=TIMEOUT_SECONDS)
        for line in run.contract_log.read_text(encoding="utf-8").splitlines():
            service, operation, _ = line.split()
            called.add((service, operation))
    assert len(called) > 40
    without = sorted(f"{service} {operation}" for service, operation in called - OPERATIONS_WITH_CASES)
    assert without == []
