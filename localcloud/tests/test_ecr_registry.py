# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ECR as Docker and other registry clients meet it: login, push, pull, refusals, and what the API says of it afterwards."""

from __future__ import annotations

import hashlib
import os
import pathlib
import subprocess
import threading
import time
import typing as t

import pytest
import requests
from ecr_registry_client import DOCKER_LIST, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST, RegistryClient, digest_of
from ecr_standalone import ACCOUNT, Running, running  # noqa: F401 - a fixture

from localcloud.services import ecr_tokens

Docker = t.Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def docker_command(tmp_path: pathlib.Path) -> Docker:
    """The `docker` command with a configuration of its own, hence without anybody's logins."""

    def run(*arguments: str, secret: str | None = None) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "DOCKER_CONFIG": str(tmp_path)}
        return subprocess.run(["docker", *arguments], env=environment, input=secret, capture_output=True, text=True, check=False)

    return run


@pytest.fixture
def image(running: Running, tmp_path: pathlib.Path) -> t.Iterator[str]:  # noqa: F811
    """An image of a few bytes that no other test has, so that pushing it really uploads."""
    archive = tmp_path / "content.tar"
    (tmp_path / "file").write_bytes(os.urandom(1024))
    subprocess.run(["tar", "-C", str(tmp_path), "-cf", str(archive), "file"], check=True)
    identity = subprocess.run(["docker", "import", str(archive)], capture_output=True, text=True, check=True).stdout.strip()
    yield identity
    subprocess.run(["docker", "rmi", "-f", identity], capture_output=True, check=False)


@pytest.fixture
def client(running: Running) -> RegistryClient:  # noqa: F811
    return RegistryClient.of(running)


def _repository(running: Running, name: str, **settings: t.Any) -> str:  # noqa: F811
    return running.client().create_repository(repositoryName=name, **settings)["repository"]["repositoryUri"]


def _login(running: Running, docker_command: Docker) -> None:  # noqa: F811
    host = f"127.0.0.1:{running.cloud.ports.registry}"
    secret = RegistryClient.of(running).password()
    done = docker_command("login", "--username", "AWS", "--password-stdin", host, secret=secret)
    assert done.returncode == 0, done.stderr


def _error(answer: requests.Response) -> tuple[int, str, str]:
    error = answer.json()["errors"][0]
    return answer.status_code, error["code"], error["message"]


# -- Docker


def test_docker_pushes_and_pulls_what_the_api_then_shows(running: Running, docker_command: Docker, image: str) -> None:  # noqa: F811
    uri = _repository(running, "popcon/backend")
    _login(running, docker_command)
    docker_command("tag", image, f"{uri}:v1")
    pushed = docker_command("push", f"{uri}:v1")
    assert pushed.returncode == 0, pushed.stderr
    (detail,) = running.client().describe_images(repositoryName="popcon/backend")["imageDetails"]
    assert detail["imageTags"] == ["v1"]
    assert f"digest: {detail['imageDigest']}" in pushed.stdout
    assert abs(detail["imagePushedAt"].timestamp() - time.time()) < 60
    docker_command("rmi", "-f", image)
    pulled = docker_command("pull", f"{uri}@{detail['imageDigest']}")
    assert pulled.returncode == 0, pulled.stderr
    assert docker_command("image", "inspect", image).returncode == 0, "what was pulled is not what was pushed"
    docker_command("rmi", "-f", f"{uri}@{detail['imageDigest']}")


def test_docker_cannot_log_in_with_another_password(running: Running, docker_command: Docker) -> None:  # noqa: F811
    host = f"127.0.0.1:{running.cloud.ports.registry}"
    done = docker_command("login", "--username", "AWS", "--password-stdin", host, secret="guessed")
    assert done.returncode != 0 and "403" in done.stderr


def test_docker_cannot_push_without_a_login(running: Running, docker_command: Docker, image: str) -> None:  # noqa: F811
    uri = _repository(running, "without-login")
    docker_command("tag", image, f"{uri}:v1")
    assert "no basic auth credentials" in docker_command("push", f"{uri}:v1").stderr


def test_docker_is_told_that_a_repository_does_not_exist(running: Running, docker_command: Docker, image: str) -> None:  # noqa: F811
    _login(running, docker_command)
    uri = f"127.0.0.1:{running.cloud.ports.registry}/nobody/made/this"
    docker_command("tag", image, f"{uri}:v1")
    wanted = f"The repository with name 'nobody/made/this' does not exist in the registry with id '{ACCOUNT}'"
    assert wanted in docker_command("push", f"{uri}:v1").stderr


def test_docker_cannot_move_an_immutable_tag(running: Running, docker_command: Docker, image: str) -> None:  # noqa: F811
    uri = _repository(running, "releases", imageTagMutability="IMMUTABLE")
    digest = RegistryClient.of(running).push("releases", "v1")
    _login(running, docker_command)
    docker_command("tag", image, f"{uri}:v1")
    refused = docker_command("push", f"{uri}:v1")
    assert "The image tag 'v1' already exists in the 'releases' repository and cannot be overwritten" in refused.stderr
    (detail,) = running.client().describe_images(repositoryName="releases", imageIds=[{"imageTag": "v1"}])["imageDetails"]
    assert detail["imageDigest"] == digest


# -- who may


def test_a_token_expires_after_twelve_hours(running: Running) -> None:  # noqa: F811
    data = running.client().get_authorization_token()["authorizationData"][0]
    assert abs(data["expiresAt"].timestamp() - time.time() - 12 * 3600) < 60
    key = running.service._state.token_key
    for age, status in ((ecr_tokens.LIFETIME - 60, 200), (ecr_tokens.LIFETIME + 60, 403)):
        token, _ = ecr_tokens.issue(key, time.time() - age)
        headers = {"Authorization": f"Basic {token}"}
        answer = requests.get(f"http://127.0.0.1:{running.cloud.ports.registry}/v2/", headers=headers, timeout=10)
        assert answer.status_code == status
    assert _error(answer)[1:] == ("DENIED", "Your authorization token has expired. Reauthenticate and try again.")


@pytest.mark.parametrize("header", ["Bearer abc", "Basic !!!", "Basic QVdTOg==", "Basic QVdTOngueQ==", "Basic"])
def test_credentials_that_were_not_issued_are_denied(running: Running, header: str) -> None:  # noqa: F811
    url = f"http://127.0.0.1:{running.cloud.ports.registry}/v2/"
    answer = requests.get(url, headers={"Authorization": header}, timeout=10)
    assert _error(answer)[:2] == (403, "DENIED")


def test_without_credentials_the_client_is_asked_for_them(running: Running) -> None:  # noqa: F811
    answer = requests.get(f"http://127.0.0.1:{running.cloud.ports.registry}/v2/popcon/tags/list", timeout=10)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Basic realm=")


def test_nothing_listens_but_the_proxy(running: Running) -> None:  # noqa: F811
    container = running.cloud.docker.containers.get(f"localcloud-{running.cloud.name}-registry")
    container.reload()
    assert container.attrs["HostConfig"]["NetworkMode"] == "none"
    assert container.labels["localcloud"] == running.cloud.name


# -- what may be asked


@pytest.mark.parametrize("path", ["../v2/", "popcon/manifests/..%2f..%2fx", "UPPER/tags/list", "x/y/unknown", "popcon/blobs/sha256:zz"])
def test_a_path_that_does_not_exist(client: RegistryClient, path: str) -> None:
    request = requests.Request("GET", "http://x/", headers=dict(client.session.headers)).prepare()
    request.url = f"{client.base}/v2/{path}"
    assert _error(client.session.send(request))[:2] == (404, "NOT_FOUND")


def test_the_registry_deletes_only_through_the_api(running: Running, client: RegistryClient) -> None:  # noqa: F811
    _repository(running, "kept")
    digest = client.push("kept", "v1")
    assert _error(client.session.delete(client.url(f"kept/manifests/{digest}")))[:2] == (405, "UNSUPPORTED")
    assert client.get_manifest("kept", "v1").status_code == 200


def test_tags_are_listed_in_pages(running: Running, client: RegistryClient) -> None:  # noqa: F811
    _repository(running, "paged")
    for tag in ("c", "a", "b"):
        client.push("paged", tag)
    first = client.session.get(client.url("paged/tags/list"), params={"n": 2})
    assert first.json() == {"name": "paged", "tags": ["a", "b"]}
    following = requests.compat.urljoin(client.base, first.links["next"]["url"])
    assert client.session.get(following).json() == {"name": "paged", "tags": ["c"]}


@pytest.mark.parametrize(("image_type", "index_type"), [(DOCKER_MANIFEST, DOCKER_LIST), (OCI_MANIFEST, OCI_INDEX)])
def test_an_image_for_two_architectures(running: Running, client: RegistryClient, image_type: str, index_type: str) -> None:  # noqa: F811
    name = f"multi/{hashlib.sha256(index_type.encode()).hexdigest()[:6]}"
    _repository(running, name)
    manifests = [client.image(name, architecture, media_type=image_type) for architecture in ("amd64", "arm64")]
    for raw in manifests:
        assert client.put_manifest(name, digest_of(raw), raw, image_type).status_code == 201
    index = client.index(manifests, media_type=index_type)
    assert client.put_manifest(name, "v1", index, index_type).status_code == 201
    got = client.get_manifest(name, "v1")
    assert (got.content, got.headers["Content-Type"], got.headers["Docker-Content-Digest"]) == (index, index_type, digest_of(index))
    details = {detail["imageDigest"]: detail for detail in running.client().describe_images(repositoryName=name)["imageDetails"]}
    assert details[digest_of(index)]["imageManifestMediaType"] == index_type
    assert details[digest_of(index)]["imageSizeInBytes"] == max(details[digest_of(raw)]["imageSizeInBytes"] for raw in manifests)
    assert [details[digest_of(raw)].get("imageTags") for raw in manifests] == [None, None]
    (found,) = running.client().batch_get_image(repositoryName=name, imageIds=[{"imageTag": "v1"}])["images"]
    assert found["imageManifest"].encode() == index


def test_an_index_of_images_that_were_not_pushed_is_refused(running: Running, client: RegistryClient) -> None:  # noqa: F811
    _repository(running, "hollow")
    raw = client.image("hollow", "amd64", media_type=OCI_MANIFEST)
    assert client.put_manifest("hollow", "v1", client.index([raw]), OCI_INDEX).status_code in (400, 404)
    assert running.client().describe_images(repositoryName="hollow")["imageDetails"] == []


def test_a_manifest_that_lies_is_refused(running: Running, client: RegistryClient) -> None:  # noqa: F811
    _repository(running, "lies")
    raw = client.image("lies", "truth")
    assert _error(client.put_manifest("lies", digest_of(b"another"), raw, DOCKER_MANIFEST))[:2] == (400, "DIGEST_INVALID")
    assert _error(client.put_manifest("lies", "v1", b"{", DOCKER_MANIFEST))[:2] == (400, "MANIFEST_INVALID")
    assert _error(client.put_manifest("lies", "v1", b" " * (4 * 1024 * 1024 + 1), DOCKER_MANIFEST))[:2] == (413, "MANIFEST_INVALID")
    assert running.client().list_images(repositoryName="lies")["imageIds"] == []


def test_a_blob_in_pieces_resumed(running: Running, client: RegistryClient) -> None:  # noqa: F811
    _repository(running, "pieces")
    pieces = [os.urandom(300_000) for _ in range(3)]
    location = requests.compat.urljoin(client.base, client.session.post(client.url("pieces/blobs/uploads/")).headers["Location"])
    for piece in pieces:
        answer = client.session.patch(location, data=iter([piece[:1000], piece[1000:]]))  # an iterator is sent chunked, as Docker does
        assert answer.status_code == 202, answer.text
        location = requests.compat.urljoin(client.base, answer.headers["Location"])
    assert client.session.get(location).headers["Range"] == "0-899999"
    whole = b"".join(pieces)
    assert client.session.put(location, params={"digest": digest_of(whole)}).status_code == 201
    assert client.session.get(client.url(f"pieces/blobs/{digest_of(whole)}")).content == whole
    part = client.session.get(client.url(f"pieces/blobs/{digest_of(whole)}"), headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, whole[10:20])


def test_a_blob_is_mounted_from_a_repository_that_exists(running: Running, client: RegistryClient) -> None:  # noqa: F811
    for name in ("mount/from", "mount/to"):
        _repository(running, name)
    digest = client.push_blob("mount/from", b"shared")
    mounted = client.session.post(client.url("mount/to/blobs/uploads/"), params={"mount": digest, "from": "mount/from"})
    assert mounted.status_code == 201
    other = client.session.post(client.url("mount/to/blobs/uploads/"), params={"mount": digest_of(b"other"), "from": "mount/nowhere"})
    assert other.status_code == 202


# -- the API's side


def test_a_tag_moves_and_its_last_image_stays_untagged(running: Running, client: RegistryClient) -> None:  # noqa: F811
    _repository(running, "moving")
    first, second = client.push("moving", "latest", "one"), client.push("moving", "latest", "two")
    listed = running.client().list_images(repositoryName="moving")["imageIds"]
    assert sorted(listed, key=str) == sorted([{"imageDigest": first}, {"imageDigest": second, "imageTag": "latest"}], key=str)
    untagged = running.client().list_images(repositoryName="moving", filter={"tagStatus": "UNTAGGED"})["imageIds"]
    assert untagged == [{"imageDigest": first}]


def test_a_promotion_by_put_image_is_pulled_by_its_new_tag(running: Running, client: RegistryClient) -> None:  # noqa: F811
    _repository(running, "promoted")
    digest = client.push("promoted", "candidate")
    (found,) = running.client().batch_get_image(repositoryName="promoted", imageIds=[{"imageTag": "candidate"}])["images"]
    running.client().put_image(repositoryName="promoted", imageManifest=found["imageManifest"], imageTag="release")
    assert client.get_manifest("promoted", "release").headers["Docker-Content-Digest"] == digest


def test_a_deleted_image_cannot_be_pulled(running: Running, client: RegistryClient) -> None:  # noqa: F811
    _repository(running, "deleted")
    digest = client.push("deleted", "v1")
    client.put_manifest("deleted", "v2", client.image("deleted", "v1"), DOCKER_MANIFEST)
    api = running.client()
    assert api.batch_delete_image(repositoryName="deleted", imageIds=[{"imageTag": "v1"}])["imageIds"] == [
        {"imageDigest": digest, "imageTag": "v1"}
    ]
    assert client.get_manifest("deleted", "v1").status_code == 404
    assert client.get_manifest("deleted", "v2").status_code == 200, "the image went with one of its two tags"
    api.batch_delete_image(repositoryName="deleted", imageIds=[{"imageTag": "v2"}])
    assert _error(client.get_manifest("deleted", digest)) == (404, "MANIFEST_UNKNOWN", "Requested image not found")
    assert api.describe_images(repositoryName="deleted")["imageDetails"] == []
    assert client.push("deleted", "v1") == digest, "what was deleted cannot be pushed again"


def test_a_repository_made_again_has_nothing_of_the_old_one(running: Running, client: RegistryClient) -> None:  # noqa: F811
    for name in ("again", "again/inner"):
        _repository(running, name)
    digest = client.push("again", "v1")
    inner = client.push("again/inner", "v1", "inner")
    running.client().delete_repository(repositoryName="again", force=True)
    assert _error(client.get_manifest("again", "v1"))[1] == "NAME_UNKNOWN"
    _repository(running, "again")
    assert client.get_manifest("again", digest).status_code == 404
    layer = digest_of(b"layer v1")
    (found,) = running.client().batch_check_layer_availability(repositoryName="again", layerDigests=[layer])["layers"]
    assert found["layerAvailability"] == "UNAVAILABLE"
    assert client.get_manifest("again/inner", inner).status_code == 200, "a repository went with the one whose name begins its own"


def test_pages_of_images_lose_and_repeat_nothing(running: Running, client: RegistryClient) -> None:  # noqa: F811
    _repository(running, "many")
    pushed = {client.push("many", f"v{number}") for number in range(7)}
    pages = list(running.client().get_paginator("describe_images").paginate(repositoryName="many", PaginationConfig={"PageSize": 3}))
    assert [len(page["imageDetails"]) for page in pages] == [3, 3, 1]
    assert {detail["imageDigest"] for page in pages for detail in page["imageDetails"]} == pushed


def test_one_of_two_pushes_of_an_immutable_tag_wins(running: Running, client: RegistryClient) -> None:  # noqa: F811
    _repository(running, "race", imageTagMutability="IMMUTABLE")
    manifests = [client.image("race", content) for content in ("one", "two", "three", "four")]
    answers: list[int] = []
    clients = [RegistryClient.of(running) for _ in manifests]
    threads = [
        threading.Thread(target=lambda c=own, raw=raw: answers.append(c.put_manifest("race", "v1", raw, DOCKER_MANIFEST).status_code))
        for own, raw in zip(clients, manifests, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [201, 400, 400, 400]
    assert len(running.client().describe_images(repositoryName="race")["imageDetails"]) == 1
