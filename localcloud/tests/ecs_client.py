# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ECS as a user sees it: roles, a cluster, definitions, tasks and services of the session's cloud; no tests."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import pathlib
import time
import typing as t
import urllib.error
import urllib.request

from botocore.exceptions import ClientError
from conftest import wait_for

IMAGE = "localcloud/instance:latest"
"""It is on this machine, and has Python and boto3."""

PROGRAM = pathlib.Path(__file__).with_name("ecs_program.py").read_text(encoding="utf-8")
PORT = 8080
GROUP = "/ecs/tests"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
EXECUTION = [
    "ecr:GetAuthorizationToken", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "logs:CreateLogStream", "logs:PutLogEvents",
    "ssm:GetParameters", "secretsmanager:GetSecretValue",
]  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Around:
    """What stories about services need of the session."""

    boto: t.Callable[[str], t.Any]
    vpc: t.Any
    engine: t.Any
    api_url: str
    registry_port: int

    @contextlib.contextmanager
    def shop(self, name: str) -> t.Iterator[Shop]:
        """A cluster that is empty at the end."""
        made = Shop(self.boto, self.vpc, name)
        try:
            yield made
        finally:
            made.close()
            wait_for(made.is_empty, 40, interval=0.2)


class Shop:
    """One cluster, with two roles and a log group. What is made in it has its name as prefix."""

    def __init__(self, boto: t.Callable[[str], t.Any], vpc: t.Any, name: str) -> None:
        self.boto = boto
        self.ecs = boto("ecs")
        self.vpc = vpc
        self.name = name
        self.execution_role = self.role(f"{name}-execution", EXECUTION)
        self.task_role = self.role(f"{name}-task", ["sts:GetCallerIdentity"])
        self.ecs.create_cluster(clusterName=name)
        logs = boto("logs")
        try:
            logs.create_log_group(logGroupName=GROUP)
        except ClientError as error:  # the client's own exception classes are not the same in every thread
            if error.response["Error"]["Code"] != "ResourceAlreadyExistsException":
                raise

    def role(self, name: str, actions: list[str], trust: dict[str, t.Any] | None = None) -> str:
        """The ARN of a role that ECS may assume and that may do this."""
        iam = self.boto("iam")
        arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust or TRUST))["Role"]["Arn"]
        document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]}
        iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=json.dumps(document))
        return arn

    def container(self, **members: t.Any) -> dict[str, t.Any]:
        """A container that runs the program, with its log in CloudWatch Logs. `environment` is a dictionary here."""
        environment = members.pop("environment", {})
        options = {"awslogs-group": GROUP, "awslogs-region": "ap-northeast-2", "awslogs-stream-prefix": self.name}
        wanted = {
            "name": "app", "image": IMAGE, "command": ["python3", "-u", "-c", PROGRAM], "stopTimeout": 5,
            "portMappings": [{"containerPort": PORT}], "logConfiguration": {"logDriver": "awslogs", "options": options},
        }  # fmt: skip
        variables = [{"name": name, "value": value} for name, value in environment.items()]
        return {**wanted, **members, "environment": variables}

    def define(self, family: str, *containers: dict[str, t.Any], **members: t.Any) -> str:
        """The ARN of a new revision."""
        wanted = {
            "networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"], "cpu": "256", "memory": "512",
            "executionRoleArn": self.execution_role, "taskRoleArn": self.task_role,
        }  # fmt: skip
        answer = self.ecs.register_task_definition(
            family=f"{self.name}-{family}", containerDefinitions=list(containers or [self.container()]), **{**wanted, **members}
        )
        return answer["taskDefinition"]["taskDefinitionArn"]

    @property
    def network(self) -> dict[str, t.Any]:
        """Two subnets in two zones."""
        subnets = [self.vpc.public_subnet, self.vpc.private_subnet]
        return {"awsvpcConfiguration": {"subnets": subnets, "securityGroups": [self.vpc.security_group], "assignPublicIp": "DISABLED"}}

    def run(self, definition: str, **members: t.Any) -> str:
        """The ARN of a task that is starting."""
        wanted = {"cluster": self.name, "launchType": "FARGATE", "networkConfiguration": self.network}
        return self.ecs.run_task(taskDefinition=definition, **{**wanted, **members})["tasks"][0]["taskArn"]

    def task(self, arn: str) -> dict[str, t.Any]:
        """A task as DescribeTasks shows it."""
        return self.ecs.describe_tasks(cluster=self.name, tasks=[arn])["tasks"][0]

    def wait_task(self, arn: str, status: str, seconds: float = 30.0) -> dict[str, t.Any]:
        """Wait for a state; the test fails when the task ends instead."""

        def there() -> t.Any:
            found = self.task(arn)
            assert status == "STOPPED" or found["lastStatus"] != "STOPPED", found.get("stoppedReason")
            return found["lastStatus"] == status and found

        return wait_for(there, seconds, interval=0.1)

    def serve(self, service: str, definition: str, count: int = 1, **members: t.Any) -> str:
        """Create a service; returns its name."""
        wanted = {"cluster": self.name, "launchType": "FARGATE", "networkConfiguration": self.network}
        name = f"{self.name}-{service}"
        self.ecs.create_service(serviceName=name, taskDefinition=definition, desiredCount=count, **{**wanted, **members})
        return name

    def update(self, service: str, **members: t.Any) -> dict[str, t.Any]:
        """Update a service."""
        return self.ecs.update_service(cluster=self.name, service=service, **members)["service"]

    def service(self, name: str) -> dict[str, t.Any]:
        """A service as DescribeServices shows it."""
        return self.ecs.describe_services(cluster=self.name, services=[name])["services"][0]

    def wait_steady(self, name: str, definition: str | None = None, seconds: float = 60.0) -> dict[str, t.Any]:
        """Wait until one deployment is left, which is complete, with as many tasks as wanted."""

        def there() -> t.Any:
            found = self.service(name)
            (first, *others) = found["deployments"]
            steady = not others and first["rolloutState"] == "COMPLETED" and found["runningCount"] == found["desiredCount"]
            return steady and definition in (None, first["taskDefinition"]) and not found["pendingCount"] and found

        return wait_for(there, seconds, interval=0.2)

    def tasks(self, service: str, status: str = "RUNNING") -> list[dict[str, t.Any]]:
        """The tasks of a service."""
        arns = self.ecs.list_tasks(cluster=self.name, serviceName=service, desiredStatus=status)["taskArns"]
        return self.ecs.describe_tasks(cluster=self.name, tasks=arns)["tasks"] if arns else []

    def said(self, service: str, text: str) -> list[str]:
        """The events of a service that contain this, the newest first."""
        return [event["message"] for event in self.service(service)["events"] if text in event["message"]]

    def log(self, task_arn: str, container: str = "app") -> list[str]:
        """What a container of a task has written."""
        stream = f"{self.name}/{container}/{task_arn.rpartition('/')[2]}"
        events = self.boto("logs").get_log_events(logGroupName=GROUP, logStreamName=stream, startFromHead=True)["events"]
        return [event["message"] for event in events]

    def is_empty(self) -> bool:
        """Whether no task runs or ends."""
        (found,) = self.ecs.describe_clusters(clusters=[self.name])["clusters"]
        if found["status"] != "ACTIVE":
            return True
        arns = self.ecs.list_tasks(cluster=self.name, desiredStatus="STOPPED")["taskArns"]
        ending = self.ecs.describe_tasks(cluster=self.name, tasks=arns)["tasks"] if arns else []
        return found["runningTasksCount"] + found["pendingTasksCount"] == 0 and all(task["lastStatus"] == "STOPPED" for task in ending)

    def close(self) -> None:
        """Delete every service and stop every task; does not wait."""
        if self.ecs.describe_clusters(clusters=[self.name])["clusters"][0]["status"] != "ACTIVE":
            return
        for arn in self.ecs.list_services(cluster=self.name)["serviceArns"]:
            self.ecs.delete_service(cluster=self.name, service=arn, force=True)
        for arn in self.ecs.list_tasks(cluster=self.name)["taskArns"]:
            self.ecs.stop_task(cluster=self.name, task=arn)


def address_of(task: dict[str, t.Any]) -> str:
    """The address of a task."""
    (attachment,) = task["attachments"]
    return next(item["value"] for item in attachment["details"] if item["name"] == "privateIPv4Address")


def get(task: dict[str, t.Any], path: str = "/", seconds: float = 10.0) -> t.Any:
    """The program's answer; waits until it listens."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            with urllib.request.urlopen(f"http://{address_of(task)}:{PORT}{path}", timeout=seconds) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            assert time.monotonic() < deadline, f"{address_of(task)} does not answer"
            time.sleep(0.1)


def container_of(task: dict[str, t.Any], name: str = "app") -> dict[str, t.Any]:
    """One container of a task as DescribeTasks shows it."""
    return next(found for found in task["containers"] if found["name"] == name)
