# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The calls of the module, one by one."""

from __future__ import annotations

import pytest
import yaml
from stubbed import Module, stubbed

from ansible_collections.bluegreen.aws.plugins.module_utils._aws.errors import BluegreenAWSError, sentence
from ansible_collections.bluegreen.aws.plugins.modules import cloudfront_origin_access_control as subject

CONFIG = {
    "Name": "chat", "Description": "site", "SigningProtocol": "sigv4", "SigningBehavior": "always", "OriginAccessControlOriginType": "s3",
}  # fmt: skip


def run(client, check_mode=False, **params):
    return subject.run(Module(subject.argument_spec(), {"name": "chat", **params}, client, check_mode=check_mode))


def page(*names, marker=None):
    items = [{"Id": f"E-{name}", **CONFIG, "Name": name} for name in names]
    more = {"NextMarker": marker} if marker else {}
    return {
        "OriginAccessControlList": {
            "Marker": "",
            "MaxItems": 100,
            "IsTruncated": bool(marker),
            "Quantity": len(items),
            "Items": items,
            **more,
        }
    }


def present(stubber):
    stubber.add_response("list_origin_access_controls", page("other", marker="m"), {})
    stubber.add_response("list_origin_access_controls", page("chat"), {"Marker": "m"})
    answer = {"OriginAccessControl": {"Id": "E-chat", "OriginAccessControlConfig": CONFIG}, "ETag": "tag"}
    stubber.add_response("get_origin_access_control", answer, {"Id": "E-chat"})


def test_documentation_and_options_agree():
    documented = yaml.safe_load(subject.DOCUMENTATION)["options"]
    spec = subject.argument_spec()
    assert documented.keys() == spec.keys()
    for name, entry in spec.items():
        assert (documented[name]["type"], documented[name].get("choices"), documented[name].get("default")) == (
            entry["type"],
            entry.get("choices"),
            entry.get("default"),
        )


def test_nothing_to_do():
    with stubbed("cloudfront") as (client, stubber):
        present(stubber)
        result = run(client)
    assert result["changed"] is False
    assert result["origin_access_control"]["id"] == "E-chat"


def test_creation():
    with stubbed("cloudfront") as (client, stubber):
        stubber.add_response("list_origin_access_controls", page("other"), {})
        answer = {"OriginAccessControl": {"Id": "E-new", "OriginAccessControlConfig": CONFIG}}
        stubber.add_response("create_origin_access_control", answer, {"OriginAccessControlConfig": CONFIG})
        result = run(client, description="site")
    assert (result["changed"], result["origin_access_control"]["id"], result["diff"]["before"]) == (True, "E-new", {})


def test_change_names_the_version_that_was_read():
    with stubbed("cloudfront") as (client, stubber):
        present(stubber)
        wanted = {**CONFIG, "SigningBehavior": "no-override"}
        stubber.add_response("update_origin_access_control", {}, {"Id": "E-chat", "IfMatch": "tag", "OriginAccessControlConfig": wanted})
        result = run(client, signing_behavior="no-override")
    assert result["diff"]["after"]["signing_behavior"] == "no-override"


def test_check_mode_only_looks():
    with stubbed("cloudfront") as (client, stubber):
        present(stubber)
        assert run(client, check_mode=True, state="absent")["changed"]


def test_one_that_is_in_use_stays():
    with stubbed("cloudfront") as (client, stubber), pytest.raises(BluegreenAWSError) as caught:
        present(stubber)
        stubber.add_client_error("delete_origin_access_control", "OriginAccessControlInUse", "It is in use.", 409)
        run(client, state="absent")
    assert sentence(caught.value) == (
        "Failed to delete origin access control chat (cloudfront:DeleteOriginAccessControl): An error occurred (OriginAccessControlInUse) "
        "when calling the DeleteOriginAccessControl operation: It is in use. "
        "Remove it from the origins of every distribution first, or remove the distributions."
    )
