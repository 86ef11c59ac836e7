# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Operations on launch configurations, notifications, and what Auto Scaling tells of itself (types, limits)."""

from __future__ import annotations

from ..emulation import launches
from .errors import exists_already, in_use, invalid
from .groups import METRICS, PROCESSES
from .placing import POLICIES
from .policies import ADJUSTMENTS
from .shapes import Operation, World, page, when
from .state import Members

NOTIFICATIONS = (
    "autoscaling:EC2_INSTANCE_LAUNCH", "autoscaling:EC2_INSTANCE_LAUNCH_ERROR", "autoscaling:EC2_INSTANCE_TERMINATE",
    "autoscaling:EC2_INSTANCE_TERMINATE_ERROR", "autoscaling:TEST_NOTIFICATION",
)  # fmt: skip
MOST_GROUPS, MOST_CONFIGURATIONS = 500, 200


class Configurations:
    """The operations."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._state = world.state
        self.operations: dict[str, Operation] = {
            "CreateLaunchConfiguration": self.create,
            "DeleteLaunchConfiguration": self.delete,
            "DescribeLaunchConfigurations": self.describe,
            "PutNotificationConfiguration": self.notify,
            "DeleteNotificationConfiguration": self.do_not_notify,
            "DescribeNotificationConfigurations": self.notifications,
            "DescribeAutoScalingNotificationTypes": self.notification_types,
            "DescribeAdjustmentTypes": self.adjustment_types,
            "DescribeTerminationPolicyTypes": self.termination_types,
            "DescribeScalingProcessTypes": self.process_types,
            "DescribeMetricCollectionTypes": self.metric_types,
            "DescribeAccountLimits": self.limits,
        }

    async def create(self, members: Members) -> Members:
        """CreateLaunchConfiguration."""
        name = members["LaunchConfigurationName"]
        if name in self._state.configurations:
            raise exists_already(
                f"Launch Configuration by this name already exists - A launch configuration already exists with the name {name}"
            )
        if members.get("InstanceId"):
            raise invalid("The local cloud makes no launch configuration from an instance.")
        if not members.get("ImageId") or not members.get("InstanceType"):
            raise invalid("Valid requests must contain either the InstanceID parameter or both the ImageId and InstanceType parameters.")
        if not launches.image_exists(self._state.account_id, self._state.region, members["ImageId"]):
            raise invalid(f"The image id '[{members['ImageId']}]' does not exist")
        shown = {**members}
        shown.setdefault("KernelId", "")
        shown.setdefault("RamdiskId", "")
        shown.setdefault("KeyName", "")
        shown.setdefault("UserData", "")
        shown.setdefault("SecurityGroups", [])
        shown.setdefault("BlockDeviceMappings", [])
        shown.setdefault("InstanceMonitoring", {"Enabled": True})
        shown.setdefault("EbsOptimized", False)
        shown["LaunchConfigurationARN"] = self._state.arn("launchConfiguration", f"launchConfigurationName/{name}")
        shown["CreatedTime"] = when(self._world.clock())
        self._state.configurations[name] = shown
        return {}

    async def delete(self, members: Members) -> Members:
        """DeleteLaunchConfiguration."""
        name = members["LaunchConfigurationName"]
        if name not in self._state.configurations:
            raise invalid(f"Launch configuration name not found - Launch configuration {name} not found")
        if any(group.launch.get("LaunchConfigurationName") == name for group in self._state.groups.values()):
            raise in_use(f"Cannot delete launch configuration {name} because it is attached to an AutoScalingGroup")
        del self._state.configurations[name]
        return {}

    async def describe(self, members: Members) -> Members:
        """DescribeLaunchConfigurations."""
        names = members.get("LaunchConfigurationNames")
        found = [shown for name, shown in sorted(self._state.configurations.items()) if not names or name in names]
        return page(found, members, "LaunchConfigurations")

    async def notify(self, members: Members) -> Members:
        """PutNotificationConfiguration."""
        group = self._state.group(members["AutoScalingGroupName"])
        unknown = sorted(set(members["NotificationTypes"]) - set(NOTIFICATIONS))
        if unknown:
            raise invalid(f"The notification type {unknown[0]} is not valid.")
        if ":sns:" not in members["TopicARN"]:
            raise invalid(f"Invalid notification topic ARN: {members['TopicARN']}")
        group.notifications[members["TopicARN"]] = list(members["NotificationTypes"])
        if NOTIFICATIONS[-1] in members["NotificationTypes"]:
            message = {"AutoScalingGroupName": group.name, "AutoScalingGroupARN": group.arn, "Event": NOTIFICATIONS[-1]}
            self._world.around.notify(members["TopicARN"], f'Auto Scaling: test notification for group "{group.name}"', message)
        return {}

    async def do_not_notify(self, members: Members) -> Members:
        """DeleteNotificationConfiguration."""
        group = self._state.group(members["AutoScalingGroupName"])
        if group.notifications.pop(members["TopicARN"], None) is None:
            raise invalid(f"The group has no notifications to {members['TopicARN']}.")
        return {}

    async def notifications(self, members: Members) -> Members:
        """DescribeNotificationConfigurations."""
        names = members.get("AutoScalingGroupNames")
        found = [
            {"AutoScalingGroupName": name, "TopicARN": topic, "NotificationType": kind}
            for name, group in sorted(self._state.groups.items())
            if not names or name in names
            for topic, kinds in group.notifications.items()
            for kind in kinds
        ]
        return page(found, members, "NotificationConfigurations")

    async def notification_types(self, members: Members) -> Members:
        """DescribeAutoScalingNotificationTypes."""
        return {"AutoScalingNotificationTypes": list(NOTIFICATIONS)}

    async def adjustment_types(self, members: Members) -> Members:
        """DescribeAdjustmentTypes."""
        return {"AdjustmentTypes": [{"AdjustmentType": name} for name in ADJUSTMENTS]}

    async def termination_types(self, members: Members) -> Members:
        """DescribeTerminationPolicyTypes."""
        return {"TerminationPolicyTypes": list(POLICIES)}

    async def process_types(self, members: Members) -> Members:
        """DescribeScalingProcessTypes."""
        return {"Processes": [{"ProcessName": name} for name in PROCESSES]}

    async def metric_types(self, members: Members) -> Members:
        """DescribeMetricCollectionTypes."""
        return {"Metrics": [{"Metric": name} for name in METRICS], "Granularities": [{"Granularity": "1Minute"}]}

    async def limits(self, members: Members) -> Members:
        """DescribeAccountLimits."""
        return {
            "MaxNumberOfAutoScalingGroups": MOST_GROUPS,
            "MaxNumberOfLaunchConfigurations": MOST_CONFIGURATIONS,
            "NumberOfAutoScalingGroups": len(self._state.groups),
            "NumberOfLaunchConfigurations": len(self._state.configurations),
        }
