# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What pollers make of AWS's answers."""

from __future__ import annotations

import pytest

from ansible_collections.bluegreen.aws.plugins.module_utils._canary.samples import CANDIDATE, LIVE
from ansible_collections.bluegreen.aws.plugins.plugin_utils._canary import sources


class Ecs:
    def __init__(self):
        self.stopped = {"b": ["old-b"], "g": ["old-g"]}
        self.tasks = {}

    def get_paginator(self, _name):
        return self

    def paginate(self, cluster, serviceName, desiredStatus):
        assert (cluster, desiredStatus) == ("c", "STOPPED")
        return [{"taskArns": self.stopped[serviceName]}]

    def describe_tasks(self, cluster, tasks):
        assert cluster == "c"
        return {"tasks": [{"taskArn": arn, **self.tasks[arn]} for arn in tasks]}


def tasks():
    client = Ecs()
    return client, sources.Tasks(client, "c", {LIVE: "b", CANDIDATE: "g"})


def test_tasks_that_ended_before_are_not_this_rollouts():
    _client, poll = tasks()
    assert list(poll()) == []


def test_a_task_that_ends_by_itself_is_told_once():
    client, poll = tasks()
    client.stopped["g"].append("t1")
    why = "Essential container in task exited"
    client.tasks["t1"] = {"stopCode": "EssentialContainerExited", "stoppedReason": why, "containers": [{"exitCode": 137}]}
    assert list(poll()) == [("on_task_exit", CANDIDATE, "Essential container in task exited (exit code 137)")]
    assert list(poll()) == []


def test_a_task_that_was_stopped_by_the_service_is_none_of_our_business():
    client, poll = tasks()
    client.stopped["b"].append("t1")
    client.tasks["t1"] = {"stopCode": "ServiceSchedulerInitiated", "stoppedReason": "Scaling activity initiated by deployment"}
    assert list(poll()) == []


def test_a_task_that_failed_its_health_check_is():
    client, poll = tasks()
    client.stopped["g"].append("t1")
    client.tasks["t1"] = {"stopCode": "ServiceSchedulerInitiated", "stoppedReason": "Task failed container health checks"}
    assert list(poll()) == [("on_task_exit", CANDIDATE, "Task failed container health checks")]


class Alarms:
    def describe_alarms(self, **_unused):
        firing, quiet = {"AlarmName": "5xx", "StateValue": "ALARM"}, {"AlarmName": "all", "StateValue": "OK"}
        return {"MetricAlarms": [firing], "CompositeAlarms": [quiet]}


def test_alarms_and_those_that_do_not_exist():
    found = list(sources.alarms(Alarms(), ["5xx", "all", "typo"])())
    assert found == [
        ("on_source_failed", "alarms", "there is no alarm typo"),
        ("on_alarm", "5xx", True),
        ("on_alarm", "all", False),
    ]


class Record:
    latest = None

    def command(self):
        return self.latest


def test_a_command_from_before_is_not_heeded_and_a_new_one_once():
    record = Record()
    record.latest = {"id": "1", "command": "abort"}
    poll = sources.Commands(record)
    assert list(poll()) == []
    record.latest = {"id": "2", "command": "promote", "by": "kim"}
    assert list(poll()) == [("on_command", "promote", "kim")]
    assert list(poll()) == []


class Weights:
    def healthy(self, name):
        return (1, 2, "") if name == "chat-blue" else (0, 1, "unhealthy")

    def read(self):
        return {"chat-blue": 90, "chat-green": 10}


def test_health_and_weights_of_both_colours():
    groups = {LIVE: "chat-blue", CANDIDATE: "chat-green"}
    assert list(sources.target_health(Weights(), groups)()) == [("on_health", LIVE, 1, 2), ("on_health", CANDIDATE, 0, 1)]
    assert list(sources.live_weights(Weights(), groups)()) == [("seen", (90, 10))]


@pytest.mark.case("B1")
def test_what_a_source_said_before_it_broke_counts():
    def poll():
        yield ("on_task_exit", CANDIDATE, "exit code 1")
        raise OSError("connection reset")

    events = sources.Poller("tasks", 1, poll, None).once()
    assert events == [("on_task_exit", CANDIDATE, "exit code 1"), ("on_source_failed", "tasks", "OSError: connection reset")]


@pytest.mark.case("B1")
def test_more_alarms_than_one_call_takes_are_all_read():
    class Client:
        def describe_alarms(self, AlarmNames, AlarmTypes):
            assert len(AlarmNames) <= 100
            assert AlarmTypes
            return {"MetricAlarms": [{"AlarmName": name, "StateValue": "ALARM"} for name in AlarmNames], "CompositeAlarms": []}

    events = list(sources.alarms(Client(), [f"alarm-{number}" for number in range(101)])())
    assert len(events) == 101
    assert {event[0] for event in events} == {"on_alarm"}


def test_a_source_that_breaks_is_an_event():
    def poll():
        raise OSError("refused")

    events = sources.Poller("x", 1.0, poll, None).once()
    assert events == [("on_source_failed", "x", "OSError: refused")]
