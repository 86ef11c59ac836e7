# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Operations on lifecycle hooks, and answers to them."""

from __future__ import annotations

from .errors import invalid
from .lifecycle import LAUNCHING, TERMINATING, heartbeat
from .shapes import Operation, World, hook_of
from .state import Hook, Members, Wait

MOST = 50
RESULTS = ("CONTINUE", "ABANDON")


class Hooks:
    """The operations."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._state = world.state
        self.operations: dict[str, Operation] = {
            "PutLifecycleHook": self.put,
            "DeleteLifecycleHook": self.delete,
            "DescribeLifecycleHooks": self.describe,
            "DescribeLifecycleHookTypes": self.types,
            "CompleteLifecycleAction": self.complete,
            "RecordLifecycleActionHeartbeat": self.record_heartbeat,
        }

    async def put(self, members: Members) -> Members:
        """PutLifecycleHook; what is not given stays as it is."""
        group = self._state.group(members["AutoScalingGroupName"])
        name = members["LifecycleHookName"]
        known = group.hooks.get(name)
        if known is None and len(group.hooks) >= MOST:
            raise invalid(f"An Auto Scaling group has at most {MOST} lifecycle hooks.")
        group.hooks[name] = hook_from(members, known)
        if group.hooks[name].target_arn:
            message = {"AutoScalingGroupName": group.name, "Event": "autoscaling:TEST_NOTIFICATION"}
            self._world.around.notify(
                group.hooks[name].target_arn or "", f'Auto Scaling: test notification for group "{group.name}"', message
            )
        return {}

    async def delete(self, members: Members) -> Members:
        """DeleteLifecycleHook; launches that wait for it are abandoned, terminations go on."""
        group = self._state.group(members["AutoScalingGroupName"])
        hook = group.hooks.pop(members["LifecycleHookName"], None)
        if hook is None:
            raise invalid("No Lifecycle Hook found - no hook with this name exists in this Auto Scaling group.")
        # "outstanding lifecycle actions are completed first: ABANDON for launching instances, CONTINUE for terminating instances"
        for member in group.instances.values():
            for wait in member.waits:
                if wait.hook == hook.name and wait.result is None:
                    wait.result = "ABANDON" if hook.transition == LAUNCHING else "CONTINUE"
        self._world.changed()
        return {}

    async def describe(self, members: Members) -> Members:
        """DescribeLifecycleHooks."""
        group = self._state.group(members["AutoScalingGroupName"])
        names = members.get("LifecycleHookNames")
        return {"LifecycleHooks": [hook_of(group, hook) for name, hook in sorted(group.hooks.items()) if not names or name in names]}

    async def types(self, members: Members) -> Members:
        """DescribeLifecycleHookTypes."""
        return {"LifecycleHookTypes": [LAUNCHING, TERMINATING]}

    async def complete(self, members: Members) -> Members:
        """CompleteLifecycleAction."""
        result = members["LifecycleActionResult"]
        if result not in RESULTS:
            raise invalid("The LifecycleActionResult must be CONTINUE or ABANDON.")
        self._wait(members).result = result
        self._world.changed()
        return {}

    async def record_heartbeat(self, members: Members) -> Members:
        """RecordLifecycleActionHeartbeat."""
        heartbeat(self._wait(members), self._world.clock())
        return {}

    def _wait(self, members: Members) -> Wait:
        """The lifecycle action that a request names, by its token or by its instance."""
        group = self._state.group(members["AutoScalingGroupName"])
        token, instance_id = members.get("LifecycleActionToken"), members.get("InstanceId")
        if not token and not instance_id:
            raise invalid("Either a lifecycle action token or an instance ID must be specified.")
        for member in group.instances.values():
            for wait in member.waits:
                named = wait.hook == members["LifecycleHookName"] and instance_id in (None, member.id) and token in (None, wait.token)
                if named and wait.result is None and member.state.endswith(":Wait"):
                    return wait
        if token:
            raise invalid(f"No active Lifecycle Action found with token {token}")
        raise invalid(f"No active Lifecycle Action found with instance ID {instance_id}")


def hook_from(members: Members, known: Hook | None) -> Hook:
    """The hook that a request makes. Raises ApiError."""
    transition = members.get("LifecycleTransition") or (known.transition if known else None)
    if transition not in (LAUNCHING, TERMINATING):
        raise invalid(f"Invalid Lifecycle Transition. Valid values are {LAUNCHING} and {TERMINATING}.")
    hook = Hook(
        name=members["LifecycleHookName"],
        transition=transition,
        heartbeat=members.get("HeartbeatTimeout", known.heartbeat if known else 3600),
        default=members.get("DefaultResult") or (known.default if known else "ABANDON"),
        target_arn=members.get("NotificationTargetARN", known.target_arn if known else None) or None,
        role_arn=members.get("RoleARN", known.role_arn if known else None) or None,
        metadata=members.get("NotificationMetadata", known.metadata if known else None) or None,
    )
    if not 30 <= hook.heartbeat <= 7200:
        raise invalid("The heartbeat timeout must be between 30 and 7200 seconds.")
    if hook.default not in RESULTS:
        raise invalid("DefaultResult must be CONTINUE or ABANDON.")
    if hook.target_arn and ":sns:" not in hook.target_arn:
        raise invalid("The local cloud notifies SNS topics alone; every hook's action is on the event bus too.")
    return hook
