# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""One function per call of the Resource Groups Tagging API; decides nothing."""

from __future__ import annotations

from .errors import BluegreenAWSError, attempt

_BATCH = 20  # TagResources: at most twenty ARNs a call


@attempt("read the tags of {arns} (tag:GetResources)")
def get_tags(client, arns):
    """{arn: {key: value}}; a resource that never had a tag is not known to the API and has an empty dictionary here."""
    found = {arn: {} for arn in arns}
    for start in range(0, len(arns), 100):
        pages = client.get_paginator("get_resources").paginate(ResourceARNList=arns[start : start + 100])
        for page in pages:
            for item in page["ResourceTagMappingList"]:
                found[item["ResourceARN"]] = {tag["Key"]: tag["Value"] for tag in item["Tags"]}
    return found


@attempt("tag {arns} (tag:TagResources)")
def tag_resources(client, arns, tags):
    """Sets the tags on all; what AWS refuses for one resource is an error that names it."""
    for start in range(0, len(arns), _BATCH):
        answer = client.tag_resources(ResourceARNList=arns[start : start + _BATCH], Tags=tags)
        for arn, failure in answer.get("FailedResourcesMap", {}).items():
            cause = f"{failure.get('ErrorCode')}: {failure.get('ErrorMessage')}"
            raise BluegreenAWSError(message=f"Failed to tag {arn} (tag:TagResources): {cause}")
