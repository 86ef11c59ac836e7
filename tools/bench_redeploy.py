"""Wires benchmarks/redeploy.py to popcon on the local cloud: brings it up, names the commands, passes the result on.

bench_redeploy.py            the whole benchmark
bench_redeploy.py --step …   one command of it (release N, unhealthy, plain-start, plain N, plain-unhealthy, plain-stop)
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time

import cloud

ROOT = cloud.ROOT
NAME = os.environ.get("LOCALCLOUD_NAME", "demo")
PYTHON = str(ROOT / ".venv/bin/python")
PLAYBOOK = [str(ROOT / ".venv/bin/ansible-playbook"), "-i", "inventories/popcon"]


def run(words, **env):
    return subprocess.run(words, cwd=ROOT, env={**os.environ, **env}, check=False).returncode


def build(version, faults=""):
    """Builds and pushes the two stateless services under a version of their own; both are replaced in a redeployment."""
    version = f"{version}-{os.environ.get('BENCH_RUN', '0')}"
    arguments = {"APP_VERSION": version, **({"FAULTS": faults} if faults else {})}
    builds = [
        {"tag": "backend", "context": str(ROOT / "samples/backend"), "args": arguments},
        {"tag": "frontend", "context": str(ROOT / "samples/frontend"), "args": {"APP_VERSION": version}},
    ]
    return run([*PLAYBOOK, "playbooks/provision.yml", "--tags", "image", "-e", json.dumps({"image_builds": builds})])


def deploy(*arguments):
    return run([*PLAYBOOK, "playbooks/deploy.yml", "--skip-tags", "docker_host", *arguments])


def plain(verb):
    return run([PYTHON, "benchmarks/plain_compose.py", verb, "--system", "popcon", "--environment", "dev"])


STEPS = {
    "release": lambda number: build(f"ours-{number}") or deploy(),
    "unhealthy": lambda _number: build("bad", "never_healthy") or deploy("-e", "compose_app_health_timeout=20"),
    "plain-start": lambda _number: build("plain-0") or plain("start"),
    "plain": lambda number: build(f"plain-{number}") or plain("up"),
    "plain-unhealthy": lambda _number: build("plain-bad", "never_healthy") or plain("up"),
    "plain-stop": lambda _number: plain("stop"),
}


def benchmark():
    if cloud.start(NAME):
        return 1
    # Images of an earlier run are in the registry; a version of its own makes every build of this run a new one.
    env = {**cloud.environment(NAME), "BENCH_RUN": f"{int(time.time()):x}"}
    if run([*PLAYBOOK, "playbooks/site.yml"], **env):
        return 1
    filters = ["tag:bluegreen:system=popcon", "instance-state-name=running"]
    address = subprocess.run(
        [PYTHON, "-c", _ADDRESS, *filters], cwd=ROOT, env={**os.environ, **env}, text=True, capture_output=True, check=True
    ).stdout.strip()
    step = f"{PYTHON} tools/bench_redeploy.py --step"
    words = [PYTHON, "benchmarks/redeploy.py", "--frontend", f"http://{address}:3000", "--backend", f"http://{address}:8080"]
    words += ["--redeploy", f"{step} release {{n}}", "--unhealthy", f"{step} unhealthy"]
    words += ["--plain-start", f"{step} plain-start", "--plain-redeploy", f"{step} plain {{n}}"]
    words += ["--plain-unhealthy", f"{step} plain-unhealthy", "--plain-stop", f"{step} plain-stop"]
    return run([*words, "--rate", "50", "--log-dir", ".work/bench-redeploy"], **env)


_ADDRESS = """
import sys, boto3
filters = [{"Name": name, "Values": [value]} for name, value in (word.split("=") for word in sys.argv[1:])]
found = boto3.client("ec2").describe_instances(Filters=filters)["Reservations"]
print(found[0]["Instances"][0]["PublicIpAddress"])
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--step", choices=sorted(STEPS))
    parser.add_argument("number", nargs="?", default="0")
    arguments = parser.parse_args()
    sys.exit(STEPS[arguments.step](arguments.number) if arguments.step else benchmark())


if __name__ == "__main__":
    main()
