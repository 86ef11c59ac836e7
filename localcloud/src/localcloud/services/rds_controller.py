# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeps the servers of every DB instance as they are wanted: looks, lets the plan decide, carries it out, records events and statuses."""

from __future__ import annotations

import asyncio
import collections
import contextlib
import datetime
import logging
import time
import typing as t

import docker.errors

from ..errors import LocalCloudError
from . import rds_catalogue as catalogue
from . import rds_changes, rds_config, rds_parameters, rds_plan
from .rds_names import EndpointNames
from .rds_placement import Placement
from .rds_plan import Do, Member, Seen
from .rds_servers import Files, Servers
from .rds_state import AVAILABLE, CREATING, DELETING, MODIFYING, STOPPED, STOPPING, Event, Instance, Server, State
from .rds_talk import TalkError
from .stores import Condition

if t.TYPE_CHECKING:
    import pathlib

    from ..cloud import Cloud

LOOK_SECONDS = 0.5
BUSY_LOOK_SECONDS = 0.1
MISSES = 3
"""Looks in a row that a running server leaves without an answer, after which it counts as hung; each waits for 1.5 s."""

Job = t.Callable[[], t.Awaitable[None]]

_log = logging.getLogger("localcloud.rds")

Failure = (docker.errors.DockerException, LocalCloudError, *TalkError)


class Controller:
    """One task per DB instance, which does one thing at a time: the API's jobs, changes whose time has come, and what the plan says.

    Everything but the blocking talk with Docker and servers happens in the event loop's thread.
    """

    def __init__(self, cloud: Cloud, state: State, servers: Servers, placement: Placement, names: EndpointNames) -> None:
        self._cloud = cloud
        self._state = state
        self._servers = servers
        self._placement = placement
        self._names = names
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._wake: dict[str, asyncio.Event] = {}
        self._jobs: dict[str, collections.deque[Job]] = {}
        self._misses: dict[str, int] = {}
        self._published: dict[str, str] = {}

    def keep(self, instance: Instance, job: Job | None = None) -> None:
        """Begin to keep this instance, or look at it at once; `job` is done before anything else."""
        if instance.id not in self._tasks:
            self._wake[instance.id] = asyncio.Event()
            self._jobs[instance.id] = collections.deque()
            self._tasks[instance.id] = asyncio.create_task(self._keep(instance), name=f"database {instance.id}")
        if job is not None:
            self._jobs[instance.id].append(job)
        self._wake[instance.id].set()

    async def stop(self) -> None:
        """Stop keeping; the containers are left for the clean-up."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    def record(self, source: str, category: str, message: str, kind: str = "db-instance") -> None:
        """Note an event; `kind` is a SourceType of DescribeEvents."""
        self._state.events.append(Event(source, kind, category, message, datetime.datetime.now(datetime.UTC)))
        _log.info("%s: %s", source, message)

    # -- one instance

    async def _keep(self, instance: Instance) -> None:
        while self._state.instances.get(instance.id) is instance:
            self._wake[instance.id].clear()
            try:
                calm = await self._turn(instance)
            except Failure as error:
                _log.warning("%s: %s", instance.id, error)
                calm = False
            except Exception:  # one bad turn must not end the keeping
                _log.exception("%s: a turn failed", instance.id)
                calm = True
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake[instance.id].wait(), LOOK_SECONDS if calm else BUSY_LOOK_SECONDS)
        del self._tasks[instance.id], self._wake[instance.id], self._jobs[instance.id]

    async def _turn(self, instance: Instance) -> bool:
        """Do what is due; whether all is calm."""
        if self._jobs[instance.id]:
            await self._jobs[instance.id].popleft()()
            return False
        names = rds_changes.due(instance, datetime.datetime.now(datetime.UTC)) if instance.prepared and instance.running else []
        if names and instance.status in (AVAILABLE, MODIFYING):
            instance.status = MODIFYING
            await self._change(instance, names)
            return False
        steps = await self._pass(instance)
        return not steps and instance.status in (AVAILABLE, STOPPED)

    async def _pass(self, instance: Instance) -> bool:
        """Look once and carry out what is due; whether there was anything."""
        seen = await self._look(instance)
        head = instance.server(instance.primary)
        if seen[head.id].condition is Condition.UP and not instance.prepared and not seen[head.id].is_standby:
            if instance.password is not None:  # a restored one has its users
                await asyncio.to_thread(self._servers.prepare, instance, head, instance.password)
            instance.prepared, instance.password = True, None
        members = [Member(server.id, server.leaving, server.in_sync, server.stale) for server in instance.servers]
        steps = rds_plan.decide(instance.primary, members, seen, running=instance.running)
        for do, server_id in steps:
            _log.info("%s: %s", server_id, do.value)
            await self._carry_out(instance, do, instance.server(server_id))
        self._publish(instance)
        settled = rds_plan.is_settled(instance.primary, members, seen, multi_az=instance.multi_az, running=instance.running)
        if settled and not steps and not self._jobs[instance.id] and (instance.prepared or not instance.running):
            self._settle(instance)
        return bool(steps)

    async def _look(self, instance: Instance) -> dict[str, Seen]:
        containers = await asyncio.to_thread(self._servers.containers)
        found = {}
        for server in instance.servers:
            state = containers.get(server.id)
            if state is None:
                found[server.id] = Seen(Condition.ABSENT)
            elif state in ("exited", "dead", "created"):
                found[server.id] = Seen(Condition.STOPPED)
            else:
                seen = await asyncio.to_thread(self._servers.look, instance, server)
                self._misses[server.id] = 0 if seen is not None else self._misses.get(server.id, 0) + 1
                hung = self._misses[server.id] >= MISSES
                found[server.id] = seen or Seen(Condition.HUNG if hung else Condition.STARTING)
        return found

    async def _carry_out(self, instance: Instance, do: Do, server: Server) -> None:
        match do:
            case Do.CREATE | Do.RESTART | Do.COPY_ANEW:
                await self._create(instance, server, anew=do is Do.COPY_ANEW)
            case Do.START:
                if server.id == instance.primary and instance.prepared:
                    self.record(instance.id, "recovery", "Recovery of the DB instance has started.")
                await asyncio.to_thread(self._servers.write, server, self._files(instance, server))
                await asyncio.to_thread(self._servers.start, server)
            case Do.STOP:
                await asyncio.to_thread(self._servers.stop, server)
            case Do.REMOVE:
                await asyncio.to_thread(self._servers.remove, server)
                await asyncio.to_thread(self._cloud.interfaces.delete, server.interface.id)
                instance.servers.remove(server)
            case Do.FAIL_OVER:
                await self.fail_over(instance, server)
            case Do.PROMOTE:
                await asyncio.to_thread(self._servers.promote, instance, server)
            case Do.TRUST_STANDBY:
                server.in_sync = True
            case Do.WAIT_FOR_STANDBY | Do.WAIT_NO_MORE:
                for other in instance.servers:
                    other.in_sync = False  # before the primary goes on without it
                instance.synchronous = do is Do.WAIT_FOR_STANDBY
                await self._tell(instance, server, {"commit.conf": rds_config.commit_file(synchronous=instance.synchronous)})

    async def _create(self, instance: Instance, server: Server, *, anew: bool) -> None:
        self._misses.pop(server.id, None)
        if anew:
            await asyncio.to_thread(self._servers.remove, server)
        if server.id != instance.primary:  # it copies the primary, which has to let it in
            primary = instance.server(instance.primary)
            await self._tell(instance, primary, {"pg_hba.conf": self._access(instance, primary)})
            server.in_sync = False
        else:
            instance.restart_due = False
        data = self.snapshot_file(instance.restored_from) if instance.restored_from and server.id == instance.primary else None
        await asyncio.to_thread(self._servers.create, server, self._files(instance, server), data)
        instance.restored_from = None  # from now on its volume has the data
        server.stale = False

    async def fail_over(self, instance: Instance, heir: Server) -> None:
        """Let the standby take the place of the primary, whose container goes first: a server that hangs must not take writes later."""
        self.record(instance.id, "failover", "Multi-AZ instance failover started.")
        old = instance.server(instance.primary)
        await asyncio.to_thread(self._servers.remove, old, with_data=False)
        await asyncio.to_thread(self._servers.promote, instance, heir)
        old.stale, old.in_sync, heir.in_sync = True, False, False
        instance.primary, instance.synchronous = heir.id, False
        self._publish(instance)
        self.record(instance.id, "availability", "DB instance restarted")
        self.record(instance.id, "failover", "Multi-AZ instance failover completed")

    async def restart(self, instance: Instance) -> None:
        """Restart the primary in order; a standby starts anew when settings have changed, which both must have."""
        primary, standby = instance.server(instance.primary), instance.standby
        self.record(instance.id, "availability", "DB instance shutdown")
        if standby is not None and instance.restart_due:
            standby.stale, standby.in_sync = True, False
        instance.synchronous &= standby is not None and standby.in_sync
        await asyncio.to_thread(self._servers.write, primary, self._files(instance, primary))
        await asyncio.to_thread(self._servers.restart, primary)
        instance.restart_due = False
        self.record(instance.id, "availability", "DB instance restarted")

    async def _tell(self, instance: Instance, server: Server, files: Files) -> None:
        await asyncio.to_thread(self._servers.write, server, files)
        await asyncio.to_thread(self._servers.reload, instance, server)

    # -- files

    def _files(self, instance: Instance, server: Server) -> Files:
        """The configuration of one server."""
        primary = instance.server(instance.primary)
        pem = self._cloud.certificates.issue([self._names.endpoint(instance)])
        return {
            "begin": rds_config.begin_file(primary=None if server is primary else (primary.address, instance.port)),
            "secret": instance.secret + "\n",
            "pgpass": rds_config.pass_file(instance.secret),
            "postgresql.conf": self._settings(instance),
            "pg_hba.conf": self._access(instance, server),
            "pg_ident.conf": rds_config.identity_file(),
            "commit.conf": rds_config.commit_file(synchronous=instance.synchronous and server is primary),
            "tls.crt": pem.certificate,
            "tls.key": pem.key,
        }

    def _group(self, instance: Instance) -> tuple[str, dict[str, str]]:
        found = self._state.parameter_groups[instance.parameter_group]
        return found.family, found.values

    def _settings(self, instance: Instance) -> str:
        memory = catalogue.CLASS_MEMORY[instance.instance_class]
        settings = rds_parameters.server_settings(*self._group(instance), memory=memory, storage=instance.storage)
        return rds_config.settings_file(port=instance.port, settings=settings)

    def _access(self, instance: Instance, server: Server) -> str:
        force = rds_parameters.value(*self._group(instance), "rds.force_ssl") == "1"
        return rds_config.access_file(force_ssl=force, peers=[other.address for other in instance.servers if other is not server])

    async def configure(self, instance: Instance) -> None:
        """Bring running servers to the present parameters; static ones wait for the next start."""
        for server in instance.servers:
            with contextlib.suppress(*Failure):  # it is starting, stopped or dead: it begins with the present ones
                await self._tell(
                    instance, server, {"postgresql.conf": self._settings(instance), "pg_hba.conf": self._access(instance, server)}
                )

    def snapshot_file(self, name: str) -> pathlib.Path:
        """Where a snapshot's data is."""
        return self._cloud.state_dir / "rds" / f"{name}.tar"

    # -- changes, the end, names

    async def _change(self, instance: Instance, names: list[str]) -> None:
        """Make changes that were waiting."""
        primary = instance.server(instance.primary)
        for name in names:
            if name == "MasterUserPassword":
                await asyncio.to_thread(self._servers.set_password, instance, primary, instance.pending[name])
                self.record(instance.id, "configuration change", "Reset master credentials")
            if name == "MultiAZ":
                await self._change_zones(instance, wanted=instance.pending[name])
        restart = bool(rds_changes.RESTARTS & set(names))
        for name in names:
            rds_changes.apply(instance, name)
            if name == "EngineVersion":
                instance.parameter_group = instance.next_parameter_group
        if restart:
            instance.restart_due = True
            await self.restart(instance)

    async def _change_zones(self, instance: Instance, *, wanted: bool) -> None:
        standby = instance.standby
        if wanted and standby is None:
            self.record(instance.id, "configuration change", "Applying modification to convert to a Multi-AZ DB instance")
            await self._placement.add(instance)
        elif not wanted and standby is not None:
            self.record(instance.id, "configuration change", "Applying modification to convert to a standard (Single-AZ) DB instance")
            standby.leaving = True

    async def end(self, instance: Instance) -> None:
        """Remove the instance and everything of it."""
        if self._published.pop(instance.id, None):
            self._cloud.names.remove(self._names.endpoint(instance))
        for server in list(instance.servers):
            await self._carry_out(instance, Do.REMOVE, server)
        await asyncio.sleep(max(0.0, instance.busy_until - time.monotonic()))  # on AWS it is seen deleting for a while
        self._state.instances.pop(instance.id, None)
        self.record(instance.id, "deletion", "DB instance deleted")

    def _settle(self, instance: Instance) -> None:
        """Everything is as wanted: say so, when the time has come."""
        if time.monotonic() < instance.busy_until or instance.status in (AVAILABLE, STOPPED, DELETING):
            return
        if instance.status == CREATING:
            self.record(instance.id, "creation", "DB instance created")
        if instance.status == MODIFYING:
            self.record(instance.id, "configuration change", "Finished applying modification to DB instance")
        if instance.status == STOPPING:
            self.record(instance.id, "notification", "DB instance stopped")
        instance.status = STOPPED if instance.status == STOPPING else AVAILABLE

    def _publish(self, instance: Instance) -> None:
        """Let the name stand for the primary's address."""
        if not instance.prepared:
            return
        interface = instance.server(instance.primary).interface
        if self._published.get(instance.id) != interface.id:
            public = [interface.public_ip] if interface.public_ip else []
            self._cloud.names.set(self._names.endpoint(instance), [interface.private_ip], public)
            self._published[instance.id] = interface.id
