# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tags of dashboards: those that exist take them, they go with the dashboard, and alarms are judged as before."""

from __future__ import annotations

import pytest
from ministack.core.responses import get_account_id
from ministack.services import cloudwatch

from localcloud.emulation import dashboard_tags


@pytest.fixture
def arn(monkeypatch):
    for name in ("_validate_alarm_tag_arn", "_delete_dashboards"):
        monkeypatch.setattr(cloudwatch, name, getattr(cloudwatch, name))
    dashboard_tags.install()
    cloudwatch._dashboards["chat-dev"] = {"DashboardName": "chat-dev", "DashboardBody": "{}"}
    yield f"arn:aws:cloudwatch::{get_account_id()}:dashboard/chat-dev"
    cloudwatch._dashboards.pop("chat-dev", None)
    cloudwatch._resource_tags.clear()


def call(function, **request):
    status, _headers, body = function({}, request, False, is_json=True)
    return status, body


def test_a_dashboard_keeps_its_tags_until_it_is_deleted(arn):
    assert call(cloudwatch._tag_resource, ResourceARN=arn, Tags=[{"Key": "owner", "Value": "kim"}])[0] == 200
    assert b'"owner"' in call(cloudwatch._list_tags_for_resource, ResourceARN=arn)[1]
    assert call(cloudwatch._delete_dashboards, DashboardNames=["chat-dev"])[0] == 200
    assert arn not in cloudwatch._resource_tags


@pytest.mark.parametrize("part", ["dashboard/none", "alarm:none"])
def test_what_does_not_exist_takes_none(arn, part):
    status, body = call(cloudwatch._tag_resource, ResourceARN=arn.replace("dashboard/chat-dev", part), Tags=[])
    assert (status, b"not found" in body) == (404, True)
