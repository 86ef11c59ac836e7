"""Brings the local cloud up and a system on it; prints each stage, its time, and what runs at the end."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time

import cloud

ROOT = cloud.ROOT
NAME = os.environ.get("LOCALCLOUD_NAME", "demo")


class Stages:
    """Runs stages one after the other; a failed one ends the program with its exit code."""

    def __init__(self):
        self.began = time.monotonic()
        self.times = []

    def run(self, title, command, env):
        print(f"\n== {title}", flush=True)
        began = time.monotonic()
        code = subprocess.run(command, cwd=ROOT, env=env, check=False).returncode
        self.times.append((title, time.monotonic() - began))
        if code:
            sys.exit(f"{title} failed (exit code {code}), see above. `make demo` goes on from there, `make down` removes everything.")

    def table(self):
        width = max(len(title) for title, _seconds in self.times)
        for title, seconds in [*self.times, ("total", time.monotonic() - self.began)]:
            print(f"  {title.ljust(width)}  {seconds:6.1f} s")


def up(system):
    stages = Stages()
    stages.run("local cloud", [cloud.LOCALCLOUD, "--name", NAME, "up"], dict(os.environ))
    env = cloud.environment(NAME)
    playbook = [ROOT / ".venv/bin/ansible-playbook", "-i", f"inventories/{system}", "playbooks/site.yml"]
    stages.run(f"{system}: site.yml", playbook, env)
    print("\n== done")
    stages.table()
    print(f"  eval $({cloud.LOCALCLOUD.relative_to(ROOT)} --name {NAME} env) points your own shell at this cloud; make down removes it.")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("verb", choices=["up"])
    parser.add_argument("--system", default="popcon")
    arguments = parser.parse_args()
    ready = sorted(path.parent.name for path in (ROOT / "inventories").glob("*/00_localhost.yml"))
    if arguments.system not in ready:
        sys.exit(f"There is no system '{arguments.system}'; SYSTEM can be {', '.join(ready)}. Nothing was started.")
    up(arguments.system)


if __name__ == "__main__":
    main()
