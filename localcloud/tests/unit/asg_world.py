# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Auto Scaling groups as bare records, for tests of what is pure, and a world in which instances behave as told; no tests."""

from __future__ import annotations

import itertools
import typing as t

from localcloud.autoscaling import lifecycle, placing, refresh, scheduler
from localcloud.autoscaling.state import Group, Member, Members, Refresh, Template

ZONES = {"subnet-a": "a", "subnet-c": "c"}
ARN = "arn:aws:elasticloadbalancing:ap-northeast-2:123456789012:targetgroup/web/0123456789abcdef"

_numbers = itertools.count(1)


def launch(version: int = 1) -> Members:
    """What a group launches from: a version of the one launch template."""
    return {"LaunchTemplate": {"LaunchTemplateId": "lt-1", "LaunchTemplateName": "web", "Version": str(version)}}


def group(desired: int = 2, **members: t.Any) -> Group:
    """A group without instances."""
    wanted = {
        "name": "g", "arn": "arn:g", "launch": launch(), "least": 0, "most": 20, "desired": desired, "subnets": list(ZONES),
        "zones": ["a", "c"], "created_at": 0.0,
    }  # fmt: skip
    return Group(**{**wanted, **members})


def member(owner: Group, subnet: str = "subnet-a", *, state: str = "InService", version: int = 1, **members: t.Any) -> Member:
    """An instance of a group, in service and healthy unless told otherwise."""
    number = next(_numbers)
    wanted = {
        "id": f"i-{number}", "zone": ZONES[subnet], "subnet": subnet, "type": "t3.micro", "image": "ami-1", "launched_at": float(number),
        "template": Template("lt-1", "web", str(version)), "state": state,
    }  # fmt: skip
    made = Member(**{**wanted, **members})
    if state == "InService" and "ready_since" not in members and made.health == "Healthy":
        made.in_service_at = made.ready_since = 0.0
    owner.instances[made.id] = made
    return made


def fill(owner: Group, count: int, **members: t.Any) -> list[Member]:
    """As many instances, in turn in each subnet."""
    return [member(owner, subnet, **members) for subnet, _ in zip(itertools.cycle(ZONES), range(count), strict=False)]


class World:
    """A group behind a target group, over time; `step` looks once, as the controller does.

    An instance is Pending for `boot` seconds, healthy in the target group `check` seconds later unless `good(member)` says that it never
    is, and drains for `drain` seconds. `fewest` and `most` are the extremes of healthy and of active instances since `reset`.
    """

    def __init__(self, owner: Group, *, boot: float = 2.0, check: float = 3.0, drain: float = 1.0) -> None:
        self.group = owner
        self.boot, self.check, self.drain = boot, check, drain
        self.good: t.Callable[[Member], bool] = lambda found: True
        self.launches = True
        self.now = 1000.0
        self.alarms: list[str] = []
        self.patience = refresh.PATIENCE_SECONDS
        self._ending: dict[str, float] = {}
        self.history: list[str] = []
        for found in owner.instances.values():
            found.targets, found.health_of = {ARN}, {ARN: "healthy"}
        self.reset()

    def reset(self) -> None:
        """Forget the extremes."""
        self.fewest, self.most = self.healthy, len(self.group.alive)

    @property
    def healthy(self) -> int:
        return sum(found.serves for found in self.group.alive)

    @property
    def versions(self) -> list[int]:
        """Versions of the launch template of the active instances, sorted."""
        return sorted(int(found.template.version) for found in self.group.alive if found.template)

    def start(self, version: int | None = 2, **preferences: t.Any) -> Refresh:
        """Begin a refresh to a version; without one to what the group has."""
        wanted = refresh.complete_preferences({"InstanceWarmup": 0, **preferences}, self.group)
        target = launch(version) if version else self.group.launch
        number = target["LaunchTemplate"]["Version"]
        old = [found for found in self.group.instances.values() if found.alive or found.state == "Standby"]
        if wanted["SkipMatching"]:
            old = [found for found in old if found.template and found.template.version != number]
        made = Refresh(
            id=f"r{next(_numbers)}", group="g", preferences=wanted, desired=target if version else None, launch=target,
            before=self.group.launch, started_at=self.now, outdated={found.id for found in old}, left=len(old), progress_at=self.now,
        )  # fmt: skip
        self.group.refreshes.insert(0, made)
        self.reset()
        return made

    def step(self, seconds: float = 0.5) -> None:
        """Let time pass, and look."""
        self.now += seconds
        for found in list(self.group.instances.values()):
            self._live(found)
        self.fewest = min(self.fewest, self.healthy)
        under_way = self.group.refresh
        plan = None
        if under_way is not None:
            plan = refresh.step(under_way, self.group, self.now, alarms=self.alarms, patience=self.patience)
            plan = plan if under_way.going else None
            if not self.history or self.history[-1] != under_way.status:
                self.history.append(under_way.status)
        decision = scheduler.decide(self.group, ZONES, plan, self.now)
        for found, _ in decision.terminate:
            found.state, found.ready_since = "Terminating", None
            self._ending[found.id] = self.now + self.drain
        self.group.replacing = decision.replacing
        for wanted in decision.launch if self.launches else []:
            self._launch(wanted, under_way)
        self.fewest, self.most = min(self.fewest, self.healthy), max(self.most, len(self.group.alive))

    def run(self, seconds: float, until: t.Callable[[], bool] | None = None) -> None:
        """Look for so long, or until something is true."""
        end = self.now + seconds
        while self.now < end and not (until is not None and until()):
            self.step()

    def finish(self, made: Refresh, seconds: float = 600.0) -> str:
        """Wait for the end of a refresh, and then for the group to come to rest; the refresh's status."""
        self.run(seconds, lambda: not made.going)
        self.run(30.0)
        return made.status

    def _launch(self, wanted: scheduler.Launch, under_way: Refresh | None) -> None:
        source = under_way.launch if under_way is not None and under_way.going and under_way.status != "Cancelling" else self.group.launch
        made = member(self.group, wanted.subnet, state="Pending", version=int(source["LaunchTemplate"]["Version"]), launched_at=self.now)
        if under_way is not None and under_way.going:
            made.refresh = under_way.mark
        elif wanted.balances:
            made.refresh = placing.REBALANCES

    def _live(self, found: Member) -> None:
        if found.state == "Pending" and self.now - found.launched_at >= self.boot:
            found.state, found.in_service_at, found.targets = "InService", self.now, {ARN}
        if found.state == "InService" and found.in_service_at is not None:
            checked = self.now - found.in_service_at >= self.check
            found.health_of = {ARN: "healthy" if checked and self.good(found) else "unhealthy" if checked else "initial"}
            found.fault = lifecycle.fault_of(found, "running", self.group.health_type, self.group.grace, self.now) or found.fault
            found.health = "Unhealthy" if found.fault else "Healthy"
        if self._ending.get(found.id, self.now + 1) <= self.now:
            del self.group.instances[found.id]
        lifecycle.note_readiness(found, self.now)
