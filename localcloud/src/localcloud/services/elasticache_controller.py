# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeps the nodes of every group as they are wanted: looks, lets the plan decide, carries it out, records events and statuses."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import logging
import time
import typing as t

import docker.errors

from ..errors import LocalCloudError
from . import elasticache_catalogue as catalogue
from . import elasticache_config, elasticache_parameters, elasticache_plan
from .elasticache_names import EndpointNames
from .elasticache_nodes import NodeError, Nodes
from .elasticache_plan import Do, Member, Seen
from .elasticache_state import AVAILABLE, CREATING, DELETING, MODIFYING, NODE_GROUP, SNAPSHOTTING, Event, Group, Node, State
from .stores import Condition

if t.TYPE_CHECKING:
    from ..cloud import Cloud

LOOK_SECONDS = 0.5
BUSY_LOOK_SECONDS = 0.1
MISSES = 6
"""Looks in a row without an answer after which a running server counts as hung."""

_log = logging.getLogger("localcloud.elasticache")

_Failure = (docker.errors.DockerException, LocalCloudError, *NodeError)


class Controller:
    """One task per group; everything but the blocking talk with Docker and servers happens in the event loop's thread."""

    def __init__(self, cloud: Cloud, state: State, nodes: Nodes, names: EndpointNames) -> None:
        self._cloud = cloud
        self._state = state
        self._nodes = nodes
        self._names = names
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._wake: dict[str, asyncio.Event] = {}
        self._misses: dict[str, int] = {}
        self._published: dict[str, dict[str, list[str]]] = {}

    def keep(self, group: Group) -> None:
        """Begin to keep this group, or look at it at once."""
        if group.id not in self._tasks:
            self._wake[group.id] = asyncio.Event()
            self._tasks[group.id] = asyncio.create_task(self._keep(group), name=f"cache {group.id}")
        self._wake[group.id].set()

    async def stop(self) -> None:
        """Stop keeping; the containers are left for the clean-up."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    def record(self, source: str, kind: str, message: str) -> None:
        """Note an event; `kind` is a SourceType of DescribeEvents."""
        self._state.events.append(Event(source, kind, message, datetime.datetime.now(datetime.UTC)))
        _log.info("%s: %s", source, message)

    # -- one group

    async def _keep(self, group: Group) -> None:
        while group.id in self._state.groups:
            self._wake[group.id].clear()
            try:
                if group.status == DELETING:
                    await self._delete(group)
                    break
                steps = await self._pass(group)
            except _Failure as error:
                _log.warning("%s: %s", group.id, error)
                steps = True
            except Exception:  # one bad pass must not end the keeping
                _log.exception("%s: a pass failed", group.id)
                steps = False
            calm = not steps and group.status == AVAILABLE and not group.recovering
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake[group.id].wait(), LOOK_SECONDS if calm else BUSY_LOOK_SECONDS)
        del self._tasks[group.id], self._wake[group.id]

    async def _pass(self, group: Group) -> bool:
        """Look once and carry out what is due; whether there was anything."""
        seen = await self._look(group)
        if group.status == DELETING or any(node.id not in seen for node in group.nodes):
            return True  # it changed in the meantime
        for node in group.nodes:
            found = seen[node.id]
            node.has_data |= found.in_step or (node.id == group.primary and found.condition is Condition.UP)
        members = [Member(node.id, node.address, node.leaving, node.has_data) for node in group.nodes]
        steps = elasticache_plan.decide(group.primary, members, seen, failover=group.automatic_failover)
        done = await asyncio.gather(*(self._carry_out(group, do, group.node(node_id)) for do, node_id in steps), return_exceptions=True)
        self.publish(group)
        for outcome in done:
            if isinstance(outcome, BaseException):
                raise outcome
        if not steps and elasticache_plan.is_settled(group.primary, members, seen):
            self._settle(group)
        return bool(steps)

    async def _look(self, group: Group) -> dict[str, Seen]:
        nodes = list(group.nodes)
        answers = await asyncio.gather(*(asyncio.to_thread(self._nodes.look, group, node) for node in nodes))
        found = {node.id: seen for node, seen in zip(nodes, answers, strict=True) if seen is not None}
        for node_id in found:
            self._misses.pop(node_id, None)
        silent = [node for node in nodes if node.id not in found]
        if silent:
            containers = await asyncio.to_thread(self._nodes.containers)
            for node in silent:
                found[node.id] = Seen(self._silence(node, containers.get(node.id)))
        return found

    def _silence(self, node: Node, container: str | None) -> Condition:
        """What it means that a node does not answer; a server that is still starting may take its time."""
        if container is None:
            return Condition.ABSENT
        if container in ("exited", "dead", "created"):
            return Condition.STOPPED
        self._misses[node.id] = self._misses.get(node.id, 0) + 1
        patience = MISSES if node.has_data else 10 * MISSES
        return Condition.HUNG if self._misses[node.id] >= patience else Condition.STARTING

    async def _carry_out(self, group: Group, do: Do, node: Node) -> None:
        _log.info("%s: %s", node.id, do.value)
        match do:
            case Do.CREATE | Do.REPLACE:
                if node.status == AVAILABLE:
                    group.recovering.add(node.id)
                    group.status = MODIFYING if group.status == AVAILABLE else group.status
                    self.record(node.id, "cache-cluster", f"Recovering cache nodes {node.id}")
                node.status, node.has_data = CREATING, False
                self._misses.pop(node.id, None)
                await asyncio.to_thread(self._create, group, node)
            case Do.REMOVE:
                await asyncio.to_thread(self._nodes.remove, node)
                await self._forget(group, node)
            case Do.FAIL_OVER:
                await self._fail_over(group, node)
            case Do.HAND_OVER:
                await asyncio.to_thread(self._nodes.hand_over, group, node)
            case Do.FOLLOW:
                await asyncio.to_thread(self._nodes.follow, group, node, group.node(group.primary))

    async def _fail_over(self, group: Group, heir: Node) -> None:
        dead = group.node(group.primary)
        await asyncio.to_thread(self._nodes.kill, dead)  # a server that merely hangs must not take writes later
        await asyncio.to_thread(self._nodes.promote, group, heir)
        group.primary = heir.id
        if group.status == AVAILABLE:
            group.status = MODIFYING
        message = f"Failover from primary node {dead.id} to replica node {heir.id} completed"
        self.record(dead.id, "cache-cluster", message)
        self.record(group.id, "replication-group", message)

    def _create(self, group: Group, node: Node) -> None:
        family = catalogue.family_of(group.engine, group.engine_version)
        values = self._values(group)
        primary = None if node.id == group.primary else (group.node(group.primary).address, group.port)
        text = elasticache_config.render(
            port=group.port, secret=group.secret, tokens=group.auth_tokens, transit=group.transit, primary=primary,
            settings=elasticache_parameters.server_settings(family, values, group.node_type),
        )  # fmt: skip
        tls = {}
        if group.transit:
            pem = self._cloud.certificates.issue(self._names.certified(group))
            tls = {
                "tls.crt": pem.certificate.encode(),
                "tls.key": pem.key.encode(),
                "ca.crt": self._cloud.certificates.certificate.encode(),
            }
        data = None
        if primary is None and node.restored_from is not None:
            data = self.snapshot_file(node.restored_from).read_bytes()
            node.restored_from = None  # a node that dies later begins empty
        self._nodes.create(group, node, text, tls, data)

    def _values(self, group: Group) -> dict[str, str]:
        found = self._state.parameter_groups.get(group.parameter_group)
        return found.values if found is not None else {}

    def snapshot_file(self, name: str) -> t.Any:
        """Where a snapshot's data is."""
        return self._cloud.state_dir / "elasticache" / f"{name}.rdb"

    def _settle(self, group: Group) -> None:
        """Everything is as wanted: say so, when the time has come."""
        for node_id in sorted(group.recovering):
            self.record(node_id, "cache-cluster", f"Finished recovery for cache nodes {node_id}")
        group.recovering.clear()
        if time.monotonic() < group.busy_until or group.status == SNAPSHOTTING:
            return
        if group.status != AVAILABLE:
            if group.status == CREATING and not group.standalone:
                self.record(group.id, "replication-group", f"Replication group {group.id} created")
            group.status = AVAILABLE
        for node in group.nodes:
            node.status = AVAILABLE

    def publish(self, group: Group) -> None:
        """Let the names stand for the present addresses."""
        before, after = self._published.get(group.id, {}), self._names.all(group)
        for name in before.keys() - after.keys():
            self._cloud.names.remove(name)
        for name, addresses in after.items():
            if before.get(name) != addresses:
                self._cloud.names.set(name, addresses)
        self._published[group.id] = after

    async def _forget(self, group: Group, node: Node) -> None:
        await asyncio.to_thread(self._cloud.interfaces.delete, node.interface.id)
        group.nodes.remove(node)
        group.node_tags.pop(node.id, None)
        self.record(node.id, "cache-cluster", f"Cache cluster deleted {node.id}")

    async def _delete(self, group: Group) -> None:
        for name in self._published.pop(group.id, {}):
            self._cloud.names.remove(name)
        for node in list(group.nodes):
            await asyncio.to_thread(self._nodes.remove, node)
            await self._forget(group, node)
        remaining = group.busy_until - time.monotonic()
        await asyncio.sleep(max(0.0, remaining))  # on AWS it is seen deleting for a while
        self._state.groups.pop(group.id, None)
        if not group.standalone:
            self.record(group.id, "replication-group", f"Replication group {group.id} deleted")

    # -- what the API asks for

    async def test_failover(self, group: Group) -> None:
        """End the primary as a failure would; the rest goes as it goes then."""
        self.record(group.id, "replication-group", f"Test Failover API called for node group {NODE_GROUP}")
        group.status = MODIFYING
        await asyncio.to_thread(self._nodes.kill, group.node(group.primary))
        self.keep(group)

    async def configure(self, group: Group) -> None:
        """Bring running servers to the group's present parameters, memory and tokens."""
        family = catalogue.family_of(group.engine, group.engine_version)
        settings = elasticache_parameters.server_settings(family, self._values(group), group.node_type)
        for node in group.staying:
            with contextlib.suppress(*_Failure):  # it is starting or dead: it begins with the present ones
                await asyncio.to_thread(self._nodes.configure, group, node, settings)
                await asyncio.to_thread(self._nodes.authorise, group, node)
