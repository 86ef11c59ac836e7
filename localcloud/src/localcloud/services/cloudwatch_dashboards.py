# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CloudWatch's operations on dashboards and their tags; holds them in memory, and draws nothing."""

from __future__ import annotations

import dataclasses
import datetime
import re
import typing as t

from ministack.services import tagging

from .cloudwatch_bodies import objections
from .query_protocol import ApiError, Members

PAGE = 1000


@dataclasses.dataclass
class Dashboard:
    """One dashboard; `body` is the text as it was given."""

    name: str
    body: str
    modified: datetime.datetime
    tags: dict[str, str] = dataclasses.field(default_factory=dict)


class InvalidBody(ApiError):
    """A body that is refused, with what is wrong in it."""

    def __init__(self, messages: list[dict[str, str]]) -> None:
        super().__init__("DashboardInvalidInputError", f"The dashboard body is invalid, there are {len(messages)} validation errors")
        self.messages = messages


class Dashboards:
    """The dashboards of one account."""

    def __init__(self, account_id: str) -> None:
        self._prefix = f"arn:aws:cloudwatch::{account_id}:dashboard/"
        self._found: dict[str, Dashboard] = {}

    def arn(self, name: str) -> str:
        return self._prefix + name

    def is_one(self, arn: str) -> bool:
        """Whether this is the ARN of a dashboard, there or not."""
        return arn.startswith(self._prefix)

    def put(self, members: Members) -> Members:
        """PutDashboard."""
        name = members["DashboardName"]
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,255}", name):
            raise InvalidBody([{"DataPath": "", "Message": f"The name {name} must be 1 to 255 letters, digits, hyphens and underscores"}])
        problems = objections(members["DashboardBody"])
        if problems:
            raise InvalidBody(problems)
        before = self._found.get(name)
        tags = before.tags if before is not None else {tag["Key"]: tag["Value"] for tag in members.get("Tags") or []}
        self._found[name] = Dashboard(name, members["DashboardBody"], datetime.datetime.now(datetime.UTC), tags)
        return {"DashboardValidationMessages": []}

    def get(self, members: Members) -> Members:
        """GetDashboard."""
        found = self._named(members["DashboardName"])
        return {"DashboardArn": self.arn(found.name), "DashboardBody": found.body, "DashboardName": found.name}

    def list(self, members: Members) -> Members:
        """ListDashboards, a thousand a page."""
        names = sorted(name for name in self._found if name.startswith(members.get("DashboardNamePrefix") or ""))
        token = members.get("NextToken") or "0"
        if not token.isdigit():
            raise ApiError("InvalidParameterValueException", f"The value {token} of NextToken is not one of ours")
        start = int(token)
        entries = [
            {
                "DashboardName": name,
                "DashboardArn": self.arn(name),
                "LastModified": self._found[name].modified,
                "Size": len(self._found[name].body.encode()),
            }
            for name in names[start : start + PAGE]
        ]
        return {"DashboardEntries": entries, **({"NextToken": str(start + PAGE)} if start + PAGE < len(names) else {})}

    def delete(self, members: Members) -> Members:
        """DeleteDashboards: all of them or, when one does not exist, none."""
        for name in members["DashboardNames"]:
            self._named(name)
        for name in members["DashboardNames"]:
            self._found.pop(name, None)
        return {}

    def _named(self, name: str) -> Dashboard:
        if name not in self._found:
            raise ApiError("DashboardNotFoundError", f"Dashboard {name} does not exist", 404)
        return self._found[name]

    # -- tags

    def tagged(self, arn: str) -> Dashboard:
        """The dashboard of this ARN."""
        name = arn.removeprefix(self._prefix)
        if name not in self._found:
            raise ApiError("ResourceNotFoundException", f"The resource {arn} does not exist", 404)
        return self._found[name]

    def tag(self, members: Members) -> Members:
        """TagResource."""
        self.tagged(members["ResourceARN"]).tags.update({tag["Key"]: tag["Value"] for tag in members["Tags"]})
        return {}

    def untag(self, members: Members) -> Members:
        """UntagResource."""
        tags = self.tagged(members["ResourceARN"]).tags
        for key in members["TagKeys"]:
            tags.pop(key, None)
        return {}

    def list_tags(self, members: Members) -> Members:
        """ListTagsForResource."""
        return {"Tags": [{"Key": key, "Value": value} for key, value in sorted(self.tagged(members["ResourceARN"]).tags.items())]}

    def install_tags(self) -> None:
        """Show the tags of dashboards in the Resource Groups Tagging API."""

        def found(arn: str) -> dict[str, str]:
            try:
                return self.tagged(arn).tags
            except ApiError as error:
                raise tagging._ResourceNotFound(arn) from error

        def collect() -> t.Iterator[tuple[str, list[dict[str, str]]]]:
            for name, dashboard in list(self._found.items()):
                if dashboard.tags:
                    yield self.arn(name), [{"Key": key, "Value": value} for key, value in dashboard.tags.items()]

        def remove(_spec: t.Any, arn: str, keys: list[str]) -> None:
            for key in keys:
                found(arn).pop(key, None)

        tagging._COLLECTORS["cloudwatch"] = collect
        tagging._WRITERS["cloudwatch"] = lambda _spec, arn, tags: found(arn).update(tags)
        tagging._REMOVERS["cloudwatch"] = remove
