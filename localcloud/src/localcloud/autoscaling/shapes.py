# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the operations of Auto Scaling have in common: what they work on, pages of lists, and the members of answers; no operation."""

from __future__ import annotations

import base64
import binascii
import dataclasses
import datetime
import typing as t

from ..services.query_protocol import ApiError
from .state import Activity, Group, Hook, Member, Members, Policy, Refresh, State, Template
from .surroundings import Surroundings, specification

Operation = t.Callable[[Members], t.Awaitable[Members]]
Item = t.TypeVar("Item")

DEFAULT_PAGE = 50


@dataclasses.dataclass(frozen=True)
class World:
    """What operations work on. `changed` lets the controller look at once."""

    state: State
    around: Surroundings
    clock: t.Callable[[], float]
    changed: t.Callable[[], None]


def page(items: t.Sequence[Item], members: Members, name: str, most: int = 100) -> Members:
    """The page of `items` that MaxRecords and NextToken ask for, as the member `name`, with the next token. Raises InvalidNextToken."""
    start = 0
    if members.get("NextToken"):
        try:
            start = int(base64.urlsafe_b64decode(members["NextToken"].encode()).decode())
        except (binascii.Error, ValueError, UnicodeError):
            raise ApiError("InvalidNextToken", "The token is not valid.") from None
    size = min(members.get("MaxRecords") or min(DEFAULT_PAGE, most), most)
    end = start + size
    answer: Members = {name: list(items[start:end])}
    if end < len(items):
        answer["NextToken"] = base64.urlsafe_b64encode(str(end).encode()).decode()
    return answer


def when(seconds: float | None) -> datetime.datetime | None:
    """A time as answers have it."""
    return None if seconds is None else datetime.datetime.fromtimestamp(seconds, datetime.UTC)


def group_of(group: Group) -> Members:
    """A group as DescribeAutoScalingGroups shows it."""
    answer: Members = {
        "AutoScalingGroupName": group.name,
        "AutoScalingGroupARN": group.arn,
        **group.launch,
        "MinSize": group.least,
        "MaxSize": group.most,
        "DesiredCapacity": group.desired,
        "DefaultCooldown": group.cooldown,
        "AvailabilityZones": group.zones,
        "LoadBalancerNames": [],
        "TargetGroupARNs": group.target_groups,
        "HealthCheckType": group.health_type,
        "HealthCheckGracePeriod": group.grace,
        "Instances": [instance_of(member) for member in group.instances.values()],
        "CreatedTime": when(group.created_at),
        "SuspendedProcesses": [{"ProcessName": name, "SuspensionReason": why} for name, why in group.suspended.items()],
        "VPCZoneIdentifier": ",".join(group.subnets),
        "EnabledMetrics": [{"Metric": metric, "Granularity": "1Minute"} for metric in group.metrics],
        "Status": group.status,
        "Tags": tags_of(group),
        "TerminationPolicies": group.termination,
        "NewInstancesProtectedFromScaleIn": group.protect_new,
        "DefaultInstanceWarmup": group.warmup,
        "TrafficSources": [{"Identifier": arn, "Type": "elbv2"} for arn in group.target_groups],
        **group.other,
    }
    if group.maintenance is not None:
        least, most = group.maintenance
        answer["InstanceMaintenancePolicy"] = {"MinHealthyPercentage": least, "MaxHealthyPercentage": most}
    return answer


def tags_of(group: Group) -> list[Members]:
    """The tags of a group as TagDescription shows them."""
    return [
        {"ResourceId": group.name, "ResourceType": "auto-scaling-group", "Key": key, "Value": value, "PropagateAtLaunch": propagates}
        for key, (value, propagates) in sorted(group.tags.items())
    ]


def template_of(template: Template | None) -> Members | None:
    """A launch template's specification."""
    if template is None:
        return None
    return {"LaunchTemplateId": template.id, "LaunchTemplateName": template.name, "Version": template.version}


def instance_of(member: Member) -> Members:
    """An instance as a group shows it."""
    return {
        "InstanceId": member.id,
        "InstanceType": member.type or None,
        "ImageId": member.image or None,
        "AvailabilityZone": member.zone,
        "LifecycleState": member.state,
        "HealthStatus": member.health,
        "LaunchConfigurationName": member.configuration,
        "LaunchTemplate": template_of(member.template),
        "ProtectedFromScaleIn": member.protected,
    }


def activity_of(activity: Activity) -> Members:
    """A scaling activity."""
    return {
        "ActivityId": activity.id,
        "AutoScalingGroupName": activity.group,
        "Description": activity.description,
        "Cause": activity.cause,
        "StartTime": when(activity.started_at),
        "EndTime": when(activity.ended_at),
        "StatusCode": activity.status,
        "StatusMessage": activity.message,
        "Progress": activity.progress,
        "Details": activity.details,
    }


def hook_of(group: Group, hook: Hook) -> Members:
    """A lifecycle hook."""
    return {
        "LifecycleHookName": hook.name,
        "AutoScalingGroupName": group.name,
        "LifecycleTransition": hook.transition,
        "NotificationTargetARN": hook.target_arn,
        "RoleARN": hook.role_arn,
        "NotificationMetadata": hook.metadata,
        "HeartbeatTimeout": hook.heartbeat,
        "GlobalTimeout": hook.limit,
        "DefaultResult": hook.default,
    }


def policy_of(group: Group, policy: Policy, alarms: list[tuple[str, str]]) -> Members:
    """A scaling policy; `alarms` are those that execute it."""
    return {
        **policy.members,
        "AutoScalingGroupName": group.name,
        "PolicyName": policy.name,
        "PolicyARN": policy.arn,
        "PolicyType": policy.kind,
        "Enabled": policy.members.get("Enabled", True),
        "Alarms": [{"AlarmName": name, "AlarmARN": arn} for name, arn in alarms],
    }


def refresh_of(refresh: Refresh) -> Members:
    """An instance refresh."""
    progress = {"PercentageComplete": refresh.percent, "InstancesToUpdate": refresh.left}
    answer: Members = {
        "InstanceRefreshId": refresh.id,
        "AutoScalingGroupName": refresh.group,
        "Status": refresh.status,
        "StatusReason": refresh.reason,
        "StartTime": when(refresh.started_at),
        "EndTime": when(refresh.ended_at),
        **progress,
        "ProgressDetails": {"LivePoolProgress": progress},
        "Preferences": refresh.preferences,
        "DesiredConfiguration": refresh.desired,
        "Strategy": "Rolling",
    }
    if refresh.rollback is not None:
        before = {
            "PercentageComplete": refresh.rollback["PercentageCompleteOnRollback"],
            "InstancesToUpdate": refresh.rollback["InstancesToUpdateOnRollback"],
        }
        answer["RollbackDetails"] = {
            **refresh.rollback,
            "RollbackStartTime": when(refresh.rollback["RollbackStartTime"]),
            "ProgressDetailsOnRollback": {"LivePoolProgress": before},
        }
    return answer


def named_launch(around: Surroundings, launch: Members) -> Members:
    """What instances are launched from, with the template's id and its name, as answers show it; the version stays as it was written."""
    found = around.template(launch)
    wanted = specification(launch)
    if found is None or wanted is None:
        return launch
    shown = {"LaunchTemplateId": found.id, "LaunchTemplateName": found.name}
    if wanted.get("Version"):
        shown["Version"] = str(wanted["Version"])
    if "LaunchTemplate" in launch:
        return {"LaunchTemplate": shown}
    mixed = launch["MixedInstancesPolicy"]
    inner = {**mixed["LaunchTemplate"], "LaunchTemplateSpecification": shown}
    return {"MixedInstancesPolicy": {**mixed, "LaunchTemplate": inner}}
