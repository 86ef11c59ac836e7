"""The connection beside the floor (`connection: local`) and, where it can be had, beside amazon.aws.aws_ssm; see README.md.

Whole ansible-playbook runs against the local cloud's session service, ways in turn, medians. A task's own cost is the difference between
a play of 21 tasks and one of 1, divided by 20; setting up a session is the difference between the ways for a play of 1 task.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

import ending

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/integration/targets/connection_ssm"))
import run as service  # noqa: E402

PLAYBOOK = ROOT / ".venv/bin/ansible-playbook"
# 60 ms there and back, and 150 ms for each call of the API.
FAR = {
    "to_agent": {"latency_ms": 30},
    "to_client": {"latency_ms": 30},
    "api": {name: {"latency_ms": 150} for name in ("StartSession", "ResumeSession", "TerminateSession")},
}
PEER = "aws_ssm"
SUDO = """#!/bin/sh
# Takes sudo's options and runs the command as who it is already: the wrapper's cost without a password database.
while [ $# -gt 0 ]; do case $1 in -u | -p) shift 2 ;; -*) shift ;; *) break ;; esac; done
exec "$@"
"""


@dataclass
class Scenario:
    """`play` is a play's content without hosts; `megabytes` of file travel in it; `repeat` overrides the number of runs."""

    name: str
    play: dict
    hosts: int = 1
    megabytes: int = 0
    modes: tuple = ("near", "far")
    repeat: int | None = None


@dataclass
class Figures:
    seconds: list = field(default_factory=list)
    calls: dict = field(default_factory=dict)
    broker_kib: int = 0
    brokers: int = 0

    @property
    def median(self):
        return statistics.median(self.seconds)


def tasks(number):
    return {"gather_facts": False, "tasks": [{"ansible.builtin.command": f"echo {index}"} for index in range(number)]}


def role(folder):
    """40 tasks as a role has them: facts, templates, files, commands."""
    template = folder / "unit.j2"
    template.write_text("[Unit]\nDescription={{ ansible_facts.hostname }} {{ item_number }}\n" + "# line {{ ansible_facts.kernel }}\n" * 20)
    listed = []
    for number in range(10):
        place = f"{{{{ scratch }}}}/{number}"
        listed += [
            {"ansible.builtin.file": {"path": place, "state": "directory", "mode": "0755"}},
            {"ansible.builtin.template": {"src": str(template), "dest": f"{place}/unit", "mode": "0644"}, "vars": {"item_number": number}},
            {"ansible.builtin.command": f"cat {place}/unit", "changed_when": False},
            {"ansible.builtin.lineinfile": {"path": f"{place}/unit", "line": "# end"}},
        ]
    return {"gather_facts": True, "tasks": listed}


def transfer(verb, megabytes, folder):
    source = folder / f"{megabytes}.bin"
    if not source.exists():
        source.write_bytes(os.urandom(megabytes * 1_000_000))
    if verb == "copy":
        task = {"ansible.builtin.copy": {"src": str(source), "dest": "{{ scratch }}/copied", "mode": "0644"}}
    else:
        task = {"ansible.builtin.fetch": {"src": str(source), "dest": "{{ scratch }}/fetched", "flat": True}}
    return {"gather_facts": False, "tasks": [task]}


def scenarios(folder):
    become = {**tasks(10), "become": True, "vars": {"ansible_become_exe": str(folder / "sudo")}}
    items = {"gather_facts": False, "tasks": [{"ansible.builtin.command": "echo {{ item }}", "loop": list(range(13))}]}
    return [
        Scenario("1 task", tasks(1)),
        Scenario("21 tasks", tasks(21)),
        Scenario("13 items", items),
        Scenario("role of 40 tasks", role(folder)),
        Scenario("become, 10 tasks", become),
        *(Scenario(f"{verb} 3 MB", transfer(verb, 3, folder), megabytes=3) for verb in ("copy", "fetch")),
        *(Scenario(f"{verb} 100 MB", transfer(verb, 100, folder), megabytes=100, modes=("near",)) for verb in ("copy", "fetch")),
        Scenario("10 hosts, 1 task", tasks(1), hosts=10),
        Scenario("10 hosts, 10 tasks", tasks(10), hosts=10, modes=("near",)),
        Scenario("50 hosts, 1 task", tasks(1), hosts=50, modes=("near",)),
        Scenario("50 hosts, 10 tasks", tasks(10), hosts=50, modes=("near",)),
    ]


def variables(way, facts, folder):
    if way == "local":
        return {"ansible_connection": "local"}
    if way == "ssm":
        return {"ansible_connection": "bluegreen.aws.ssm"}
    return {
        "ansible_connection": "amazon.aws.aws_ssm",
        "ansible_aws_ssm_bucket_name": os.environ["BENCH_SSM_BUCKET"],
        "ansible_aws_ssm_region": facts["region"],
    }


class Sampler:
    """Watches for brokers and their memory while a run lasts."""

    def __init__(self, figures):
        self._figures, self._stop = figures, threading.Event()
        self._seen = set()

    def __enter__(self):
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        while not self._stop.wait(0.3):
            for entry in os.scandir("/proc"):
                with contextlib.suppress(OSError, IndexError):
                    if entry.name.isdigit() and b"_ssm/broker.py" in Path(entry.path, "cmdline").read_bytes():
                        self._seen.add(entry.name)
                        status = Path(entry.path, "status").read_text()
                        self._figures.broker_kib = max(self._figures.broker_kib, int(status.split("VmHWM:")[1].split()[0]))

    def __exit__(self, *_unused):
        self._stop.set()
        self._thread.join()
        self._figures.brokers += len(self._seen)


def ask(facts, path, method="GET"):
    """The answer of the session service's own interface, which is on loopback."""
    request = urllib.request.Request(f"{facts['admin_url']}/{path}", method=method)  # noqa: S310
    with urllib.request.urlopen(request) as answer:  # noqa: S310
        return json.load(answer)


def once(scenario, way, facts, folder, figures):
    places = [(f"h{number}", facts["instance_ids"][number], f"{folder}/work/h{number}") for number in range(scenario.hosts)]
    hosts = {name: {"ansible_host": instance_id, "scratch": place} for name, instance_id, place in places}
    shared = {**variables(way, facts, folder), "ansible_python_interpreter": sys.executable}
    inventory, playbook = folder / "inventory.json", folder / "play.json"
    inventory.write_text(json.dumps({"all": {"hosts": hosts, "vars": shared}}))
    playbook.write_text(json.dumps([{"hosts": "all", **scenario.play}]))
    shutil.rmtree(folder / "work", ignore_errors=True)
    for _name, _instance_id, place in places:
        os.makedirs(place)
    environment = os.environ | {
        "ANSIBLE_CONFIG": str(folder / "ansible.cfg"),
        "ANSIBLE_FORKS": str(max(5, min(25, scenario.hosts))),
        "AWS_ENDPOINT_URL": facts["endpoint_url"],
        "AWS_REGION": facts["region"],
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }
    ask(facts, "counters", "DELETE")
    began = time.monotonic()
    with Sampler(figures):
        done = subprocess.run([PLAYBOOK, "-i", inventory, playbook], cwd=ROOT, env=environment, text=True, capture_output=True, check=False)
    figures.seconds.append(time.monotonic() - began)
    if done.returncode:
        sys.exit(f"{scenario.name} over {way} failed, so there is nothing to compare:\n{done.stdout[-3000:]}{done.stderr[-2000:]}")
    service.left_open(facts["admin_url"])
    counters = ask(facts, "state")["counters"]
    figures.calls = {name.removeprefix("api_"): count for name, count in counters.items() if name.startswith("api_")}


def measure(chosen, ways, repeat, folder):
    """{(mode, scenario's name): {way: Figures}}, the ways in turn in every round."""
    table = {}
    hosts = max(scenario.hosts for scenario in chosen)
    for mode, faults in (("near", {}), ("far", FAR)):
        with service.standalone(faults, instances=hosts) as facts:
            for scenario in chosen:
                if mode not in scenario.modes:
                    continue
                row = table[mode, scenario.name] = {way: Figures() for way in ways}
                for _round in range(scenario.repeat or repeat):
                    for way in ways:
                        once(scenario, way, facts, folder, row[way])
                listed = "  ".join(f"{way} {row[way].median:7.2f} s" for way in ways)
                print(f"  {mode:<4} {scenario.name:<20} {listed}  ratio {row['ssm'].median / row['local'].median:5.2f}", flush=True)
    return table


class Report:
    """What the medians say, goal by goal."""

    def __init__(self, table, chosen):
        self._table = table
        self._megabytes = {scenario.name: scenario.megabytes for scenario in chosen}
        self.result = {}

    def median(self, mode, name, way):
        row = self._table.get((mode, name))
        return row[way].median if row else None

    def task(self, mode, way):
        one, many = self.median(mode, "1 task", way), self.median(mode, "21 tasks", way)
        return None if one is None or many is None else (many - one) / 20

    def setup(self, mode, name="1 task"):
        ours, floor = self.median(mode, name, "ssm"), self.median(mode, name, "local")
        return None if ours is None else ours - floor - (self.task(mode, "ssm") or 0) + (self.task(mode, "local") or 0)

    def rate(self, name):
        ours, one = self.median("near", name, "ssm"), self.median("near", "1 task", "ssm")
        return None if ours is None or one is None else self._megabytes[name] / max(0.001, ours - one)

    def lines(self):
        near, far, floor = self.task("near", "ssm"), self.task("far", "ssm"), self.task("near", "local")
        if near is not None:
            value = f"{near * 1000:.0f} ms, floor {floor * 1000:.0f} ms"
            yield self._goal("a task, 0 ms round trip", value, near <= 1.3 * floor, "1.3 x the floor")
            self.result.update(task_ratio=round(near / floor, 2), task_ms=round(near * 1000), floor_ms=round(floor * 1000))
        if far is not None:
            met = far <= self.task("far", "local") + 0.06
            yield self._goal("a task, 60 ms round trip", f"{far * 1000:.0f} ms", met, "the floor + 60 ms")
            self.result.update(task_far_ms=round(far * 1000))
        for mode in ("near", "far"):
            if self.setup(mode) is not None:
                yield self._goal(f"session set-up, {mode}", f"{self.setup(mode):.2f} s", self.setup(mode) <= 1.3, "1.3 s")
                self.result["setup_s" if mode == "near" else "setup_far_s"] = round(self.setup(mode), 2)
        ours, local = (self.median("near", "50 hosts, 10 tasks", way) for way in ("ssm", "local"))
        if ours is not None:
            yield self._goal("50 hosts, 10 tasks", f"{ours:.1f} s, floor {local:.1f} s", ours <= 1.3 * local, "1.3 x the floor")
            self.result.update(hosts50_ratio=round(ours / local, 2))
        for name, key, goal in (("copy 100 MB", "put_mbps", 0), ("fetch 100 MB", "fetch_mbps", 3)):
            if self.rate(name) is not None:
                yield self._goal(name, f"{self.rate(name):.1f} MB/s", self.rate(name) >= goal, f"{goal} MB/s" if goal else "")
                self.result[key] = round(self.rate(name), 1)
        for hosts in (1, 10, 50):
            row = self._table.get(("near", "1 task" if hosts == 1 else f"{hosts} hosts, 10 tasks"))
            if row:
                mib = row["ssm"].broker_kib / 1024
                calls = ", ".join(f"{count} {name}" for name, count in sorted(row["ssm"].calls.items()))
                value = f"{mib:.0f} MiB, {row['ssm'].brokers / len(row['ssm'].seconds):g} process a run; {calls}"
                yield self._goal(f"broker, {hosts} hosts", value, mib <= 60 + hosts, f"{60 + hosts} MiB")
                self.result["broker_mb"] = round(mib)  # the last one has the most hosts

    @staticmethod
    def _goal(name, value, met, goal):
        return f"  {name:<26} {value:<58} {('met' if met else 'NOT met') + ': ' + goal if goal else ''}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeat", type=int, default=5, help="runs of each scenario and way")
    parser.add_argument("--only", default="", help="scenarios whose name contains this; the single task is always run")
    options = parser.parse_args()
    ways = ["local", "ssm"]
    if shutil.which("session-manager-plugin") and os.environ.get("BENCH_SSM_BUCKET"):
        ways.append(PEER)
    else:
        print("amazon.aws.aws_ssm is not measured: it needs session-manager-plugin on PATH and a bucket named in BENCH_SSM_BUCKET.")
    with tempfile.TemporaryDirectory(prefix="bench-ssm-") as name:
        folder = Path(name)
        (folder / "sudo").write_text(SUDO)
        (folder / "sudo").chmod(0o755)
        settings = f"[defaults]\ncollections_path = {ROOT}/.work\ncallbacks_enabled = bluegreen.aws.summary\n"
        (folder / "ansible.cfg").write_text(settings)
        chosen = [one for one in scenarios(folder) if options.only in one.name or one.name in ("1 task", "21 tasks")]
        table = measure(chosen, ways, options.repeat, folder)
    report = Report(table, chosen)
    print()
    for line in report.lines():
        print(line)
    print("result: " + " ".join(f"{name}={value}" for name, value in report.result.items()))


if __name__ == "__main__":
    ending.guard()
    main()
