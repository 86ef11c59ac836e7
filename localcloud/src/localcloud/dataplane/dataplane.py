# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeps containers and packet rules in agreement with EC2's records, woken by calls and by Docker's events; decides nothing itself."""

from __future__ import annotations

import asyncio
import collections
import concurrent.futures
import contextlib
import logging
import threading
import time
import typing as t

import docker
import docker.errors

from ..cloud import LABEL
from ..errors import LocalCloudError
from . import plan, rules
from .containers import INSTANCE_LABEL, Containers
from .firewall import Firewall
from .networks import Networks
from .plan import Do, Record

RECONCILE_SECONDS = 5.0
CREATE_ATTEMPTS = 6
EVENTS_RETRY_SECONDS = 1.0
LOOK_AGAIN_SECONDS = (0.15, 0.6)

_log = logging.getLogger("localcloud.dataplane")


class Records(t.Protocol):
    """EC2's side, as the data plane needs it; safe for threads."""

    def records(self) -> list[Record]:
        """Every instance that EC2 knows."""

    def launch(self, instance_id: str, networks: Networks) -> t.Any:
        """What to create the container of this instance from: `containers.Launch`."""

    def show(self, instance_id: str, step: Do, reason: str = "") -> None:
        """Record the result of a step."""

    def exposures(self) -> list[rules.Exposure]:
        """Public addresses and their open ports."""

    def confined(self) -> list[str]:
        """Addresses of instances without a way to the internet."""

    def guards(self) -> list[rules.Guard]:
        """Addresses that only some may reach."""

    def vpc_ids(self) -> set[str]:
        """VPCs that exist."""


class DataPlane:
    """Runs as one task of the server plus a few threads that wait for Docker."""

    def __init__(
        self, client: docker.DockerClient, cloud_name: str, records: Records, networks: Networks, chains: rules.Chains,
        public_prefix: str, host_ports: list[int], dns_port: int, edges: t.Callable[[], list[rules.Edge]],
    ) -> None:  # fmt: skip
        self._client = client
        self._cloud = cloud_name
        self._records = records
        self._networks = networks
        self._containers = Containers(client, cloud_name)
        self._chains = chains
        self._firewall = Firewall(chains)
        self._prefix = public_prefix
        self._host_ports = host_ports
        self._dns_port = dns_port
        self._link_local: dict[str, int] = {}
        self._edges = edges
        self._busy: set[str] = set()
        self._not_before: dict[str, float] = {}
        self._failures: collections.Counter[str] = collections.Counter()
        self._container_ids: dict[str, str] = {}
        self._lock = threading.Lock()
        self._pool = concurrent.futures.ThreadPoolExecutor(max_workers=6, thread_name_prefix="instance")
        self._wake = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._stopping = threading.Event()
        self._events: t.Any = None

    def container_ids(self) -> dict[str, str]:
        """Instance id → container id, as last seen."""
        return self._container_ids

    def changed(self) -> None:
        """Something may have changed: look at once. Safe for threads."""
        loop = self._loop
        if loop is not None and not self._stopping.is_set():
            loop.call_soon_threadsafe(self._wake.set)

    def link_local(self, address: str, port: int) -> None:
        """Let port 80 of a link-local address lead, from inside every VPC, to a port of 127.0.0.1. Safe for threads."""
        self._link_local[address] = port
        self.changed()

    def _docker_changed(self) -> None:
        """Look now, and again shortly after: Docker sends `die` a moment before it lists the container as exited."""
        self.changed()
        loop = self._loop
        if loop is not None and not self._stopping.is_set():
            for seconds in LOOK_AGAIN_SECONDS:
                loop.call_soon_threadsafe(loop.call_later, seconds, self._wake.set)

    async def start(self) -> None:
        """Set the first packet rules and begin."""
        self._loop = asyncio.get_running_loop()
        await asyncio.to_thread(self._apply_rules)
        self._task = asyncio.create_task(self._run(), name="dataplane")
        threading.Thread(target=self._follow_docker, name="docker-events", daemon=True).start()

    async def stop(self) -> None:
        """Stop looking and wait for the steps that are under way; what exists is left for the clean-up."""
        self._stopping.set()
        if self._events is not None:
            with contextlib.suppress(Exception):  # the connection may be gone already
                self._events.close()
        self._wake.set()
        if self._task is not None:
            await self._task
        await asyncio.to_thread(self._pool.shutdown)

    async def _run(self) -> None:
        while not self._stopping.is_set():
            self._wake.clear()
            try:
                await asyncio.to_thread(self._pass)
            except Exception:  # one bad pass must not end the data plane
                _log.exception("a pass of the data plane failed")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), RECONCILE_SECONDS)

    def _pass(self) -> None:
        # records before containers: an instance that appears in between has no container yet and is taken in the next pass,
        # while a container that appears in between would look like an orphan
        with self._lock:
            now = time.monotonic()
            busy = self._busy | {instance_id for instance_id, when in self._not_before.items() if when > now}
        containers = self._containers.list()
        records = self._records.records()
        self._container_ids = {container.instance_id: container.container_id for container in containers}
        for instance_id, step in plan.decide(records, containers, busy).items():
            with self._lock:
                self._busy.add(instance_id)
            self._pool.submit(self._do, instance_id, step, self._container_ids.get(instance_id))
        self._apply_rules()
        self._networks.remove_except(self._records.vpc_ids())

    def _apply_rules(self) -> None:
        links = [network.link for network in self._networks.all()]
        exposures, confined = self._records.exposures(), self._records.confined()
        ports = (self._host_ports, self._dns_port, dict(self._link_local))
        text = rules.render(self._chains, self._prefix, links, exposures, self._edges(), confined, *ports, self._records.guards())
        self._firewall.apply(text)

    def _do(self, instance_id: str, step: Do, container_id: str | None) -> None:
        result: Do | None = None
        reason = ""
        try:
            if self._stopping.is_set():
                return
            _log.info("%s: %s", instance_id, step.value)
            result = self._carry_out(instance_id, step, container_id)
            self._failures.pop(instance_id, None)
        except (docker.errors.DockerException, LocalCloudError, OSError) as error:
            self._failures[instance_id] += 1
            reason = str(error)
            _log.warning("%s: failed to %s (attempt %d): %s", instance_id, step.value, self._failures[instance_id], reason)
            self._retry_later(instance_id)
            if step is Do.CREATE:
                with contextlib.suppress(docker.errors.DockerException):
                    self._containers.remove(instance_id)
                if self._failures[instance_id] >= CREATE_ATTEMPTS:
                    result = Do.SHOW_LOST
        except Exception:
            _log.exception("%s: failed to %s", instance_id, step.value)
        finally:
            try:
                if result is not None:
                    self._records.show(instance_id, result, reason)
            finally:
                with self._lock:
                    self._busy.discard(instance_id)
                self.changed()

    def _retry_later(self, instance_id: str) -> None:
        """Try again after half a second, one, two …: an address is free only when its last container has gone."""
        delay = 2.0 ** (self._failures[instance_id] - 2)
        with self._lock:
            self._not_before[instance_id] = time.monotonic() + delay
        loop = self._loop
        if loop is not None and not self._stopping.is_set():
            loop.call_soon_threadsafe(loop.call_later, delay + 0.01, self._wake.set)

    def _carry_out(self, instance_id: str, step: Do, container_id: str | None) -> Do:
        """Do the step; return what to record."""
        match step:
            case Do.CREATE:
                self._container_ids[instance_id] = self._containers.create(self._records.launch(instance_id, self._networks))
                return Do.SHOW_RUNNING
            case Do.START:
                self._containers.start(str(container_id))
                return Do.SHOW_RUNNING
            case Do.STOP:
                self._containers.stop(str(container_id))
                return Do.SHOW_STOPPED
            case Do.RESTART:
                self._containers.restart(str(container_id))
                return Do.RESTART
            case Do.REMOVE:
                self._containers.remove(instance_id)
                return Do.SHOW_TERMINATED
            case _:
                return step

    def _follow_docker(self) -> None:
        """Look whenever a container of this cloud changes; connect again when Docker drops the connection."""
        filters = {"type": "container", "label": [f"{LABEL}={self._cloud}", INSTANCE_LABEL], "event": ["start", "die", "destroy"]}
        while not self._stopping.is_set():
            try:
                self._events = self._client.events(filters=filters, decode=True)
                for _ in self._events:
                    self._docker_changed()
            except Exception as error:
                if not self._stopping.is_set():
                    _log.info("Docker's events ended: %s", error)
            self.changed()
            self._stopping.wait(EVENTS_RETRY_SECONDS)
