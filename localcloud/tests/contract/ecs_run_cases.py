# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ECS answers about services and tasks, good and bad."""

from __future__ import annotations

import typing as t

from .cases import Case
from .ecs_api import ABSENT, World, in_cluster, no_cluster, reasons


def _on_service(operation: str, name: str, error: str | None = None, **members: t.Any) -> Case:
    def run(w: World) -> t.Any:
        w.service()
        return w.call(operation, cluster=w.name, service=w.name, **members)

    return Case(operation, name, run, error)


def _created(name: str, error: str | None = None, **members: t.Any) -> Case:
    def run(w: World) -> t.Any:
        w.cluster()
        w.definition()
        return w.create(**members)

    return Case("CreateService", name, run, error)


def _ran(name: str, error: str | None = None, **members: t.Any) -> Case:
    def run(w: World) -> t.Any:
        w.cluster()
        w.definition()
        return w.run(**members)

    return Case("RunTask", name, run, error)


def _inactive(w: World) -> t.Any:
    w.service()
    w.ecs.delete_service(cluster=w.name, service=w.name)
    w.ecs.get_waiter("services_inactive").wait(cluster=w.name, services=[w.name], WaiterConfig={"Delay": 1, "MaxAttempts": 20})
    return w.ecs.update_service(cluster=w.name, service=w.name, desiredCount=1)


_ALB = {"targetGroupArn": "arn:aws:elasticloadbalancing:ap-northeast-2:123456789012:targetgroup/none/0123456789abcdef",
        "containerName": "app", "containerPort": 80}  # fmt: skip
_NOT_IN_VPC = {"awsvpcConfiguration": {"subnets": ["subnet-00000000"]}}

SERVICES: list[Case] = [
    _created("plain"),
    _created(
        "everything",
        deploymentConfiguration={
            "minimumHealthyPercent": 50,
            "maximumPercent": 150,
            "deploymentCircuitBreaker": {"enable": True, "rollback": True},
        },
        platformVersion="LATEST",
        tags=[{"key": "a", "value": "b"}],
        propagateTags="SERVICE",
        enableECSManagedTags=True,
        schedulingStrategy="REPLICA",
        deploymentController={"type": "ECS"},
        enableExecuteCommand=True,
        clientToken="x",
    ),
    _created("no cluster", "ClusterNotFoundException", cluster=ABSENT),
    _created("no definition", "ClientException", taskDefinition=ABSENT),
    _created("bad name", "InvalidParameterException", serviceName="a b"),
    _created("no subnet", "InvalidParameterException", networkConfiguration=_NOT_IN_VPC),
    _created("no network", "InvalidParameterException", networkConfiguration={}),
    _created("EC2", "InvalidParameterException", launchType="EC2"),
    _created("daemon", "InvalidParameterException", schedulingStrategy="DAEMON"),
    _created("grace without load balancer", "InvalidParameterException", healthCheckGracePeriodSeconds=10),
    _created("no target group", "InvalidParameterException", loadBalancers=[_ALB]),
    _created(
        "blocked deployments", "InvalidParameterException", deploymentConfiguration={"minimumHealthyPercent": 100, "maximumPercent": 100}
    ),
    Case("CreateService", "twice", lambda w: [w.service(), w.create()], "InvalidParameterException"),
    _on_service("UpdateService", "new deployment", forceNewDeployment=True),
    _on_service("UpdateService", "limits", deploymentConfiguration={"minimumHealthyPercent": 0, "maximumPercent": 100}),
    _on_service("UpdateService", "negative count", "InvalidParameterException", desiredCount=-1),
    no_cluster("UpdateService", service=ABSENT),
    in_cluster("UpdateService", "absent", "ServiceNotFoundException", service=ABSENT),
    Case("UpdateService", "inactive", _inactive, "ServiceNotActiveException"),
    _on_service("DeleteService", "empty"),
    in_cluster("DeleteService", "absent", "ServiceNotFoundException", service=ABSENT),
    no_cluster("DeleteService", service=ABSENT),
    Case(
        "DeleteService",
        "scaled above 0",
        lambda w: [w.service(desiredCount=1), w.ecs.delete_service(cluster=w.name, service=w.name)],
        "InvalidParameterException",
    ),
    Case("DescribeServices", "one", lambda w: w.call("DescribeServices", services=[w.service()], cluster=w.name, include=["TAGS"])),
    Case(
        "DescribeServices",
        "absent",
        lambda w: reasons(w.call("DescribeServices", cluster=w.cluster(), services=[ABSENT])),
        None,
        ["MISSING"],
    ),
    no_cluster("DescribeServices", services=[ABSENT]),
    in_cluster("DescribeServices", "too many", "InvalidParameterException", services=[str(number) for number in range(11)]),
    Case(
        "ListServices",
        "one",
        lambda w: [w.service(), len(w.call("ListServices", cluster=w.name, launchType="FARGATE")["serviceArns"])][1],
        None,
        1,
    ),
    no_cluster("ListServices"),
]

TASKS: list[Case] = [
    _ran(
        "plain",
        count=1,
        startedBy="me",
        tags=[{"key": "a", "value": "b"}],
        group="g",
        overrides={
            "cpu": "512",
            "memory": "1024",
            "containerOverrides": [{"name": "app", "command": ["true"], "environment": [{"name": "A", "value": "b"}]}],
        },
    ),
    _ran("no cluster", "ClusterNotFoundException", cluster=ABSENT),
    _ran("no definition", "ClientException", taskDefinition=ABSENT),
    _ran("too many", "InvalidParameterException", count=11),
    _ran("unknown container", "InvalidParameterException", overrides={"containerOverrides": [{"name": "x", "command": ["true"]}]}),
    _ran("no network", "InvalidParameterException", networkConfiguration={}),
    _ran("EC2", "InvalidParameterException", launchType="EC2"),
    Case(
        "RunTask",
        "role that does not exist",
        lambda w: [w.cluster(), w.definition(taskRoleArn="arn:aws:iam::123456789012:role/none"), w.run()],
        "ClientException",
    ),
    Case(
        "StartTask",
        "no instance",
        lambda w: reasons(w.call("StartTask", cluster=w.cluster(), taskDefinition=w.definition(), containerInstances=["x"])),
        None,
        ["MISSING"],
    ),
    in_cluster("StartTask", "no definition", "ClientException", taskDefinition=ABSENT, containerInstances=["x"]),
    Case(
        "StopTask",
        "one",
        lambda w: w.call("StopTask", task=w.task(), cluster=w.name, reason="because")["task"]["stoppedReason"],
        None,
        "because",
    ),
    in_cluster("StopTask", "absent", "InvalidParameterException", task="0" * 32),
    no_cluster("StopTask", task="0" * 32),
    Case("DescribeTasks", "one", lambda w: w.call("DescribeTasks", tasks=[w.task()], cluster=w.name, include=["TAGS"])),
    Case("DescribeTasks", "absent", lambda w: reasons(w.call("DescribeTasks", cluster=w.cluster(), tasks=["0" * 32])), None, ["MISSING"]),
    no_cluster("DescribeTasks", tasks=["0" * 32]),
    in_cluster("DescribeTasks", "none named", "InvalidParameterException", tasks=[]),
    Case("ListTasks", "by family", lambda w: [w.task(), len(w.call("ListTasks", cluster=w.name, family=w.name)["taskArns"])][1], None, 1),
    Case(
        "ListTasks", "by service", lambda w: [w.service(), w.call("ListTasks", cluster=w.name, serviceName=w.name)["taskArns"]][1], None, []
    ),
    in_cluster("ListTasks", "no service", "ServiceNotFoundException", serviceName=ABSENT),
    no_cluster("ListTasks"),
    Case(
        "ExecuteCommand",
        "one",
        lambda w: w.call("ExecuteCommand", task=w.task(), cluster=w.name, command="sh", interactive=True),
        "InvalidParameterException",
    ),
    no_cluster("ExecuteCommand", task="0" * 32, command="sh", interactive=True),
]
