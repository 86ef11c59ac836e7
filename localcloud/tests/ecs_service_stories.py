# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stories of services: tasks that die are replaced, definitions roll, the circuit breaker rolls back; each has a cluster of its own."""

from __future__ import annotations

import datetime
import time
import typing as t
import urllib.request

from conftest import wait_for
from ecs_client import Around, address_of, container_of, get

BREAKER = {"deploymentCircuitBreaker": {"enable": True, "rollback": True}}
CHECK = {
    "command": ["CMD-SHELL", "python3 -c 'import urllib.request as u; u.urlopen(\"http://127.0.0.1:8080/health\", timeout=1)'"],
    "interval": 5, "timeout": 4, "retries": 1,
}  # fmt: skip
EC2_TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


def kill(around: Around, task: dict[str, t.Any]) -> None:
    """Kill a task's container behind the cloud's back."""
    label = f"localcloud.task={task['taskArn'].rpartition('/')[2]}"
    around.engine.containers.list(filters={"label": label})[0].kill()


def a_killed_task_is_replaced_at_once(around: Around) -> None:
    with around.shop("killed") as shop:
        service = shop.serve("two", shop.define("two", shop.container(environment={"VERSION": "1"})), 2)
        found = shop.wait_steady(service)
        tasks = shop.tasks(service)
        assert {get(task)["version"] for task in tasks} == {"1"}
        assert {task["availabilityZone"] for task in tasks} == {"ap-northeast-2a", "ap-northeast-2c"}
        assert {task["group"] for task in tasks} == {f"service:{service}"}
        assert {task["startedBy"] for task in tasks} == {found["deployments"][0]["id"]}
        (started,) = shop.said(service, "has started 2 tasks: (task ")
        assert all(task["taskArn"].rpartition("/")[2] in started for task in tasks)
        assert shop.said(service, f"(deployment {found['deployments'][0]['id']}) deployment completed.")
        wait_for(lambda: len(shop.said(service, "has reached a steady state.")) == 1, 5)

        victim, other = tasks
        began = time.monotonic()
        kill(around, victim)
        wait_for(lambda: victim["taskArn"] not in {task["taskArn"] for task in shop.tasks(service)}, 5)
        assert time.monotonic() - began < 3, "Docker's events tell of it"
        shop.wait_steady(service)
        ended = shop.wait_task(victim["taskArn"], "STOPPED")
        assert (ended["stopCode"], container_of(ended)["exitCode"]) == ("EssentialContainerExited", 137)
        names = {task["taskArn"] for task in shop.tasks(service)}
        assert other["taskArn"] in names and len(names) == 2
        wait_for(lambda: len(shop.said(service, "has reached a steady state.")) == 2, 10)


def a_service_is_scaled_and_deleted(around: Around) -> None:
    with around.shop("scaled") as shop:
        service = shop.serve("s", shop.define("s", shop.container()), 1)
        shop.wait_steady(service)
        (first,) = shop.tasks(service)
        shop.update(service, desiredCount=3)
        shop.wait_steady(service)
        assert first["taskArn"] in {task["taskArn"] for task in shop.tasks(service)}
        assert [get(task)["version"] for task in shop.tasks(service)] == [None] * 3, "they listen, and to SIGTERM too"
        deployment = shop.service(service)["deployments"][0]["id"]
        shop.update(service, desiredCount=1)
        shop.wait_steady(service)
        wait_for(lambda: all(task["lastStatus"] == "STOPPED" for task in shop.tasks(service, "STOPPED")), 15)
        ended = shop.tasks(service, "STOPPED")
        assert {task["stoppedReason"] for task in ended} == {f"Scaling activity initiated by (deployment {deployment})"}
        assert {task["stopCode"] for task in ended} == {"ServiceSchedulerInitiated"} and len(ended) == 2
        assert {container_of(task)["exitCode"] for task in ended} == {0}, "SIGTERM was heard"

        (last,) = shop.tasks(service)
        assert shop.ecs.delete_service(cluster=shop.name, service=service, force=True)["service"]["status"] == "DRAINING"
        wait_for(lambda: shop.service(service)["status"] == "INACTIVE", 20)
        assert shop.task(last["taskArn"])["lastStatus"] == "STOPPED"
        assert shop.ecs.list_services(cluster=shop.name)["serviceArns"] == []
        shop.ecs.delete_cluster(cluster=shop.name)


def a_rolling_deployment_never_has_too_few_tasks(around: Around) -> None:
    with around.shop("rolled") as shop:
        service = shop.serve("r", shop.define("r", shop.container(environment={"VERSION": "1"})))
        shop.wait_steady(service)
        (old,) = shop.tasks(service)
        answer = shop.update(service, taskDefinition=shop.define("r", shop.container(environment={"VERSION": "2"})))
        states = [(item["status"], item["rolloutState"]) for item in answer["deployments"]]
        assert states == [("PRIMARY", "IN_PROGRESS"), ("ACTIVE", "COMPLETED")]
        fewest = 9

        def done() -> bool:
            nonlocal fewest
            found = shop.service(service)
            fewest = min(fewest, found["runningCount"])
            return len(found["deployments"]) == 1 and found["deployments"][0]["rolloutState"] == "COMPLETED"

        wait_for(done, 40, interval=0.1)
        assert fewest == 1
        (task,) = shop.tasks(service)
        assert get(task)["version"] == "2" and address_of(task) != address_of(old)
        assert shop.task(old["taskArn"])["lastStatus"] == "STOPPED"


def the_circuit_breaker_rolls_back_what_crashes(around: Around) -> None:
    with around.shop("crashed") as shop:
        service = shop.serve("c", shop.define("c", shop.container()), deploymentConfiguration=BREAKER)
        before = shop.wait_steady(service)
        (task,) = shop.tasks(service)
        bad = shop.define("c", shop.container(image="debian:trixie-slim", command=["sh", "-c", "echo cannot; exit 1"]))
        failed = shop.update(service, taskDefinition=bad)["deployments"][0]["id"]
        wait_for(lambda: shop.said(service, f"rolling back to deployment {before['deployments'][0]['id']}."), 40)
        after = shop.wait_steady(service, before["taskDefinition"])
        assert after["deployments"][0]["id"] == before["deployments"][0]["id"]
        assert shop.said(service, f"(deployment {failed}) deployment failed: tasks failed to start.")
        assert [found["taskArn"] for found in shop.tasks(service)] == [task["taskArn"]], "the old task was never touched"
        crashed = [found for found in shop.tasks(service, "STOPPED") if found["taskDefinitionArn"] == bad]
        assert len(crashed) == 3 and {container_of(found)["exitCode"] for found in crashed} == {1}
        wait_for(lambda: shop.log(crashed[0]["taskArn"]) == ["cannot"], 5)


def health_checks_decide_about_a_task_and_metrics_are_measured(around: Around) -> None:
    with around.shop("checked") as shop:
        service = shop.serve("h", shop.define("h", shop.container(healthCheck=CHECK)), deploymentConfiguration=BREAKER)
        shop.wait_steady(service)
        (task,) = shop.tasks(service)
        assert task["healthStatus"] == container_of(task)["healthStatus"] == "HEALTHY"
        _measured(around, shop.name, service)
        get(task, "/break")
        wait_for(lambda: shop.said(service, "failed container health checks."), 30)
        shop.wait_steady(service)
        ended = shop.wait_task(task["taskArn"], "STOPPED")
        assert ended["stoppedReason"] == "Task failed container health checks"
        assert shop.tasks(service)[0]["startedAt"] < ended["stoppingAt"], "what was healthy once is replaced before it is stopped"


def _measured(around: Around, cluster: str, service: str) -> None:
    request = urllib.request.Request(f"{around.api_url}/_localcloud/ecs/metrics", method="POST")
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert answer.status == 200
    dimensions = [{"Name": "ClusterName", "Value": cluster}, {"Name": "ServiceName", "Value": service}]
    now = datetime.datetime.now(datetime.UTC)
    for name, least, most in (("CPUUtilization", 0.1, 400.0), ("MemoryUtilization", 1.0, 50.0)):
        points = around.boto("cloudwatch").get_metric_statistics(
            Namespace="AWS/ECS", MetricName=name, Dimensions=dimensions, Period=3600, Statistics=["Average"], Unit="Percent",
            StartTime=now - datetime.timedelta(minutes=10), EndTime=now + datetime.timedelta(minutes=1),
        )["Datapoints"]  # fmt: skip
        assert points and least < points[0]["Average"] < most


def a_role_that_ecs_cannot_assume_is_told_in_the_events(around: Around) -> None:
    with around.shop("untrusted") as shop:
        role = shop.role("untrusted-wrong", ["sts:GetCallerIdentity"], EC2_TRUST)
        service = shop.serve("u", shop.define("u", shop.container(), taskRoleArn=role))
        wait_for(lambda: shop.said(service, f"ECS was unable to assume the role '{role}'"), 10)
        assert shop.tasks(service) == []


def a_policy_scales_a_service(around: Around) -> None:
    """The metric is one of the test's own, three minutes above the target; the new count is in proportion to it, at most the maximum."""
    now = datetime.datetime.now(datetime.UTC)
    minutes = [
        {"MetricName": "Depth", "Timestamp": now - datetime.timedelta(minutes=minute), "Value": 45.0, "Unit": "Count"}
        for minute in range(1, 6)
    ]
    around.boto("cloudwatch").put_metric_data(Namespace="Tests", MetricData=minutes)
    scaling = around.boto("application-autoscaling")
    with around.shop("tracked") as shop:
        shell = {"image": "debian:trixie-slim", "command": ["sleep", "infinity"], "portMappings": [], "stopTimeout": 0}
        service = shop.serve("t", shop.define("t", shop.container(**shell)))
        target = {"ServiceNamespace": "ecs", "ResourceId": f"service/tracked/{service}", "ScalableDimension": "ecs:service:DesiredCount"}
        scaling.register_scalable_target(**target, MinCapacity=1, MaxCapacity=2)
        metric = {"Namespace": "Tests", "MetricName": "Depth", "Statistic": "Average"}
        tracking = {"TargetValue": 10.0, "CustomizedMetricSpecification": metric}
        scaling.put_scaling_policy(
            **target, PolicyName="p", PolicyType="TargetTrackingScaling", TargetTrackingScalingPolicyConfiguration=tracking
        )
        wait_for(lambda: shop.service(service)["runningCount"] == 2, 40)
        (activity,) = scaling.describe_scaling_activities(**target)["ScalingActivities"]
        assert activity["Description"] == "Setting desired count to 2." and activity["StatusCode"] == "Successful"
        scaling.deregister_scalable_target(**target)


STORIES = [
    a_policy_scales_a_service,
    a_killed_task_is_replaced_at_once,
    a_service_is_scaled_and_deleted,
    a_rolling_deployment_never_has_too_few_tasks,
    the_circuit_breaker_rolls_back_what_crashes,
    health_checks_decide_about_a_task_and_metrics_are_measured,
    a_role_that_ecs_cannot_assume_is_told_in_the_events,
]
