# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""One function per call of Application Auto Scaling on scalable targets; decides nothing."""

from __future__ import annotations

from .errors import attempt


@attempt("read scalable target {resource_id} (application-autoscaling:DescribeScalableTargets)")
def find(client, namespace, resource_id, dimension):
    """The target as AWS describes it, or None."""
    asked = {"ServiceNamespace": namespace, "ResourceIds": [resource_id], "ScalableDimension": dimension}
    pages = client.get_paginator("describe_scalable_targets").paginate(**asked)
    return next((item for page in pages for item in page["ScalableTargets"]), None)


@attempt("set the limits of scalable target {resource_id} (application-autoscaling:RegisterScalableTarget)")
def register(client, namespace, resource_id, dimension, minimum, maximum):
    """Make it, or change its limits."""
    client.register_scalable_target(
        ServiceNamespace=namespace, ResourceId=resource_id, ScalableDimension=dimension, MinCapacity=minimum, MaxCapacity=maximum
    )


@attempt("remove scalable target {resource_id} (application-autoscaling:DeregisterScalableTarget)")
def deregister(client, namespace, resource_id, dimension):
    """Its policies and their alarms go with it."""
    client.deregister_scalable_target(ServiceNamespace=namespace, ResourceId=resource_id, ScalableDimension=dimension)
