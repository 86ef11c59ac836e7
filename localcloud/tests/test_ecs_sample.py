# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sample backend as a Fargate service on DynamoDB, with nothing but its task role to get there."""

from __future__ import annotations

import json
import pathlib
import subprocess
import typing as t
import urllib.request

import docker
import pytest
from conftest import Vpc, wait_for
from ecs_client import PORT, Shop, address_of

BACKEND = pathlib.Path(__file__).resolve().parents[2] / "samples" / "backend"
IMAGE = "localcloud-test/backend:ecs"
TABLES = {"ecs-messages": [("room", "S", "HASH"), ("id", "N", "RANGE")], "ecs-user-counter": [("name", "S", "HASH")]}


@pytest.fixture(scope="module")
def image(engine: docker.DockerClient) -> t.Iterator[str]:
    """The sample's image on this machine."""
    done = subprocess.run(["docker", "build", "-q", "-t", IMAGE, str(BACKEND)], text=True, capture_output=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    yield IMAGE
    engine.images.remove(IMAGE, force=True)


@pytest.fixture(scope="module")
def tables(boto: t.Callable[[str], t.Any]) -> t.Any:
    """On-demand tables, encrypted with a key of the account's, with point-in-time recovery."""
    dynamodb = boto("dynamodb")
    for name, keys in TABLES.items():
        dynamodb.create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": kind} for key, kind, _ in keys],
            KeySchema=[{"AttributeName": key, "KeyType": role} for key, _, role in keys],
            SSESpecification={"Enabled": True, "SSEType": "KMS"},
        )
        dynamodb.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1})
        dynamodb.update_continuous_backups(TableName=name, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True})
    return dynamodb


@pytest.fixture(scope="module")
def task(boto: t.Callable[[str], t.Any], vpc: Vpc, image: str, tables: t.Any) -> t.Iterator[dict[str, t.Any]]:
    """The service's task, with a role that may use the two tables and nothing else."""
    shop = Shop(boto, vpc, "sample")
    actions = [f"dynamodb:{name}" for name in ("GetItem", "PutItem", "UpdateItem", "Query", "TransactWriteItems")]
    role = shop.role("sample-backend", actions)
    environment = {"STORE": "dynamodb", "CACHE": "none", "TABLE_MESSAGES": "ecs-messages", "TABLE_USER_COUNTER": "ecs-user-counter"}
    check = {"command": ["CMD-SHELL", f"curl -fs http://127.0.0.1:{PORT}/healthz"], "interval": 5, "timeout": 4, "retries": 3}
    container = shop.container(image=image, environment=environment, healthCheck=check, stopTimeout=15)
    del container["command"]
    service = shop.serve("backend", shop.define("backend", container, taskRoleArn=role))
    shop.wait_steady(service)
    yield shop.tasks(service)[0]
    shop.close()
    wait_for(shop.is_empty, 30)


def _ask(task: dict[str, t.Any], path: str, body: t.Any = None) -> t.Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"http://{address_of(task)}:{PORT}{path}", data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def test_messages_are_kept_in_the_table(task: dict[str, t.Any], tables: t.Any) -> None:
    assert task["healthStatus"] == "HEALTHY"
    first = _ask(task, "/api/messages", {"room": "lobby", "author": "ada", "text": "hello", "client_id": "one"})
    again = _ask(task, "/api/messages", {"room": "lobby", "author": "ada", "text": "hello", "client_id": "one"})
    second = _ask(task, "/api/messages", {"room": "lobby", "author": "bob", "text": "hi", "client_id": "two"})
    assert (first["id"], again["id"], second["id"]) == (1, 1, 2), "a message that comes twice is stored once"
    assert [message["text"] for message in _ask(task, "/api/messages?room=lobby")["messages"]] == ["hello", "hi"]
    items = tables.query(
        TableName="ecs-messages", KeyConditionExpression="room = :room", ExpressionAttributeValues={":room": {"S": "lobby"}}
    )["Items"]
    assert [item["text"]["S"] for item in items] == ["hello", "hi"]


def test_the_tables_are_as_they_were_asked_for(tables: t.Any) -> None:
    for name in TABLES:
        table = tables.describe_table(TableName=name)["Table"]
        assert table["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST" and table["SSEDescription"]["Status"] == "ENABLED"
        backups = tables.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
        assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"
