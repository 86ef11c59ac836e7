"""Images of the sample application, built once, and one running project of it."""

from __future__ import annotations

import pathlib
import shutil
import subprocess
import sys

import pytest

sys.path[:0] = [str(pathlib.Path(__file__).parent), str(pathlib.Path(__file__).parents[3] / "benchmarks")]

from stack import BASE, Images, Stack  # noqa: E402 - found through the line above


@pytest.fixture(scope="session")
def engine():
    """A Docker Engine and the base image; their absence fails the tests, since nothing of the sample could be tried."""
    if shutil.which("docker") is None or subprocess.run(["docker", "info"], capture_output=True, check=False).returncode:
        pytest.fail("Cannot try the sample application: no Docker Engine answers here; run make setup.", pytrace=False)
    if subprocess.run(["docker", "image", "inspect", BASE], capture_output=True, check=False).returncode:
        pulled = subprocess.run(["docker", "pull", "-q", BASE], capture_output=True, check=False, timeout=120).returncode
        if pulled:
            pytest.fail(f"Cannot build the sample application: there is no image {BASE} here; run make demo once.", pytrace=False)


@pytest.fixture(scope="session")
def images(engine):
    made = Images()
    try:
        for service in ("backend", "frontend"):
            made.build(service, APP_VERSION="1.2.3", COLOUR="blue")
        for service in ("mysql", "redis"):
            made.build(service)
        yield made
    finally:
        made.remove()


@pytest.fixture(scope="session")
def stack(images, tmp_path_factory):
    """The running application. A test that breaks something of it puts it right again, or asks for one of its own."""
    project = Stack(images, tmp_path_factory.mktemp("project"))
    try:
        project.start_seconds = project.up()
        yield project
    finally:
        project.down()
