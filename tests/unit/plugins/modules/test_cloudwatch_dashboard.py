# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The calls of the module, one by one."""

from __future__ import annotations

import json

import pytest
import yaml
from stubbed import Module, stubbed

from ansible_collections.bluegreen.aws.plugins.module_utils._dashboard import DashboardError
from ansible_collections.bluegreen.aws.plugins.modules import cloudwatch_dashboard as subject

ARN = "arn:aws:cloudwatch::123456789012:dashboard/chat"
BODY = {"widgets": [{"type": "text", "properties": {"markdown": "hello"}}]}


def run(client, check_mode=False, **params):
    module = Module(subject.argument_spec(), {"name": "chat", **params}, client, check_mode=check_mode)
    return {**subject.run(module), "warnings": module.warnings}


def present(stubber, body=None):
    answer = {"DashboardName": "chat", "DashboardArn": ARN, "DashboardBody": json.dumps(body or BODY, indent=1)}
    stubber.add_response("get_dashboard", answer, {"DashboardName": "chat"})


def absent(stubber):
    stubber.add_client_error("get_dashboard", "ResourceNotFound", "Dashboard chat does not exist", 404)


def test_documentation_and_options_agree():
    documented = yaml.safe_load(subject.DOCUMENTATION)["options"]
    assert {name: entry["type"] for name, entry in documented.items()} == {
        name: entry["type"] for name, entry in subject.argument_spec().items()
    }


def test_the_same_body_in_other_words_is_no_change():
    with stubbed("cloudwatch") as (client, stubber):
        present(stubber)
        result = run(client, body='{"widgets":[{"properties":{"markdown":"hello"},"type":"text"}]}')
    assert (result["changed"], result["cloudwatch_dashboard"]["body"]) == (False, BODY)


def test_creation_warns_of_what_cloudwatch_objects_to():
    with stubbed("cloudwatch") as (client, stubber):
        absent(stubber)
        stubber.add_response(
            "put_dashboard",
            {"DashboardValidationMessages": [{"DataPath": "/widgets/0", "Message": "odd"}]},
            {"DashboardName": "chat", "DashboardBody": '{"widgets":[{"properties":{"markdown":"hello"},"type":"text"}]}'},
        )
        present(stubber)
        result = run(client, body=json.dumps(BODY))
    assert result["changed"]
    assert result["validation_messages"] == ["/widgets/0: odd"]
    assert result["warnings"] == ["CloudWatch objects to dashboard chat: /widgets/0: odd"]
    assert result["cloudwatch_dashboard"]["arn"] == ARN


def test_check_mode_only_looks():
    with stubbed("cloudwatch") as (client, stubber):
        present(stubber)
        result = run(client, check_mode=True, body='{"widgets": []}')
    assert result["changed"]
    assert result["diff"][0]["before"].startswith('{\n  "widgets": [\n')
    assert result["diff"][0]["after"] == '{\n  "widgets": []\n}\n'


def test_a_refused_body_is_explained():
    with stubbed("cloudwatch") as (client, stubber), pytest.raises(DashboardError) as caught:
        absent(stubber)
        stubber.add_client_error(
            "put_dashboard", "InvalidParameterInput", "The dashboard body is invalid",
            modeled_fields={"dashboardValidationMessages": [{"DataPath": "/widgets/0", "Message": "Should have type"}]},
        )  # fmt: skip
        run(client, body='{"widgets": [{}]}')
    assert str(caught.value) == (
        "Failed to write dashboard chat (cloudwatch:PutDashboard): the body is invalid: /widgets/0: Should have type. Correct these parts."
    )


def test_tags_alone_can_change():
    with stubbed("cloudwatch") as (client, stubber):
        present(stubber)
        stubber.add_response("list_tags_for_resource", {"Tags": [{"Key": "a", "Value": "1"}]}, {"ResourceARN": ARN})
        stubber.add_response("untag_resource", {}, {"ResourceARN": ARN, "TagKeys": ["a"]})
        stubber.add_response("tag_resource", {}, {"ResourceARN": ARN, "Tags": [{"Key": "b", "Value": "2"}]})
        result = run(client, body=json.dumps(BODY), tags={"b": 2})
    assert result["cloudwatch_dashboard"]["tags"] == {"b": "2"}


def test_removal():
    with stubbed("cloudwatch") as (client, stubber):
        present(stubber)
        stubber.add_response("delete_dashboards", {}, {"DashboardNames": ["chat"]})
        result = run(client, state="absent")
    assert (result["changed"], result["cloudwatch_dashboard"]) == (True, {})
    with stubbed("cloudwatch") as (client, stubber):
        absent(stubber)
        assert run(client, state="absent")["changed"] is False
