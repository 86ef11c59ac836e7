# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bad input and faults: each ends in one clear sentence, with nothing changed or the old release kept."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import time

import pytest
import world

pytestmark = pytest.mark.usefixtures("built")
CREDENTIALS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE")


@contextlib.contextmanager
def unchanged():
    """The same release runs before and after, and answered meanwhile."""
    before, version = world.release(), world.info()["version"]
    with world.Stream(rate=5) as stream:
        yield
    assert world.release() == before
    assert world.info()["version"] == version
    assert stream.failures == []


def refused(result, *sentences):
    assert result.code != 0, result.output
    for sentence in sentences:
        assert sentence in result.one_line(), result.output[-3000:]


def bundle(tmp_path, change=None):
    """A copy of popcon's files, with its compose file changed."""
    folder = tmp_path / "files"
    shutil.copytree(world.ROOT / "inventories/popcon/files", folder)
    if change:
        path = folder / "docker-compose.yml"
        path.write_text(change(path.read_text()))
    return f"compose_app_source={folder}"


def test_no_credentials(tmp_path):
    with unchanged():
        env = {
            "AWS_CONFIG_FILE": str(tmp_path / "none"),
            "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"),
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        result = world.run("site", env=env, without=CREDENTIALS)
    refused(result, "AWS did not accept this session in region ap-northeast-2", "Give credentials (AWS_PROFILE", "Nothing was changed.")


def test_wrong_region():
    with unchanged():
        result = world.run("site", env={"AWS_REGION": "eu-west-1"})
    refused(
        result,
        "This environment is in region 'ap-northeast-2' and the session's AWS_REGION says 'eu-west-1'; "
        "unset AWS_REGION or correct bluegreen_region. Nothing was changed.",
    )


def test_a_parameter_too_many_and_one_too_few():
    client = world.client("ssm")
    client.put_parameter(Name=f"{world.PARAMETERS}/SURPRISE", Value="1", Type="String")
    with unchanged():
        refused(world.deploy(), "SURPRISE", ".env.example", world.PARAMETERS)
    client.delete_parameter(Name=f"{world.PARAMETERS}/SURPRISE")
    kept = client.get_parameter(Name=f"{world.PARAMETERS}/REDIS_PORT")["Parameter"]["Value"]
    client.delete_parameter(Name=f"{world.PARAMETERS}/REDIS_PORT")
    with unchanged():
        refused(world.deploy(), "REDIS_PORT", ".env.example", world.PARAMETERS)
    client.put_parameter(Name=f"{world.PARAMETERS}/REDIS_PORT", Value=kept, Type="String")


def test_an_image_digest_that_is_not_in_the_registry():
    digest = "sha256:" + "0" * 64
    with unchanged():
        result = world.deploy("-e", json.dumps({"compose_app_images": {"backend": digest}}))
    refused(result, digest, "backend")


def test_a_compose_file_that_is_not_valid(tmp_path):
    with unchanged():
        result = world.deploy("-e", bundle(tmp_path, lambda text: text.replace("services:", "servicez:")))
    refused(result, "docker-compose.yml", "servicez")


def test_an_instance_that_ssm_does_not_manage():
    result = world.run("deploy", "-e", "ansible_host=i-00000000000000000", "-e", "docker_host_wait_timeout=3")
    refused(result, "i-00000000000000000", "ssm:UpdateInstanceInformation")


@pytest.fixture
def images():
    """The tags point to the images of the release that runs again, whatever the test pushed."""
    yield
    restored = world.run("provision", "--tags", "image", env={"POPCON_VERSION": "2.0.0"})
    assert restored.code == 0, restored.output


@pytest.mark.usefixtures("images")
def test_a_release_that_never_gets_healthy():
    with unchanged():
        builds = [
            {"tag": "backend", "context": str(world.ROOT / "samples/backend"), "args": {"APP_VERSION": "bad", "FAULTS": "never_healthy"}}
        ]
        settings = json.dumps({"image_builds": builds, "compose_app_health_timeout": 15})
        result = world.run("site", "--skip-tags", "network,registry,parameters,instance,docker_host", "-e", settings)
    refused(result, "backend", "healthy")
    assert "bad" not in world.on_instance("docker ps --format '{{.Names}} {{.Image}}' | grep -v proxy | cut -d' ' -f1")


@pytest.mark.usefixtures("images")
def test_a_disk_that_is_full_while_pulling(tmp_path):
    context = tmp_path / "backend"
    shutil.copytree(world.ROOT / "samples/backend", context)
    (context / "chat_backend/ballast").write_bytes(os.urandom(8 << 20))
    settings = json.dumps({"image_builds": [{"tag": "backend", "context": str(context), "args": {"APP_VERSION": "3.0.0"}}]})
    # The Engine keeps a layer here while it arrives; a file system smaller than the layer is full in earnest.
    world.on_instance("mount -t tmpfs -o size=1m none /var/lib/docker/tmp")
    try:
        with unchanged():
            result = world.run("site", "--skip-tags", "network,registry,parameters,instance,docker_host", "-e", settings)
    finally:
        world.on_instance("umount /var/lib/docker/tmp")
    refused(result, "no space left on device")


def test_a_docker_compose_that_is_too_old():
    # The plugin folder of root comes first; this one says of itself what version 2.10 says.
    folder = "/root/.docker/cli-plugins"
    metadata = '{"SchemaVersion":"0.1.0","Vendor":"Docker Inc.","Version":"v2.10.0","ShortDescription":"Docker Compose"}'
    world.on_instance(
        f"mkdir -p {folder} && printf '%s\\n' '#!/bin/sh' 'case \"$*\" in *metadata*) echo '\"'\"'{metadata}'\"'\"';; "
        f"*) echo 2.10.0;; esac' > {folder}/docker-compose && chmod 755 {folder}/docker-compose"
    )
    try:
        with unchanged():
            refused(world.deploy(), "2.10.0", "2.20")
    finally:
        world.on_instance(f"rm -r {folder}")


def slow_release(tmp_path):
    """A release that takes its time: the frontend is healthy only half a minute after it started."""
    return bundle(tmp_path, lambda text: text.replace("http://127.0.0.1:3000/healthz", "http://127.0.0.1:3000/not-there"))


def wait_for(predicate, seconds=120):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if predicate():
            return
        time.sleep(0.2)
    raise AssertionError("it did not come to that")


def starting():
    """The killed run's new frontend is there and not healthy yet."""
    return "popcon-frontend" in world.on_instance("docker ps --filter health=starting --format '{{.Names}}'", check=False)


def holds_lock():
    return world.client("ssm").get_parameters_by_path(Path="/bluegreen/popcon/dev/lock", Recursive=True)["Parameters"] != []


def test_two_deployments_at_once(tmp_path):
    with unchanged():
        first = world.start("deploy", "--skip-tags", "docker_host", "-e", slow_release(tmp_path), "-e", "compose_app_health_timeout=25")
        wait_for(holds_lock)
        second = world.deploy()
        output, _none = first.communicate(timeout=300)
    assert "has been deploying since" not in output
    refused(second, "has been deploying since", "/bluegreen/popcon/dev/lock", "-e compose_app_lock_break=true")
    assert not holds_lock()


@pytest.mark.usefixtures("images")
def test_a_killed_controller_and_a_run_after_it(tmp_path):
    with unchanged():
        victim = world.start("deploy", "--skip-tags", "docker_host", "-e", slow_release(tmp_path), "-e", "compose_app_health_timeout=40")
        wait_for(starting)
        world.kill(victim)
        assert holds_lock()
        result = world.deploy()
    assert result.code == 0, result.output
    assert "is taken over: its holder" in result.one_line()
    assert not holds_lock()
    workers = world.on_instance("docker ps -a --filter name=popcon-frontend- --format '{{.Names}}'").split()
    assert len(workers) == 2, workers  # the proxy and one colour
