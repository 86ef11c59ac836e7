# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""One function per CloudFront call on distributions; decides nothing."""

from __future__ import annotations

from .errors import attempt


@attempt("list distributions (cloudfront:ListDistributions)")
def named(client, name):
    """Ids of the distributions whose comment is ``name``."""
    pages = client.get_paginator("list_distributions").paginate()
    return [item["Id"] for page in pages for item in page["DistributionList"].get("Items", []) if item["Comment"] == name]


@attempt("read distribution {identifier} (cloudfront:GetDistribution)")
def get(client, identifier):
    """(Distribution, ETag)"""
    answer = client.get_distribution(Id=identifier)
    return answer["Distribution"], answer["ETag"]


@attempt("read the tags of distribution {arn} (cloudfront:ListTagsForResource)")
def tags(client, arn):
    """{key: value}"""
    return {tag["Key"]: tag.get("Value", "") for tag in client.list_tags_for_resource(Resource=arn)["Tags"]["Items"]}


@attempt("create distribution {name} (cloudfront:CreateDistributionWithTags)")
def create(client, name, config, tag_values):
    """The new Distribution."""
    items = [{"Key": key, "Value": value} for key, value in tag_values.items()]
    asked = {"DistributionConfig": config, "Tags": {"Items": items}}
    return client.create_distribution_with_tags(DistributionConfigWithTags=asked)["Distribution"]


@attempt("change distribution {identifier} (cloudfront:UpdateDistribution)")
def update(client, identifier, etag, config):
    """(Distribution, ETag)"""
    answer = client.update_distribution(Id=identifier, IfMatch=etag, DistributionConfig=config)
    return answer["Distribution"], answer["ETag"]


@attempt("tag distribution {arn} (cloudfront:TagResource)")
def tag(client, arn, tag_values):
    """Sets the tags; others stay."""
    client.tag_resource(Resource=arn, Tags={"Items": [{"Key": key, "Value": value} for key, value in tag_values.items()]})


@attempt("see distribution {identifier} deployed (cloudfront:GetDistribution)")
def wait(client, identifier, seconds):
    """Return once all edge locations have the distribution as it is now."""
    delay = 5
    client.get_waiter("distribution_deployed").wait(Id=identifier, WaiterConfig={"Delay": delay, "MaxAttempts": max(1, seconds // delay)})


@attempt("delete distribution {identifier} (cloudfront:DeleteDistribution)")
def delete(client, identifier, etag):
    """The distribution must be disabled and deployed."""
    client.delete_distribution(Id=identifier, IfMatch=etag)
