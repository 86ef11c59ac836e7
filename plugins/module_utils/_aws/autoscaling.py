# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""One function per call of Auto Scaling, and the version of a launch template; decides nothing."""

from __future__ import annotations

from .errors import attempt


@attempt("find Auto Scaling group {name} (autoscaling:DescribeAutoScalingGroups)")
def group(client, name):
    """The group as AWS describes it, or None."""
    found = client.describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"]
    return found[0] if found else None


@attempt("find the Auto Scaling groups {names} (autoscaling:DescribeAutoScalingGroups)")
def groups(client, names):
    """Those that are there, as AWS describes them; no name is no group, and not all of the account."""
    if not names:
        return []
    pages = client.get_paginator("describe_auto_scaling_groups").paginate(AutoScalingGroupNames=list(names))
    return [group for page in pages for group in page["AutoScalingGroups"]]


@attempt("list the instance refreshes of {name} (autoscaling:DescribeInstanceRefreshes)")
def refreshes(client, name):
    """The newest refreshes of the last six weeks, the newest first; only that one can be under way, so one page is enough."""
    return client.describe_instance_refreshes(AutoScalingGroupName=name)["InstanceRefreshes"]


@attempt("read instance refresh {refresh_id} of {name} (autoscaling:DescribeInstanceRefreshes)")
def refresh(client, name, refresh_id):
    return client.describe_instance_refreshes(AutoScalingGroupName=name, InstanceRefreshIds=[refresh_id])["InstanceRefreshes"][0]


@attempt("start an instance refresh of {name} to version {version} of its launch template (autoscaling:StartInstanceRefresh)")
def start(client, name, version, desired, preferences):
    """Id of the refresh. The group itself gets the ``desired`` configuration when the refresh succeeds."""
    answer = client.start_instance_refresh(
        AutoScalingGroupName=name, Strategy="Rolling", DesiredConfiguration=desired, Preferences=preferences
    )  # fmt: skip
    return answer["InstanceRefreshId"]


@attempt("take back the instance refresh of {name} (autoscaling:RollbackInstanceRefresh)")
def roll_back(client, name):
    client.rollback_instance_refresh(AutoScalingGroupName=name)


@attempt("read the scaling activities of {name} (autoscaling:DescribeScalingActivities)")
def activities(client, name, most=20):
    """The newest activities, the newest first."""
    return client.describe_scaling_activities(AutoScalingGroupName=name, MaxRecords=most)["Activities"]


@attempt("find version {version} of launch template {template_id} (ec2:DescribeLaunchTemplateVersions)")
def template_version(client, template_id, version):
    """Number of a version: of $Latest, of $Default, or of a number that exists."""
    found = client.describe_launch_template_versions(LaunchTemplateId=template_id, Versions=[str(version)])
    return found["LaunchTemplateVersions"][0]["VersionNumber"]
