"""The groups of wealist on the local cloud, measured from outside; needs `make demo SYSTEM=wealist` first. See README.md.

fleet.py refresh    a fleet of three to a new version under load, then to one that never gets healthy
fleet.py selfheal   an instance of the backend crashes: until another serves, and until Prometheus asks it
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from pathlib import Path

from exchange import parse_target
from openloop import Limits, Load
from tally import failure_lines, phase_table

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))
import cloud  # noqa: E402

NAME = os.environ.get("LOCALCLOUD_NAME", "demo")
BIN = ROOT / ".venv/bin"
PLAYBOOK = [str(BIN / "ansible-playbook"), "-i", "inventories/wealist"]
BALANCER, GROUP, MONITORING = "wealist-prod", "wealist-prod-backend", "wealist-prod-monitoring"
TARGET_GROUPS = ("wealist-prod-user", "wealist-prod-board", "wealist-prod-default")
PATHS = ("/user/api/info", "/board/api/info", "/user/api/messages?room=bench", "/board/api/messages?room=bench")
FLEET = 3


class Wealist:
    """The environment on the local cloud, read past Ansible so that nothing of it is in the measured time."""

    def __init__(self):
        self.env = cloud.environment(NAME)
        self.groups, self._elb, self._ec2 = (cloud.client(self.env, name) for name in ("autoscaling", "elbv2", "ec2"))
        try:
            balancer = self._elb.describe_load_balancers(Names=[BALANCER])["LoadBalancers"][0]
        except Exception as error:
            sys.exit(f"There is no load balancer {BALANCER} ({error}); run `make demo SYSTEM=wealist` first.")
        self.target = parse_target(f"http://{balancer['DNSName']}")
        found = self._elb.describe_target_groups(Names=list(TARGET_GROUPS))["TargetGroups"]
        self._target_groups = [item["TargetGroupArn"] for item in found]

    def group(self, name=GROUP):
        return self.groups.describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"][0]

    def serving(self):
        """Ids of the instances that are in service, and healthy in every target group."""
        ids = {item["InstanceId"] for item in self.group()["Instances"] if item["LifecycleState"] == "InService"}
        for arn in self._target_groups:
            states = self._elb.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
            ids &= {item["Target"]["Id"] for item in states if item["TargetHealth"]["State"] == "healthy"}
        return ids

    def whole(self):
        """Ids of all instances, or None while one of them does not serve."""
        serving = self.serving()
        return serving if len(serving) >= self.group()["DesiredCapacity"] else None

    def refreshes(self):
        return self.groups.describe_instance_refreshes(AutoScalingGroupName=GROUP)["InstanceRefreshes"]

    def watched(self):
        """Ids of the backend's instances that Prometheus reaches."""
        ids = [item["InstanceId"] for item in self.group(MONITORING)["Instances"]]
        found = self._ec2.describe_instances(InstanceIds=ids)["Reservations"]
        address = found[0]["Instances"][0]["PrivateIpAddress"]
        question = urllib.parse.urlencode({"query": 'up{job="node",component="backend"} == 1'})
        with urllib.request.urlopen(f"http://{address}:9090/api/v1/query?{question}", timeout=5) as answer:
            return {item["metric"]["instance"] for item in json.load(answer)["data"]["result"]}

    def command(self, playbook, *arguments):
        return [*PLAYBOOK, f"playbooks/{playbook}", *arguments]

    async def run(self, playbook, *arguments, **env):
        process = await asyncio.create_subprocess_exec(*self.command(playbook, *arguments), cwd=ROOT, env={**self.env, **env})
        return await process.wait()


async def until(what, seconds, condition):
    """When the condition holds: its value and the seconds that it took. Ends the program when it does not in time."""
    began = time.monotonic()
    while not (found := condition()):
        if time.monotonic() - began > seconds:
            sys.exit(f"After {seconds} s: not {what}.")
        await asyncio.sleep(0.2)
    return found, time.monotonic() - began


def say(text):
    print(text, flush=True)


class Loaded:
    """A load on the environment, phase after phase."""

    def __init__(self, wealist, rate):
        self.load = Load((wealist.target,), lambda _target: PATHS, Limits(rate=rate))
        self.phases = []
        self._task = None

    async def __aenter__(self):
        self._task = asyncio.create_task(self.load.run())
        return self

    async def phase(self, name, awaitable):
        self.load.phase, began = name, time.monotonic()
        found = await awaitable
        self.phases.append((name, time.monotonic() - began))
        return found

    async def __aexit__(self, *_exc):
        self.load.stop()
        await self._task
        say("\n".join(phase_table(self.load.tally, self.phases) + failure_lines(self.load.tally)))


async def refresh(options):
    wealist = Wealist()
    least = wealist.group()["MinSize"]
    wealist.groups.update_auto_scaling_group(AutoScalingGroupName=GROUP, MinSize=FLEET, MaxSize=max(FLEET, wealist.group()["MaxSize"]))
    try:
        return await measure_refresh(wealist, options)
    finally:
        wealist.groups.update_auto_scaling_group(AutoScalingGroupName=GROUP, MinSize=least)


async def measure_refresh(wealist, options):
    await until(f"{FLEET} instances in service", 600, lambda: len(wealist.serving()) >= FLEET)
    good, bad = (f"{kind}-{int(time.time()):x}" for kind in ("good", "bad"))
    for version, faults in ((good, ""), (bad, "never_healthy")):
        if await wealist.run("provision.yml", "--tags", "image", WEALIST_VERSION=version, WEALIST_FAULTS=faults):
            sys.exit(f"The image of {version} could not be built, see above.")
    async with Loaded(wealist, options.rate) as loaded:
        await loaded.phase("before", asyncio.sleep(5))
        code = await loaded.phase("to a good version", wealist.run("deploy.yml", "-e", "fleet_only=backend", WEALIST_VERSION=good))
        refreshed = wealist.refreshes()[0]
        began = time.monotonic()
        refused = await loaded.phase("to a bad version", wealist.run("deploy.yml", "-e", "fleet_only=backend", WEALIST_VERSION=bad))
        back_s = time.monotonic() - began
        await loaded.phase("after", asyncio.sleep(5))
    tally = loaded.load.tally
    refresh_s = (refreshed["EndTime"] - refreshed["StartTime"]).total_seconds()
    answered = {outcome.answered_by.split()[0] for outcome in tally.of_phase("after").outcomes if outcome.answered_by}
    for ok, sentence in (
        (code == 0 and refreshed["Status"] == "Successful", f"The good version was not completed: {refreshed['Status']}"),
        (refused != 0, "The version that never gets healthy was taken for a good one"),
        (answered == {good}, f"After the bad version {sorted(answered)} answer, and only {good} should"),
        (len(wealist.serving()) == FLEET, f"{len(wealist.serving())} instances serve at the end, and {FLEET} should"),
    ):
        if not ok:
            say(sentence)
            return 1
    failed = len(tally.failures)
    say(f"result: requests={len(tally.outcomes)} failed={failed} refresh_s={refresh_s:.0f} back_s={back_s:.0f}")
    return int(failed > 0)


async def selfheal(options):
    wealist = Wealist()
    before, _ = await until("the group is whole", 600, wealist.whole)
    await until("Prometheus reaches every instance", 120, lambda: before <= wealist.watched())
    victim = sorted(before)[0]
    async with Loaded(wealist, options.rate) as loaded:
        await loaded.phase("before", asyncio.sleep(5))
        began = time.monotonic()
        crash(victim)
        say(f"{victim} crashed")

        def replaced():
            serving = wealist.serving()
            return len(serving) >= len(before) and serving - before

        fresh, replaced_s = await loaded.phase("one is missing", until("another instance serves", 600, replaced))
        _, target_seen_s = await loaded.phase("after", until("Prometheus asks it", 120, lambda: fresh <= wealist.watched()))
    failed = len(loaded.load.tally.failures)
    say(f"{', '.join(fresh)} serves {time.monotonic() - began:.0f} s after the crash")
    say(f"result: replaced_s={replaced_s:.0f} failed={failed} target_seen_s={target_seen_s:.0f}")
    return int(target_seen_s > 60)


def crash(instance):
    """Power off, as a host that fails: nothing in it is told."""
    words = ["docker", "ps", "-q", "--filter", f"label=localcloud={NAME}", "--filter", f"label=localcloud.instance={instance}"]
    container = subprocess.run(words, capture_output=True, text=True, check=True).stdout.split()
    if len(container) != 1:
        sys.exit(f"Instance {instance} has {len(container)} containers on this machine, and one was expected.")
    subprocess.run(["docker", "kill", *container], stdout=subprocess.DEVNULL, check=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("verb", choices=["refresh", "selfheal"])
    parser.add_argument("--rate", type=float, default=100.0, help="requests per second")
    options = parser.parse_args()
    sys.exit(asyncio.run({"refresh": refresh, "selfheal": selfheal}[options.verb](options)))


if __name__ == "__main__":
    main()
