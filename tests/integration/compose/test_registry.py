"""Releases whose images come from a real registry: pulled, pinned by digest, brought back by digest, and what is said when that fails."""

from __future__ import annotations

import secrets

import pytest

from .conftest import APP, HERE, build, docker, free_port


@pytest.fixture(scope="module")
def registry():
    build("bluegreen-test/registry", HERE / "registry")
    port, name = free_port(), f"bgtest-registry-{secrets.token_hex(3)}"
    docker("run", "--detach", "--name", name, "--publish", f"127.0.0.1:{port}:5000", "bluegreen-test/registry")
    yield f"127.0.0.1:{port}", name
    docker("rm", "--force", "--volumes", name)


@pytest.fixture
def pushed(application, registry):
    """The application on images of the registry; gives a function that points the tag at a version and returns its digest."""
    repository = f"{registry[0]}/{application.project}"
    application.values["APP_IMAGE"] = f"{repository}:live"
    application.values["DB_IMAGE"] = docker("image", "inspect", "--format", "{{.Id}}", f"{APP}:1")  # no registry knows it: never pulled
    application.options["pull"] = "always"

    def push(version):
        docker("tag", f"{APP}:{version}", f"{repository}:live")
        docker("push", "--quiet", f"{repository}:live")
        text = docker("image", "inspect", "--format", '{{join .RepoDigests "\\n"}}', f"{APP}:{version}")
        docker("rmi", f"{repository}:live")  # with it goes the digest: the instance has to pull
        return next(line for line in text.splitlines() if line.startswith(repository + "@"))

    application.wait_for(lambda: application.get(int(registry[0].rpartition(":")[2]), "/v2/") == "{}")
    yield push
    application.clean()
    listed = docker("image", "ls", "--digests", "--format", "{{.Repository}}@{{.Digest}}", repository).split()
    for reference in listed:
        docker("rmi", "--force", reference, check=False)


def test_a_moved_tag_is_a_new_release_and_the_way_back_is_the_digest(application, pushed):
    one = pushed("1")
    first = application.run()
    assert first["record"]["images"]["backend"] == one
    assert application.inspect("backend-blue-1", "{{.Config.Image}}") == one
    assert application.run()["changed"] is False

    two = pushed("2")
    second = application.run()
    assert (second["record"]["images"]["backend"], application.get()) == (two, "2")

    docker("rmi", "--force", one)
    back = application.run("rollback")
    assert (back["record"]["images"]["backend"], application.get()) == (one, "1")


def test_a_digest_that_the_pipeline_built(application, pushed):
    digest = pushed("1").partition("@")[2]
    pushed("2")
    services = ("frontend", "backend", "migrate")
    predicted = application.run("deploy", "--check", images=dict.fromkeys(services, digest))
    result = application.run(images=dict.fromkeys(services, digest))
    assert application.get() == "1"
    assert result["record"]["images"] == predicted["record"]["images"] | {"db": result["record"]["images"]["db"]}


def test_a_digest_that_the_registry_does_not_have(application, pushed):
    pushed("1")
    application.run()
    before = application.containers()
    missing = "sha256:" + "0" * 64
    error = application.run(rc=2, images={"backend": missing})
    reference = application.values["APP_IMAGE"].rpartition(":")[0]
    assert f"Failed to pull {reference}@{missing} for service 'backend': the registry does not have it (Docker: " in error
    assert "Push the image, or correct the digest or tag." in error
    assert application.containers() == before
    assert len(application.run("info")["releases"]) == 1


def test_a_registry_that_does_not_answer(application, pushed):
    pushed("1")
    application.run()
    application.values["APP_IMAGE"] = f"127.0.0.1:{free_port()}/nothing:1"
    error = application.run(rc=2)
    assert "the registry does not answer" in error
    assert application.get() == "1"
