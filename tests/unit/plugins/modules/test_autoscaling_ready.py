# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""autoscaling_ready: what is waited for, when it gives up, and what it says then."""

from __future__ import annotations

import json

import pytest

from ansible_collections.bluegreen.aws.plugins.module_utils._aws import boots as api
from ansible_collections.bluegreen.aws.plugins.module_utils._boots import Wait

LOGS = {"backend": "/wealist/prod/backend/boot"}


def group(name="backend", wanted=2, serving=2, starting=0, ill=0, **more):
    states = [("InService", "Healthy")] * serving + [("Pending:Wait", "Healthy")] * starting + [("InService", "Unhealthy")] * ill
    return {
        "AutoScalingGroupName": name,
        "DesiredCapacity": wanted,
        "MinSize": 1,
        "MaxSize": 6,
        "LaunchTemplate": {"LaunchTemplateId": "lt-1", "Version": "7"},
        "Instances": [{"LifecycleState": state, "HealthStatus": health} for state, health in states],
        **more,
    }


def boot(instance="i-1", outcome="failed", why="Parameter Store has no X.", age=5):
    return {"instance": instance, "outcome": outcome, "why": why, "age": age}


@pytest.mark.parametrize(
    "groups, lacking",
    [
        ([group()], []),
        ([group(serving=3)], []),
        ([group(wanted=0, serving=0)], []),
        ([group(serving=1, starting=1)], ["backend"]),
        ([group(serving=1, ill=1)], ["backend"]),
        ([], ["backend"]),
        ([group("other")], ["backend"]),
    ],
)
def test_what_is_lacking(groups, lacking):
    wait = Wait(["backend"], 3)
    wait.on_groups(groups)
    assert (wait.lacking, wait.ready) == (lacking, not lacking)


@pytest.mark.parametrize("most, failed, hopeless", [(3, 2, False), (3, 3, True), (1, 1, True), (0, 9, False)])
def test_a_group_whose_instances_fail_again_and_again_is_hopeless(most, failed, hopeless):
    wait = Wait(["backend"], most)
    wait.on_groups([group(serving=0)])
    wait.on_boots("backend", [boot()] * failed + [boot(outcome="in service")] * 5)
    assert wait.hopeless == (["backend"] if hopeless else [])


def test_one_that_is_there_is_not_hopeless_whatever_failed_before():
    wait = Wait(["backend"], 1)
    wait.on_boots("backend", [boot()])
    wait.on_groups([group()])
    assert wait.ready and not wait.hopeless and wait.failed() == []


def test_what_each_group_runs():
    wait = Wait(["backend", "mixed", "none"], 3)
    mixed = {"LaunchTemplate": {"LaunchTemplateSpecification": {"LaunchTemplateId": "lt-2", "Version": "9"}}}
    wait.on_groups([group("other"), group("mixed", MixedInstancesPolicy=mixed, LaunchTemplate=None), group(starting=1)])
    assert wait.state() == {
        "backend": {"version": "7", "instances": 3, "limits": [1, 6]},
        "mixed": {"version": "9", "instances": 2, "limits": [1, 6]},
    }


@pytest.mark.parametrize(
    "groups, found, logs, sentence",
    [
        (
            [group(serving=1)],
            [],
            LOGS,
            "After 60 s backend has 1 of 2 instances in service. No boot has ended yet. "
            "The log of each boot is in /wealist/prod/backend/boot, one stream for each instance.",
        ),
        ([], [], {}, "After 60 s there is no group backend."),
        (
            [group(serving=1, starting=1)],
            [boot("i-1", "in service", why="")],
            LOGS,
            "After 60 s backend has 1 of 2 instances in service. "
            "Instance i-1 booted without an error: look at its health checks, and at its target group. "
            "The log of each boot is in /wealist/prod/backend/boot, one stream for each instance.",
        ),
        (
            [group(serving=0)],
            [boot("i-2", why="Cannot boot: no such file", age=1), boot("i-1", age=9)],
            LOGS,
            "2 instances of backend failed to boot in 60 s, so it is not waited for any longer. "
            "Instance i-2 said: Cannot boot: no such file. "
            "The log of each boot is in /wealist/prod/backend/boot, one stream for each instance.",
        ),
    ],
)
def test_what_it_says(groups, found, logs, sentence):
    wait = Wait(["backend"], 2)
    wait.on_groups(groups)
    wait.on_boots("backend", found)
    assert wait.sentence(60.2, logs) == sentence


class Cloud:
    """Auto Scaling and Logs that change with the time; nobody sleeps."""

    def __init__(self, groups_at, failures_at=()):
        self._groups_at, self._failures_at = groups_at, failures_at
        self.now = 1000.0
        self.services = []

    def clients(self, service):
        self.services.append(service)
        return self

    def clock(self):
        return self.now

    def sleep(self, seconds):
        assert seconds > 0
        self.now += seconds

    def get_paginator(self, operation):
        self._operation = operation
        return self

    def paginate(self, **members):
        if self._operation == "describe_auto_scaling_groups":
            assert members == {"AutoScalingGroupNames": ["backend"]}
            return [{"AutoScalingGroups": []}, {"AutoScalingGroups": [self._groups_at(self.now - 1000)]}]
        since = members["startTime"] / 1000
        failed = [1000 + at for at in self._failures_at if since <= 1000 + at <= self.now]
        message = json.dumps({"message": "boot_outcome", "outcome": "failed", "why": "No."})
        return [{"events": [{"logStreamName": f"i-{at:.0f}", "timestamp": at * 1000, "message": message} for at in failed]}]

    def wait(self, check=False, **params):
        params = {"names": ["backend"], "log_groups": LOGS, "failed_boots": 3, "wait_timeout": 300, **params}
        return api.until_in_service(self.clients, params, check=check, clock=self.clock, sleep=self.sleep)


def test_it_waits_until_they_serve():
    cloud = Cloud(lambda seconds: group(serving=2 if seconds >= 40 else 1))
    waited, seconds = cloud.wait()
    assert waited.ready and 40 <= seconds < 50


def test_logs_are_not_asked_when_everything_is_there():
    cloud = Cloud(lambda seconds: group())
    assert cloud.wait()[0].ready
    assert cloud.services == ["autoscaling"]


def test_it_gives_up_early_and_counts_only_what_failed_meanwhile():
    cloud = Cloud(lambda seconds: group(serving=0), failures_at=[-50, -40, -30, 20, 60, 100, 140])
    waited, seconds = cloud.wait()
    assert waited.hopeless == ["backend"] and 100 <= seconds < 120
    assert [one["instance"] for one in waited.failed()] == ["i-1100", "i-1060", "i-1020"]


def test_it_gives_up_when_the_time_is_over():
    waited, seconds = Cloud(lambda seconds: group(serving=0), failures_at=[20]).wait(wait_timeout=30)
    assert not waited.ready and not waited.hopeless and 30 <= seconds < 31


def test_check_mode_looks_once():
    cloud = Cloud(lambda seconds: group(serving=0))
    waited, seconds = cloud.wait(check=True)
    assert (waited.lacking, seconds) == (["backend"], 0)


def test_no_name_is_nothing_to_wait_for():
    waited, seconds = Cloud(lambda seconds: group()).wait(names=[])
    assert waited.ready and waited.state() == {} and seconds == 0
