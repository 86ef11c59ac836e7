# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Auto Scaling's records: groups, their instances, hooks, policies and refreshes; no I/O and no decisions. Times are seconds since 1970."""

from __future__ import annotations

import dataclasses
import secrets
import typing as t
import uuid

from .errors import invalid

Members = dict[str, t.Any]

STARTING = frozenset({"Pending", "Pending:Wait", "Pending:Proceed"})
ENDING = frozenset({"Terminating", "Terminating:Wait", "Terminating:Proceed"})
ACTIVE = STARTING | {"InService"}
"""Lifecycle states of instances that count towards the desired capacity."""

ACTIVITIES_KEPT = 500
REFRESHES_KEPT = 100


@dataclasses.dataclass(frozen=True)
class Template:
    """A version of a launch template; `version` is a number in an instance's record, what the user wrote in a group's."""

    id: str
    name: str
    version: str


@dataclasses.dataclass(eq=False)
class Activity:
    """A scaling activity."""

    id: str
    group: str
    description: str
    cause: str
    started_at: float
    status: str
    details: str
    ended_at: float | None = None
    message: str | None = None
    progress: int = 0

    def end(self, status: str, now: float, message: str | None = None) -> None:
        """It is over; a second end changes nothing."""
        if self.ended_at is None:
            self.status, self.ended_at, self.message, self.progress = status, now, message, 100

    def at(self, status: str, progress: int, message: str | None = None) -> None:
        """How far it is."""
        if self.ended_at is None:
            self.status, self.progress, self.message = status, progress, message


@dataclasses.dataclass(eq=False)
class Wait:
    """One lifecycle action of one instance: a hook that has not been answered. `limit` is when heartbeats do not help any more."""

    hook: str
    token: str
    deadline: float
    limit: float
    heartbeat: float
    default: str
    result: str | None = None
    timed_out: bool = False


@dataclasses.dataclass(eq=False)
class Member:
    """An instance of a group.

    `fault` says why it is Unhealthy (`EC2`, `ELB`, `user`). `targets` are the target groups it was registered with, and `health_of` what
    they say of it. `ready_since` is when it was last seen to become InService and healthy everywhere. `refresh` is the id of the refresh
    that it was launched in, with `:back` when that refresh rolled back.
    """

    id: str
    zone: str
    subnet: str | None
    type: str
    image: str
    launched_at: float
    template: Template | None = None
    configuration: str | None = None
    state: str = "Pending"
    health: str = "Healthy"
    fault: str = ""
    protected: bool = False
    in_service_at: float | None = None
    ready_since: float | None = None
    targets: set[str] = dataclasses.field(default_factory=set)
    health_of: dict[str, str] = dataclasses.field(default_factory=dict)
    waits: list[Wait] = dataclasses.field(default_factory=list)
    activity: Activity | None = None
    refresh: str = ""
    in_a_hurry: bool = False
    """Ends without hooks: its group is being deleted by force."""
    counts_warm: float = 0.0
    """Until when it counts as warming up for scaling policies."""

    @property
    def alive(self) -> bool:
        """Whether it counts towards the desired capacity."""
        return self.state in ACTIVE

    @property
    def serves(self) -> bool:
        """Whether it is in service and healthy wherever it is registered."""
        return self.state == "InService" and self.health == "Healthy" and self.ready_since is not None


@dataclasses.dataclass(eq=False)
class Hook:
    """A lifecycle hook."""

    name: str
    transition: str
    heartbeat: int = 3600
    default: str = "ABANDON"
    target_arn: str | None = None
    role_arn: str | None = None
    metadata: str | None = None

    @property
    def limit(self) -> int:
        """The longest wait in seconds, heartbeats included: 48 hours or a hundred heartbeats."""
        return min(self.heartbeat * 100, 172_800)


@dataclasses.dataclass(eq=False)
class Policy:
    """A scaling policy; `members` are those of PutScalingPolicy. `alarms` are the alarms that target tracking made: name -> ARN."""

    name: str
    arn: str
    kind: str
    members: Members
    alarms: dict[str, str] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(eq=False)
class Refresh:
    """An instance refresh. `launch` is what new instances are launched from, `before` what the group had when it began.

    `outdated` are the instances that were to be replaced when this way of it (forth, or back) began; `checkpoint` indexes
    CheckpointPercentages, `held_at` is when the current checkpoint was reached.
    """

    id: str
    group: str
    preferences: Members
    desired: Members | None
    launch: Members
    before: Members
    started_at: float
    outdated: set[str]
    status: str = "Pending"
    reason: str | None = None
    ended_at: float | None = None
    percent: int = 0
    left: int = 0
    progress_at: float = 0.0
    checkpoint: int = 0
    held_at: float | None = None
    baking_since: float | None = None
    awaits_launches: bool = True
    """When it is cancelled, whether instances that are on their way are waited for."""
    rollback: Members | None = None

    @property
    def going(self) -> bool:
        """Whether it has not ended."""
        return self.ended_at is None

    @property
    def mark(self) -> str:
        """What instances that are launched now are marked with."""
        return f"{self.id}:back" if self.rollback is not None else self.id


@dataclasses.dataclass(eq=False)
class Group:
    """An Auto Scaling group. `launch` has LaunchTemplate, LaunchConfigurationName or MixedInstancesPolicy as the API has them.

    `why` collects the sentences of what changed the desired capacity, until the instances agree with it; `replacing` is how many instances
    were taken out for being unhealthy and have no successor yet.
    """

    name: str
    arn: str
    launch: Members
    least: int
    most: int
    desired: int
    subnets: list[str]
    zones: list[str]
    created_at: float
    cooldown: int = 300
    health_type: str = "EC2"
    grace: int = 0
    warmup: int | None = None
    termination: list[str] = dataclasses.field(default_factory=lambda: ["Default"])
    protect_new: bool = False
    target_groups: list[str] = dataclasses.field(default_factory=list)
    tags: dict[str, tuple[str, bool]] = dataclasses.field(default_factory=dict)
    suspended: dict[str, str] = dataclasses.field(default_factory=dict)
    metrics: list[str] = dataclasses.field(default_factory=list)
    maintenance: tuple[int, int] | None = None
    other: Members = dataclasses.field(default_factory=dict)
    """Members that are shown again and have no effect here."""
    status: str | None = None
    instances: dict[str, Member] = dataclasses.field(default_factory=dict)
    hooks: dict[str, Hook] = dataclasses.field(default_factory=dict)
    policies: dict[str, Policy] = dataclasses.field(default_factory=dict)
    notifications: dict[str, list[str]] = dataclasses.field(default_factory=dict)
    refreshes: list[Refresh] = dataclasses.field(default_factory=list)
    activities: list[Activity] = dataclasses.field(default_factory=list)
    why: list[str] = dataclasses.field(default_factory=list)
    replacing: int = 0
    failures: int = 0
    not_before: float = 0.0
    cooled_at: float = 0.0

    @property
    def refresh(self) -> Refresh | None:
        """The refresh that is under way."""
        return next((refresh for refresh in self.refreshes if refresh.going), None)

    @property
    def alive(self) -> list[Member]:
        """The instances that count towards the desired capacity."""
        return [member for member in self.instances.values() if member.alive]

    def runs(self, process: str) -> bool:
        """Whether a process is not suspended."""
        return process not in self.suspended

    def note(self, activity: Activity) -> Activity:
        """Remember an activity, the newest first."""
        self.activities.insert(0, activity)
        del self.activities[ACTIVITIES_KEPT:]
        return activity

    def set_desired(self, count: int, why: str) -> None:
        """Another desired capacity, and the sentence that says who wanted it."""
        if count != self.desired:
            self.why.append(f"{why} changing the desired capacity from {self.desired} to {count}.")
            self.desired = count


class State:
    """Everything of one region; on the event loop."""

    def __init__(self, account_id: str, region: str) -> None:
        self.account_id = account_id
        self.region = region
        self.groups: dict[str, Group] = {}
        self.configurations: dict[str, Members] = {}
        self.gone: list[Activity] = []
        """Activities of groups that were deleted."""

    def arn(self, kind: str, rest: str) -> str:
        """An ARN of Auto Scaling with an id of its own."""
        return f"arn:aws:autoscaling:{self.region}:{self.account_id}:{kind}:{uuid.uuid4()}:{rest}"

    def group(self, name: str) -> Group:
        """The group of this name or ARN. Raises ApiError."""
        found = self.groups.get(name) or next((group for group in self.groups.values() if group.arn == name), None)
        if found is None:
            raise invalid(f"AutoScalingGroup name not found - no such group: {name}")
        return found

    def owner(self, instance_id: str) -> tuple[Group, Member] | None:
        """The group of an instance."""
        for group in self.groups.values():
            if instance_id in group.instances:
                return group, group.instances[instance_id]
        return None


def new_activity_id() -> str:
    """As Auto Scaling's look."""
    return str(uuid.UUID(bytes=secrets.token_bytes(16)))
