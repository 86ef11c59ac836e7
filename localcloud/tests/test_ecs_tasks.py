# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tasks of ECS are real containers at their address in the VPC, with what AWS gives them, and end as on AWS."""

from __future__ import annotations

import json
import typing as t
import urllib.request

import boto3
import botocore.config
import botocore.exceptions
import docker
import pytest
from conftest import Vpc, wait_for
from ecs_client import GROUP, IMAGE, Shop, address_of, container_of, get

GONE = "127.0.0.1:{port}/tests/none:latest"


@pytest.fixture(scope="module")
def shop(boto: t.Callable[[str], t.Any], vpc: Vpc) -> t.Iterator[Shop]:
    made = Shop(boto, vpc, "tasks")
    yield made
    made.close()


@pytest.fixture(scope="module")
def secret(boto: t.Callable[[str], t.Any]) -> str:
    """The ARN of a secret; and two parameters, /ecs-tests/plain and /ecs-tests/secret."""
    boto("ssm").put_parameter(Name="/ecs-tests/plain", Value="from Parameter Store", Type="String")
    boto("ssm").put_parameter(Name="/ecs-tests/secret", Value="only decrypted", Type="SecureString")
    return boto("secretsmanager").create_secret(Name="ecs-tests", SecretString='{"password": "from Secrets Manager"}')["ARN"]


@pytest.fixture(scope="module")
def task(shop: Shop, secret: str) -> dict[str, t.Any]:
    """A running task with everything; the last test ends it."""
    secrets = [
        {"name": "PLAIN", "valueFrom": "/ecs-tests/plain"},
        {"name": "SECRET", "valueFrom": "arn:aws:ssm:ap-northeast-2:123456789012:parameter/ecs-tests/secret"},
        {"name": "PASSWORD", "valueFrom": f"{secret}:password::"},
    ]
    container = shop.container(secrets=secrets, environment={"VERSION": "1", "EXIT_CODE": "7"})
    arn = shop.run(
        shop.define("all", container), overrides={"containerOverrides": [{"name": "app", "environment": [{"name": "X", "value": "o"}]}]}
    )
    return shop.wait_task(arn, "RUNNING")


def test_it_answers_at_its_address(task: dict[str, t.Any], vpc: Vpc, boto: t.Callable[[str], t.Any]) -> None:
    assert get(task)["version"] == "1"
    (found,) = boto("ec2").describe_network_interfaces(Filters=[{"Name": "addresses.private-ip-address", "Values": [address_of(task)]}])[
        "NetworkInterfaces"
    ]
    assert found["RequesterManaged"] and found["SubnetId"] == vpc.public_subnet
    assert get(task)["host"].startswith(f"ip-{address_of(task).replace('.', '-')}.")


def test_it_has_environment_and_secrets(task: dict[str, t.Any]) -> None:
    environment = get(task, "/environment")
    assert environment["PLAIN"] == "from Parameter Store"
    assert environment["SECRET"] == "only decrypted"
    assert environment["PASSWORD"] == "from Secrets Manager"
    assert environment["X"] == "o"
    assert environment["AWS_REGION"] == environment["AWS_DEFAULT_REGION"] == "ap-northeast-2"


def test_its_credentials_are_those_of_the_task_role(task: dict[str, t.Any]) -> None:
    session = task["taskArn"].rpartition("/")[2]
    assert get(task, "/who") == f"arn:aws:sts::123456789012:assumed-role/tasks-task/{session}"
    assert get(task, "/environment")["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"].startswith("/v2/credentials/")


def test_its_metadata(task: dict[str, t.Any]) -> None:
    found = get(task, "/metadata")
    assert found["TaskARN"] == task["taskArn"] and found["LaunchType"] == "FARGATE" and found["KnownStatus"] == "RUNNING"
    (container,) = found["Containers"]
    assert container["Name"] == "app" and container["Networks"][0]["IPv4Addresses"] == [address_of(task)]


def test_its_log_is_in_cloudwatch_logs(shop: Shop, task: dict[str, t.Any]) -> None:
    wait_for(lambda: "started 1" in shop.log(task["taskArn"]), 5)


def test_it_ends_with_sigterm_and_its_own_exit_code(
    shop: Shop, task: dict[str, t.Any], engine: docker.DockerClient, boto: t.Callable[[str], t.Any]
) -> None:
    stopping = shop.ecs.stop_task(cluster=shop.name, task=task["taskArn"], reason="enough")["task"]
    assert stopping["desiredStatus"] == "STOPPED"
    ended = shop.wait_task(task["taskArn"], "STOPPED")
    assert (ended["stopCode"], ended["stoppedReason"]) == ("UserInitiated", "enough")
    assert container_of(ended)["exitCode"] == 7 and container_of(ended)["lastStatus"] == "STOPPED"
    assert any(line.startswith("got SIGTERM") for line in shop.log(task["taskArn"]))
    label = f"localcloud.task={task['taskArn'].rpartition('/')[2]}"
    assert engine.containers.list(all=True, filters={"label": label}) == []
    filters = [{"Name": "addresses.private-ip-address", "Values": [address_of(task)]}]
    assert boto("ec2").describe_network_interfaces(Filters=filters)["NetworkInterfaces"] == []


@pytest.fixture(scope="module")
def ended(shop: Shop, cloud_env: dict[str, str], state_root: t.Any, cloud_name: str) -> t.Callable[[str], dict[str, t.Any]]:
    """`ended("name")`: one of these tasks when it has ended. They run side by side."""
    port = json.loads((state_root / cloud_name / "settings.json").read_text())["ports"]["registry"]
    nobody = shop.role("tasks-nobody", ["ecr:GetAuthorizationToken"])
    elsewhere = {"logDriver": "awslogs", "options": {"awslogs-group": "/none", "awslogs-region": "r", "awslogs-stream-prefix": "p"}}
    plain = {"portMappings": []}
    shell: dict[str, t.Any] = {"image": "debian:trixie-slim", **plain}
    definitions = {
        "code": shop.define("code", shop.container(**{**shell, "command": ["sh", "-c", "echo bye; exit 3"]})),
        "deaf": shop.define(
            "deaf",
            shop.container(**{**shell, "command": ["sh", "-c", "trap '' TERM; echo on; while :; do sleep 0.2; done"], "stopTimeout": 1}),
        ),
        "image": shop.define("image", shop.container(image=GONE.format(port=port))),
        "group": shop.define("group", shop.container(logConfiguration=elsewhere)),
        "parameter": shop.define("parameter", shop.container(secrets=[{"name": "A", "valueFrom": "/ecs-tests/none"}])),
        "denied": shop.define("denied", shop.container(), executionRoleArn=nobody),
        "command": shop.define("command", shop.container(command=["/no/such/program"])),
    }
    tasks = {name: shop.run(definition) for name, definition in definitions.items()}
    shop.wait_task(tasks["deaf"], "RUNNING")
    wait_for(lambda: shop.log(tasks["deaf"]), 5)
    shop.ecs.stop_task(cluster=shop.name, task=tasks["deaf"])
    return lambda name: shop.wait_task(tasks[name], "STOPPED")


def test_a_task_that_ends_by_itself(ended: t.Callable[[str], dict[str, t.Any]], shop: Shop) -> None:
    found = ended("code")
    assert (found["stopCode"], found["stoppedReason"]) == ("EssentialContainerExited", "Essential container in task exited")
    assert container_of(found)["exitCode"] == 3 and shop.log(found["taskArn"]) == ["bye"]


def test_a_task_that_does_not_listen_is_killed(ended: t.Callable[[str], dict[str, t.Any]]) -> None:
    found = ended("deaf")
    assert container_of(found)["exitCode"] == 137
    assert 1 <= (found["executionStoppedAt"] - found["stoppingAt"]).total_seconds() < 5


STREAM = "failed to validate logger args: create stream has been retried 1 times: failed to create Cloudwatch log stream:"
PULL = "unable to pull secrets or registry auth: execution resource retrieval failed:"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("image", "CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref 127.0.0.1:"),
        ("group", f"ResourceInitializationError: {STREAM} ResourceNotFoundException: "),
        ("parameter", f"ResourceInitializationError: {PULL} unable to retrieve secrets from ssm: "),
        (
            "denied",
            f"ResourceInitializationError: {STREAM} AccessDeniedException: User: arn:aws:sts::123456789012:assumed-role/tasks-nobody/",
        ),
        ("command", "CannotStartContainerError: "),
    ],
)
def test_a_task_that_cannot_start_says_why(ended: t.Callable[[str], dict[str, t.Any]], name: str, reason: str) -> None:
    found = ended(name)
    assert found["stopCode"] == "TaskFailedToStart"
    assert found["stoppedReason"].startswith(reason), found["stoppedReason"]
    assert "startedAt" not in found


def test_containers_of_a_task_share_network_and_volumes_and_keep_their_order(shop: Shop) -> None:
    shell = {"image": "debian:trixie-slim", "portMappings": [], "mountPoints": [{"sourceVolume": "v", "containerPath": "/v"}]}
    first = shop.container(name="first", essential=False, command=["sh", "-c", "echo made >/v/file"], **shell)
    app = shop.container(
        image=IMAGE,
        mountPoints=[{"sourceVolume": "v", "containerPath": "/v"}],
        dependsOn=[{"containerName": "first", "condition": "SUCCESS"}],
    )
    probe = "import time,urllib.request as u; print(open('/v/file').read().strip(), flush=True)\nwhile True:\n"
    probe += " try: print(u.urlopen('http://127.0.0.1:8080/').status, flush=True); break\n except OSError: time.sleep(0.1)\ntime.sleep(600)"
    side = shop.container(
        name="side", essential=False, image=IMAGE, portMappings=[], command=["python3", "-c", probe], stopTimeout=1,
        mountPoints=[{"sourceVolume": "v", "containerPath": "/v", "readOnly": True}],
        dependsOn=[{"containerName": "app", "condition": "START"}],
    )  # fmt: skip
    arn = shop.run(shop.define("three", first, app, side, volumes=[{"name": "v"}]))
    task = shop.wait_task(arn, "RUNNING")
    assert container_of(task, "first")["exitCode"] == 0 and container_of(task, "first")["lastStatus"] == "STOPPED"
    wait_for(lambda: shop.log(arn, "side") == ["made", "200"], 10)
    shop.ecs.stop_task(cluster=shop.name, task=arn)
    ended = shop.wait_task(arn, "STOPPED")
    assert {item["name"]: item["exitCode"] for item in ended["containers"]} == {"first": 0, "app": 0, "side": 137}


def test_the_tagging_api_finds_and_tags_what_ecs_has(shop: Shop, boto: t.Callable[[str], t.Any]) -> None:
    tagging = boto("resourcegroupstaggingapi")
    definition = shop.define("tagged", tags=[{"key": "bluegreen:system", "value": "tags"}])
    cluster = shop.ecs.describe_clusters(clusters=[shop.name])["clusters"][0]["clusterArn"]
    assert tagging.tag_resources(ResourceARNList=[cluster], Tags={"bluegreen:system": "tags", "x": "y"})["FailedResourcesMap"] == {}
    tagging.untag_resources(ResourceARNList=[cluster], TagKeys=["x"])
    filters = [{"Key": "bluegreen:system", "Values": ["tags"]}]
    found = tagging.get_resources(TagFilters=filters, ResourceTypeFilters=["ecs"])["ResourceTagMappingList"]
    assert {item["ResourceARN"]: item["Tags"] for item in found} == {
        arn: [{"Key": "bluegreen:system", "Value": "tags"}] for arn in (cluster, definition)
    }
    shop.ecs.deregister_task_definition(taskDefinition=definition)
    found = tagging.get_resources(TagFilters=filters, ResourceTypeFilters=["ecs"])["ResourceTagMappingList"]
    assert [item["ResourceARN"] for item in found] == [cluster], "an inactive definition is no resource any more"


def test_an_operation_can_be_made_to_fail(shop: Shop, cloud_env: dict[str, str]) -> None:
    url = f"{cloud_env['AWS_ENDPOINT_URL']}/_localcloud/ecs/faults"
    fault = {"operation": "DescribeTasks", "code": "ThrottlingException", "times": 1}
    with urllib.request.urlopen(urllib.request.Request(url, json.dumps(fault).encode(), method="POST"), timeout=5) as answer:
        assert json.load(answer)[0]["times"] == 1
    config = botocore.config.Config(retries={"total_max_attempts": 1})
    client = boto3.client(
        "ecs", endpoint_url=cloud_env["AWS_ENDPOINT_URL"], region_name="ap-northeast-2", aws_access_key_id="x",
        aws_secret_access_key="y", config=config,
    )  # fmt: skip
    with pytest.raises(botocore.exceptions.ClientError, match="ThrottlingException"):
        client.describe_tasks(cluster=shop.name, tasks=["0" * 32])
    assert client.describe_tasks(cluster=shop.name, tasks=["0" * 32])["tasks"] == []


def test_a_missing_log_group_is_not_made(boto: t.Callable[[str], t.Any], ended: t.Callable[[str], dict[str, t.Any]]) -> None:
    ended("group")
    names = [found["logGroupName"] for found in boto("logs").describe_log_groups()["logGroups"]]
    assert "/none" not in names and GROUP in names
