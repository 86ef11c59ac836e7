# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeps groups at what is wanted of them: looks at their instances, asks the scheduler and the refresh, and launches and terminates."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
import typing as t

from . import activities, lifecycle, placing, refresh, scheduler
from .conduct import Conduct
from .errors import LaunchFailed
from .lifecycle import Step
from .state import Group, Member, State
from .surroundings import DRAINING, Surroundings

BUSY_SECONDS, IDLE_SECONDS = 0.3, 1.0

_log = logging.getLogger("localcloud.autoscaling")


class Controller:
    """One task of the server's event loop. `patience` is how long a refresh may stand still, in seconds."""

    def __init__(self, state: State, around: Surroundings, clock: t.Callable[[], float] = time.time) -> None:
        self._state = state
        self._around = around
        self._clock = clock
        self._conduct = Conduct(around, clock)
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._refused: dict[str, str] = {}
        self.patience = refresh.PATIENCE_SECONDS

    def start(self) -> None:
        """Begin."""
        self._task = asyncio.create_task(self._run(), name="autoscaling")

    async def close(self) -> None:
        """Stop at once; instances are left for the clean-up."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    def changed(self) -> None:
        """Look now; on the event loop."""
        self._wake.set()

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            busy = any(await asyncio.gather(*(self._look_safely(group) for group in list(self._state.groups.values()))))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), BUSY_SECONDS if busy else IDLE_SECONDS)

    async def _look_safely(self, group: Group) -> bool:
        try:
            return await self.look(group)
        except Exception:  # one group's trouble must not stop the others
            _log.exception("group %s could not be looked after", group.name)
            return False

    async def look(self, group: Group) -> bool:
        """One look at a group; whether it must be looked at again soon."""
        known = list(group.instances.values())
        machines = await self._around.machines(group.instances)
        health = await self._around.target_health(group.target_groups)
        await self._keep_registered(group)
        now = self._clock()
        self._observe(group, machines, health, now)
        plan = None
        under_way = group.refresh
        if under_way is not None:
            names = (under_way.preferences.get("AlarmSpecification") or {}).get("Alarms") or []
            alarmed = self._around.alarms_in_alarm(names)
            refused = self._refused.get(group.name, "")
            plan = refresh.step(under_way, group, now, alarms=alarmed, refused=refused, patience=self.patience)
            if not under_way.going:
                self._conduct.refresh_ended(group, under_way)
                plan = None
        zones = await asyncio.to_thread(self._around.zones, group.subnets)
        decision = scheduler.decide(group, zones, plan, now)
        for member, cause in decision.terminate:
            self._conduct.begin_termination(group, member, cause)
        group.replacing = decision.replacing
        for launch in decision.launch:
            if not await self._launch(group, launch, zones[launch.subnet]):
                break
        for member in known:  # those that came since then are looked at the next time
            await self._advance(group, member, machines, health)
        self._settle(group)
        return self._is_busy(group)

    def _observe(self, group: Group, machines: dict[str, str], health: dict[str, dict[str, str]], now: float) -> None:
        """Note what EC2 and the target groups say of the instances."""
        for member in group.instances.values():
            member.health_of = {arn: health[arn].get(member.id, "unused") for arn in member.targets if arn in health}
            if member.state == "InService" and member.health == "Healthy" and group.runs("HealthCheck"):
                member.fault = lifecycle.fault_of(member, machines.get(member.id), group.health_type, group.grace, now)
                member.health = "Unhealthy" if member.fault else "Healthy"
            lifecycle.note_readiness(member, now)

    async def _launch(self, group: Group, launch: scheduler.Launch, zone: str) -> bool:
        """Launch one instance; whether EC2 did it. After a refusal there is a pause."""
        now = self._clock()
        under_way = group.refresh
        source = under_way.launch if under_way is not None and under_way.status != "Cancelling" else group.launch
        try:
            member = await self._around.launch(group, source, launch.subnet, zone, now)
        except LaunchFailed as error:
            group.failures += 1
            group.not_before = now + scheduler.pause(group.failures)
            self._refused[group.name] = error.message
            activity = activities.launching(group, None, launch.cause, launch.subnet, zone, now)
            activity.end("Failed", self._clock(), f"{error.message} Launching EC2 instance failed.")
            self._conduct.launch_failed(group, activity)
            return False
        group.failures = 0
        self._refused.pop(group.name, None)
        member.activity = activities.launching(group, member.id, launch.cause, launch.subnet, zone, now)
        if under_way is not None:
            member.refresh = under_way.mark
        elif launch.balances:
            member.refresh = placing.REBALANCES
        if launch.replaces and group.replacing:
            group.replacing -= 1
        group.instances[member.id] = member
        return True

    async def _advance(self, group: Group, member: Member, machines: dict[str, str], health: dict[str, dict[str, str]]) -> None:
        drains = any(states.get(member.id) == DRAINING for states in health.values())
        step = lifecycle.next_step(member, machines.get(member.id), group.hooks.values(), drains=drains, now=self._clock())
        match step:
            case Step.WAIT_LAUNCHING:
                self._conduct.wait(group, member, lifecycle.LAUNCHING, "Pending:Wait")
            case Step.ENTER_SERVICE:
                await self._conduct.enter_service(group, member)
            case Step.GIVE_UP:
                self._conduct.give_up(group, member, "Instance became unhealthy while waiting for instance to be in InService state.")
            case Step.ABANDON:
                self._conduct.give_up(group, member, lifecycle.abandoned(member.waits), status="Cancelled")
            case Step.DEREGISTER:
                await self._conduct.leave_targets(group, member)
            case Step.WAIT_TERMINATING:
                self._conduct.wait(group, member, lifecycle.TERMINATING, "Terminating:Wait")
            case Step.TERMINATE:
                await self._conduct.terminate(group, member)
            case Step.FORGET:
                self._conduct.forget(group, member)

    async def _keep_registered(self, group: Group) -> None:
        """Instances in service are in the group's target groups, also in those that were attached later, and in no others."""
        for member in list(group.instances.values()):
            if member.state == "InService":
                await self._conduct.keep_targets(group, member)

    def _settle(self, group: Group) -> None:
        alive = group.alive
        if len(alive) == group.desired:
            group.why.clear()
        if group.status is not None and not group.instances:
            self._state.gone[:0] = group.activities
            self._state.groups.pop(group.name, None)

    def _is_busy(self, group: Group) -> bool:
        moving = any(member.state != "Standby" and not member.serves for member in group.instances.values())
        return moving or group.refresh is not None or len(group.alive) != group.desired
