# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Operations on instance refreshes; the state machine is in `refresh`."""

from __future__ import annotations

import uuid

from ..services.query_protocol import ApiError
from . import refresh as machine
from .errors import invalid
from .groups import check_percentages
from .shapes import Operation, World, named_launch, page, refresh_of
from .state import REFRESHES_KEPT, Group, Members, Refresh
from .surroundings import check_launchable, override_types, specification


class Refreshes:
    """The operations."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._state = world.state
        self.operations: dict[str, Operation] = {
            "StartInstanceRefresh": self.start,
            "CancelInstanceRefresh": self.cancel,
            "RollbackInstanceRefresh": self.roll_back,
            "DescribeInstanceRefreshes": self.describe,
        }

    async def start(self, members: Members) -> Members:
        """StartInstanceRefresh."""
        group = self._state.group(members["AutoScalingGroupName"])
        if group.refresh is not None:
            text = "An Instance Refresh is already in progress and blocks the execution of this Instance Refresh."
            raise ApiError("InstanceRefreshInProgress", text)
        if members.get("Strategy", "Rolling") != "Rolling":
            raise invalid("The local cloud has the strategy Rolling alone.")
        preferences = _checked(members.get("Preferences") or {}, group)
        desired = {name: value for name, value in (members.get("DesiredConfiguration") or {}).items() if value}
        if len(desired) > 1:
            raise invalid("DesiredConfiguration must contain either LaunchTemplate or MixedInstancesPolicy, not both.")
        check_launchable(self._world.around, desired)
        if preferences["AutoRollback"]:
            _check_reversible(group.launch, bool(desired), "ValidationError")
        if preferences["SkipMatching"] and "LaunchConfigurationName" in group.launch and not desired:
            raise invalid("Skip matching cannot be used with a launch configuration.")
        launch = named_launch(self._world.around, desired) if desired else group.launch
        now = self._world.clock()
        outdated = {member.id for member in group.instances.values() if member.alive or member.state == "Standby"}
        if preferences["SkipMatching"]:
            outdated -= self._matching(group, launch)
        refresh = Refresh(
            id=str(uuid.uuid4()), group=group.name, preferences=preferences, desired=desired or None, launch=launch, before=group.launch,
            started_at=now, outdated=outdated, left=len(outdated), progress_at=now,
        )  # fmt: skip
        group.refreshes.insert(0, refresh)
        del group.refreshes[REFRESHES_KEPT:]
        self._world.changed()
        return {"InstanceRefreshId": refresh.id}

    async def cancel(self, members: Members) -> Members:
        """CancelInstanceRefresh."""
        refresh = self._under_way(members)
        refresh.status, refresh.reason = "Cancelling", "Replacing instances before cancelling."
        refresh.awaits_launches = members.get("WaitForTransitioningInstances", True)
        self._world.changed()
        return {"InstanceRefreshId": refresh.id}

    async def roll_back(self, members: Members) -> Members:
        """RollbackInstanceRefresh."""
        refresh = self._under_way(members)
        group = self._state.group(members["AutoScalingGroupName"])
        _check_reversible(refresh.before, refresh.desired is not None, "IrreversibleInstanceRefresh")
        machine.begin_rollback(refresh, group, "The user requested a rollback.", self._world.clock())
        self._world.changed()
        return {"InstanceRefreshId": refresh.id}

    async def describe(self, members: Members) -> Members:
        """DescribeInstanceRefreshes, the newest first."""
        group = self._state.group(members["AutoScalingGroupName"])
        ids = members.get("InstanceRefreshIds")
        found = [refresh for refresh in group.refreshes if not ids or refresh.id in ids]
        answer = page(found, members, "InstanceRefreshes")
        return {**answer, "InstanceRefreshes": [refresh_of(refresh) for refresh in answer["InstanceRefreshes"]]}

    def _under_way(self, members: Members) -> Refresh:
        refresh = self._state.group(members["AutoScalingGroupName"]).refresh
        if refresh is None or refresh.status in ("Cancelling", "RollbackInProgress"):
            raise ApiError("ActiveInstanceRefreshNotFound", "No in progress or pending Instance Refresh found for the Auto Scaling group.")
        return refresh

    def _matching(self, group: Group, launch: Members) -> set[str]:
        """The instances that are as the refresh wants them: of this version of the launch template, and of an allowed type."""
        wanted = self._world.around.template(launch)
        types = override_types(launch)
        return {
            member.id
            for member in group.instances.values()
            if wanted is not None
            and member.template is not None
            and (member.template.id, member.template.version) == (wanted.id, str(wanted.number))
            and (not types or member.type in types)
        }


def _check_reversible(before: Members, has_desired: bool, code: str) -> None:
    """A way back needs a desired configuration, and a launch template of which the group named a version by its number."""
    if not has_desired:
        raise ApiError(code, "The instance refresh has no desired configuration to roll back from.")
    version = str((specification(before) or {}).get("Version") or "$Default")
    if not version.isdigit():
        raise ApiError(code, f"The Auto Scaling group names no version of a launch template to roll back to: {version} is not a number.")


def _checked(given: Members, group: Group) -> Members:
    """The complete preferences. Raises ApiError."""
    if "MaxHealthyPercentage" in given and "MinHealthyPercentage" not in given:
        raise invalid("MinHealthyPercentage must be specified when MaxHealthyPercentage is.")
    preferences = machine.complete_preferences(given, group)
    check_percentages(preferences["MinHealthyPercentage"], preferences["MaxHealthyPercentage"])
    points = preferences.get("CheckpointPercentages") or []
    if points != sorted(set(points)) or any(not 1 <= point <= 100 for point in points):
        raise invalid("CheckpointPercentages must be ascending percentages between 1 and 100.")
    if given.get("CheckpointDelay") is not None and not points:
        raise invalid("CheckpointDelay needs CheckpointPercentages.")
    return preferences
