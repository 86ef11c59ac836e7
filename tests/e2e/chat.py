# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of chat act with: its playbooks, its listener's weights, its rollouts' records and evidence."""

from __future__ import annotations

import json
import subprocess
import time

import websockets.sync.client
import world

NAME = "chat-dev"
RECORD = "/bluegreen/chat/dev/rollout/state"
EVIDENCE = world.ROOT / "evidence" / NAME
# Short gates: what is tried here is what happens, not how long a team wants to look.
QUICK = {"canary_cloudwatch": False, "canary_gate": {"hold_s": 4, "timeout_s": 150, "metrics": False}}


def command(playbook, *arguments):
    words = [str(world.ROOT / ".venv/bin/ansible-playbook"), "-i", "inventories/chat", f"playbooks/{playbook}.yml"]
    return [*words, *arguments]


def run(playbook, *arguments, timeout=600, **env):
    began = time.monotonic()
    done = subprocess.run(
        command(playbook, *arguments), cwd=world.ROOT, env=world.environment(env), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=timeout, check=False,
    )  # fmt: skip
    return world.Result(done.returncode, done.stdout, time.monotonic() - began)


def switch(**more):
    return run("switch", "-e", json.dumps({**QUICK, **more}))


def start_switch(**more):
    """A switch in the background, in a process group of its own."""
    return subprocess.Popen(
        command("switch", "-e", json.dumps({**QUICK, **more})), cwd=world.ROOT, env=world.environment(), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
    )  # fmt: skip


def start(playbook, log, *arguments):
    """A playbook in the background, its output in the file `log`."""
    with log.open("wb") as output:
        return subprocess.Popen(
            command(playbook, *arguments), cwd=world.ROOT, env=world.environment(), stdout=output, stderr=subprocess.STDOUT
        )  # fmt: skip


def socket():
    """A WebSocket through the load balancer."""
    return websockets.sync.client.connect(url().replace("http://", "ws://") + "/ws", proxy=None)


def tasks(colour):
    """(desired, running) tasks of a colour."""
    service = world.client("ecs").describe_services(cluster=NAME, services=[f"{NAME}-{colour}"])["services"][0]
    return service["desiredCount"], service["runningCount"]


def weights():
    """{colour: percent} of the listener on port 80."""
    client = world.client("elbv2")
    balancer = client.describe_load_balancers(Names=[NAME])["LoadBalancers"][0]["LoadBalancerArn"]
    listener = next(item for item in client.describe_listeners(LoadBalancerArn=balancer)["Listeners"] if item["Port"] == 80)
    groups = client.describe_target_groups()["TargetGroups"]
    names = {item["TargetGroupArn"]: item["TargetGroupName"].removeprefix(f"{NAME}-") for item in groups}
    return {names[item["TargetGroupArn"]]: item["Weight"] for item in listener["DefaultActions"][-1]["ForwardConfig"]["TargetGroups"]}


def live():
    found = weights()
    return max(found, key=found.get)


def record():
    """The rollout's record, or {}."""
    client = world.client("ssm")
    try:
        return json.loads(client.get_parameter(Name=RECORD)["Parameter"]["Value"])
    except client.exceptions.ParameterNotFound:
        return {}


def wait_for(what, seconds=60):
    deadline = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < deadline, f"not true within {seconds} s; record {record()}, weights {weights()}"
        time.sleep(0.1)
    return found


def judging(step, other_than=None):
    """Wait until this step of a new rollout is judged."""
    return wait_for(lambda: (found := record()).get("id") != other_than and (found.get("state"), found.get("step")) == ("judging", step))


def evidence():
    """The latest rollout's evidence."""
    return json.loads(max(EVIDENCE.glob("rollout-*.json"), key=lambda path: path.stat().st_mtime).read_text())


def url():
    balancer = world.client("elbv2").describe_load_balancers(Names=[NAME])["LoadBalancers"][0]
    return f"http://{balancer['DNSName']}"
