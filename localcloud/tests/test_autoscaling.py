# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Auto Scaling with real instances: replacement, refresh under load, rollback, alarms, hooks, metrics."""

from __future__ import annotations

import collections.abc
import datetime
import itertools
import json
import typing as t
import urllib.request

import pytest
from autoscaling_world import Client, Fleet, Front
from conftest import wait_for, wait_for_state

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def front(boto, vpc) -> collections.abc.Iterator[Front]:
    """The load balancer of all groups, of which there is one at a time."""
    made = Front(boto, vpc, "fleet")
    yield made
    made.balancer.remove()


@pytest.fixture
def fleet(boto, vpc, front) -> collections.abc.Iterator[Fleet]:
    """What a group is made from, for each test; the test makes the group, which is removed."""
    made = Fleet(boto, vpc, f"fleet-{next(_numbers)}", front)
    yield made
    made.remove()


@pytest.fixture
def control(cloud_env: dict[str, str]) -> t.Callable[..., None]:
    """`control("PUT", "patience", 10)`: the service's own controls."""

    def call(method: str, path: str, value: object = None) -> None:
        url = f"{cloud_env['AWS_ENDPOINT_URL']}/_localcloud/autoscaling/{path}"
        with urllib.request.urlopen(urllib.request.Request(url, method=method, data=json.dumps(value).encode()), timeout=10) as answer:
            assert answer.status == 200

    return call


def test_a_dead_instance_is_replaced(fleet, engine, cloud_name) -> None:
    fleet.create(2, Tags=[{"Key": "colour", "Value": "blue", "PropagateAtLaunch": True}])
    group = fleet.describe()
    assert {found["AvailabilityZone"] for found in group["Instances"]} == {"ap-northeast-2a", "ap-northeast-2c"}
    victim, other = fleet.instances()
    engine.containers.get(f"localcloud-{cloud_name}-{victim}").kill()
    left = fleet.settled(2) if wait_for(lambda: victim not in fleet.instances(), 10) else set()
    assert other in left and victim not in left
    wait_for_state(fleet.ec2, victim, "terminated")
    (successor,) = left - {other}
    tags = fleet.ec2.describe_instances(InstanceIds=[successor])["Reservations"][0]["Instances"][0]["Tags"]
    assert {"Key": "colour", "Value": "blue"} in tags
    assert {"Key": "aws:autoscaling:groupName", "Value": fleet.name} in tags
    causes = [activity["Cause"] for activity in fleet.activities()]
    assert "in response to an EC2 health check indicating it has been terminated or stopped." in " ".join(causes)
    assert any(cause.endswith("an instance was launched in response to an unhealthy instance needing to be replaced.") for cause in causes)
    assert {activity["StatusCode"] for activity in fleet.activities()} == {"Successful"}


def test_an_instance_that_fails_its_health_checks_is_replaced(fleet, in_instance) -> None:
    fleet.create(2, HealthCheckGracePeriod=0)
    victim, other = fleet.instances()
    in_instance(victim, "rm /srv/www/health")
    wait_for(lambda: victim not in fleet.instances(), 30)
    left = fleet.settled(2)
    assert other in left and victim not in left
    assert any("in response to an ELB system health check failure." in activity["Cause"] for activity in fleet.activities())


def test_a_refresh_fails_no_request(fleet) -> None:
    fleet.create(3)
    with Client(fleet) as client:
        wait_for(lambda: client.answers["v1"] > 20)
        done = fleet.refreshed(fleet.refresh(fleet.version()))
        before = client.answers["v2"]
        wait_for(lambda: client.answers["v2"] > before + 20)
    assert client.failures == []
    assert (done["Status"], done["PercentageComplete"], done["InstancesToUpdate"]) == ("Successful", 100, 0)
    serving = [found for found in fleet.describe()["Instances"] if found["LifecycleState"] == "InService"]
    assert {found["LaunchTemplate"]["Version"] for found in serving} == {"2"}
    assert fleet.describe()["LaunchTemplate"]["Version"] == "2"
    assert any("in response to an instance refresh." in activity["Cause"] for activity in fleet.activities())


def test_a_refresh_to_a_version_that_never_gets_healthy_goes_back(fleet, control) -> None:
    fleet.create(2)
    before = set(fleet.instances())
    control("PUT", "patience", 15)
    try:
        with Client(fleet) as client:
            done = fleet.refreshed(fleet.refresh(fleet.version(healthy=False), AutoRollback=True))
            assert fleet.settled(2) == before
    finally:
        control("PUT", "patience", 3600)
    assert client.failures == []
    assert set(client.answers) == {"v1"}
    assert done["Status"] == "RollbackSuccessful"
    assert done["RollbackDetails"]["RollbackReason"].startswith("Instances did not become healthy in time. For example: i-")
    assert fleet.describe()["LaunchTemplate"]["Version"] == "1"


def test_a_refresh_that_is_cancelled_leaves_what_is_healthy(fleet) -> None:
    fleet.create(2)
    before = set(fleet.instances())
    with Client(fleet) as client:
        refresh = fleet.refresh(fleet.version(healthy=False))
        wait_for(lambda: len(fleet.describe()["Instances"]) == 3, 20)
        fleet.asg.cancel_instance_refresh(AutoScalingGroupName=fleet.name)
        assert fleet.refreshed(refresh)["Status"] == "Cancelled"
        assert fleet.settled(2) == before
    assert client.failures == []


def test_an_alarm_scales_out_and_in(fleet, boto) -> None:
    fleet.create(1)
    watch = boto("cloudwatch")
    arns = {}
    for name, steps in (
        ("out", [{"MetricIntervalLowerBound": 0, "ScalingAdjustment": 1}]),
        ("in", [{"MetricIntervalUpperBound": 0, "ScalingAdjustment": -1}]),
    ):
        arns[name] = fleet.asg.put_scaling_policy(
            AutoScalingGroupName=fleet.name,
            PolicyName=name,
            PolicyType="StepScaling",
            AdjustmentType="ChangeInCapacity",
            StepAdjustments=steps,
        )["PolicyARN"]
    common = {"Namespace": "tests", "MetricName": "load", "Dimensions": [{"Name": "Fleet", "Value": fleet.name}], "Statistic": "Average",
              "Period": 60, "EvaluationPeriods": 2}  # fmt: skip
    sides = [("high", "GreaterThanThreshold", 50.0, arns["out"]), ("low", "LessThanThreshold", 10.0, arns["in"])]
    for side, comparison, threshold, arn in sides:
        watch.put_metric_alarm(
            AlarmName=f"{fleet.name}-{side}", ComparisonOperator=comparison, Threshold=threshold, AlarmActions=[arn], **common
        )
    # a load that is high in another dimension alone raises nothing
    _measured(watch, "another", 90.0)
    _measured(watch, fleet.name, 90.0)
    wait_for(lambda: fleet.describe()["DesiredCapacity"] == 2, 25)
    fleet.settled(2)
    cause = fleet.activities()[0]["Cause"]
    assert f"a monitor alarm {fleet.name}-high in state ALARM triggered policy out changing the desired capacity from 1 to 2." in cause
    watch.delete_alarms(AlarmNames=[f"{fleet.name}-high"])
    reason = json.dumps({"recentDatapoints": [3.0]})
    watch.set_alarm_state(AlarmName=f"{fleet.name}-low", StateValue="ALARM", StateReason="a test", StateReasonData=reason)
    wait_for(lambda: fleet.describe()["DesiredCapacity"] == 1, 10)
    watch.delete_alarms(AlarmNames=[f"{fleet.name}-low"])
    fleet.settled(1)


def _measured(watch: t.Any, value: str, load: float) -> None:
    """Datapoints of the last minutes."""
    now = datetime.datetime.now(datetime.UTC)
    watch.put_metric_data(
        Namespace="tests",
        MetricData=[
            {
                "MetricName": "load",
                "Dimensions": [{"Name": "Fleet", "Value": value}],
                "Value": load,
                "Timestamp": now - datetime.timedelta(minutes=age),
            }
            for age in (1, 2, 3)
        ],
    )


def test_hooks_hold_instances_up(fleet, engine, cloud_name) -> None:
    hooks = [
        {"LifecycleHookName": "up", "LifecycleTransition": "autoscaling:EC2_INSTANCE_LAUNCHING"},
        {"LifecycleHookName": "down", "LifecycleTransition": "autoscaling:EC2_INSTANCE_TERMINATING", "DefaultResult": "CONTINUE"},
    ]
    fleet.create(0, LifecycleHookSpecificationList=hooks)
    fleet.asg.set_desired_capacity(AutoScalingGroupName=fleet.name, DesiredCapacity=1)
    (instance,) = wait_for(lambda: fleet.instances("Pending:Wait"), 20)
    assert fleet.balancer.health(fleet.targets) == {}
    assert fleet.activities()[0]["StatusCode"] == "MidLifecycleAction"
    answer = {"AutoScalingGroupName": fleet.name, "InstanceId": instance, "LifecycleActionResult": "CONTINUE"}
    fleet.asg.complete_lifecycle_action(LifecycleHookName="up", **answer)
    assert fleet.settled(1) == {instance}
    fleet.asg.terminate_instance_in_auto_scaling_group(InstanceId=instance, ShouldDecrementDesiredCapacity=True)
    wait_for(lambda: fleet.instances("Terminating:Wait"), 20)
    assert engine.containers.get(f"localcloud-{cloud_name}-{instance}").status == "running"
    assert instance not in fleet.healthy()
    fleet.asg.complete_lifecycle_action(LifecycleHookName="down", **answer)
    wait_for(lambda: not fleet.describe()["Instances"], 20)
    wait_for_state(fleet.ec2, instance, "terminated")


def test_a_launch_that_a_hook_abandons_is_tried_again(fleet) -> None:
    fleet.create(
        0, LifecycleHookSpecificationList=[{"LifecycleHookName": "up", "LifecycleTransition": "autoscaling:EC2_INSTANCE_LAUNCHING"}]
    )
    fleet.asg.set_desired_capacity(AutoScalingGroupName=fleet.name, DesiredCapacity=1)
    (first,) = wait_for(lambda: fleet.instances("Pending:Wait"), 20)
    fleet.asg.complete_lifecycle_action(
        AutoScalingGroupName=fleet.name, LifecycleHookName="up", InstanceId=first, LifecycleActionResult="ABANDON"
    )
    wait_for(lambda: first not in [found["InstanceId"] for found in fleet.describe()["Instances"]], 20)
    (second,) = wait_for(lambda: fleet.instances("Pending:Wait"), 20)
    assert second != first
    (failed,) = [activity for activity in fleet.activities() if activity["StatusCode"] == "Cancelled"]
    assert failed["StatusMessage"].endswith("was abandoned: Lifecycle Action Completed with ABANDON Result")


def test_processor_time_of_a_group_is_that_of_its_instances(fleet, boto, in_instance, control) -> None:
    fleet.create(1)
    (instance,) = fleet.instances()
    fleet.asg.enable_metrics_collection(AutoScalingGroupName=fleet.name, Granularity="1Minute")
    in_instance(instance, "nohup timeout 20 sh -c 'while :; do :; done' >/dev/null 2>&1 &")
    control("POST", "metrics")
    wait_for(lambda: _waited(fleet), 10)
    control("POST", "metrics")
    watch = boto("cloudwatch")
    now = datetime.datetime.now(datetime.UTC)

    def highest(namespace: str, name: str, dimension: str, value: str) -> float:
        found = watch.get_metric_statistics(
            Namespace=namespace, MetricName=name, Dimensions=[{"Name": dimension, "Value": value}], Statistics=["Maximum"], Period=60,
            StartTime=now - datetime.timedelta(minutes=5), EndTime=now + datetime.timedelta(minutes=1),
        )["Datapoints"]  # fmt: skip
        return max(point["Maximum"] for point in found)

    assert highest("AWS/EC2", "CPUUtilization", "AutoScalingGroupName", fleet.name) > 5
    assert highest("AWS/EC2", "CPUUtilization", "InstanceId", instance) > 5
    assert highest("AWS/AutoScaling", "GroupInServiceInstances", "AutoScalingGroupName", fleet.name) == 1


_begun: dict[str, datetime.datetime] = {}


def _waited(fleet: Fleet) -> bool:
    """True three seconds after the first call."""
    now = datetime.datetime.now(datetime.UTC)
    return now - _begun.setdefault(fleet.name, now) > datetime.timedelta(seconds=3)


def test_a_launch_that_ec2_refuses_says_why(fleet) -> None:
    fleet.create(0)
    fleet.ec2.create_launch_template_version(
        LaunchTemplateName=fleet.name, SourceVersion="1", LaunchTemplateData={"SecurityGroupIds": ["sg-00000000000000000"]}
    )
    fleet.asg.update_auto_scaling_group(
        AutoScalingGroupName=fleet.name, DesiredCapacity=1, LaunchTemplate={"LaunchTemplateName": fleet.name, "Version": "2"}
    )
    (failed, *_) = wait_for(lambda: [found for found in fleet.activities() if found["StatusCode"] == "Failed"], 10)
    assert "sg-00000000000000000" in failed["StatusMessage"]
    assert failed["StatusMessage"].endswith("Launching EC2 instance failed.")
    fleet.asg.update_auto_scaling_group(AutoScalingGroupName=fleet.name, LaunchTemplate={"LaunchTemplateName": fleet.name, "Version": "1"})
    fleet.settled(1)
