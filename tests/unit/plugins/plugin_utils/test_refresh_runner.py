# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A refresh from the call that starts it to its end, against an account that answers from a script; the clock is the test's."""

from __future__ import annotations

import itertools

import pytest
from botocore.exceptions import ClientError

from ansible_collections.bluegreen.aws.plugins.action.autoscaling_refresh import SPEC
from ansible_collections.bluegreen.aws.plugins.module_utils._aws.errors import BluegreenAWSError
from ansible_collections.bluegreen.aws.plugins.module_utils._canary.samples import ANY, Sample
from ansible_collections.bluegreen.aws.plugins.module_utils._refresh import RefreshError
from ansible_collections.bluegreen.aws.plugins.plugin_utils._refresh import Runner

OPTIONS = {name: entry.get("default") for name, entry in SPEC.items()} | {"name": "fleet"}


def refused(code, call):
    return ClientError({"Error": {"Code": code, "Message": "no"}}, call)


class Account:
    """One group of three instances with version 3; ``script``: the statuses that follow a start, the last one stays."""

    def __init__(self, script, *, version="3", under_way=None, activities=()):
        self.script, self.calls, self.under_way, self.listed = iter(script), [], under_way, list(activities)
        self.status = None
        self.group = {
            "AutoScalingGroupName": "fleet",
            "LaunchTemplate": {"LaunchTemplateId": "lt-1", "Version": version},
            "Instances": [{"LaunchTemplate": {"Version": version}}] * 3,
        }

    def __call__(self, service):
        assert service in ("autoscaling", "ec2")
        return self

    def describe_auto_scaling_groups(self, AutoScalingGroupNames):
        return {"AutoScalingGroups": [self.group] if AutoScalingGroupNames == ["fleet"] else []}

    def describe_launch_template_versions(self, LaunchTemplateId, Versions):
        number = {"$Latest": 4}.get(Versions[0]) or int(Versions[0])
        if number > 4:
            raise refused("InvalidLaunchTemplateId.VersionNotFound", "DescribeLaunchTemplateVersions")
        return {"LaunchTemplateVersions": [{"VersionNumber": number}]}

    def describe_instance_refreshes(self, AutoScalingGroupName, InstanceRefreshIds=None):
        if InstanceRefreshIds is None:
            return {"InstanceRefreshes": [self.under_way] if self.under_way else []}
        self.status = next(self.script, self.status)
        if isinstance(self.status, Exception):
            raise self.status
        name, percentage = self.status
        return {"InstanceRefreshes": [{"InstanceRefreshId": "r-1", "Status": name, "PercentageComplete": percentage}]}

    def describe_scaling_activities(self, AutoScalingGroupName, MaxRecords):
        return {"Activities": self.listed}

    def start_instance_refresh(self, **asked):
        self.calls.append(asked)
        return {"InstanceRefreshId": "r-1"}

    def rollback_instance_refresh(self, AutoScalingGroupName):
        self.calls.append("rollback")
        self.script = iter([("RollbackInProgress", 50), ("RollbackSuccessful", 100)])


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


class Probes:
    """So many errors among ten answers in each look."""

    def __init__(self, errors):
        self._errors = itertools.chain(errors, itertools.repeat(0))

    def start(self):
        pass

    def stop(self):
        pass

    def take(self):
        return [Sample("probes", ANY, 10, next(self._errors))]


def runner(account, *, probes=None, **options):
    clock, said = Clock(), []
    made = Runner({**OPTIONS, **options}, said.append, clients=account, clock=clock, sleep=clock.sleep, probes=probes)
    made.said = said
    return made


def test_it_starts_shows_progress_and_ends():
    account = Account([("Pending", 0), ("InProgress", 33), ("InProgress", 66), ("Successful", 100)])
    made = runner(account)
    assert (made.before, made.version, made.needed) == ("3", 4, True)
    found = made.run()
    assert (found["outcome"], found["before"], found["version"]) == ("done", "3", "4")
    (asked,) = account.calls
    assert asked["DesiredConfiguration"] == {"LaunchTemplate": {"LaunchTemplateId": "lt-1", "Version": "4"}}
    assert asked["Preferences"]["MinHealthyPercentage"] == 100
    assert asked["Preferences"]["AutoRollback"] is True
    assert any("InProgress, 33 %" in line for line in made.said)


def test_every_instance_runs_it_already():
    assert not runner(Account([]), launch_template_version="3").needed


def test_a_version_that_is_not_there_is_refused():
    with pytest.raises(BluegreenAWSError) as caught:
        runner(Account([]), launch_template_version="9")
    assert caught.value.message == "Failed to find version 9 of launch template lt-1 (ec2:DescribeLaunchTemplateVersions)"


def test_a_group_that_is_not_there_is_refused():
    with pytest.raises(RefreshError, match="There is no Auto Scaling group other"):
        runner(Account([]), name="other")


def test_a_refresh_to_another_version_is_not_disturbed():
    busy = {"InstanceRefreshId": "r-0", "Status": "InProgress", "PercentageComplete": 35}
    busy["DesiredConfiguration"] = {"LaunchTemplate": {"LaunchTemplateId": "lt-1", "Version": "2"}}
    with pytest.raises(RefreshError, match=r"A refresh of fleet to version 2 is under way \(InProgress, 35 %\)"):
        runner(Account([], under_way=busy))


def test_a_refresh_to_this_version_is_watched_to_its_end():
    busy = {"InstanceRefreshId": "r-1", "Status": "InProgress", "PercentageComplete": 35}
    busy["DesiredConfiguration"] = {"LaunchTemplate": {"LaunchTemplateId": "lt-1", "Version": "4"}}
    account = Account([("InProgress", 66), ("Successful", 100)], under_way=busy)
    assert runner(account).run()["outcome"] == "done"
    assert account.calls == [], "it was not started again"


def test_failing_probes_lead_back():
    account = Account([("InProgress", 33)])
    found = runner(account, probes=Probes([0, 0, 3, 3, 3, 3, 3, 3])).run()
    assert account.calls[1:] == ["rollback"]
    assert found["outcome"] == "rolled_back"
    assert "probes failed" in found["why"]
    assert found["back_s"] > 0


def test_new_instances_that_fail_lead_back_and_old_activities_do_not_count():
    old = {"ActivityId": "old", "StatusCode": "Failed", "Description": "Launching", "StatusMessage": "long ago"}
    account = Account([("InProgress", 0)], activities=[old])
    made = runner(account, failed_launches=0)
    start = account.start_instance_refresh

    def begin(**asked):
        account.listed = [old]
        return start(**asked)

    account.start_instance_refresh = begin
    real = account.describe_instance_refreshes

    def look(**asked):
        if "InstanceRefreshIds" not in asked:
            return real(**asked)
        account.listed = [{**old, "ActivityId": "new", "StatusMessage": "the lifecycle hook was abandoned"}, old]
        return real(**asked)

    account.describe_instance_refreshes = look
    found = made.run()
    assert (found["outcome"], found["why"]) == ("rolled_back", "1 new instances failed, the last one: the lifecycle hook was abandoned")


def test_an_api_that_does_not_answer_is_asked_again():
    throttled = refused("Throttling", "DescribeInstanceRefreshes")
    made = runner(Account([throttled, throttled, ("Successful", 100)]))
    assert made.run()["outcome"] == "done"
    assert any("Failed to read instance refresh r-1 of fleet" in line for line in made.said)


def test_an_interrupt_leads_back():
    account = Account([("InProgress", 0)])
    made = runner(account)
    made.interrupt("SIGTERM")
    found = made.run()
    assert (found["outcome"], found["why"]) == ("rolled_back", "SIGTERM")
