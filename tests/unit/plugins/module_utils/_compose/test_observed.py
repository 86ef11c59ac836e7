# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What docker inspect says. The answers were recorded by tests/integration/compose/record.py."""

from __future__ import annotations

import json
import pathlib

from ansible_collections.bluegreen.aws.plugins.module_utils._compose import observed

FIXTURES = pathlib.Path(__file__).parents[3] / "fixtures" / "compose"


def recorded():
    return json.loads((FIXTURES / "docker-20.10.24-inspect-containers.json").read_text())


def test_recorded_containers():
    found = {one.name: one for one in observed.of_project(recorded())}
    worker, proxy, job = found["crpop-backend-blue-1"], found["crpop-backend-1"], found["crpop-migrate-1"]
    assert (worker.owner, worker.service, worker.role, worker.colour, worker.number) == ("backend", "backend-blue", "worker", "blue", 1)
    assert (worker.state, worker.health, worker.running, worker.restarts) == ("running", "healthy", True, 0)
    assert worker.fingerprint.count(".") == 3 and worker.release and worker.image_id.startswith("sha256:")
    assert worker.addresses and worker.published == ()
    assert (proxy.owner, proxy.service, proxy.role, proxy.colour) == ("backend", "backend", "proxy", "")
    assert proxy.published == (("127.0.0.1", "18080", "tcp"),)
    assert proxy.mounts == ("/opt/crpop/.bluegreen/proxy/backend",)
    assert (job.role, job.state, job.exit_code, job.running) == ("job", "exited", 0, False)


def test_one_off_containers_are_not_the_projects():
    items = recorded()
    items[0]["Config"]["Labels"]["com.docker.compose.oneoff"] = "True"
    assert len(observed.of_project(items)) == len(items) - 1


def test_a_container_of_plain_compose():
    items = recorded()
    labels = items[0]["Config"]["Labels"]
    items[0]["Config"]["Labels"] = {key: value for key, value in labels.items() if not key.startswith("bluegreen.")}
    plain = observed.container(items[0])
    assert (plain.role, plain.owner, plain.fingerprint) == ("", plain.service, "")
    assert plain.config_hash


def test_image_details():
    item = {
        "Id": "sha256:1",
        "RepoDigests": None,
        "Config": {
            "ExposedPorts": {"8080/tcp": {}, "53/udp": {}, "80": {}},
            "Volumes": {"/data": {}},
            "Healthcheck": {"Test": ["CMD", "true"]},
        },
    }
    assert observed.image_details(item) == {
        "id": "sha256:1", "repo_digests": [], "exposed": (80, 8080), "has_volumes": True, "has_healthcheck": True,
    }  # fmt: skip
    assert observed.image_details({"Id": "x", "Config": {"Healthcheck": {"Test": ["NONE"]}}})["has_healthcheck"] is False


def test_published_ports_have_their_protocol():
    host = {
        "PortBindings": {"53/udp": [{"HostIp": "", "HostPort": "53"}], "80": [{"HostIp": "127.0.0.1", "HostPort": "8080"}], "81/tcp": None}
    }
    found = observed.container({"Id": "1", "Name": "/x", "HostConfig": host})
    assert found.published == (("", "53", "udp"), ("127.0.0.1", "8080", "tcp"))
