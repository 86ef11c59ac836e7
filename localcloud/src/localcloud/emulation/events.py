# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hands events to MiniStack's default event bus and messages to its SNS topics, on behalf of services of ours."""

from __future__ import annotations

import datetime
import json
import typing as t
import uuid

from ministack.core.responses import request_scope
from ministack.services import eventbridge, sns


def emit(account_id: str, region: str, source: str, kind: str, detail: dict[str, t.Any], resources: list[str]) -> None:
    """An event on the default bus. On the event loop."""
    entry = {
        "Source": source,
        "DetailType": kind,
        "Detail": json.dumps(detail),
        "Resources": resources,
        "Time": datetime.datetime.now(datetime.UTC).timestamp(),
    }
    with request_scope(account_id, region):
        eventbridge._put_events({"Entries": [entry]}, allow_aws_source=True)


def notify(account_id: str, region: str, topic_arn: str, subject: str, message: dict[str, t.Any]) -> None:
    """A message to the subscribers of a topic; nothing happens when the topic is gone. On the event loop."""
    with request_scope(account_id, region):
        sns._fanout(topic_arn, str(uuid.uuid4()), json.dumps(message), subject[:100])
