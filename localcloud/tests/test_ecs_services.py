# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the stories of ECS's services against the session's cloud, all at once: most of their time is waiting."""

from __future__ import annotations

import concurrent.futures
import json
import pathlib
import typing as t

import docker
import ecs_balancer_stories
import ecs_image_stories
import ecs_service_stories
import pytest
from conftest import Vpc
from ecs_client import Around

STORIES = [*ecs_balancer_stories.STORIES, *ecs_image_stories.STORIES, *ecs_service_stories.STORIES]
SIDE_BY_SIDE = 5
PATIENCE_SECONDS = 400


@pytest.fixture(scope="module")
def told(
    boto: t.Callable[[str], t.Any],
    vpc: Vpc,
    engine: docker.DockerClient,
    cloud_env: dict[str, str],
    state_root: pathlib.Path,
    cloud_name: str,
) -> t.Iterator[dict[str, concurrent.futures.Future[None]]]:
    """Every story by its name, under way."""
    for service in ("application-autoscaling", "cloudwatch", "dynamodb", "ec2", "ecr", "ecs", "elbv2", "iam", "logs"):
        boto(service)  # making a client is not safe for threads, using it is
    ports = json.loads((state_root / cloud_name / "settings.json").read_text())["ports"]
    around = Around(boto, vpc, engine, cloud_env["AWS_ENDPOINT_URL"], ports["registry"])
    with concurrent.futures.ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        yield {story.__name__: pool.submit(story, around) for story in STORIES}
        pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize("name", [story.__name__ for story in STORIES])
def test_story(name: str, told: dict[str, concurrent.futures.Future[None]]) -> None:
    told[name].result(PATIENCE_SECONDS)
