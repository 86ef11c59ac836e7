# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of wealist act with: playbooks, groups, requests through the load balancer, Prometheus, the instances' containers."""

from __future__ import annotations

import json
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

import world

NAME = "wealist-prod"


def run(playbook, *arguments, timeout=900, **env):
    words = [str(world.ROOT / ".venv/bin/ansible-playbook"), "-i", "inventories/wealist", f"playbooks/{playbook}.yml", *arguments]
    began = time.monotonic()
    done = subprocess.run(
        words, cwd=world.ROOT, env=world.environment(env), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=timeout, check=False,
    )  # fmt: skip
    return world.Result(done.returncode, done.stdout, time.monotonic() - began)


def group(name):
    groups = world.client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[f"{NAME}-{name}"])
    return groups["AutoScalingGroups"][0]


def in_service(name):
    return [item["InstanceId"] for item in group(name)["Instances"] if item["LifecycleState"] == "InService"]


def address(instance):
    found = world.client("ec2").describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]
    return found["PrivateIpAddress"]


def container(instance):
    words = ["docker", "ps", "-q", "--filter", f"label=localcloud.instance={instance}"]
    return subprocess.run(words, text=True, capture_output=True, check=True).stdout.split()[0]


def url():
    return f"http://{world.client('elbv2').describe_load_balancers(Names=[NAME])['LoadBalancers'][0]['DNSName']}"


def ask(path, body=None):
    """(status, JSON) of one request through the load balancer."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url() + path, data=data, headers={"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as problem:
        return problem.code, None


def texts(service, room):
    """The texts of every message of a room, page after page, as one of the services has them in its database."""
    found, last = [], 0
    while True:
        status, page = ask(f"/{service}/api/messages?room={room}&after={last}")
        assert status == 200
        if not page["messages"]:
            return found
        found += [one["text"] for one in page["messages"]]
        last = page["messages"][-1]["id"]


class Writer(threading.Thread):
    """Writes a message ten times a second while it is entered; `confirmed` are those of which the service said that it has them."""

    def __init__(self, service, room):
        super().__init__(daemon=True)
        self._service, self._room, self._ending = service, room, threading.Event()
        self.confirmed, self.failed = [], 0

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_exc):
        self._ending.set()
        self.join()

    def run(self):
        number = 0
        while not self._ending.wait(0.1):
            number += 1
            body = {"room": self._room, "author": "writer", "text": f"number {number}", "client_id": f"{self._room}-{number}"}
            try:
                status, _answer = ask(f"/{self._service}/api/messages", body)
            except OSError:
                status = 0
            if status in (200, 201):
                self.confirmed.append(body["text"])
            else:
                self.failed += 1


def prometheus(query):
    """Prometheus' result vector."""
    question = urllib.parse.urlencode({"query": query})
    where = f"http://{address(in_service('monitoring')[0])}:9090/api/v1/query?{question}"
    with urllib.request.urlopen(where, timeout=5) as answer:
        return json.load(answer)["data"]["result"]


def wait_for(what, seconds=120, every=0.5):
    """The first true value; a connection that is refused meanwhile is none."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            found = what()
        except (OSError, IndexError):
            found = None
        if found:
            return found
        assert time.monotonic() < deadline, f"not true within {seconds} s"
        time.sleep(every)
