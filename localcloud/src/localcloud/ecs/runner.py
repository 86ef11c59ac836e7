# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The life of one task, from PROVISIONING to STOPPED: an interface, containers, target groups, and all of it back."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import time

import docker.errors

from ..cloud import Interface
from ..errors import LocalCloudError
from . import order
from .engine import Place, Seen
from .errors import StartFailed
from .logs import stream_name
from .membership import Membership
from .parts import Parts
from .preparation import Preparation, limits_of
from .state import Container, Task

LOOK_SECONDS = 5.0
"""How often a container is looked at though Docker told nothing."""

LOOK_AGAIN_SECONDS = 0.15
DEFAULT_STOP_SECONDS = 30
LOG_END_SECONDS = 10.0
HEALTH = {"healthy": "HEALTHY", "unhealthy": "UNHEALTHY"}

_log = logging.getLogger("localcloud.ecs")


class _Ending(Exception):
    """Somebody wants the task to stop while it is starting."""


class Runner:
    """One task. `run` is its life; `stop` ends it; `wake` says that Docker has news of it."""

    def __init__(self, parts: Parts, task: Task) -> None:
        self._parts = parts
        self.task = task
        self._preparation = Preparation(parts, task)
        self._membership = Membership(parts, task)
        self._news = asyncio.Event()
        self._ending = False
        self._pause_id: str | None = None
        self._logging: dict[str, asyncio.Task[None]] = {}
        self._volumes: list[str] = []

    def wake(self) -> None:
        """Look at the containers now."""
        self._news.set()

    def stop(self, reason: str, code: str) -> None:
        """End it gracefully; nothing happens when it is already ending."""
        if self._ending or self.task.desired_status == "STOPPED":
            return
        self._end(reason, code)
        self._ending = True
        self._news.set()

    async def run(self) -> None:
        """From the first state to the last; raises nothing."""
        alive = False
        try:
            await self._provision()
            await self._prepare()
            await self._activate()
            self.task.started_at = self._parts.clock()
            self._enter("RUNNING")
            alive = await self._watch()
        except _Ending:
            alive = True
        except StartFailed as error:
            self._fail(error)
        except (docker.errors.DockerException, LocalCloudError, OSError) as error:
            _log.warning("task %s did not start: %s", self.task.id, error)
            self._fail(StartFailed(f"CannotStartContainerError: {error}"))
        except Exception as error:  # a bug here must not leave a task that never ends
            _log.exception("task %s failed", self.task.id)
            self._fail(StartFailed(f"InternalError: {error}"))
        await self._wind_down(alive=alive)

    # -- the way up

    async def _provision(self) -> None:
        task, network = self.task, self.task.network
        create = functools.partial(
            self._parts.interfaces.create,
            network["subnets"][0],
            group_ids=network["securityGroups"],
            description=f"arn:aws:ecs:{self._parts.region}:{self._parts.account_id}:attachment/{task.attachment_id}",
            public=network["assignPublicIp"] == "ENABLED",
        )
        try:
            task.interface = await self._parts.do(create)
        except KeyError as error:
            raise StartFailed(f"ResourceInitializationError: {error.args[0]} does not exist.") from error
        task.attachment_status, task.zone = "ATTACHED", task.interface.availability_zone
        self._enter("PENDING")

    async def _prepare(self) -> None:
        self._go_on()
        await self._preparation.resources()
        self.task.pull_started_at = self._parts.clock()
        for container in self.task.containers:
            self._go_on()
            await self._preparation.image(container)
        self.task.pull_stopped_at = self._parts.clock()
        self._enter("ACTIVATING")

    async def _activate(self) -> None:
        """Create the containers, start them in the order of their dependencies, and let the load balancers know."""
        task, engine, interface = self.task, self._parts.engine, self._interface
        place = Place(
            network=interface.network_name,
            address=interface.private_ip,
            mac_address=interface.mac_address,
            hostname=f"ip-{interface.private_ip.replace('.', '-')}.{self._parts.region}.compute.internal",
            name_server=self._parts.name_server(interface.network_name),
        )
        gateway = await self._parts.do(engine.gateway, interface.network_name)
        for volume in task.definition.members.get("volumes") or []:
            name = engine.volume_name(task.id, volume["name"])
            await self._parts.do(engine.create_volume, name)
            self._volumes.append(name)
        if len(task.containers) > 1:
            self._pause_id = await self._parts.do(engine.create_pause, task.id, place)
            await self._parts.do(engine.start, self._pause_id)
            place = Place(beside=str(self._pause_id))
        while waiting := [container for container in task.containers if container.status == "PENDING"]:
            ready = [container for container in waiting if order.may_start(task, container)]
            for container in ready:
                self._go_on()
                await self._start(container, place, gateway)
            if not ready:
                await self._wait_for_news()
            self._go_on()
            self._check_start()
        await self._membership.join()

    async def _start(self, container: Container, place: Place, gateway: str) -> None:
        task, engine = self.task, self._parts.engine
        given = order.given(task, container)
        environment = self._preparation.environment(container, gateway)
        mounts = [
            f"{engine.volume_name(task.id, mount['sourceVolume'])}:{mount['containerPath']}:{'ro' if mount.get('readOnly') else 'rw'}"
            for mount in given["mountPoints"]
        ]
        image = self._preparation.images[container.name]
        create = functools.partial(
            engine.create, task.id, container.name, image, place, given, environment, **limits_of(task, container, mounts)
        )
        try:
            container.docker_id = str(await self._parts.do(create))
            container.runtime_id = f"{task.id}-{container.docker_id[:10]}"
            await self._parts.do(engine.start, container.docker_id)
        except docker.errors.APIError as error:
            raise StartFailed(f"CannotStartContainerError: {error.explanation}", container.name) from error
        container.status, container.started_at = "RUNNING", self._parts.clock()
        options = (given.get("logConfiguration") or {}).get("options")
        if options:
            stream = stream_name(options, container.name, task.id)
            self._logging[container.name] = self._parts.logs.follow(container.docker_id, options, stream)

    def _check_start(self) -> None:
        """Raises StartFailed when what a container waits for cannot come any more."""
        if (found := order.obstacle(self.task)) is not None:
            reason, other = found
            raise StartFailed(reason, other.name)

    # -- running

    async def _watch(self) -> bool:
        """Until an essential container ends, or somebody wants the task to; returns whether it is still alive then."""
        while True:
            if order.ended(self.task) is not None:
                self._end("Essential container in task exited", "EssentialContainerExited")
                return False
            if self._ending:
                return True
            await self._wait_for_news()

    async def _wait_for_news(self) -> None:
        """Wait for Docker's events or the next look, then see how the containers are."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._news.wait(), LOOK_SECONDS)
            if not self._ending:
                await asyncio.sleep(LOOK_AGAIN_SECONDS)  # Docker tells of an end a moment before it shows it
        self._news.clear()
        await self._look()

    async def _look(self) -> None:
        changed = False
        for container in self.task.containers:
            if container.status == "RUNNING" and container.docker_id is not None:
                changed |= note(container, await self._parts.do(self._parts.engine.look, container.docker_id))
        if changed:
            self.task.version += 1
            self._parts.changed()

    # -- the way down

    async def _wind_down(self, *, alive: bool) -> None:
        task, parts = self.task, self._parts
        try:
            if task.targets:
                self._enter("DEACTIVATING")
                await self._membership.leave(dead=self._has_died if alive else None)
            self._enter("STOPPING")
            while containers := order.next_to_stop(task):
                await asyncio.gather(*(self._stop_container(container) for container in containers))
            task.execution_stopped_at = parts.clock()
            self._enter("DEPROVISIONING")
            if self._logging:
                await asyncio.wait(self._logging.values(), timeout=LOG_END_SECONDS)
        except Exception:  # what is left of it is removed below
            _log.exception("task %s did not end well", task.id)
        try:
            await self._clear()
        except Exception:  # what could not be removed is left to the clean-up
            _log.exception("task %s left something behind", task.id)
        task.attachment_status = "DELETED"
        for container in task.containers:
            container.status = "STOPPED"
        task.stopped_at = parts.clock()
        self._enter("STOPPED")

    async def _has_died(self) -> bool:
        """Whether an essential container has ended since the last look."""
        if self._news.is_set():
            self._news.clear()
            await asyncio.sleep(LOOK_AGAIN_SECONDS)
            await self._look()
        return order.ended(self.task) is not None

    async def _stop_container(self, container: Container) -> None:
        """The image's stop signal, and SIGKILL when its stopTimeout is over."""
        engine, parts = self._parts.engine, self._parts
        limit = order.given(self.task, container).get("stopTimeout")
        deadline = time.monotonic() + (DEFAULT_STOP_SECONDS if limit is None else limit)
        await parts.do(engine.signal_end, container.docker_id)
        killed = False
        while True:
            note(container, await parts.do(engine.look, container.docker_id))
            if container.status == "STOPPED":
                return
            if not killed and time.monotonic() >= deadline:
                killed = True
                await parts.do(engine.kill, container.docker_id)
            self._news.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), LOOK_AGAIN_SECONDS if killed else min(deadline - time.monotonic(), 1.0))

    async def _clear(self) -> None:
        engine, interface = self._parts.engine, self.task.interface
        for identifier in [*(container.docker_id for container in self.task.containers), self._pause_id]:
            if identifier is not None:
                await self._parts.do(engine.remove, identifier)
        for volume in self._volumes:
            await self._parts.do(engine.remove_volume, volume)
        if interface is not None:
            await self._parts.do(self._parts.interfaces.delete, interface.id)

    # -- small things

    def _fail(self, error: StartFailed) -> None:
        self._end(error.reason, "TaskFailedToStart")
        if error.container is not None:
            container = order.named(self.task, error.container)
            container.reason = container.reason or error.reason

    def _end(self, reason: str, code: str) -> None:
        task = self.task
        task.desired_status = "STOPPED"
        if task.stop_code is None:
            task.stop_code, task.stopped_reason = code, reason
        task.stopping_at = task.stopping_at or self._parts.clock()
        task.version += 1
        self._parts.changed()

    def _enter(self, status: str) -> None:
        self.task.enter(status)
        self._parts.changed()

    def _go_on(self) -> None:
        if self._ending:
            raise _Ending

    @property
    def _interface(self) -> Interface:
        return self.task.interface


def note(container: Container, seen: Seen) -> bool:
    """Record how a container was seen; whether that is new."""
    before = (container.status, container.health)
    if seen.running:
        container.health = HEALTH.get(seen.health or "", "UNKNOWN")
    else:
        container.status, container.exit_code = "STOPPED", seen.exit_code
        if seen.out_of_memory:
            container.reason = "OutOfMemoryError: Container killed due to memory usage"
        elif seen.error:
            container.reason = seen.error
    return before != (container.status, container.health)
