#!/usr/bin/python
# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This is a virtual module: the action plugin of the same name does the work on the controller.

from __future__ import annotations

DOCUMENTATION = r"""
module: autoscaling_refresh
short_description: Replace the instances of an Auto Scaling group by those of another launch template version, and go back when it is worse
version_added: 0.1.0
description:
  - Starts an instance refresh, shows its progress, and waits for its end. AWS replaces the instances, so that it goes on when the
    controller is gone; a run that finds a refresh to the same version goes on watching it.
  - Takes the refresh back, to the B(version of the launch template that the group had before), when new instances end by themselves, when
    nothing goes on, when requests from outside fail, when an alarm fires, and on Ctrl-C.
  - The group itself gets the new version when the refresh succeeds.
author:
  - bluegreen.aws maintainers (@bluegreen-aws)
options:
  name:
    description: Name of the Auto Scaling group.
    type: str
    required: true
  launch_template_version:
    description: The version to go to; a number, V($Latest) or V($Default), which are resolved to their number at the start.
    type: str
    default: $Latest
  min_healthy_percentage:
    description: Healthy instances that are always to be in service, in percent of the desired capacity.
    type: int
    default: 100
  max_healthy_percentage:
    description: Instances at most, in percent of the desired capacity; at most 100 more than O(min_healthy_percentage).
    type: int
    default: 150
  instance_warmup:
    description: Seconds for which a new instance must have been in service before the next one is replaced.
    type: int
    default: 30
  skip_matching:
    description: Leave instances alone that run the version already.
    type: bool
    default: true
  checkpoint_percentages:
    description: Where the refresh pauses, in percent of the instances. Without it, it does not.
    type: list
    elements: int
    default: []
  checkpoint_delay:
    description: Seconds of each such pause.
    type: int
    default: 0
  alarms:
    description: CloudWatch alarms that take the refresh back when they fire.
    type: list
    elements: str
    default: []
  probe:
    description: Requests from outside while the refresh lasts.
    type: dict
    suboptions:
      url:
        description: URL to ask for, through the load balancer.
        type: str
        required: true
      headers:
        description: Request headers.
        type: dict
        default: {}
      rate:
        description: Requests per second.
        type: float
        default: 10.0
      timeout:
        description: Seconds for one answer.
        type: float
        default: 3.0
      ca_path:
        description: Certificate authorities to trust instead of the system's.
        type: path
  max_error_rate:
    description:
      - Share of the probes that may fail (5xx or no answer). A sequential test with a false alarm in less than one of a hundred refreshes
        compares it with five times as much.
    type: float
    default: 0.01
  failed_launches:
    description: New instances that may fail before the refresh is taken back.
    type: int
    default: 2
  stall_timeout:
    description: Seconds without progress after which the refresh is taken back; longer than an instance needs until it is healthy.
    type: int
    default: 900
  timeout:
    description: Seconds after which a refresh that is not through is taken back.
    type: int
    default: 3600
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - bluegreen.aws.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
notes:
  - The group must launch a version by its number; with V($Latest) there would be nothing to go back to.
  - >-
    Needs C(autoscaling:DescribeAutoScalingGroups), C(autoscaling:DescribeInstanceRefreshes), C(autoscaling:DescribeScalingActivities),
    C(autoscaling:StartInstanceRefresh), C(autoscaling:RollbackInstanceRefresh), C(ec2:DescribeLaunchTemplateVersions), and what launching
    an instance needs (C(ec2:RunInstances), C(iam:PassRole)).
seealso:
  - module: amazon.aws.autoscaling_instance_refresh
  - module: bluegreen.aws.canary
"""

EXAMPLES = r"""
- name: The newest version of the template on every instance, watched from outside
  bluegreen.aws.autoscaling_refresh:
    name: wealist-prod-backend
    probe:
      url: https://api.example.com/healthz
    alarms: [wealist-prod-5xx]
"""

RETURN = r"""
autoscaling_refresh:
  description: How the refresh ended. One that was not completed fails the task and is returned all the same.
  returned: success, and failure once the refresh has begun
  type: dict
  contains:
    name:
      description: Name of the group.
      type: str
      sample: wealist-prod-backend
    id:
      description: Id of the refresh.
      type: str
      sample: 08b91cf7-8fa6-48af-b6a6-d227f40f1b9b
    outcome:
      description:
        - V(done), V(rolled_back), V(failed) (AWS ended it and took nothing back), V(stuck) (the way back was refused or not through in
          time), V(unchanged) (every instance runs the version already), V(planned) in check mode.
      type: str
      sample: done
    why:
      description: The reason, in a sentence.
      type: str
      sample: Successful
    before:
      description: The version that the group launched before.
      type: str
      sample: "6"
    version:
      description: The version asked for, as a number.
      type: str
      sample: "7"
    seconds:
      description: Duration.
      type: float
      sample: 312.4
    back_s:
      description: Seconds from the decision to go back to the end; null when there was none.
      type: float
      sample: 96.2
    probes:
      description: Requests from outside, and those that failed.
      type: dict
      sample: {"requests": 3120, "errors": 0}
    timeline:
      description: What happened, with the seconds since the start.
      type: list
      elements: dict
      sample: [{"at": 2.0, "status": "InProgress", "percentage": 0, "text": "InProgress, 0 %, 3 to go"}]
"""
