# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is asked at intervals: target health, the weights themselves, tasks that ended, alarms, a human's word. One thread each.

A poll returns events: tuples of the name of one of the rollout's methods and its arguments without the time.
"""

from __future__ import annotations

import threading

from ...module_utils._aws.errors import BluegreenAWSError, attempt, sentence
from ...module_utils._canary.samples import CANDIDATE, LIVE


class Poller:
    """Calls ``poll`` every ``period_s`` and hands its events to ``put``; what it raises becomes ``on_source_failed``."""

    def __init__(self, name: str, period_s: float, poll, put):
        self.name = name
        self._period, self._poll, self._put = period_s, poll, put
        self._stop = threading.Event()

    def start(self) -> None:
        threading.Thread(target=self._run, name=self.name, daemon=True).start()

    def stop(self) -> None:
        self._stop.set()

    def _run(self) -> None:
        while not self._stop.is_set():
            for event in self.once():
                self._put(event)
            self._stop.wait(self._period)

    def once(self) -> list:
        """The events of one poll; those from before it failed count too."""
        events = []
        try:
            for event in self._poll():
                events.append(event)
        except BluegreenAWSError as error:
            events.append(("on_source_failed", self.name, sentence(error)))
        except Exception as error:  # a source that breaks in a new way is still only a source
            events.append(("on_source_failed", self.name, f"{type(error).__name__}: {error}"))
        return events


def target_health(weights, groups: dict):
    """``groups``: {LIVE: target group, CANDIDATE: target group}."""

    def poll():
        for colour, name in groups.items():
            healthy, total, _why = weights.healthy(name)
            yield ("on_health", colour, healthy, total)

    return poll


def live_weights(weights, groups: dict):
    """The weights as they are, as (live, candidate)."""

    def poll():
        found = weights.read()
        yield ("seen", (found.get(groups[LIVE], 0), found.get(groups[CANDIDATE], 0)))

    return poll


class Tasks:
    """Tasks of an ECS service that ended by themselves. ``services``: {LIVE: name, CANDIDATE: name}."""

    # What ECS calls an end that was not asked for (Task.stopCode).
    BY_THEMSELVES = ("EssentialContainerExited", "TaskFailedToStart")

    def __init__(self, client, cluster: str, services: dict):
        self._client, self._cluster, self._services = client, cluster, services
        self._known: set = set()
        for service in services.values():
            self._known.update(_stopped(client, cluster, service))

    def __call__(self):
        for colour, service in self._services.items():
            new = [arn for arn in _stopped(self._client, self._cluster, service) if arn not in self._known]
            for task in _tasks(self._client, self._cluster, new):
                self._known.add(task["taskArn"])
                unhealthy = "health check" in task.get("stoppedReason", "")
                if task.get("stopCode") in self.BY_THEMSELVES or unhealthy:
                    codes = [str(container["exitCode"]) for container in task.get("containers", []) if "exitCode" in container]
                    reason = task.get("stoppedReason", "stopped") + (f" (exit code {', '.join(codes)})" if codes else "")
                    yield ("on_task_exit", colour, reason)


def alarms(client, names):
    def poll():
        found = _alarms(client, list(names))
        missing = sorted(set(names) - {alarm["AlarmName"] for alarm in found})
        if missing:
            yield ("on_source_failed", "alarms", f"there is no alarm {', '.join(missing)}")
        for alarm in found:
            yield ("on_alarm", alarm["AlarmName"], alarm["StateValue"] == "ALARM")

    return poll


class Commands:
    """A human's word in the record; the one that was there before the rollout began is not meant for it."""

    def __init__(self, record):
        self._record = record
        self._known = (record.command() or {}).get("id")

    def __call__(self):
        found = self._record.command()
        if found and found.get("id") != self._known:
            self._known = found.get("id")
            yield ("on_command", str(found.get("command")), str(found.get("by", "")))


@attempt("list the stopped tasks of service {service} (ecs:ListTasks)")
def _stopped(client, cluster, service):
    pages = client.get_paginator("list_tasks").paginate(cluster=cluster, serviceName=service, desiredStatus="STOPPED")
    return [arn for page in pages for arn in page["taskArns"]]


@attempt("read the tasks {arns} (ecs:DescribeTasks)")
def _tasks(client, cluster, arns):
    return [task for some in _hundreds(arns) for task in client.describe_tasks(cluster=cluster, tasks=some)["tasks"]]


@attempt("read the alarms {names} (cloudwatch:DescribeAlarms)")
def _alarms(client, names):
    answers = [client.describe_alarms(AlarmNames=some, AlarmTypes=["MetricAlarm", "CompositeAlarm"]) for some in _hundreds(names)]
    return [alarm for answer in answers for kind in ("MetricAlarms", "CompositeAlarms") for alarm in answer[kind]]


def _hundreds(items) -> list:
    """AWS takes at most 100 names at once."""
    return [items[start : start + 100] for start in range(0, len(items), 100)]
