"""Runs of wealist's site.yml on the local cloud, timed. See README.md.

provision.py first    a first run with the creation times of AWS, scaled: wall time over critical path (in a cloud of its own)
provision.py noop     a run that changes nothing, beside the same resources as one task each of stock collections
                      (of an environment that it settles first)
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

import ending
from settle import bring_up, changed

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))
import cloud  # noqa: E402

NAME = os.environ.get("LOCALCLOUD_NAME", "demo")
OWN = "provision"
ANSIBLE = str(ROOT / ".venv/bin/ansible-playbook")
SITE = [ANSIBLE, "-i", "inventories/wealist", "playbooks/site.yml"]
STOCK = [ANSIBLE, "-i", "localhost,", "benchmarks/stock/wealist.yml"]
PREFIX = "wealist-prod"
# Seconds that AWS is taken to need, before they are scaled.
CREATION = {"rds": 60, "elasticache": 40, "nat-gateway": 15, "elasticloadbalancing": 20}


class Watch(threading.Thread):
    """When each slow thing was first seen, and when it was first seen ready, by looking twice a second."""

    def __init__(self, env):
        super().__init__(daemon=True)
        self._rds, self._cache, self._ec2 = cloud.client(env, "rds"), cloud.client(env, "elasticache"), cloud.client(env, "ec2")
        self._elb, self._groups = cloud.client(env, "elbv2"), cloud.client(env, "autoscaling")
        self.seen, self.ready = {}, {}
        self._ending = threading.Event()

    def run(self):
        while not self._ending.wait(0.5):
            for name, states in self._states().items():
                if states:
                    self.seen.setdefault(name, time.time())
                if states and all(states):
                    self.ready.setdefault(name, time.time())

    def stop(self):
        self._ending.set()
        self.join()

    def seconds(self, name):
        return self.ready[name] - self.seen[name]

    def _states(self):
        """{name: one truth for each of it}."""
        found = {
            "database": [one["DBInstanceStatus"] == "available" for one in self._rds.describe_db_instances()["DBInstances"]],
            "cache": [one["Status"] == "available" for one in self._cache.describe_replication_groups()["ReplicationGroups"]],
            "nat": [one["State"] == "available" for one in self._ec2.describe_nat_gateways()["NatGateways"]],
            "balancer": [one["State"]["Code"] == "active" for one in self._elb.describe_load_balancers()["LoadBalancers"]],
        }
        for group in self._groups.describe_auto_scaling_groups()["AutoScalingGroups"]:
            name = group["AutoScalingGroupName"].removeprefix(f"{PREFIX}-")
            found[name] = [one["LifecycleState"] == "InService" for one in group["Instances"]]
        return found


def timed(words, env, timeline=None, quiet=False):
    """Seconds of a run, and its timeline. Ends the program when it fails."""
    more = {}
    if timeline:
        more = {"ANSIBLE_CALLBACK_PLUGINS": str(ROOT / "benchmarks/callback_plugins"), "TIMELINE": str(timeline)}
        more["ANSIBLE_CALLBACKS_ENABLED"] = "bluegreen.aws.summary,timeline"
    began = time.monotonic()
    done = subprocess.run(words, cwd=ROOT, env={**env, **more}, capture_output=quiet, text=True, check=False)
    seconds = time.monotonic() - began
    if done.returncode:
        sys.exit(f"{' '.join(words)} failed, see {'here: ' + done.stdout[-3000:] if quiet else 'above'}")
    if quiet and changed(done.stdout):
        sys.exit(f"{' '.join(words)} changed something:\n{done.stdout[-3000:]}")
    tasks = [json.loads(line) for line in Path(timeline).read_text().splitlines()] if timeline else []
    return seconds, tasks


def work(tasks, *roles, before=None, after=None):
    """Seconds of tasks of these roles that do not wait for something slow."""
    return sum(
        task["end"] - task["begin"]
        for task in tasks
        if task["role"] in roles
        and task["file"] != "ready.yml"
        and (before is None or task["begin"] < before)
        and (after is None or task["begin"] >= after)
    )


def critical_path(tasks, watch):
    """(seconds, [(stage, when it could have ended)]): each stage begins when what it needs is there, and takes what it took."""
    bootstrap = [task for task in tasks if task["role"] == "database_bootstrap" and task["file"] == "main.yml"]
    middle = bootstrap[0]["begin"]
    end = {}
    end["network"] = work(tasks, "preflight", before=middle) + work(tasks, "network")
    end["database"] = end["network"] + work(tasks, "database") + watch.seconds("database")
    end["cache"] = end["network"] + work(tasks, "cache") + watch.seconds("cache")
    end["way out"] = end["network"] + max(0.0, watch.ready["nat"] - max(task["end"] for task in tasks if task["role"] == "network"))
    end["load balancer"] = end["network"] + work(tasks, "load_balancer")
    end["images"] = work(tasks, "registry") + work(tasks, "image")
    end["bucket"] = work(tasks, "deploy_bucket") + work(tasks, "monitoring", before=middle)
    needs = ("way out", "load balancer", "images", "bucket")
    first = work(tasks, "fleet", before=middle)
    end["monitoring group"] = max(end[name] for name in needs) + first + watch.seconds("monitoring")
    end["parameters"] = max(end["database"], end["cache"]) + work(tasks, "parameters")
    end["databases"] = max(end["monitoring group"], end["database"]) + work(tasks, "database_bootstrap")
    launched = watch.seen["backend"]
    second = work(tasks, "fleet", after=middle, before=launched)
    end["backend group"] = max(end["parameters"], end["databases"]) + second + watch.seconds("backend")
    last = max(watch.ready["backend"], launched)
    end["verified"] = end["backend group"] + sum(task["end"] - max(task["begin"], last) for task in tasks if task["end"] > last)
    return end["verified"], sorted(end.items(), key=lambda item: item[1])


def first(options):
    scaled = {kind: seconds * options.scale for kind, seconds in CREATION.items()}
    words = " ".join(f"{kind}={seconds:g}" for kind, seconds in scaled.items())
    print(f"a cloud of its own, in which creations take at least: {words}", flush=True)
    subprocess.run([cloud.LOCALCLOUD, "--name", OWN, "down"], cwd=ROOT, check=True)
    try:
        paced = {**os.environ, "LOCALCLOUD_CREATION_SECONDS": words}
        subprocess.run([cloud.LOCALCLOUD, "--name", OWN, "up"], cwd=ROOT, check=True, env=paced)
        env = cloud.environment(OWN)
        watch = Watch(env)
        watch.start()
        with tempfile.TemporaryDirectory() as folder:
            wall, tasks = timed(SITE, env, Path(folder, "timeline"))
        watch.stop()
    finally:
        subprocess.run([cloud.LOCALCLOUD, "--name", OWN, "down"], cwd=ROOT, check=True)
    critical, stages = critical_path(tasks, watch)
    for name, seconds in stages:
        print(f"  {name:<18} could be there after {seconds:6.1f} s")
    print(f"  {'wall time':<18} {wall:26.1f} s")
    print(f"result: wall_over_critical={wall / critical:.2f} wall_s={wall:.0f} critical_s={critical:.0f}")
    return int(wall / critical > 1.2)


def calls(env):
    """(number, seconds) of the API calls of this controller so far."""
    with urllib.request.urlopen(f"{env['AWS_ENDPOINT_URL']}/_localcloud/calls", timeout=10) as answer:  # noqa: S310 - loopback
        own = [one for one in json.load(answer) if one["access_key"] == env["AWS_ACCESS_KEY_ID"]]
    return sum(one["calls"] for one in own), sum(one["seconds"] for one in own)


def launched(env):
    """What the newest versions of the launch templates start, for the playbook that has to describe them."""
    ec2 = cloud.client(env, "ec2")
    given = {"user_data": {}, "version_description": {}}
    for group in ("monitoring", "backend"):
        found = ec2.describe_launch_template_versions(LaunchTemplateName=f"{PREFIX}-{group}", Versions=["$Latest"])
        newest = found["LaunchTemplateVersions"][0]
        given["user_data"][group] = newest["LaunchTemplateData"]["UserData"]
        given["version_description"][group] = newest["VersionDescription"]
    return given


def noop(options):
    env = bring_up("wealist", NAME)
    found = {"site.yml": [], "one task each": []}
    stock = [*STOCK, "-e", json.dumps(launched(env))]
    defaults = {**env, "ANSIBLE_CONFIG": str(ROOT / "benchmarks/stock/ansible.cfg")}
    for number in range(options.repeat):
        for name, words, surroundings in (("site.yml", SITE, env), ("one task each", stock, defaults)):
            before = calls(env)
            seconds, _ = timed(words, surroundings, quiet=True)
            after = calls(env)
            found[name].append((seconds, after[0] - before[0], after[1] - before[1]))
            _seconds, made, inside = found[name][-1]
            print(f"  {number + 1}/{options.repeat} {name:<14} {seconds:6.1f} s  {made} calls, {inside:.1f} s in them", flush=True)
    middle = {name: [statistics.median(column) for column in zip(*rows, strict=True)] for name, rows in found.items()}
    (ours, number, inside), (theirs, their_calls, _) = middle["site.yml"], middle["one task each"]
    print(f"medians: {ours:.1f} s with {number:.0f} calls, beside {theirs:.1f} s with {their_calls:.0f} calls")
    print(f"result: seconds={ours:.1f} aws_calls={number:.0f} vs_stock={ours / theirs:.2f} overhead={1 - inside / ours:.2f}")
    return int(ours / theirs > 0.5)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("verb", choices=["first", "noop"])
    parser.add_argument("--scale", type=float, default=1.0, help="of the creation times")
    parser.add_argument("--repeat", type=int, default=5, help="runs of each")
    options = parser.parse_args()
    sys.exit({"first": first, "noop": noop}[options.verb](options))


if __name__ == "__main__":
    ending.guard(*([OWN] if "first" in sys.argv else []))
    main()
