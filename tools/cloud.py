"""Starts a local cloud by name and gives the environment that points AWS clients at it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCALCLOUD = ROOT / ".venv-localcloud/bin/localcloud"


# The mark of what a benchmark started, which ends with it (benchmarks/ending.py).
BENCHMARK = "BLUEGREEN_BENCHMARK"


def start(name):
    """Brings the cloud up (a healthy one is reused); its output goes where ours goes. Exit code."""
    environment = {key: value for key, value in os.environ.items() if key != BENCHMARK}
    return subprocess.run([LOCALCLOUD, "--name", name, "up"], cwd=ROOT, env=environment, check=False).returncode


def stop(name):
    return subprocess.run([LOCALCLOUD, "--name", name, "down"], cwd=ROOT, check=False).returncode


def environment(name):
    """This process's environment with the cloud's endpoint and credentials; other AWS settings are taken out."""
    answer = subprocess.run([LOCALCLOUD, "--name", name, "env"], cwd=ROOT, text=True, capture_output=True, check=True).stdout
    env = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
    for line in answer.splitlines():
        key, equals, value = line.removeprefix("export ").partition("=")
        if line.startswith("export ") and equals:
            env[key] = value.strip("'\"")
    env["PATH"] = f"{ROOT / '.venv/bin'}:{env.get('PATH', '')}"
    return env


def client(env, service):
    """A botocore client for the cloud that an environment points to."""
    import botocore.session  # not before it is needed: the verbs that bring a cloud up run without it

    return botocore.session.Session().create_client(
        service,
        region_name=env["AWS_REGION"],
        endpoint_url=env["AWS_ENDPOINT_URL"],
        aws_access_key_id=env["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=env["AWS_SECRET_ACCESS_KEY"],
    )
