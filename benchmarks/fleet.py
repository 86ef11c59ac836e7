"""The groups of wealist on the local cloud, measured from outside. See README.md.

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

import ending
from exchange import parse_target
from openloop import Limits, Load
from settle import bring_up
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
ON_THE_WAY = "not known yet"  # the phase in which the load balancer still sends requests to an instance that crashed


class Wealist:
    """The environment on the local cloud, read past Ansible so that nothing of it is in the measured time."""

    def __init__(self):
        self.env = bring_up("wealist", NAME)
        self.groups, self._elb, self._ec2 = (cloud.client(self.env, name) for name in ("autoscaling", "elbv2", "ec2"))
        balancer = self._elb.describe_load_balancers(Names=[BALANCER])["LoadBalancers"][0]
        self.target = parse_target(f"http://{balancer['DNSName']}")
        self._target_groups = self._elb.describe_target_groups(Names=list(TARGET_GROUPS))["TargetGroups"]

    def group(self, name=GROUP):
        return self.groups.describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"][0]

    def serving(self):
        """Ids of the instances that are in service, and healthy in every target group."""
        ids = {item["InstanceId"] for item in self.group()["Instances"] if item["LifecycleState"] == "InService"}
        return ids & set.intersection(*(self.healthy(group) for group in self._target_groups))

    def healthy(self, target_group):
        """Ids of the targets to which the load balancer sends requests."""
        states = self._elb.describe_target_health(TargetGroupArn=target_group["TargetGroupArn"])["TargetHealthDescriptions"]
        return {item["Target"]["Id"] for item in states if item["TargetHealth"]["State"] == "healthy"}

    def known_to_be_gone(self, instance):
        """Whether no target group takes the instance for healthy any more."""
        return all(instance not in self.healthy(group) for group in self._target_groups)

    def checks_take(self):
        """Seconds that the health checks of the slowest target group may take to find out: interval and timeout of each."""
        return max(
            group["UnhealthyThresholdCount"] * (group["HealthCheckIntervalSeconds"] + group["HealthCheckTimeoutSeconds"])
            for group in self._target_groups
        )

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


def failures_by_time(tally):
    """(requests that failed and were due before the crash was known, those that were due later)."""
    on_the_way = len(tally.of_phase(ON_THE_WAY).failures)
    return on_the_way, len(tally.failures) - on_the_way


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
        _, known_s = await loaded.phase(ON_THE_WAY, until("the crash is known", 120, lambda: wealist.known_to_be_gone(victim)))

        def replaced():
            serving = wealist.serving()
            return len(serving) >= len(before) and serving - before

        fresh, _ = await loaded.phase("one is missing", until("another instance serves", 600, replaced))
        replaced_s = time.monotonic() - began
        _, target_seen_s = await loaded.phase("after", until("Prometheus asks it", 120, lambda: fresh <= wealist.watched()))
    on_the_way, later = failures_by_time(loaded.load.tally)
    say(f"the load balancer took {known_s:.1f} s to know, and its health checks may take {wealist.checks_take()} s")
    say(f"{', '.join(fresh)} serves {replaced_s:.0f} s after the crash")
    say(
        f"result: replaced_s={replaced_s:.0f} failed={on_the_way} failed_later={later} known_s={known_s:.1f} "
        f"target_seen_s={target_seen_s:.0f}"
    )
    return int(target_seen_s > 60 or later > 0 or known_s > wealist.checks_take())


def crash(instance):
    """Power off, as a host that fails: no process in it gets a signal to end."""
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
    ending.guard()
    main()
