# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Fargate accepts of a task definition."""

from __future__ import annotations

import typing as t

import pytest

from localcloud.ecs import fargate
from localcloud.ecs.errors import ApiError


def _members(**members: t.Any) -> dict[str, t.Any]:
    container = {"name": "app", "image": "nginx", **members.pop("container", {})}
    return {
        "family": "web",
        "networkMode": "awsvpc",
        "requiresCompatibilities": ["FARGATE"],
        "cpu": "256",
        "memory": "512",
        "containerDefinitions": [container, *members.pop("others", [])],
        **members,
    }


def _refused(**members: t.Any) -> str:
    with pytest.raises(ApiError) as caught:
        fargate.definition_of(_members(**members))
    assert caught.value.code == "ClientException"
    return caught.value.message


def test_defaults() -> None:
    shown = fargate.definition_of(_members(container={"portMappings": [{"containerPort": 80}]}, taskRoleArn=""))
    assert shown["compatibilities"] == ["EC2", "FARGATE"] and shown["volumes"] == [] and "taskRoleArn" not in shown
    (container,) = shown["containerDefinitions"]
    assert container["essential"] is True and container["cpu"] == 0
    assert container["portMappings"] == [{"containerPort": 80, "hostPort": 80, "protocol": "tcp"}]


@pytest.mark.parametrize(("cpu", "memory"), [("256", "512"), (".25 vCPU", "0.5 GB"), ("1 vcpu", "2gb"), ("16384", "122880")])
def test_sizes(cpu: str, memory: str) -> None:
    shown = fargate.definition_of(_members(cpu=cpu, memory=memory))
    assert shown["cpu"].isdigit() and shown["memory"].isdigit()


@pytest.mark.parametrize(("cpu", "memory"), [("256", "4096"), ("300", "512"), ("lots", "512"), ("256", "")])
def test_sizes_that_do_not_exist(cpu: str, memory: str) -> None:
    assert _refused(cpu=cpu, memory=memory).startswith(("No Fargate configuration exists", "Fargate requires that"))


@pytest.mark.parametrize(
    ("members", "says"),
    [
        ({"networkMode": "bridge"}, "Fargate only supports network mode ‘awsvpc’."),
        ({"family": "a b"}, "Family contains invalid characters."),
        ({"container": {"name": ""}}, "Container.name should not be null or empty."),
        ({"container": {"image": ""}}, "Container.image should not be null or empty."),
        ({"container": {"essential": False}}, "At least one essential container"),
        ({"others": [{"name": "app", "image": "x"}]}, "Container name 'app' is used more than once."),
        ({"container": {"portMappings": [{"containerPort": 80, "hostPort": 8080}]}}, "must match"),
        ({"container": {"portMappings": [{"containerPort": 0}]}}, "Invalid 'containerPort' setting for container 'app'."),
        ({"container": {"logConfiguration": {"logDriver": "json-file"}}}, "Log driver json-file"),
        ({"container": {"logConfiguration": {"logDriver": "awslogs"}}}, "to support log driver awslogs."),
        ({"container": {"image": "127.0.0.1:4567/a:b"}}, "to support ECR images."),
        ({"container": {"secrets": [{"name": "A", "valueFrom": "/a"}]}}, "to support secrets."),
        ({"container": {"stopTimeout": 121}}, "stopTimeout"),
        ({"container": {"privileged": True}}, "privileged"),
        ({"container": {"memory": 1024}}, "exceeds the task's memory"),
        ({"container": {"healthCheck": {"command": ["true"]}}}, "must begin with CMD"),
        ({"container": {"healthCheck": {"command": ["CMD", "true"], "interval": 1}}}, "interval must be from 5 to 300"),
        ({"container": {"dependsOn": [{"containerName": "b", "condition": "START"}]}}, "depends on 'b'"),
    ],
)
def test_refusals(members: dict[str, t.Any], says: str) -> None:
    assert says in _refused(**members)


def test_dependencies_without_an_end() -> None:
    other = {"name": "b", "image": "x", "dependsOn": [{"containerName": "app", "condition": "START"}]}
    assert "cycle" in _refused(container={"dependsOn": [{"containerName": "b", "condition": "START"}]}, others=[other])


@pytest.mark.parametrize(
    ("image", "is_one"), [("127.0.0.1:4567/a/b:c", True), ("123456789012.dkr.ecr.eu-west-1.amazonaws.com/a", True), ("nginx", False)]
)
def test_registry_images(image: str, is_one: bool) -> None:
    assert fargate.is_registry_image(image) is is_one
