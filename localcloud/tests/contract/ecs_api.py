# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the cases of ECS act on: a client of a whole cloud, and a cluster, family, service and task of the case's own name."""

from __future__ import annotations

import typing as t

import botocore

from .cases import Case

ABSENT = "there-is-none"
IMAGE = "debian:trixie-slim"


class World:
    """One case's world: a cluster and a family of the case's own name, made when the case needs them."""

    def __init__(self, boto: t.Callable[[str], t.Any], vpc: t.Any, name: str) -> None:
        self.boto = boto
        self.ecs = boto("ecs")
        self.vpc = vpc
        self.name = name

    def call(self, operation: str, **members: t.Any) -> t.Any:
        """Call an operation by its API name."""
        return getattr(self.ecs, botocore.xform_name(operation))(**members)

    def cluster(self, **members: t.Any) -> str:
        """The name of the case's cluster, made now."""
        return self.ecs.create_cluster(clusterName=self.name, **members)["cluster"]["clusterName"]

    def definition(self, command: t.Sequence[str] = ("sleep", "infinity"), **members: t.Any) -> str:
        """The ARN of a new revision of the case's family."""
        container = {"name": "app", "image": IMAGE, "command": list(command), "stopTimeout": 2, **members.pop("container", {})}
        wanted = {
            "family": self.name, "networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"], "cpu": "256", "memory": "512",
            "containerDefinitions": [container],
        }  # fmt: skip
        return self.ecs.register_task_definition(**{**wanted, **members})["taskDefinition"]["taskDefinitionArn"]

    @property
    def network(self) -> dict[str, t.Any]:
        """Where tasks go."""
        return {"awsvpcConfiguration": {"subnets": [self.vpc.private_subnet], "securityGroups": [self.vpc.security_group]}}

    def create(self, **members: t.Any) -> t.Any:
        """Create the case's service, with no task unless told otherwise."""
        wanted = {
            "cluster": self.name, "serviceName": self.name, "taskDefinition": self.name, "desiredCount": 0, "launchType": "FARGATE",
            "networkConfiguration": self.network,
        }  # fmt: skip
        return self.ecs.create_service(**{**wanted, **members})["service"]

    def service(self, **members: t.Any) -> str:
        """The ARN of the case's service, made now with cluster and definition."""
        self.cluster()
        self.definition()
        return self.create(**members)["serviceArn"]

    def run(self, **members: t.Any) -> t.Any:
        """Run a task of the case's cluster and family."""
        wanted = {"cluster": self.name, "taskDefinition": self.name, "launchType": "FARGATE", "networkConfiguration": self.network}
        return self.ecs.run_task(**{**wanted, **members})

    def task(self) -> str:
        """The ARN of a task that is starting."""
        self.cluster()
        self.definition()
        return self.run()["tasks"][0]["taskArn"]

    def clean(self) -> None:
        """Let what the case started end."""
        found = self.ecs.describe_clusters(clusters=[self.name])["clusters"]
        if found and found[0]["status"] == "ACTIVE":
            for arn in self.ecs.list_services(cluster=self.name)["serviceArns"]:
                self.ecs.delete_service(cluster=self.name, service=arn, force=True)
            for arn in self.ecs.list_tasks(cluster=self.name)["taskArns"]:
                self.ecs.stop_task(cluster=self.name, task=arn)


def case(operation: str, name: str, error: str | None = None, /, **members: t.Any) -> Case:
    return Case(operation, name, lambda w: w.call(operation, **members), error)


def in_cluster(operation: str, name: str, error: str | None = None, /, **members: t.Any) -> Case:
    return Case(operation, name, lambda w: w.call(operation, cluster=w.cluster(), **members), error)


def no_cluster(operation: str, /, **members: t.Any) -> Case:
    return Case(operation, "no cluster", lambda w: w.call(operation, cluster=ABSENT, **members), "ClusterNotFoundException")


def reasons(answer: t.Any) -> list[str]:
    return [item["reason"] for item in answer["failures"]]
