# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stories of images: tasks get them from the cloud's registry, and the sample backend runs on DynamoDB with its task role alone."""

from __future__ import annotations

import base64
import io
import json
import pathlib
import subprocess
import tarfile
import typing as t
import urllib.request

from conftest import wait_for
from ecs_client import PORT, Around, Shop, address_of, container_of

REPOSITORY = "ecs/tiny"
DOCKERFILE = """FROM debian:trixie-slim AS base
FROM scratch
COPY --from=base /lib64 /lib64
COPY --from=base /usr/lib/x86_64-linux-gnu/libc.so.6 /usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2 /lib/x86_64-linux-gnu/
COPY --from=base /usr/bin/dash /bin/sh
COPY --from=base /usr/bin/sleep /bin/sleep
ENV VERSION={version}
CMD ["/bin/sh", "-c", "echo version $VERSION; trap 'exit 0' TERM; while :; do sleep 0.2; done"]
"""


BACKEND = pathlib.Path(__file__).resolve().parents[2] / "samples" / "backend"
SAMPLE = "localcloud-test/backend:ecs"
TABLES = {"ecs-messages": [("room", "S", "HASH"), ("id", "N", "RANGE")], "ecs-user-counter": [("name", "S", "HASH")]}


class Registry:
    """The cloud's registry, as a user fills it."""

    def __init__(self, around: Around) -> None:
        self._ecr = around.boto("ecr")
        self._engine = around.engine
        self.repository = f"127.0.0.1:{around.registry_port}/{REPOSITORY}"
        self._ecr.create_repository(repositoryName=REPOSITORY)

    def push(self, tag: str, version: str) -> str:
        """Build and push an image of a few megabytes; returns its digest."""
        text = DOCKERFILE.format(version=version).encode()
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as archive:
            entry = tarfile.TarInfo("Dockerfile")
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text))
        buffer.seek(0)
        name = f"{self.repository}:{tag}"
        self._engine.images.build(fileobj=buffer, custom_context=True, tag=name, rm=True)
        token = self._ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
        user, _, password = base64.b64decode(token).decode().partition(":")
        for line in self._engine.images.push(name, auth_config={"username": user, "password": password}, stream=True, decode=True):
            assert "error" not in line, line
        return self._ecr.describe_images(repositoryName=REPOSITORY, imageIds=[{"imageTag": tag}])["imageDetails"][0]["imageDigest"]

    def close(self) -> None:
        """Remove the images from this machine."""
        for image in self._engine.images.list(name=self.repository):
            self._engine.images.remove(image.id, force=True)


def _container(shop: Shop, image: str) -> dict[str, t.Any]:
    container = shop.container(image=image, portMappings=[])
    del container["command"]
    return container


def images_come_from_the_registry(around: Around) -> None:
    registry = Registry(around)
    with around.shop("images") as shop:
        first = registry.push("latest", "1")
        other = registry.push("other", "3")
        by_digest = shop.run(shop.define("digest", _container(shop, f"{registry.repository}@{other}")))
        service = shop.serve("pinned", shop.define("pinned", _container(shop, f"{registry.repository}:latest")))
        shop.wait_steady(service)
        (task,) = shop.tasks(service)
        assert container_of(task)["imageDigest"] == first
        assert container_of(shop.wait_task(by_digest, "RUNNING"))["imageDigest"] == other
        wait_for(lambda: shop.log(task["taskArn"]) == ["version 1"] and shop.log(by_digest) == ["version 3"], 5)

        second = registry.push("latest", "2")
        shop.update(service, desiredCount=2)
        shop.wait_steady(service)
        assert {container_of(found)["imageDigest"] for found in shop.tasks(service)} == {first}, "a tag that moved changes no deployment"
        shop.update(service, desiredCount=1, forceNewDeployment=True)
        wait_for(lambda: {container_of(found).get("imageDigest") for found in shop.tasks(service)} == {second}, 30)

        role = shop.role("images-nobody", ["ecr:GetAuthorizationToken", "logs:*"])
        image = f"{registry.repository}:latest"
        ended = shop.wait_task(shop.run(shop.define("denied", _container(shop, image), executionRoleArn=role)), "STOPPED")
        start = f"CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref {image}: "
        user = "User: arn:aws:sts::123456789012:assumed-role/images-nobody/"
        assert ended["stoppedReason"].startswith(f"{start}pull access denied: denied: {user}")
        assert "is not authorized to perform: ecr:BatchGetImage on resource: " in ended["stoppedReason"]
        assert container_of(ended)["reason"] == ended["stoppedReason"]
    registry.close()


def _tables(around: Around) -> t.Any:
    """On-demand tables, encrypted with a key of the account's, with point-in-time recovery."""
    dynamodb = around.boto("dynamodb")
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
        table = dynamodb.describe_table(TableName=name)["Table"]
        assert table["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST" and table["SSEDescription"]["Status"] == "ENABLED"
        backups = dynamodb.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
        assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"
    return dynamodb


def _ask(task: dict[str, t.Any], path: str, body: t.Any = None) -> t.Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"http://{address_of(task)}:{PORT}{path}", data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def the_sample_backend_keeps_messages_in_dynamodb(around: Around) -> None:
    done = subprocess.run(["docker", "build", "-q", "-t", SAMPLE, str(BACKEND)], text=True, capture_output=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    dynamodb = _tables(around)
    with around.shop("sample") as shop:
        actions = [f"dynamodb:{name}" for name in ("GetItem", "PutItem", "UpdateItem", "Query", "TransactWriteItems")]
        environment = {"STORE": "dynamodb", "CACHE": "none", "TABLE_MESSAGES": "ecs-messages", "TABLE_USER_COUNTER": "ecs-user-counter"}
        check = {"command": ["CMD-SHELL", f"curl -fs http://127.0.0.1:{PORT}/healthz"], "interval": 5, "timeout": 4, "retries": 3}
        container = shop.container(image=SAMPLE, environment=environment, healthCheck=check, stopTimeout=15)
        del container["command"]
        service = shop.serve("backend", shop.define("backend", container, taskRoleArn=shop.role("sample-backend", actions)))
        shop.wait_steady(service)
        (task,) = shop.tasks(service)
        assert task["healthStatus"] == "HEALTHY"
        first = _ask(task, "/api/messages", {"room": "lobby", "author": "ada", "text": "hello", "client_id": "one"})
        again = _ask(task, "/api/messages", {"room": "lobby", "author": "ada", "text": "hello", "client_id": "one"})
        second = _ask(task, "/api/messages", {"room": "lobby", "author": "bob", "text": "hi", "client_id": "two"})
        assert (first["id"], again["id"], second["id"]) == (1, 1, 2), "a message that comes twice is stored once"
        assert [message["text"] for message in _ask(task, "/api/messages?room=lobby")["messages"]] == ["hello", "hi"]
        values = {":room": {"S": "lobby"}}
        items = dynamodb.query(TableName="ecs-messages", KeyConditionExpression="room = :room", ExpressionAttributeValues=values)["Items"]
        assert [item["text"]["S"] for item in items] == ["hello", "hi"]
    around.engine.images.remove(SAMPLE, force=True)


STORIES = [images_come_from_the_registry, the_sample_backend_keeps_messages_in_dynamodb]
