# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Services of ECS keep their tasks: replaced when they die, rolled to a new definition, rolled back by the circuit breaker."""

from __future__ import annotations

import datetime
import time
import typing as t
import urllib.request

import docker
import pytest
from conftest import Vpc, wait_for
from ecs_client import Shop, address_of, container_of, get

BREAKER = {"deploymentCircuitBreaker": {"enable": True, "rollback": True}}
CHECK = {
    "command": ["CMD-SHELL", "python3 -c 'import urllib.request as u; u.urlopen(\"http://127.0.0.1:8080/health\", timeout=1)'"],
    "interval": 5, "timeout": 2, "retries": 1,
}  # fmt: skip


@pytest.fixture(scope="module")
def shop(boto: t.Callable[[str], t.Any], vpc: Vpc) -> t.Iterator[Shop]:
    made = Shop(boto, vpc, "services")
    yield made
    made.close()


@pytest.fixture(scope="module")
def services(shop: Shop) -> dict[str, str]:
    """One service for each story; they start side by side."""
    good = shop.define("good", shop.container(environment={"VERSION": "1"}))
    return {
        "two": shop.serve("two", good, 2),
        "breaks": shop.serve("breaks", good, 1, deploymentConfiguration=BREAKER),
        "checked": shop.serve(
            "checked",
            shop.define("checked", shop.container(healthCheck=CHECK, environment={"VERSION": "1"})),
            deploymentConfiguration=BREAKER,
        ),
    }


def test_the_first_deployment(shop: Shop, services: dict[str, str], vpc: Vpc) -> None:
    found = shop.wait_steady(services["two"])
    tasks = shop.tasks(services["two"])
    assert {get(task)["version"] for task in tasks} == {"1"}
    assert {task["availabilityZone"] for task in tasks} == {"ap-northeast-2a", "ap-northeast-2c"}
    assert {task["group"] for task in tasks} == {f"service:{services['two']}"} and {task["startedBy"] for task in tasks} == {
        found["deployments"][0]["id"]
    }
    (started,) = shop.said(services["two"], "has started 2 tasks: (task ")
    assert all(task["taskArn"].rpartition("/")[2] in started for task in tasks)
    assert len(shop.said(services["two"], "has reached a steady state.")) == 1
    assert shop.said(services["two"], f"(deployment {found['deployments'][0]['id']}) deployment completed.")


def test_a_killed_task_is_replaced(shop: Shop, services: dict[str, str], engine: docker.DockerClient) -> None:
    service = services["two"]
    victim, other = shop.tasks(service)
    label = f"localcloud.task={victim['taskArn'].rpartition('/')[2]}"
    began = time.monotonic()
    engine.containers.list(filters={"label": label})[0].kill()
    wait_for(lambda: victim["taskArn"] not in {task["taskArn"] for task in shop.tasks(service)}, 5)
    assert time.monotonic() - began < 3, "Docker's events tell of it"
    shop.wait_steady(service)
    ended = shop.task(victim["taskArn"])
    assert (ended["stopCode"], container_of(ended)["exitCode"]) == ("EssentialContainerExited", 137)
    names = {task["taskArn"] for task in shop.tasks(service)}
    assert other["taskArn"] in names and len(names) == 2
    wait_for(lambda: len(shop.said(service, "has reached a steady state.")) == 2, 5)


def test_scaling(shop: Shop, services: dict[str, str]) -> None:
    service = services["two"]
    before = {task["taskArn"] for task in shop.tasks(service)}
    shop.update(service, desiredCount=3)
    shop.wait_steady(service)
    assert before < {task["taskArn"] for task in shop.tasks(service)}
    deployment = shop.service(service)["deployments"][0]["id"]
    shop.update(service, desiredCount=1)
    shop.wait_steady(service)
    ended = [task for task in shop.tasks(service, "STOPPED") if task["stopCode"] == "ServiceSchedulerInitiated"]
    assert {task["stoppedReason"] for task in ended} == {f"Scaling activity initiated by (deployment {deployment})"} and len(ended) == 2
    assert {container_of(task)["exitCode"] for task in ended if task["lastStatus"] == "STOPPED"} <= {0}


def test_a_rolling_deployment_never_has_too_few(shop: Shop, services: dict[str, str]) -> None:
    service = services["two"]
    (old,) = shop.tasks(service)
    new = shop.define("good", shop.container(environment={"VERSION": "2"}))
    answer = shop.update(service, taskDefinition=new)
    assert [(item["status"], item["rolloutState"]) for item in answer["deployments"]] == [
        ("PRIMARY", "IN_PROGRESS"),
        ("ACTIVE", "COMPLETED"),
    ]
    fewest = 9

    def done() -> bool:
        nonlocal fewest
        found = shop.service(service)
        fewest = min(fewest, found["runningCount"])
        return len(found["deployments"]) == 1 and found["deployments"][0]["rolloutState"] == "COMPLETED"

    wait_for(done, 30, interval=0.1)
    assert fewest == 1
    (task,) = shop.tasks(service)
    assert get(task)["version"] == "2" and address_of(task) != address_of(old)
    assert shop.task(old["taskArn"])["lastStatus"] == "STOPPED"


def test_the_circuit_breaker_rolls_back_what_crashes(shop: Shop, services: dict[str, str]) -> None:
    service = services["breaks"]
    before = shop.wait_steady(service)
    (task,) = shop.tasks(service)
    bad = shop.define("bad", shop.container(command=["sh", "-c", "echo cannot; exit 1"]))
    failed = shop.update(service, taskDefinition=bad)["deployments"][0]["id"]
    wait_for(lambda: shop.said(service, f"rolling back to deployment {before['deployments'][0]['id']}."), 40)
    after = shop.wait_steady(service, before["taskDefinition"])
    assert after["deployments"][0]["id"] == before["deployments"][0]["id"]
    assert shop.said(service, f"(deployment {failed}) deployment failed: tasks failed to start.")
    assert [found["taskArn"] for found in shop.tasks(service)] == [task["taskArn"]], "the old task was never touched"
    crashed = [found for found in shop.tasks(service, "STOPPED") if found["taskDefinitionArn"] == bad]
    assert len(crashed) == 3 and {container_of(found)["exitCode"] for found in crashed} == {1}
    assert shop.log(crashed[0]["taskArn"]) == ["cannot"]


def test_health_checks(shop: Shop, services: dict[str, str]) -> None:
    service = services["checked"]
    shop.wait_steady(service)
    (task,) = shop.tasks(service)
    assert task["healthStatus"] == container_of(task)["healthStatus"] == "HEALTHY"
    get(task, "/break")
    wait_for(lambda: shop.said(service, "failed container health checks."), 20)
    shop.wait_steady(service)
    ended = shop.wait_task(task["taskArn"], "STOPPED")
    assert ended["stoppedReason"] == "Task failed container health checks"
    started = shop.tasks(service)[0]["startedAt"]
    assert started < ended["stoppingAt"], "what was healthy once is replaced before it is stopped"


def test_metrics(shop: Shop, services: dict[str, str], cloud_env: dict[str, str], boto: t.Callable[[str], t.Any]) -> None:
    request = urllib.request.Request(f"{cloud_env['AWS_ENDPOINT_URL']}/_localcloud/ecs/metrics", method="POST")
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.status == 200
    dimensions = [{"Name": "ClusterName", "Value": shop.name}, {"Name": "ServiceName", "Value": services["checked"]}]
    now = datetime.datetime.now(datetime.UTC)
    for name, least, most in (("CPUUtilization", 0.1, 400.0), ("MemoryUtilization", 1.0, 50.0)):
        (point,) = boto("cloudwatch").get_metric_statistics(
            Namespace="AWS/ECS", MetricName=name, Dimensions=dimensions, Period=3600, Statistics=["Average"], Unit="Percent",
            StartTime=now - datetime.timedelta(minutes=10), EndTime=now + datetime.timedelta(minutes=1),
        )["Datapoints"]  # fmt: skip
        assert least < point["Average"] < most


def test_a_role_that_ecs_cannot_assume(shop: Shop) -> None:
    ec2 = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
    }
    role = shop.role("services-wrong", [], ec2)
    service = shop.serve("role", shop.define("role", shop.container(), taskRoleArn=role))
    wait_for(lambda: shop.said(service, f"ECS was unable to assume the role '{role}'"), 5)
    assert shop.tasks(service) == []


def test_deleting(shop: Shop, services: dict[str, str]) -> None:
    service = services["two"]
    (task,) = shop.tasks(service)
    assert shop.ecs.delete_service(cluster=shop.name, service=service, force=True)["service"]["status"] == "DRAINING"
    wait_for(lambda: shop.service(service)["status"] == "INACTIVE", 20)
    assert shop.task(task["taskArn"])["lastStatus"] == "STOPPED"
    assert service not in "".join(shop.ecs.list_services(cluster=shop.name)["serviceArns"])
