# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes what Docker Engine and the kernel say of this instance's containers to a file for the node exporter, every few seconds.

Docker's own metrics endpoint knows the Engine and no container, and cAdvisor is in no Debian. The Engine's socket is as good as root,
so this program has no network at all: nobody outside can talk to it, and the node exporter, which they can talk to, has no socket.
Names are cAdvisor's where cAdvisor has one. API: https://docs.docker.com/reference/api/engine/ (1.41, Docker 20.10).
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import pathlib
import signal
import socket
import sys
import threading
import time
import typing as t

ENGINE = "/var/run/docker.sock"
FILE = pathlib.Path("/var/lib/metrics/containers.prom")
SECONDS = 15.0
HEALTH = {"healthy": 1, "unhealthy": 0}

Sample = tuple[str, dict[str, str], float]

KINDS = {
    "container_cpu_cfs_periods_total": "counter",
    "container_cpu_cfs_throttled_periods_total": "counter",
    "container_cpu_usage_seconds_total": "counter",
    "container_network_receive_bytes_total": "counter",
    "container_network_transmit_bytes_total": "counter",
    "container_restarts_total": "counter",
}
"""Everything else is a gauge."""


class Engine:
    """Docker Engine's API on its socket; GET only."""

    def __init__(self, path: str = ENGINE):
        self._path = path

    def get(self, path: str) -> t.Any:
        """The decoded answer, None for a container that has gone. Raises OSError when the Engine does not answer, or with an error."""
        connection = _Connection(self._path)
        try:
            connection.request("GET", f"/v1.41{path}")
            answer = connection.getresponse()
            body = answer.read()
        except http.client.HTTPException as error:
            raise OSError(f"Docker Engine's answer to {path} is not HTTP: {error!r}") from error
        finally:
            connection.close()
        if answer.status in (404, 409):
            return None
        if answer.status != 200:
            raise OSError(f"Docker Engine answered {answer.status} to {path}: {body[:200].decode(errors='replace')}")
        return json.loads(body)


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: str):
        super().__init__("docker", timeout=10)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class Usage:
    """What a process's control groups, and its network, have used; version 1 and 2.

    Read from the kernel and not from the Engine's /stats, which answers zeros where one controller of version 1 is missing.
    https://docs.kernel.org/admin-guide/cgroup-v2.html, https://docs.kernel.org/admin-guide/cgroup-v1/
    """

    def __init__(self, processes: pathlib.Path = pathlib.Path("/proc"), groups: pathlib.Path = pathlib.Path("/host/cgroup")):
        self._processes, self._groups = processes, groups

    def of(self, pid: int) -> dict[str, float]:
        """Series name -> value; raises OSError when the process has ended."""
        unified = (self._groups / "cgroup.controllers").exists()
        found = self._version_2(pid) if unified else self._version_1(pid)
        received, sent = self._network(pid)
        return {**found, "container_network_receive_bytes_total": received, "container_network_transmit_bytes_total": sent}

    def _folders(self, pid: int) -> dict[str, pathlib.Path]:
        """Controller -> folder of the process's group; version 2's has no name."""
        found = {}
        for line in (self._processes / str(pid) / "cgroup").read_text().splitlines():
            _number, controllers, path = line.split(":", 2)
            for name in controllers.removeprefix("name=").split(","):
                found[name] = self._groups / name / path.lstrip("/")
        return found

    def _version_1(self, pid: int) -> dict[str, float]:
        folders = self._folders(pid)
        throttling = _numbers(folders["cpu"] / "cpu.stat")
        memory = _numbers(folders["memory"] / "memory.stat")
        return {
            "container_cpu_usage_seconds_total": int((folders["cpuacct"] / "cpuacct.usage").read_text()) / 1e9,
            "container_cpu_cfs_periods_total": throttling.get("nr_periods", 0),
            "container_cpu_cfs_throttled_periods_total": throttling.get("nr_throttled", 0),
            "container_memory_working_set_bytes": max(
                0, int((folders["memory"] / "memory.usage_in_bytes").read_text()) - memory.get("total_inactive_file", 0)
            ),
        }

    def _version_2(self, pid: int) -> dict[str, float]:
        folder = self._folders(pid)[""]
        cpu = _numbers(folder / "cpu.stat")
        memory = _numbers(folder / "memory.stat")
        return {
            "container_cpu_usage_seconds_total": cpu["usage_usec"] / 1e6,
            "container_cpu_cfs_periods_total": cpu.get("nr_periods", 0),
            "container_cpu_cfs_throttled_periods_total": cpu.get("nr_throttled", 0),
            "container_memory_working_set_bytes": max(0, int((folder / "memory.current").read_text()) - memory.get("inactive_file", 0)),
        }

    def _network(self, pid: int) -> tuple[int, int]:
        """Bytes received and sent over every interface but the loopback one."""
        received = sent = 0
        for line in (self._processes / str(pid) / "net/dev").read_text().splitlines()[2:]:
            name, _colon, rest = line.partition(":")
            if name.strip() != "lo":
                fields = rest.split()
                received, sent = received + int(fields[0]), sent + int(fields[8])
        return received, sent


def _numbers(path: pathlib.Path) -> dict[str, int]:
    """A file of lines `name number`."""
    return {name: int(value) for name, value in (line.split() for line in path.read_text().splitlines())}


def collect(engine: Engine, usage: Usage) -> list[Sample]:
    """Every container's samples, ended ones included."""
    found: list[Sample] = []
    for entry in engine.get("/containers/json?all=true") or []:
        details = engine.get(f"/containers/{entry['Id']}/json")
        if details is None:
            continue
        used: dict[str, float] = {}
        if details["State"]["Running"]:
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it ended after it was inspected
                used = usage.of(details["State"]["Pid"])
        found.extend(samples(details, used))
    return found


def samples(details: dict, used: dict[str, float]) -> list[Sample]:
    """One container's samples, from what the Engine says of it and what it has used; pure."""
    labels = identity(details)
    state = details["State"]
    found: list[Sample] = [
        ("container_running", labels, int(state["Running"])),
        ("container_exit_code", labels, 0 if state["Running"] else state["ExitCode"]),
        ("container_restarts_total", labels, details.get("RestartCount", 0)),
        ("container_spec_memory_limit_bytes", labels, details["HostConfig"].get("Memory") or 0),
    ]
    health = HEALTH.get((state.get("Health") or {}).get("Status", ""))
    if health is not None and state["Running"]:
        found.append(("container_healthy", labels, health))
    return found + [(name, labels, value) for name, value in used.items()]


def identity(details: dict) -> dict[str, str]:
    """What tells containers apart over time: the name, compose's project and service, and the colour of a release's worker."""
    labels = details["Config"].get("Labels") or {}
    return {
        "container": details["Name"].lstrip("/"),
        "image": details["Config"]["Image"],
        "project": labels.get("com.docker.compose.project", ""),
        "compose_service": labels.get("bluegreen.service") or labels.get("com.docker.compose.service", ""),
        "worker": labels.get("bluegreen.colour", ""),
    }


def render(found: list[Sample]) -> str:
    """Prometheus' text format; samples of one name together."""
    lines: list[str] = []
    for name in sorted({name for name, _labels, _value in found}):
        lines.append(f"# TYPE {name} {KINDS.get(name, 'gauge')}")
        for _name, labels, value in (sample for sample in found if sample[0] == name):
            inner = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
            lines.append(f"{name}{{{inner}}} {value}")
    return "".join(f"{text}\n" for text in lines)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def write(path: pathlib.Path, text: str) -> None:
    """Replace the file at once: the collector may read it at any moment, and takes only names that end in .prom."""
    new = path.with_suffix(".new")
    new.write_text(text, encoding="utf-8")
    os.chmod(new, 0o644)
    new.replace(path)


def main() -> None:
    """Until SIGTERM. A round that fails leaves the file as it is, and its age then tells."""
    end = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_unused: end.set())
    engine, usage, seconds = Engine(), Usage(), float(os.environ.get("METRICS_SECONDS", SECONDS))
    while not end.is_set():
        began = time.monotonic()
        try:
            write(FILE, render(collect(engine, usage)))
        except (OSError, ValueError, KeyError) as error:
            print(f"Failed to read the containers: {error}.", file=sys.stderr, flush=True)
        end.wait(max(1.0, seconds - (time.monotonic() - began)))


if __name__ == "__main__":
    main()
