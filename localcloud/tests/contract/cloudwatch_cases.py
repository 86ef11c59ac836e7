# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What CloudWatch answers about dashboards, good and bad; its metrics and alarms are MiniStack's."""

from __future__ import annotations

import itertools
import json
import typing as t

import botocore

from .cases import Case

ABSENT = "there-is-none"
ABSENT_ARN = "arn:aws:cloudwatch::123456789012:dashboard/there-is-none"
TAGS = [{"Key": "a", "Value": "b"}]
METRIC = {
    "type": "metric",
    "x": 0,
    "y": 0,
    "width": 6,
    "height": 6,
    "properties": {"region": "x", "metrics": [["AWS/EC2", "CPUUtilization"]]},
}
_numbers = itertools.count(1)


class World:
    """A client, and a dashboard of the case's own."""

    def __init__(self, boto: t.Callable[[str], t.Any]) -> None:
        self.client = boto("cloudwatch")
        self.name = f"contract-{next(_numbers)}"

    def call(self, operation: str, **members: t.Any) -> t.Any:
        return getattr(self.client, botocore.xform_name(operation))(**members)

    def put(self, *widgets: t.Any, **members: t.Any) -> t.Any:
        return self.call("PutDashboard", DashboardName=self.name, DashboardBody=json.dumps({"widgets": widgets}), **members)

    def arn(self) -> str:
        """The ARN of a dashboard that is there."""
        self.put(METRIC, Tags=TAGS)
        return self.call("GetDashboard", DashboardName=self.name)["DashboardArn"]


def _refused(w: World, *widgets: t.Any) -> t.Any:
    """The messages that a refusal carries."""
    try:
        return w.put(*widgets)
    except w.client.exceptions.DashboardInvalidInputError as error:
        return error.response["dashboardValidationMessages"]


def _text(w: World, body: str) -> t.Any:
    return w.call("PutDashboard", DashboardName=w.name, DashboardBody=body)


CASES: list[Case] = [
    Case("PutDashboard", "metric", lambda w: w.put(METRIC)["DashboardValidationMessages"], None, []),
    Case("PutDashboard", "empty", lambda w: w.put()),
    Case("PutDashboard", "no json", lambda w: _text(w, "{"), "InvalidParameterInput"),
    Case("PutDashboard", "no object", lambda w: _text(w, "[]"), "InvalidParameterInput"),
    Case(
        "PutDashboard",
        "too wide",
        lambda w: _refused(w, {**METRIC, "width": 40}, {"type": "text", "properties": {}}),
        None,
        [
            {"DataPath": "/widgets/0/width", "Message": "Should be <= 24"},
            {"DataPath": "/widgets/1/properties", "Message": "Should have required property 'markdown'"},
        ],
    ),
    Case("GetDashboard", "own", lambda w: [w.put(METRIC), w.call("GetDashboard", DashboardName=w.name)]),
    Case("GetDashboard", "absent", lambda w: w.call("GetDashboard", DashboardName=ABSENT), "ResourceNotFound"),
    Case("ListDashboards", "own", lambda w: [w.put(METRIC), w.call("ListDashboards", DashboardNamePrefix=w.name)]),
    Case("ListDashboards", "other token", lambda w: w.call("ListDashboards", NextToken="x"), "InvalidParameterValue"),
    Case("DeleteDashboards", "own", lambda w: [w.put(METRIC), w.call("DeleteDashboards", DashboardNames=[w.name])]),
    Case("DeleteDashboards", "absent", lambda w: w.call("DeleteDashboards", DashboardNames=[ABSENT]), "ResourceNotFound"),
    Case("TagResource", "own", lambda w: w.call("TagResource", ResourceARN=w.arn(), Tags=[{"Key": "c", "Value": "d"}])),
    Case("TagResource", "absent", lambda w: w.call("TagResource", ResourceARN=ABSENT_ARN, Tags=TAGS), "ResourceNotFoundException"),
    Case("UntagResource", "own", lambda w: w.call("UntagResource", ResourceARN=w.arn(), TagKeys=["a"])),
    Case("UntagResource", "absent", lambda w: w.call("UntagResource", ResourceARN=ABSENT_ARN, TagKeys=["a"]), "ResourceNotFoundException"),
    Case("ListTagsForResource", "own", lambda w: w.call("ListTagsForResource", ResourceARN=w.arn())["Tags"], None, TAGS),
    Case("ListTagsForResource", "absent", lambda w: w.call("ListTagsForResource", ResourceARN=ABSENT_ARN), "ResourceNotFoundException"),
]
