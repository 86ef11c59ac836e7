# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""boot_log_info: what of a log are boots, and how they ended."""

from __future__ import annotations

import json

import pytest
from stubbed import stubbed

from ansible_collections.bluegreen.aws.plugins.module_utils._aws import boots
from ansible_collections.bluegreen.aws.plugins.module_utils._aws.errors import BluegreenAWSError

ASKED = {"logGroupName": "/wealist/prod/backend/boot", "filterPattern": "boot_outcome", "startTime": 400_000}


def event(instance, seconds, message):
    text = message if isinstance(message, str) else json.dumps(message)
    return {"logStreamName": instance, "timestamp": seconds * 1000, "message": text}


def run(client):
    return boots.of_log_group(client, "/wealist/prod/backend/boot", 600, clock=lambda: 1000.0)


def test_the_newest_first_and_only_boots():
    events = [
        event("i-1", 900, {"message": "boot_outcome", "outcome": "in service", "why": ""}),
        event("i-2", 950, {"message": "boot_outcome", "outcome": "failed", "why": "Cannot write .env"}),
        event("i-2", 960, "somebody prints boot_outcome"),
        event("i-2", 961, '"boot_outcome"'),
        event("i-2", 962, {"message": "said boot_outcome"}),
    ]
    with stubbed("logs") as (client, stubber):
        stubber.add_response("filter_log_events", {"events": events}, ASKED)
        assert run(client) == [
            {"instance": "i-2", "outcome": "failed", "why": "Cannot write .env", "age": 50},
            {"instance": "i-1", "outcome": "in service", "why": "", "age": 100},
        ]


def test_no_log_group_is_no_boot():
    with stubbed("logs") as (client, stubber):
        stubber.add_client_error("filter_log_events", "ResourceNotFoundException", "no")
        assert run(client) == []


def test_another_error_names_the_group_and_the_call():
    with stubbed("logs") as (client, stubber):
        stubber.add_client_error("filter_log_events", "AccessDeniedException", "no")
        with pytest.raises(BluegreenAWSError) as caught:
            run(client)
    assert caught.value.message == "Failed to read log group /wealist/prod/backend/boot (logs:FilterLogEvents)"
