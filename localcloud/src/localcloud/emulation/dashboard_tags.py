# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lets MiniStack's CloudWatch tag dashboards, as AWS does; it knows tags of alarms alone."""

from __future__ import annotations

import typing as t

from ministack.core.responses import get_account_id
from ministack.services import cloudwatch


def install() -> None:
    """Accept the ARNs of dashboards that exist, and forget their tags with them; once per process."""
    of_alarms, delete = cloudwatch._validate_alarm_tag_arn, cloudwatch._delete_dashboards

    def validate(arn: str, is_json: bool = False, is_cbor: bool = False) -> t.Any:
        return None if _dashboard(arn) in cloudwatch._dashboards else of_alarms(arn, is_json=is_json, is_cbor=is_cbor)

    def delete_and_forget(*arguments: t.Any, **more: t.Any) -> t.Any:
        answer = delete(*arguments, **more)
        for arn in [arn for arn in cloudwatch._resource_tags if _dashboard(arn)]:
            if _dashboard(arn) not in cloudwatch._dashboards:
                del cloudwatch._resource_tags[arn]
        return answer

    cloudwatch._validate_alarm_tag_arn = validate
    cloudwatch._delete_dashboards = delete_and_forget


def _dashboard(arn: str) -> str | None:
    """Name in arn:aws:cloudwatch::ACCOUNT:dashboard/NAME of this request's account; None for any other ARN."""
    head, slash, name = arn.partition(":dashboard/")
    return name if slash and head == f"arn:aws:cloudwatch::{get_account_id()}" else None
