# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""resource_owner_info: what it returns, fails with and warns of; requests checked by botocore's stubber."""

from __future__ import annotations

import contextlib

import pytest
from stubbed import Failed, Module, stubbed

from ansible_collections.bluegreen.aws.plugins.modules import resource_owner_info as module

pytestmark = pytest.mark.case("A1")

TAGS = {"bluegreen:system": "shop", "bluegreen:environment": "dev", "Name": "ignored"}
OURS = {"bluegreen:system": "shop", "bluegreen:environment": "dev"}
PROD = {"bluegreen:system": "shop", "bluegreen:environment": "prod"}


def repositories(*names, **more):
    return [
        {"type": "ecr_repository", "name": name, "variable": "", "within": "", "region": None, "existing": None, **more} for name in names
    ]


def lay_out(stubber, **there):
    for name, tags in there.items():
        if tags is None:
            stubber.add_client_error("describe_repositories", "RepositoryNotFoundException", expected_params={"repositoryNames": [name]})
            continue
        arn = f"arn:aws:ecr:ap-northeast-2:123456789012:repository/{name}"
        stubber.add_response("describe_repositories", {"repositories": [{"repositoryArn": arn}]}, {"repositoryNames": [name]})
        listed = [{"Key": key, "Value": value} for key, value in tags.items()]
        stubber.add_response("list_tags_for_resource", {"tags": listed}, {"resourceArn": arn})


def asked(client, params):
    return Module(module.argument_spec(), {"tags": TAGS, **params}, client)


def test_each_is_answered_in_one_task(monkeypatch):
    # One after another, since the stubber wants the calls in order.
    monkeypatch.setattr(module.api.concurrent.futures, "ThreadPoolExecutor", lambda max_workers: contextlib.nullcontext(Serial()))
    with stubbed("ecr") as (client, stubber):
        lay_out(stubber, ours=OURS, prod=PROD, none=None, shared=PROD)
        resources = repositories("ours", "prod", "none", "shared")
        result = module.run(asked(client, {"resources": resources, "existing": ["shared"], "existing_variable": "registry_existing"}))
    assert [(one["name"], one["verdict"], one["owner"], one["existing"]) for one in result["resources"]] == [
        ("ours", "ours", "shop-dev", False),
        ("prod", "other_environment", "shop-prod", False),
        ("none", "absent", "", False),
        ("shared", "other_environment", "shop-prod", True),
    ]
    assert result["ours"] == {"ecr_repository": ["ours"]}
    assert result["sentences"] == [result["resources"][1]["sentence"]]
    assert result["resources"][0]["arns"] == ["arn:aws:ecr:ap-northeast-2:123456789012:repository/ours"]
    assert result["changed"] is False


class Serial:
    map = staticmethod(map)


def test_a_type_of_which_nothing_is_ours_is_there_with_no_name():
    with stubbed("ecr") as (client, stubber):
        lay_out(stubber, prod=PROD)
        assert module.run(asked(client, {"resources": repositories("prod")}))["ours"] == {"ecr_repository": []}


def test_one_that_is_declared_by_itself_is_not_ours_to_remove():
    with stubbed("ecr") as (client, stubber):
        lay_out(stubber, shared=OURS)
        result = module.run(asked(client, {"resources": repositories("shared", existing=True)}))
    assert result["ours"] == {"ecr_repository": []}
    assert result["sentences"] == []


def test_an_untagged_one_is_ours_when_it_is_adopted():
    with stubbed("ecr") as (client, stubber):
        lay_out(stubber, half={})
        result = module.run(asked(client, {"resources": repositories("half"), "adopt": ["ecr_repository/half"]}))
    assert result["ours"] == {"ecr_repository": ["half"]}
    assert result["sentences"] == []


def test_the_account_stands_in_a_name(monkeypatch):
    monkeypatch.setattr(module.api, "account", lambda _client: "123456789012")
    params = {"resources": repositories("shop-{account}", "shop"), "existing": ["shop-123456789012"]}
    names = [(item["name"], item["existing"]) for item in module.named(asked(None, params))]
    assert names == [("shop-123456789012", True), ("shop", False)]


@pytest.mark.parametrize(("foreign", "warned", "failed"), [("fail", False, True), ("warn", True, False), ("report", False, False)])
def test_what_is_not_ours_ends_the_run_or_is_warned_of_or_returned(monkeypatch, foreign, warned, failed):
    sentence = "Repository prod belongs to shop-prod and this run is for shop-dev, so it is left as it is; choose another name."

    class Ended(Module):
        def fail_json(self, msg, **result):
            self.failed = msg
            raise Failed(msg)

        def exit_json(self, **result):
            self.result = result

    with stubbed("ecr") as (client, stubber):
        lay_out(stubber, prod=PROD)
        one = Ended(module.argument_spec(), {"tags": TAGS, "resources": repositories("prod"), "foreign": foreign}, client)
        monkeypatch.setattr(module, "AnsibleAWSModule", lambda **_options: one)
        with pytest.raises(Failed) if failed else contextlib.nullcontext():
            module.main()
    assert one.warnings == ([sentence] if warned else [])
    if failed:
        assert one.failed == f"{sentence} Nothing was changed."
    else:
        assert one.result["sentences"] == [sentence]


def test_the_documented_types_are_those_that_can_be_found():
    import yaml

    documented = yaml.safe_load(module.DOCUMENTATION)["options"]["resources"]["suboptions"]["type"]["choices"]
    assert documented == sorted(module.api.TYPES)
