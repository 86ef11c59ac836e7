# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ECR when things go wrong or go away: the registry killed, the cloud restarted, the storage gone, a client that vanishes, large images."""

from __future__ import annotations

import hashlib
import pathlib
import resource
import secrets
import socket
import subprocess
import time
import typing as t

import botocore.exceptions
import pytest
import requests
from ecr_registry_client import RegistryClient, digest_of
from ecr_standalone import Running, cloud_of, remove, running  # noqa: F401 - a fixture

from localcloud.cloud import Cloud
from localcloud.services.ecr_backend import BackendError


@pytest.fixture
def cloud(tmp_path: pathlib.Path) -> t.Iterator[Cloud]:
    """A cloud that a test may start more than once."""
    made = cloud_of(f"ecr-test-{secrets.token_hex(3)}", tmp_path)
    yield made
    remove(made)


def _registry(cloud: Cloud) -> t.Any:
    return cloud.docker.containers.get(f"localcloud-{cloud.name}-registry")


def test_images_survive_a_restart_and_tokens_stay_valid(cloud: Cloud) -> None:
    with Running(cloud) as first:
        first.client().create_repository(repositoryName="kept", imageTagMutability="IMMUTABLE")
        client = RegistryClient.of(first)
        digest = client.push("kept", "v1")
    with Running(cloud) as second:
        assert client.get_manifest("kept", "v1").headers["Docker-Content-Digest"] == digest
        (repository,) = second.client().describe_repositories()["repositories"]
        assert (repository["repositoryName"], repository["imageTagMutability"]) == ("kept", "IMMUTABLE")


def test_a_cloud_that_was_killed_leaves_nothing_in_the_way(cloud: Cloud) -> None:
    with Running(cloud) as first:
        first.client().create_repository(repositoryName="kept")
        digest = RegistryClient.of(first).push("kept", "v1")
        before = _registry(cloud).id
        first.service.stop = lambda: first.service._proxy.stop()  # type: ignore[method-assign] - the container stays, as after SIGKILL
    assert _registry(cloud).id == before
    with Running(cloud) as second:
        assert RegistryClient.of(second).get_manifest("kept", "v1").headers["Docker-Content-Digest"] == digest
        assert _registry(cloud).id != before


def test_without_its_storage_the_registry_begins_anew(cloud: Cloud) -> None:
    with Running(cloud) as first:
        first.client().create_repository(repositoryName="lost")
    remove(cloud)
    with Running(cloud) as second:
        assert second.client().describe_repositories()["repositories"] == []


def test_a_killed_registry_comes_back_by_itself(running: Running) -> None:  # noqa: F811
    running.client().create_repository(repositoryName="killed")
    client = RegistryClient.of(running)
    digest = client.push("killed", "v1")
    container = _registry(running.cloud)
    victim = "for p in /proc/[0-9]*; do grep -q docker-registry $p/comm 2>/dev/null && kill -9 ${p##*/}; done"
    assert container.exec_run(["sh", "-c", victim])[0] is not None
    deadline = time.monotonic() + 30
    while (answer := client.get_manifest("killed", "v1")).status_code == 503:
        assert answer.json()["errors"][0]["code"] == "UNAVAILABLE"
        assert time.monotonic() < deadline, "the registry stayed away"
        time.sleep(0.1)
    container.reload()
    assert container.attrs["RestartCount"] == 1, "nothing was killed"
    assert answer.headers["Docker-Content-Digest"] == digest


def test_while_the_registry_is_away_the_api_says_so(cloud: Cloud) -> None:
    with Running(cloud) as alone:
        alone.client().create_repository(repositoryName="away")
        client = RegistryClient.of(alone)
        client.push("away", "v1")
        _registry(cloud).stop(timeout=0)
        assert client.get_manifest("away", "v1").status_code == 503
        with pytest.raises(botocore.exceptions.ClientError, match="ServerException"):
            alone.client(retries=0).batch_delete_image(repositoryName="away", imageIds=[{"imageTag": "v1"}])
        details = alone.client().describe_images(repositoryName="away")["imageDetails"]
        assert len(details) == 1, "the image is forgotten and its bytes are not"


def test_a_client_that_vanishes_in_the_middle_leaves_no_image(running: Running) -> None:  # noqa: F811
    running.client().create_repository(repositoryName="vanished")
    client = RegistryClient.of(running)
    location = client.session.post(client.url("vanished/blobs/uploads/")).headers["Location"]
    with socket.create_connection(("127.0.0.1", running.cloud.ports.registry)) as raw:
        head = f"PATCH {location} HTTP/1.1\r\nHost: x\r\nAuthorization: {client.session.headers['Authorization']}\r\n"
        raw.sendall(head.encode() + b"Content-Length: 1000000\r\n\r\n" + b"x" * 1000)
    assert client.session.get(requests.compat.urljoin(client.base, location)).status_code in (204, 404)
    assert client.push("vanished", "v1"), "the registry does not take pushes any more"


def test_a_port_that_is_taken_is_named(cloud: Cloud) -> None:
    with socket.create_server(("127.0.0.1", cloud.ports.registry)), pytest.raises(BackendError, match=str(cloud.ports.registry)):
        Running(cloud).__enter__()


def test_a_large_layer_is_streamed(running: Running) -> None:  # noqa: F811
    """96 MB up and down again; what the process holds must stay far below that."""
    running.client().create_repository(repositoryName="large")
    client = RegistryClient.of(running)
    piece = secrets.token_bytes(1024 * 1024)
    pieces = 96
    location = requests.compat.urljoin(client.base, client.session.post(client.url("large/blobs/uploads/")).headers["Location"])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    answer = client.session.patch(location, data=(piece for _ in range(pieces)))
    assert answer.status_code == 202, answer.text
    location = requests.compat.urljoin(client.base, answer.headers["Location"])
    whole = hashlib.sha256()
    for _ in range(pieces):
        whole.update(piece)
    digest = f"sha256:{whole.hexdigest()}"
    assert client.session.put(location, params={"digest": digest}).status_code == 201
    got = hashlib.sha256()
    with client.session.get(client.url(f"large/blobs/{digest}"), stream=True) as body:
        for part in body.iter_content(1024 * 1024):
            got.update(part)
    assert got.hexdigest() == whole.hexdigest()
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert grown < 24, f"the process grew by {grown:.0f} MB"


def test_what_was_deleted_is_freed_at_the_next_start(cloud: Cloud) -> None:
    def size() -> int:
        code, output = _registry(cloud).exec_run(["du", "-sk", "/var/lib/docker-registry"])
        assert code == 0
        return int(output.split()[0])

    with Running(cloud) as first:
        first.client().create_repository(repositoryName="freed")
        client = RegistryClient.of(first)
        kept = client.push("freed", "small")
        empty = size()
        big = secrets.token_bytes(4 * 1024 * 1024)
        raw = client.image("freed", "big").replace(digest_of(b"layer big").encode(), client.push_blob("freed", big).encode())
        raw = raw.replace(f'"size": {len(b"layer big")}'.encode(), f'"size": {len(big)}'.encode())
        assert client.put_manifest("freed", "big", raw, "application/vnd.docker.distribution.manifest.v2+json").status_code == 201
        first.client().batch_delete_image(repositoryName="freed", imageIds=[{"imageTag": "big"}])
        assert size() >= empty + 4000
    with Running(cloud) as second:
        assert size() < empty + 200
        assert RegistryClient.of(second).get_manifest("freed", kept).status_code == 200


def test_the_process_list_shows_no_token(running: Running) -> None:  # noqa: F811
    token = str(RegistryClient.of(running).session.headers["Authorization"]).split()[1]
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert token not in listed
    assert (running.cloud.state_dir / "ecr.json").stat().st_mode & 0o077 == 0
