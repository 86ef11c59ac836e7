# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hands events to MiniStack's default event bus and messages to its SNS topics, on behalf of services of ours."""

from __future__ import annotations

import json
import logging
import typing as t
import uuid

from ministack.core.responses import request_scope
from ministack.services import eventbridge, sns

_log = logging.getLogger("localcloud.events")


def emit(account_id: str, region: str, source: str, kind: str, detail: dict[str, t.Any], resources: list[str]) -> None:
    """An event on the default bus. On the event loop."""
    entry = {
        "Source": source,
        "DetailType": kind,
        "Detail": json.dumps(detail),
        "Resources": resources,
    }
    try:
        with request_scope(account_id, region):
            eventbridge._put_events({"Entries": [entry]}, allow_aws_source=True)
    except Exception:  # what happened has happened, whether or not a rule's target could be reached
        _log.exception("%s was not told", kind)


def notify(account_id: str, region: str, topic_arn: str, subject: str, message: dict[str, t.Any]) -> None:
    """A message to the subscribers of a topic; nothing happens when the topic is gone. On the event loop."""
    try:
        with request_scope(account_id, region):
            sns._fanout(topic_arn, str(uuid.uuid4()), json.dumps(message), subject[:100])
    except Exception:
        _log.exception("%s was not told to %s", subject, topic_arn)
