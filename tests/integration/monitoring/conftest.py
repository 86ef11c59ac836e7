# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The images of monitoring, built once, and a whole of it that runs on this machine."""

from __future__ import annotations

import pathlib
import shutil
import subprocess
import sys
import uuid

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from monitoring import BASE, ROLE, ROOT, docker
from running import Running


@pytest.fixture(scope="session")
def engine():
    """A Docker Engine and the base image; their absence fails the tests, since nothing could be tried."""
    if shutil.which("docker") is None or subprocess.run(["docker", "info"], capture_output=True, check=False).returncode:
        pytest.fail("Cannot try monitoring: no Docker Engine answers here; run make setup.", pytrace=False)
    if subprocess.run(["docker", "image", "inspect", BASE], capture_output=True, check=False).returncode:
        pulled = subprocess.run(["docker", "pull", "-q", BASE], capture_output=True, check=False, timeout=120).returncode
        if pulled:
            pytest.fail(f"Cannot build the images of monitoring: there is no image {BASE} here; run make demo once.", pytrace=False)


@pytest.fixture(scope="session")
def images(engine):
    """server, agent and backend -> image name. Layers stay in Docker's cache for the next run."""
    registry = f"bluegreen-monitoring-{uuid.uuid4().hex[:8]}"
    contexts = {
        "server": ROLE / "files/images/server",
        "agent": ROLE / "files/images/agent",
        "backend": ROOT / "samples/backend",
    }
    made = {}
    try:
        for name, context in contexts.items():
            docker("build", "-q", "--build-arg", f"BASE={BASE}", "-t", f"{registry}:{name}", str(context), timeout=600)
            made[name] = f"{registry}:{name}"
        yield made
    finally:
        if made:
            docker("rmi", *made.values(), check=False)


@pytest.fixture(scope="session")
def promtool(images):
    """Runs promtool on a folder, which it sees as /work."""

    def run(*words: str, folder: pathlib.Path) -> subprocess.CompletedProcess:
        folder.chmod(0o755)
        command = [
            "docker",
            "run",
            "--rm",
            "--network",
            "none",
            "-v",
            f"{folder}:/work:ro",
            "--entrypoint",
            "promtool",
            images["server"],
            *words,
        ]
        return subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300, check=False)

    return run


@pytest.fixture(scope="session")
def running(images, tmp_path_factory):
    """Prometheus, Alertmanager and what they look at."""
    whole = Running(images, tmp_path_factory.mktemp("monitoring"))
    try:
        whole.start()
        yield whole
    finally:
        whole.stop()
