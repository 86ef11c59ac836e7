# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Auto Scaling's operations and controller in a world without I/O: what the API shows after each look, and what was told to others."""

from __future__ import annotations

import asyncio
import itertools
import types
import typing as t

import pytest
from asg_world import ZONES

from localcloud.autoscaling.controller import Controller
from localcloud.autoscaling.errors import LaunchFailed
from localcloud.autoscaling.groups import Groups
from localcloud.autoscaling.hooks import Hooks
from localcloud.autoscaling.instances import Instances
from localcloud.autoscaling.policies import Policies
from localcloud.autoscaling.refreshes import Refreshes
from localcloud.autoscaling.shapes import World
from localcloud.autoscaling.state import Group, Member, Members, State, Template
from localcloud.autoscaling.surroundings import specification
from localcloud.input_model import service_model
from localcloud.services.query_protocol import ApiError, render

TARGETS = "arn:aws:elasticloadbalancing:ap-northeast-2:1:targetgroup/web/1"
TOPIC = "arn:aws:sns:ap-northeast-2:1:t"


class Around:
    """Surroundings whose instances run at the second look, and whose targets are healthy at once; `latest` is $Latest."""

    def __init__(self) -> None:
        self.states: dict[str, str] = {}
        self.targets: dict[str, str] = {}
        self.told: list[tuple[str, Members]] = []
        self.notified: list[tuple[str, str]] = []
        self.alarms: dict[str, Members] = {}
        self.refusal: LaunchFailed | None = None
        self.latest = 1
        self._numbers = itertools.count(1)

    async def machines(self, ids: t.Iterable[str]) -> dict[str, str]:
        found = {name: self.states[name] for name in ids if name in self.states}
        self.states |= {name: "running" for name, state in found.items() if state == "pending"}
        self.states |= {name: "terminated" for name, state in found.items() if state == "shutting-down"}
        return found

    def zones(self, subnets: list[str]) -> dict[str, str]:
        return {name: ZONES[name] for name in subnets if name in ZONES}

    async def target_health(self, arns: t.Iterable[str]) -> dict[str, dict[str, str]]:
        return {arn: dict(self.targets) for arn in arns}

    def is_target_group(self, arn: str) -> bool:
        return arn == TARGETS

    def alarms_in_alarm(self, names: list[str]) -> list[str]:
        return []

    def alarms_of(self, arn: str) -> list[tuple[str, str]]:
        return [(name, f"arn:{name}") for name, alarm in self.alarms.items() if arn in alarm["AlarmActions"]]

    def template(self, launch: Members) -> t.Any:
        wanted = specification(launch)
        if wanted is None or wanted.get("LaunchTemplateName") not in (None, "web"):
            return None
        version = str(wanted.get("Version") or "1")
        number = self.latest if version == "$Latest" else int(version)
        return types.SimpleNamespace(id="lt-1", name="web", number=number) if number <= self.latest else None

    async def launch(self, group: Group, launch: Members, subnet: str, zone: str, now: float) -> Member:
        if self.refusal is not None:
            raise self.refusal
        name = f"i-{next(self._numbers)}"
        self.states[name] = "pending"
        template = Template("lt-1", "web", str(self.template(launch).number))
        return Member(name, zone, subnet, "t3.micro", "ami-1", now, template, protected=group.protect_new)

    async def terminate(self, name: str) -> None:
        self.states[name] = "shutting-down"

    async def register(self, arn: str, name: str) -> bool:
        self.targets[name] = "healthy"
        return True

    async def deregister(self, arn: str, name: str) -> None:
        self.targets.pop(name, None)

    async def untag(self, name: str, keys: list[str]) -> None:
        """Nothing to see."""

    async def put_alarm(self, members: Members) -> str:
        self.alarms[members["AlarmName"]] = members
        return f"arn:{members['AlarmName']}"

    async def delete_alarms(self, names: list[str]) -> None:
        for name in names:
            self.alarms.pop(name, None)

    def tell(self, kind: str, detail: Members, resources: list[str]) -> None:
        self.told.append((kind, detail))

    def notify(self, arn: str, subject: str, message: Members) -> None:
        self.notified.append((arn, subject))


class Cloud:
    """The operations on a group called g; every answer is rendered as the API would."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0
        self.state, self.around = State("1", "ap-northeast-2"), Around()
        world = World(self.state, t.cast(t.Any, self.around), lambda: self.now, lambda: None)
        self.controller = Controller(self.state, t.cast(t.Any, self.around), lambda: self.now)
        self.policies = Policies(world)
        self.operations = {
            **Groups(world).operations, **Hooks(world).operations, **Instances(world).operations, **self.policies.operations,
            **Refreshes(world).operations,
        }  # fmt: skip

    def call(self, operation: str, **members: t.Any) -> Members:
        if operation not in ("TerminateInstanceInAutoScalingGroup", "DescribeAutoScalingGroups", "SetInstanceHealth"):
            members = {"AutoScalingGroupName": "g", **members}
        answer = asyncio.run(self.operations[operation](members))  # type: ignore[arg-type]
        render(service_model("autoscaling").operation_model(operation), answer)
        return answer

    def create(self, desired: int = 2, **members: t.Any) -> None:
        launch = {"LaunchTemplate": {"LaunchTemplateName": "web", "Version": "1"}}
        settings = {"MinSize": 0, "MaxSize": 5, "DesiredCapacity": desired, "VPCZoneIdentifier": ",".join(ZONES), **launch}
        self.call("CreateAutoScalingGroup", **{**settings, **members})

    def look(self, times: int = 6) -> None:
        for _ in range(times):
            self.now += 1.0
            for group in list(self.state.groups.values()):
                asyncio.run(self.controller.look(group))

    @property
    def group(self) -> Members:
        return self.call("DescribeAutoScalingGroups", AutoScalingGroupNames=["g"])["AutoScalingGroups"][0]

    @property
    def states(self) -> list[str]:
        return [found["LifecycleState"] for found in self.group["Instances"]]

    @property
    def activities(self) -> list[Members]:
        return self.call("DescribeScalingActivities")["Activities"]


@pytest.fixture
def cloud() -> Cloud:
    return Cloud()


def test_a_group_comes_to_life_and_goes(cloud: Cloud) -> None:
    cloud.create(TargetGroupARNs=[TARGETS])
    cloud.look()
    assert cloud.states == ["InService", "InService"]
    assert set(cloud.around.targets) == {"i-1", "i-2"}
    assert [kind for kind, _ in cloud.around.told] == ["EC2 Instance Launch Successful"] * 2
    first = cloud.activities[-1]
    assert first["Description"] == "Launching a new EC2 instance: i-1"
    assert "a user request created an AutoScalingGroup changing the desired capacity from 0 to 2." in first["Cause"]
    assert (first["StatusCode"], first["Progress"], first["Details"]) == (
        "Successful", 100, '{"Subnet ID": "subnet-a", "Availability Zone": "a"}',
    )  # fmt: skip
    with pytest.raises(ApiError, match="there are instances"):
        cloud.call("DeleteAutoScalingGroup")
    cloud.call("UpdateAutoScalingGroup", MinSize=0, DesiredCapacity=0)
    cloud.look()
    assert (cloud.states, cloud.around.targets) == ([], {})
    cloud.call("DeleteAutoScalingGroup")
    assert cloud.state.groups == {}


def test_force_delete_waits_for_nothing(cloud: Cloud) -> None:
    hook = {"LifecycleHookName": "h", "LifecycleTransition": "autoscaling:EC2_INSTANCE_TERMINATING"}
    cloud.create(NewInstancesProtectedFromScaleIn=True, LifecycleHookSpecificationList=[hook])
    cloud.look()
    cloud.call("DeleteAutoScalingGroup", ForceDelete=True)
    assert cloud.group["Status"] == "Delete in progress"
    cloud.look(8)
    assert cloud.state.groups == {}
    found = cloud.call("DescribeScalingActivities", IncludeDeletedGroups=True)["Activities"]
    assert len([activity for activity in found if activity["Description"].startswith("Terminating")]) == 2


def test_a_dead_instance_is_replaced_and_everybody_hears_of_it(cloud: Cloud) -> None:
    cloud.create(2)
    cloud.state.groups["g"].notifications[TOPIC] = ["autoscaling:EC2_INSTANCE_TERMINATE"]
    cloud.look()
    cloud.around.states["i-1"] = "stopped"
    cloud.look()
    assert sorted(found["InstanceId"] for found in cloud.group["Instances"]) == ["i-2", "i-3"]
    assert cloud.group["Instances"][1]["AvailabilityZone"] == "a"
    assert cloud.around.notified == [(TOPIC, 'Auto Scaling: termination for group "g"')]


def test_set_instance_health(cloud: Cloud) -> None:
    cloud.create(1, HealthCheckGracePeriod=300)
    cloud.look()
    cloud.call("SetInstanceHealth", InstanceId="i-1", HealthStatus="Unhealthy")  # respects the grace period
    cloud.look()
    assert cloud.states == ["InService"]
    cloud.call("SetInstanceHealth", InstanceId="i-1", HealthStatus="Unhealthy", ShouldRespectGracePeriod=False)
    cloud.look()
    assert [found["InstanceId"] for found in cloud.group["Instances"]] == ["i-2"]
    assert any("in response to a user health-check." in activity["Cause"] for activity in cloud.activities)


def test_hooks_tell_and_wait(cloud: Cloud) -> None:
    cloud.create(1)
    cloud.call("SetDesiredCapacity", DesiredCapacity=0)
    transition = "autoscaling:EC2_INSTANCE_LAUNCHING"
    cloud.call("PutLifecycleHook", LifecycleHookName="h", LifecycleTransition=transition, HeartbeatTimeout=30, NotificationTargetARN=TOPIC)
    cloud.look(8)
    cloud.call("SetDesiredCapacity", DesiredCapacity=1)
    cloud.look(4)
    assert cloud.states == ["Pending:Wait"]
    kind, detail = cloud.around.told[-1]
    assert kind == "EC2 Instance-launch Lifecycle Action"
    assert (detail["LifecycleHookName"], detail["LifecycleTransition"]) == ("h", transition)
    assert cloud.around.notified[-1][0] == TOPIC
    token = detail["LifecycleActionToken"]
    cloud.now += 20
    cloud.call("RecordLifecycleActionHeartbeat", LifecycleHookName="h", LifecycleActionToken=token)
    cloud.now += 20
    cloud.look(1)
    assert cloud.states == ["Pending:Wait"]
    cloud.call("CompleteLifecycleAction", LifecycleHookName="h", LifecycleActionToken=token, LifecycleActionResult="CONTINUE")
    cloud.look()
    assert cloud.states == ["InService"]


def test_a_hook_that_times_out_abandons_the_launch(cloud: Cloud) -> None:
    hook = {"LifecycleHookName": "h", "LifecycleTransition": "autoscaling:EC2_INSTANCE_LAUNCHING", "HeartbeatTimeout": 30}
    cloud.create(1, LifecycleHookSpecificationList=[hook])
    cloud.look(3)
    cloud.now += 31
    cloud.look(1)
    cancelled = [activity for activity in cloud.activities if activity["StatusCode"] == "Cancelled"]
    assert cancelled and cancelled[0]["StatusMessage"].endswith("was abandoned: Heartbeat Timeout Elapsed")
    assert "EC2 Instance Launch Unsuccessful" in [kind for kind, _ in cloud.around.told]


def test_a_refused_launch_is_an_activity_and_is_tried_again(cloud: Cloud) -> None:
    cloud.around.refusal = LaunchFailed("InsufficientFreeAddressesInSubnet", "There are not enough free addresses.")
    cloud.create(1)
    cloud.look(2)
    failed = cloud.activities
    assert failed[0]["StatusMessage"] == "There are not enough free addresses. Launching EC2 instance failed."
    assert {activity["StatusCode"] for activity in failed} == {"Failed"}
    cloud.around.refusal = None
    cloud.look(10)
    assert cloud.states == ["InService"]


def test_target_groups_that_come_later_get_the_instances_that_are_there(cloud: Cloud) -> None:
    cloud.create(1)
    cloud.look()
    cloud.state.groups["g"].target_groups.append(TARGETS)
    cloud.look(1)
    assert set(cloud.around.targets) == {"i-1"}
    cloud.state.groups["g"].target_groups.clear()
    cloud.look(1)
    assert cloud.around.targets == {}


def test_terminating_with_a_smaller_capacity(cloud: Cloud) -> None:
    cloud.create(2, MinSize=1)
    cloud.look()
    answer = cloud.call("TerminateInstanceInAutoScalingGroup", InstanceId="i-1", ShouldDecrementDesiredCapacity=True)
    assert answer["Activity"]["Cause"].endswith(
        "was taken out of service in response to a user request, shrinking the capacity from 2 to 1."
    )
    cloud.look()
    assert [found["InstanceId"] for found in cloud.group["Instances"]] == ["i-2"]
    with pytest.raises(ApiError, match="min size constraint"):
        cloud.call("TerminateInstanceInAutoScalingGroup", InstanceId="i-2", ShouldDecrementDesiredCapacity=True)


def test_standby_and_back(cloud: Cloud) -> None:
    cloud.create(2, TargetGroupARNs=[TARGETS])
    cloud.look()
    cloud.call("EnterStandby", InstanceIds=["i-1"], ShouldDecrementDesiredCapacity=True)
    cloud.look(2)
    assert (cloud.states, set(cloud.around.targets), cloud.group["DesiredCapacity"]) == (["Standby", "InService"], {"i-2"}, 1)
    cloud.call("ExitStandby", InstanceIds=["i-1"])
    cloud.look(2)
    assert (cloud.states, set(cloud.around.targets), cloud.group["DesiredCapacity"]) == (["InService"] * 2, {"i-1", "i-2"}, 2)


def test_detached_instances_run_on(cloud: Cloud) -> None:
    cloud.create(1)
    cloud.look()
    cloud.call("DetachInstances", InstanceIds=["i-1"], ShouldDecrementDesiredCapacity=False)
    cloud.look()
    assert [found["InstanceId"] for found in cloud.group["Instances"]] == ["i-2"]
    assert cloud.around.states["i-1"] == "running"


def test_an_alarm_executes_a_policy(cloud: Cloud) -> None:
    cloud.create(1)
    cloud.look()
    steps = [{"MetricIntervalLowerBound": 0.0, "ScalingAdjustment": 2}]
    arn = cloud.call(
        "PutScalingPolicy", PolicyName="p", PolicyType="StepScaling", AdjustmentType="ChangeInCapacity", StepAdjustments=steps
    )["PolicyARN"]
    alarm = {"AlarmName": "busy", "StateValue": "ALARM", "Threshold": 50.0}
    cloud.policies.alarm(alarm, arn, 40.0)  # below the threshold: no step
    assert cloud.group["DesiredCapacity"] == 1
    cloud.policies.alarm(alarm, "arn:of-another", 60.0)
    cloud.state.groups["g"].suspended["AlarmNotification"] = "x"
    cloud.policies.alarm(alarm, arn, 60.0)
    assert cloud.group["DesiredCapacity"] == 1
    cloud.state.groups["g"].suspended.clear()
    cloud.policies.alarm(alarm, arn, 60.0)
    cloud.look()
    assert cloud.states == ["InService"] * 3
    assert (
        "a monitor alarm busy in state ALARM triggered policy p changing the desired capacity from 1 to 3." in cloud.activities[0]["Cause"]
    )


def test_target_tracking_owns_its_alarms(cloud: Cloud) -> None:
    cloud.create(1)
    specification = {"PredefinedMetricSpecification": {"PredefinedMetricType": "ASGAverageCPUUtilization"}}
    configuration = {"TargetValue": 50.0, **specification}
    kind = "TargetTrackingScaling"
    made = cloud.call("PutScalingPolicy", PolicyName="p", PolicyType=kind, TargetTrackingConfiguration=configuration)
    names = {alarm["AlarmName"] for alarm in made["Alarms"]}
    assert names == set(cloud.around.alarms) and len(names) == 2
    (shown,) = cloud.call("DescribePolicies")["ScalingPolicies"]
    assert {alarm["AlarmName"] for alarm in shown["Alarms"]} == names
    cloud.call("PutScalingPolicy", PolicyName="p", PolicyType=kind, TargetTrackingConfiguration={**configuration, "TargetValue": 60.0})
    assert len(cloud.around.alarms) == 2 and not names & set(cloud.around.alarms)
    cloud.call("DeletePolicy", PolicyName="p")
    assert cloud.around.alarms == {}


def test_refresh_with_rollback_over_the_api(cloud: Cloud) -> None:
    cloud.create(2, TargetGroupARNs=[TARGETS])
    cloud.look()
    cloud.around.latest = 2
    desired = {"LaunchTemplate": {"LaunchTemplateName": "web", "Version": "$Latest"}}
    refresh = cloud.call("StartInstanceRefresh", DesiredConfiguration=desired, Preferences={"InstanceWarmup": 5})["InstanceRefreshId"]
    with pytest.raises(ApiError, match="already in progress"):
        cloud.call("StartInstanceRefresh")
    cloud.look(15)
    assert cloud.call("RollbackInstanceRefresh")["InstanceRefreshId"] == refresh
    (shown,) = cloud.call("DescribeInstanceRefreshes")["InstanceRefreshes"]
    assert (shown["Status"], shown["RollbackDetails"]["RollbackReason"]) == ("RollbackInProgress", "The user requested a rollback.")
    with pytest.raises(ApiError) as caught:
        cloud.call("CancelInstanceRefresh")
    assert caught.value.code == "ActiveInstanceRefreshNotFound"
    cloud.look(40)
    (shown,) = cloud.call("DescribeInstanceRefreshes")["InstanceRefreshes"]
    assert shown["Status"] == "RollbackSuccessful"
    assert {found["LaunchTemplate"]["Version"] for found in cloud.group["Instances"]} == {"1"}
    assert cloud.around.told[-1] == (
        "EC2 Auto Scaling Instance Refresh Rollback Succeeded", {"InstanceRefreshId": refresh, "AutoScalingGroupName": "g"},
    )  # fmt: skip


def test_a_way_back_needs_a_number(cloud: Cloud) -> None:
    cloud.create(1, LaunchTemplate={"LaunchTemplateName": "web", "Version": "$Latest"})
    cloud.look()
    desired = {"LaunchTemplate": {"LaunchTemplateName": "web", "Version": "1"}}
    cloud.call("StartInstanceRefresh", DesiredConfiguration=desired)
    with pytest.raises(ApiError) as caught:
        cloud.call("RollbackInstanceRefresh")
    assert caught.value.code == "IrreversibleInstanceRefresh"
    assert caught.value.message.endswith("to roll back to: $Latest is not a number.")


def test_pages(cloud: Cloud) -> None:
    cloud.create(0, AutoScalingGroupName="g")
    for name in ("a", "b", "c"):
        cloud.create(0, AutoScalingGroupName=name)
    names, token = [], None
    while True:
        page = cloud.call("DescribeAutoScalingGroups", MaxRecords=3, **({"NextToken": token} if token else {}))
        names.append([group["AutoScalingGroupName"] for group in page["AutoScalingGroups"]])
        token = page.get("NextToken")
        if token is None:
            break
    assert names == [["a", "b", "c"], ["g"]]
