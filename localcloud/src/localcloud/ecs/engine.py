# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The containers of tasks in Docker's Engine: pulled, created, watched, ended; blocking calls, knows nothing of ECS's states."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import threading
import typing as t

import docker
import docker.errors
from docker.types import EndpointConfig

from ..cloud import LABEL
from .state import Members
from .usage import Usage, usage_of

TASK_LABEL = f"{LABEL}.task"
CONTAINER_LABEL = f"{LABEL}.container"
PAUSE_IMAGE = "debian:trixie-slim"
AT_ONCE = 3
"""Containers created, started or removed side by side; Docker 20.10 has been seen to deadlock under many."""

LOG_SIZE = "20m"
EVENTS_RETRY_SECONDS = 1.0
SECOND = 10**9

_log = logging.getLogger("localcloud.ecs.engine")


class PullFailed(Exception):
    """An image cannot be had; the text is the Engine's."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Place:
    """Where a container's network is: an address in a VPC's network, or another container's namespace."""

    network: str = ""
    address: str = ""
    mac_address: str = ""
    hostname: str = ""
    name_server: str = ""
    beside: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Seen:
    """A container as Docker has it. `health` is Docker's word or None without a health check."""

    running: bool
    exit_code: int | None = None
    out_of_memory: bool = False
    health: str | None = None
    error: str = ""


class Engine:
    """Docker, for the tasks of one cloud; safe for threads."""

    def __init__(self, client: docker.DockerClient, cloud_name: str) -> None:
        self._client = client
        self._cloud = cloud_name
        self._slots = threading.BoundedSemaphore(AT_ONCE)
        self._gateways: dict[str, str] = {}
        self._stopping = threading.Event()
        self._events: t.Any = None

    def gateway(self, network: str) -> str:
        """The address of this machine in a VPC's network."""
        if network not in self._gateways:
            self._gateways[network] = self._client.api.inspect_network(network)["IPAM"]["Config"][0]["Gateway"]
        return self._gateways[network]

    def pull(self, image: str, password: str | None) -> tuple[str, str | None]:
        """Get an image; returns what to create containers from, and its digest in the registry. Raises PullFailed.

        With `password` it comes from the registry, always; without, an image that this machine has is used as it is.
        """
        name, separator, reference = _split(image)
        if password is None:
            with contextlib.suppress(docker.errors.ImageNotFound):
                found = self._client.images.get(image)
                return found.id, _digest(found.attrs, name)
        auth = {"username": "AWS", "password": password} if password is not None else None
        try:
            for line in self._client.api.pull(name, tag=reference or "latest", auth_config=auth, stream=True, decode=True):
                if "error" in line:
                    raise PullFailed(str(line["error"]))
            found = self._client.images.get(f"{name}{separator or ':'}{reference or 'latest'}")
        except docker.errors.DockerException as error:
            raise PullFailed(str(getattr(error, "explanation", None) or error)) from error
        return found.id, reference if separator == "@" else _digest(found.attrs, name)

    def create(
        self, task_id: str, name: str, image: str, place: Place, given: Members, environment: dict[str, str], **limits: t.Any
    ) -> str:
        """Create a container from its definition; returns its id. `limits` are arguments of Docker's host configuration."""
        api = self._client.api
        host: dict[str, t.Any] = {
            "log_config": {"Type": "json-file", "Config": {"max-size": LOG_SIZE, "max-file": "1"}},
            "read_only": bool(given.get("readonlyRootFilesystem")),
            "init": True if (given.get("linuxParameters") or {}).get("initProcessEnabled") else None,
            **limits,
        }
        if given.get("ulimits"):
            host["ulimits"] = [{"Name": item["name"], "Soft": item["softLimit"], "Hard": item["hardLimit"]} for item in given["ulimits"]]
        more: dict[str, t.Any] = {}
        if place.beside:
            host["network_mode"] = f"container:{place.beside}"
        else:
            host |= {"network_mode": place.network, "dns": [place.name_server]}
            endpoint = EndpointConfig(api._version, ipv4_address=place.address)
            more = {"networking_config": api.create_networking_config({place.network: endpoint}), "mac_address": place.mac_address,
                    "hostname": place.hostname}  # fmt: skip
        with self._slots:
            made = api.create_container(
                image,
                name=f"localcloud-{self._cloud}-task-{task_id[:12]}-{name}",
                command=given.get("command") or None,
                entrypoint=given.get("entryPoint") or None,
                environment=environment,
                user=given.get("user"),
                working_dir=given.get("workingDirectory"),
                tty=bool(given.get("pseudoTerminal")),
                stdin_open=bool(given.get("interactive")),
                healthcheck=_health_check(given.get("healthCheck")),
                labels={**(given.get("dockerLabels") or {}), LABEL: self._cloud, TASK_LABEL: task_id, CONTAINER_LABEL: name},
                host_config=api.create_host_config(**host),
                **more,
            )
        return made["Id"]

    def create_pause(self, task_id: str, place: Place) -> str:
        """A container that does nothing but own the network namespace of a task; returns its id."""
        return self.create(task_id, ".pause", PAUSE_IMAGE, place, {"command": ["sleep", "infinity"]}, {}, init=True)

    def start(self, container_id: str) -> None:
        """Start a created container."""
        with self._slots:
            self._client.api.start(container_id)

    def signal_end(self, container_id: str) -> None:
        """Ask it to end, with the image's stop signal; nothing happens when it has ended."""
        with contextlib.suppress(docker.errors.APIError):
            signal = self._client.api.inspect_container(container_id)["Config"].get("StopSignal") or "SIGTERM"
            self._client.api.kill(container_id, signal)

    def kill(self, container_id: str) -> None:
        """End it at once; nothing happens when it has ended."""
        with contextlib.suppress(docker.errors.APIError):
            self._client.api.kill(container_id, "SIGKILL")

    def look(self, container_id: str) -> Seen:
        """How it is. A container that somebody removed counts as killed."""
        try:
            state = self._client.api.inspect_container(container_id)["State"]
        except docker.errors.NotFound:
            return Seen(running=False, exit_code=137, error="the container is gone")
        health = (state.get("Health") or {}).get("Status")
        if state["Status"] in ("created", "running", "paused", "restarting"):
            return Seen(running=True, health=None if health in (None, "none") else health)
        return Seen(running=False, exit_code=state["ExitCode"], out_of_memory=bool(state.get("OOMKilled")), error=state.get("Error") or "")

    def remove(self, container_id: str) -> None:
        """Remove it, running or not."""
        with self._slots, contextlib.suppress(docker.errors.NotFound):
            try:
                self._client.api.remove_container(container_id, v=True, force=True)
            except docker.errors.APIError as error:
                if "already in progress" not in str(error.explanation):
                    raise

    def create_volume(self, name: str) -> None:
        """A volume that the containers of one task share."""
        self._client.volumes.create(name, labels={LABEL: self._cloud})

    def remove_volume(self, name: str) -> None:
        """Remove it."""
        with contextlib.suppress(docker.errors.APIError):
            self._client.volumes.get(name).remove(force=True)

    def volume_name(self, task_id: str, volume: str) -> str:
        """What Docker calls a volume of a task."""
        return f"localcloud-{self._cloud}-task-{task_id[:12]}-{volume}"

    def log(self, container_id: str) -> t.Iterator[bytes]:
        """What it writes, as it writes it, each piece with Docker's time stamp before it; ends when the container has."""
        return self._client.api.logs(container_id, stdout=True, stderr=True, stream=True, follow=True, timestamps=True)

    def stats(self, container_id: str) -> Members:
        """Docker's figures of one moment."""
        return self._client.api.stats(container_id, stream=False)

    def usage(self, container_ids: list[str]) -> dict[str, Usage]:
        """What the running ones of these containers use."""
        pids = {}
        for container_id in container_ids:
            with contextlib.suppress(docker.errors.NotFound):
                pids[container_id] = self._client.api.inspect_container(container_id)["State"]["Pid"]
        used = usage_of([pid for pid in pids.values() if pid])
        return {container_id: used[pid] for container_id, pid in pids.items() if pid in used}

    def follow(self, tell: t.Callable[[str], None]) -> None:
        """Call `tell(task id)` whenever a container of a task changes, from a thread of its own, until `close`."""
        filters = {
            "type": "container",
            "label": [f"{LABEL}={self._cloud}", TASK_LABEL],
            "event": ["die", "oom", "health_status", "destroy"],
        }

        def run() -> None:
            while not self._stopping.is_set():
                try:
                    self._events = self._client.events(filters=filters, decode=True)
                    for event in self._events:
                        tell(event["Actor"]["Attributes"][TASK_LABEL])
                except Exception as error:  # whatever ended the stream, it is opened again
                    if not self._stopping.is_set():
                        _log.info("Docker's events ended: %s", error)
                self._stopping.wait(EVENTS_RETRY_SECONDS)

        threading.Thread(target=run, name="ecs-events", daemon=True).start()

    def close(self) -> None:
        """Stop following."""
        self._stopping.set()
        if self._events is not None:
            with contextlib.suppress(Exception):  # the connection may be gone already
                self._events.close()


def _split(image: str) -> tuple[str, str, str]:
    """Name, separator and reference of an image: `host/name`, `@`, `sha256:…` or `host/name`, `:`, `tag`."""
    if "@" in image:
        name, _, digest = image.partition("@")
        return name, "@", digest
    name, colon, tag = image.rpartition(":")
    return (name, ":", tag) if colon and "/" not in tag else (image, "", "")


def _digest(attributes: Members, name: str) -> str | None:
    for known in attributes.get("RepoDigests") or []:
        if known.partition("@")[0] == name:
            return known.partition("@")[2]
    return None


def _health_check(check: Members | None) -> Members:
    """ECS's health check as Docker's; one that only the image has does not count."""
    if not check:
        return {"test": ["NONE"]}
    return {
        "test": check["command"],
        "interval": check["interval"] * SECOND,
        "timeout": check["timeout"] * SECOND,
        "retries": check["retries"],
        "start_period": check.get("startPeriod", 0) * SECOND,
    }
