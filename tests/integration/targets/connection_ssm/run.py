#!/usr/bin/env python3
# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the connection's test playbooks against a Session Manager, one host per variant; fails when nothing was tested.

Without arguments it starts the local cloud's standalone session service. `--instance i-…` uses the instance and the API that the
environment points to (AWS_ENDPOINT_URL, credentials, region) instead, a local cloud's or AWS's.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[3]
RECAP = re.compile(r"^(?P<host>\S+)\s+: ok=(?P<ok>\d+)\s+changed=\d+\s+unreachable=(?P<unreachable>\d+)\s+failed=(?P<failed>\d+)", re.M)
MINIMUM_OK = {"test_connection.yml": 41, "test_become.yml": 9}

VARIANTS = {
    "pipelining": {},
    "no-pipelining": {"ansible_pipelining": False},
    "default-document": {"ansible_aws_ssm_document": "SSM-SessionManagerRunShell"},
    "no-python": {"ansible_aws_ssm_executor": "sh"},
    "terminal": {"ansible_aws_ssm_pty": True, "ansible_pipelining": False},
    "large-payload": {"ansible_aws_ssm_payload_size": 16384},
}


@contextlib.contextmanager
def standalone(faults: dict, instances: int = 1):
    """The session service and its agents as processes of this machine; yields what they said about themselves."""
    python = ROOT / ".venv-localcloud" / "bin" / "python"
    if not python.exists():
        sys.exit(f"connection_ssm: {python} is missing; run `make setup` first.")
    log = tempfile.TemporaryFile(mode="w+")  # noqa: SIM115 - the process writes to it until the end
    words = [python, "-m", "localcloud.session.standalone"]
    process = subprocess.Popen(
        [*words, "--port", "0", "--until-eof", "--faults", json.dumps(faults), "--instances", str(instances)],
        env=os.environ | {"PYTHONPATH": str(ROOT / "localcloud" / "src")},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
    )
    try:
        line = process.stdout.readline()
        if not line:
            log.seek(0)
            sys.exit(f"connection_ssm: the session service did not start:\n{log.read()}")
        yield json.loads(line)
    finally:
        process.stdin.close()
        process.terminate()
        process.wait()


def inventory(target: str, python: str, sudo: Path | None) -> dict:
    common = {
        "ansible_connection": "bluegreen.aws.ssm",
        "ansible_host": target,
        "ansible_python_interpreter": python,
    }
    become = {"become_method": "ansible.builtin.sudo"} if sudo is None else {}
    hosts = {name: common | become | values for name, values in VARIANTS.items()}
    groups = {"variants": {"hosts": hosts}, "sh": {"hosts": {"no-python": {}}}}
    if sudo is not None:
        password = secrets.token_hex(8)
        (sudo.parent / "sudo-password").write_text(password, encoding="utf-8")
        values = common | {
            "ansible_become_method": "ansible.builtin.sudo",
            "ansible_become_exe": str(sudo),
            "ansible_become_password": password,
        }
        groups["become"] = {"hosts": {"become-password": values, "become-terminal": values | {"ansible_aws_ssm_pty": True}}}
    return {"all": {"children": groups}}


def play(playbook: str, inventory_file: Path, scratch: Path, arguments: list[str], environment: dict) -> tuple[list[str], str]:
    """Run a playbook; return what is wrong with the result, and its output."""
    command = [str(ROOT / ".venv" / "bin" / "ansible-playbook"), "-i", str(inventory_file), str(HERE / playbook)]
    command += ["-e", f"local_root={scratch}", "-e", f"run_id={os.getpid()}", *arguments]
    print(f"connection_ssm: {playbook}", flush=True)
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    output = ""
    for line in process.stdout:
        output += line
        if not any(argument.startswith("-v") for argument in arguments):
            print(line, end="", flush=True)
    problems = [] if process.wait() == 0 else [f"{playbook} ended with {process.returncode}"]
    recap = list(RECAP.finditer(output))
    if not recap:
        problems.append(f"{playbook} tested no host")
    for found in recap:
        if found["host"] == "localhost":
            continue
        if int(found["unreachable"]) or int(found["failed"]):
            problems.append(f"{playbook} failed on {found['host']}")
        elif int(found["ok"]) < MINIMUM_OK[playbook]:
            problems.append(f"{playbook} ran only {found['ok']} tasks on {found['host']}, expected {MINIMUM_OK[playbook]}")
    return problems, output


def left_open(admin_url: str, seconds: float = 10.0) -> list:
    """The sessions that are open still; a broker ends its own when it sees that its run has ended."""
    deadline = time.monotonic() + seconds
    while True:
        with urllib.request.urlopen(f"{admin_url}/state") as answer:
            left = json.load(answer)["open_sessions"]
        if not left or time.monotonic() > deadline:
            return left
        time.sleep(0.05)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--instance", help="instance id; the environment says where its API is")
    parser.add_argument("--python", default="/usr/bin/python3", help="Python on the instance")
    parser.add_argument("--faults", default="{}", help="faults of the standalone service, as JSON")
    parser.add_argument("--limit", default="variants", help="which variants")
    options = parser.parse_args(arguments)
    os.environ.setdefault("ANSIBLE_CONFIG", str(ROOT / "ansible.cfg"))
    with contextlib.ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="connection-ssm-")))
        environment = dict(os.environ)
        facts = {}
        if options.instance is None:
            facts = stack.enter_context(standalone({"agent": {"first_output_delay": 0.05}} | json.loads(options.faults)))
            environment |= {
                "AWS_ENDPOINT_URL": facts["endpoint_url"],
                "AWS_REGION": facts["region"],
                "AWS_ACCESS_KEY_ID": "test",
                "AWS_SECRET_ACCESS_KEY": "test",
            }
        sudo = None
        if facts:
            sudo = scratch / "sudo-with-password.sh"
            shutil.copy(HERE / "files" / sudo.name, sudo)
        listed = scratch / "inventory.json"
        listed.write_text(json.dumps(inventory(options.instance or facts["instance_id"], options.python, sudo)), encoding="utf-8")
        for name in VARIANTS:
            (scratch / name).mkdir()
        problems, _output = play("test_connection.yml", listed, scratch, ["-e", f"target_hosts={options.limit}"], environment)
        if facts:
            more, output = play("test_become.yml", listed, scratch, ["-vvv"], environment)
            problems += more
            if more:
                print(output)
            password = (scratch / "sudo-password").read_text(encoding="utf-8")
            if password in output:
                problems.append("the become password is in the output at -vvv")
            left = left_open(facts["admin_url"])
            if left:
                problems.append(f"{len(left)} sessions were left open")
    for problem in problems:
        print(f"connection_ssm: {problem}", file=sys.stderr)
    print(f"connection_ssm: {'failed' if problems else 'passed'}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
