# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tasks get their images from the cloud's registry, as their execution role may, and one deployment runs one image."""

from __future__ import annotations

import base64
import io
import json
import pathlib
import tarfile
import typing as t

import docker
import pytest
from conftest import Vpc, wait_for
from ecs_client import Shop, container_of

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


class Registry:
    """The cloud's registry, as a user fills it."""

    def __init__(self, boto: t.Callable[[str], t.Any], engine: docker.DockerClient, port: int) -> None:
        self._ecr = boto("ecr")
        self._engine = engine
        self.repository = f"127.0.0.1:{port}/{REPOSITORY}"
        self._ecr.create_repository(repositoryName=REPOSITORY)
        self._pushed: set[str] = set()

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
        self._pushed.add(name)
        token = self._ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
        user, _, password = base64.b64decode(token).decode().partition(":")
        for line in self._engine.images.push(name, auth_config={"username": user, "password": password}, stream=True, decode=True):
            assert "error" not in line, line
        return self._ecr.describe_images(repositoryName=REPOSITORY, imageIds=[{"imageTag": tag}])["imageDetails"][0]["imageDigest"]

    def close(self) -> None:
        """Remove the images from this machine."""
        for image in self._engine.images.list(name=self.repository):
            self._engine.images.remove(image.id, force=True)


@pytest.fixture(scope="module")
def shop(boto: t.Callable[[str], t.Any], vpc: Vpc) -> t.Iterator[Shop]:
    made = Shop(boto, vpc, "images")
    yield made
    made.close()


@pytest.fixture(scope="module")
def registry(
    boto: t.Callable[[str], t.Any], engine: docker.DockerClient, state_root: pathlib.Path, cloud_name: str, shop: Shop
) -> t.Iterator[Registry]:
    port = json.loads((state_root / cloud_name / "settings.json").read_text())["ports"]["registry"]
    made = Registry(boto, engine, port)
    yield made
    shop.close()
    wait_for(shop.is_empty, 20)
    made.close()


def _container(shop: Shop, image: str) -> dict[str, t.Any]:
    container = shop.container(image=image, portMappings=[])
    del container["command"]
    return container


def test_one_deployment_runs_one_image(shop: Shop, registry: Registry) -> None:
    first = registry.push("latest", "1")
    service = shop.serve("pinned", shop.define("pinned", _container(shop, f"{registry.repository}:latest")))
    shop.wait_steady(service)
    (task,) = shop.tasks(service)
    assert container_of(task)["imageDigest"] == first
    wait_for(lambda: shop.log(task["taskArn"]) == ["version 1"], 5)
    second = registry.push("latest", "2")
    shop.update(service, desiredCount=2)
    shop.wait_steady(service)
    assert {container_of(found)["imageDigest"] for found in shop.tasks(service)} == {first}, "a tag that moved changes no deployment"
    shop.update(service, desiredCount=1, forceNewDeployment=True)
    wait_for(lambda: {container_of(found).get("imageDigest") for found in shop.tasks(service)} == {second}, 20)


def test_an_image_by_its_digest(shop: Shop, registry: Registry) -> None:
    digest = registry.push("other", "3")
    arn = shop.run(shop.define("digest", _container(shop, f"{registry.repository}@{digest}")))
    task = shop.wait_task(arn, "RUNNING")
    assert container_of(task)["imageDigest"] == digest
    wait_for(lambda: shop.log(arn) == ["version 3"], 5)
    shop.ecs.stop_task(cluster=shop.name, task=arn)


def test_a_role_that_may_not_pull(shop: Shop, registry: Registry) -> None:
    role = shop.role("images-nobody", ["ecr:GetAuthorizationToken", "logs:*"])
    image = f"{registry.repository}:latest"
    ended = shop.wait_task(shop.run(shop.define("denied", _container(shop, image), executionRoleArn=role)), "STOPPED")
    start = f"CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref {image}: pull access denied: "
    assert ended["stoppedReason"].startswith(f"{start}denied: User: arn:aws:sts::123456789012:assumed-role/images-nobody/")
    assert "is not authorized to perform: ecr:BatchGetImage on resource: " in ended["stoppedReason"]
    assert container_of(ended)["reason"] == ended["stoppedReason"]
