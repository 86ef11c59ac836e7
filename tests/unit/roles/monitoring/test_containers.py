# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent's collector of container metrics."""

from __future__ import annotations

import http.server
import json
import socketserver
import threading

import containers
import pytest

DETAILS = {
    "Name": "/shop-backend-blue-1",
    "RestartCount": 2,
    "State": {"Running": True, "ExitCode": 0, "Pid": 7, "Health": {"Status": "healthy"}},
    "HostConfig": {"Memory": 268435456},
    "Config": {
        "Image": "shop@sha256:1",
        "Labels": {
            "com.docker.compose.project": "shop", "com.docker.compose.service": "backend-blue",
            "bluegreen.service": "backend", "bluegreen.colour": "blue",
        },
    },
}  # fmt: skip


def state(**changes):
    return {**DETAILS, "State": {**DETAILS["State"], **changes}}


def values(details, used=None):
    return {name: value for name, _labels, value in containers.samples(details, used or {})}


def test_a_running_container():
    found = values(DETAILS, {"container_memory_working_set_bytes": 5})
    assert found == {
        "container_running": 1, "container_exit_code": 0, "container_restarts_total": 2, "container_spec_memory_limit_bytes": 268435456,
        "container_healthy": 1, "container_memory_working_set_bytes": 5,
    }  # fmt: skip


def test_labels_name_the_service_and_not_the_worker():
    assert containers.identity(DETAILS) == {
        "container": "shop-backend-blue-1", "image": "shop@sha256:1", "project": "shop", "compose_service": "backend", "worker": "blue",
    }  # fmt: skip
    plain = {**DETAILS, "Config": {"Image": "x", "Labels": None}}
    assert containers.identity(plain)["compose_service"] == ""


def test_an_ended_container_has_its_exit_code_and_no_health():
    found = values(state(Running=False, ExitCode=137))
    assert (found["container_running"], found["container_exit_code"]) == (0, 137)
    assert "container_healthy" not in found


@pytest.mark.parametrize(("status", "expected"), [("unhealthy", 0), ("starting", None), ("none", None)])
def test_health_that_is_not_known_is_not_told(status, expected):
    assert values(state(Health={"Status": status})).get("container_healthy") == expected


@pytest.fixture
def kernel(tmp_path):
    processes, groups = tmp_path / "proc", tmp_path / "cgroup"
    (processes / "7/net").mkdir(parents=True)
    groups.mkdir()
    (processes / "7/net/dev").write_text(
        "Inter-|   Receive                      |  Transmit\n face |bytes    packets errs            |bytes    packets\n"
        "    lo:  900 1 0 0 0 0 0 0  900 1 0 0 0 0 0 0\n  eth0: 1500 9 0 0 0 0 0 0  250 4 0 0 0 0 0 0\n"
        "  eth1:  500 9 0 0 0 0 0 0   50 4 0 0 0 0 0 0\n"
    )
    return processes, groups


def test_usage_with_control_groups_of_version_1(kernel):
    processes, groups = kernel
    (processes / "7/cgroup").write_text("9:name=systemd:/docker/c\n4:memory:/docker/c\n2:cpu,cpuacct:/docker/c\n0::/docker/c\n")
    for name, files in {
        "memory": {"memory.usage_in_bytes": "1000\n", "memory.stat": "cache 9\ntotal_inactive_file 300\n"},
        "cpu": {"cpu.stat": "nr_periods 40\nnr_throttled 10\nthrottled_time 5\n"},
        "cpuacct": {"cpuacct.usage": "2500000000\n"},
    }.items():
        folder = groups / name / "docker/c"
        folder.mkdir(parents=True)
        for file, text in files.items():
            (folder / file).write_text(text)
    assert containers.Usage(processes, groups).of(7) == {
        "container_cpu_usage_seconds_total": 2.5, "container_cpu_cfs_periods_total": 40, "container_cpu_cfs_throttled_periods_total": 10,
        "container_memory_working_set_bytes": 700,
        "container_network_receive_bytes_total": 2000, "container_network_transmit_bytes_total": 300,
    }  # fmt: skip


def test_usage_with_control_groups_of_version_2(kernel):
    processes, groups = kernel
    (groups / "cgroup.controllers").write_text("cpu memory\n")
    (processes / "7/cgroup").write_text("0::/system.slice/docker-c.scope\n")
    folder = groups / "system.slice/docker-c.scope"
    folder.mkdir(parents=True)
    (folder / "cpu.stat").write_text("usage_usec 2500000\nuser_usec 1\n")
    (folder / "memory.current").write_text("1000\n")
    (folder / "memory.stat").write_text("anon 5\ninactive_file 1200\n")
    found = containers.Usage(processes, groups).of(7)
    assert found["container_cpu_usage_seconds_total"] == 2.5
    assert found["container_cpu_cfs_periods_total"] == 0
    assert found["container_memory_working_set_bytes"] == 0, "never below nothing"


class Answers:
    """A Docker Engine on a socket with given answers."""

    def __init__(self, path, answers):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                status, body = answers.get(self.path, (404, {"message": "no such container"}))
                text = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def address_string(self):
                return "engine"

            def log_message(self, *_unused):
                pass

        self.server = socketserver.ThreadingUnixStreamServer(str(path), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def engine(tmp_path):
    answers, path = {}, tmp_path / "docker.sock"
    server = Answers(path, answers)
    yield containers.Engine(str(path)), answers
    server.close()


def test_every_container_is_asked_for_and_one_that_has_gone_is_left_out(engine, kernel):
    asked, answers = engine
    answers["/v1.41/containers/json?all=true"] = (200, [{"Id": "a"}, {"Id": "gone"}])
    answers["/v1.41/containers/a/json"] = (200, DETAILS)
    found = containers.collect(asked, containers.Usage(*kernel))
    assert {labels["container"] for _name, labels, _value in found} == {"shop-backend-blue-1"}
    assert "container_cpu_usage_seconds_total" not in {name for name, _labels, _value in found}, "its process has ended meanwhile"


def test_an_engine_that_fails_is_an_error(engine, tmp_path):
    asked, answers = engine
    answers["/v1.41/containers/json?all=true"] = (500, {"message": "disk full"})
    with pytest.raises(OSError, match="Docker Engine answered 500 to /containers/json"):
        containers.collect(asked, containers.Usage())
    with pytest.raises(OSError):
        containers.Engine(str(tmp_path / "none.sock")).get("/containers/json")


def test_the_file_is_replaced_at_once_and_readable(tmp_path):
    path = tmp_path / "containers.prom"
    path.write_text("old")
    containers.write(path, containers.render([("container_running", {"container": 'a"b\\c'}, 1)]))
    assert path.read_text() == '# TYPE container_running gauge\ncontainer_running{container="a\\"b\\\\c"} 1\n'
    assert path.stat().st_mode & 0o777 == 0o644
    assert [entry.name for entry in tmp_path.iterdir()] == ["containers.prom"]
