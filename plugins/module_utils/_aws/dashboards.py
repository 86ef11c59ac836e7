# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""One function per CloudWatch call that dashboards need; decides nothing."""

from __future__ import annotations

from .errors import BluegreenAWSError, attempt, error_code

_ABSENT = ("DashboardNotFoundError", "ResourceNotFound")


@attempt("read dashboard {name} (cloudwatch:GetDashboard)")
def _get(client, name):
    return client.get_dashboard(DashboardName=name)


def get(client, name):
    """(body as text, ARN), or None when there is no such dashboard."""
    try:
        answer = _get(client, name)
    except BluegreenAWSError as exc:
        if error_code(exc.exception) in _ABSENT:
            return None
        raise
    return answer["DashboardBody"], answer["DashboardArn"]


@attempt("write dashboard {name} (cloudwatch:PutDashboard)")
def put(client, name, body):
    """CloudWatch's DashboardValidationMessages about a body that it took all the same."""
    return client.put_dashboard(DashboardName=name, DashboardBody=body).get("DashboardValidationMessages", [])


def refused(exception):
    """The DashboardValidationMessages of a refusal; empty when it was refused for another reason."""
    response = getattr(exception, "response", None) or {}
    return response.get("dashboardValidationMessages") or response.get("DashboardValidationMessages") or []


@attempt("delete dashboard {name} (cloudwatch:DeleteDashboards)")
def delete(client, name):
    client.delete_dashboards(DashboardNames=[name])


@attempt("list the tags of {arn} (cloudwatch:ListTagsForResource)")
def list_tags(client, arn):
    """{key: value} of a dashboard's tags."""
    return {tag["Key"]: tag["Value"] for tag in client.list_tags_for_resource(ResourceARN=arn)["Tags"]}


@attempt("tag {arn} (cloudwatch:TagResource)")
def add_tags(client, arn, tags):
    client.tag_resource(ResourceARN=arn, Tags=[{"Key": key, "Value": str(value)} for key, value in sorted(tags.items())])


@attempt("remove tags from {arn} (cloudwatch:UntagResource)")
def remove_tags(client, arn, keys):
    client.untag_resource(ResourceARN=arn, TagKeys=keys)
