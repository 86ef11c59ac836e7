# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cloudfront_site: create, again, change, remove, each in check mode first; every request checked against botocore's model."""

from __future__ import annotations

import copy

import boto3
import pytest
import yaml

from ansible_collections.bluegreen.aws.plugins.module_utils._aws.errors import BluegreenAWSError
from ansible_collections.bluegreen.aws.plugins.modules import cloudfront_site as module

PARAMS = {
    "name": "chat-dev",
    "bucket_domain_name": "b.s3.ap-northeast-2.amazonaws.com",
    "origin_access_control_id": "E1",
    "default_root_object": "index.html",
    "api_domain_name": "lb.example",
    "api_https": False,
    "api_paths": ["/api/*", "/ws*"],
    "aliases": [],
    "certificate_arn": "",
    "price_class": "PriceClass_200",
    "tags": {"bluegreen:system": "chat"},
    "wait_timeout": 10,
}


class CloudFront:
    """CloudFront with one account's distributions in memory; requests are validated as botocore validates them."""

    def __init__(self):
        self.distributions, self.tags, self.calls = {}, {}, []
        self._model = boto3.client("cloudfront", region_name="us-east-1")

    def _called(self, name, **request):
        operation = self._model.meta.method_to_api_mapping[name]
        self._model._convert_to_request_dict(
            request, self._model.meta.service_model.operation_model(operation), "https://example.invalid", context={}
        )
        self.calls.append(name)

    def get_paginator(self, name):
        assert name == "list_distributions"
        items = [{"Id": key, "Comment": one["DistributionConfig"]["Comment"]} for key, one in self.distributions.items()]

        class Pages:
            @staticmethod
            def paginate():
                return [{"DistributionList": {"Items": items[:1]}}, {"DistributionList": {"Items": items[1:]}}, {"DistributionList": {}}]

        return Pages()

    def create_distribution_with_tags(self, **request):
        self._called("create_distribution_with_tags", **request)
        asked = request["DistributionConfigWithTags"]
        key = f"E{len(self.distributions)}"
        made = {"Id": key, "ARN": f"arn:{key}", "DomainName": f"{key}.cloudfront.net", "Status": "InProgress"}
        self.distributions[key] = {**made, "DistributionConfig": copy.deepcopy(asked["DistributionConfig"])}
        self.tags[f"arn:{key}"] = {tag["Key"]: tag["Value"] for tag in asked["Tags"]["Items"]}
        return {"Distribution": copy.deepcopy(self.distributions[key]), "ETag": "1"}

    def get_distribution(self, **request):
        return {"Distribution": copy.deepcopy(self.distributions[request["Id"]]), "ETag": str(len(self.calls))}

    def list_tags_for_resource(self, **request):
        return {"Tags": {"Items": [{"Key": key, "Value": value} for key, value in self.tags[request["Resource"]].items()]}}

    def update_distribution(self, **request):
        assert request["IfMatch"] == str(len(self.calls))
        self._called("update_distribution", **request)
        self.distributions[request["Id"]]["DistributionConfig"] = copy.deepcopy(request["DistributionConfig"])
        return {"Distribution": copy.deepcopy(self.distributions[request["Id"]]), "ETag": str(len(self.calls))}

    def tag_resource(self, **request):
        self._called("tag_resource", **request)
        self.tags[request["Resource"]] |= {tag["Key"]: tag["Value"] for tag in request["Tags"]["Items"]}

    def get_waiter(self, name):
        self.calls.append(name)

        class Waiter:
            @staticmethod
            def wait(**_unused):
                return None

        return Waiter()

    def delete_distribution(self, **request):
        assert not self.distributions[request["Id"]]["DistributionConfig"]["Enabled"]
        self._called("delete_distribution", **request)
        del self.distributions[request["Id"]]


def run(client, work, *, check=False, **change):
    params = {**PARAMS, **change}
    site, before, after = work(client, params, module.observe(client, params["name"]), check=check)
    return site, before != after


def test_the_four_states_of_each_change():
    client = CloudFront()
    assert run(client, module.present, check=True) == ({}, True)
    assert client.calls == []
    site, changed = run(client, module.present)
    assert (site["domain_name"], changed, client.calls) == ("E0.cloudfront.net", True, ["create_distribution_with_tags"])
    for check in (True, False):
        assert run(client, module.present, check=check)[1] is False
    assert run(client, module.present, check=True, price_class="PriceClass_All")[1] is True
    assert run(client, module.present, price_class="PriceClass_All")[1] is True
    assert run(client, module.present, price_class="PriceClass_All")[1] is False
    assert run(client, module.present, price_class="PriceClass_All", tags={"owner": "kim"})[1] is True
    assert client.tags["arn:E0"] == {"Name": "chat-dev", "bluegreen:system": "chat", "owner": "kim"}
    assert client.calls == ["create_distribution_with_tags", "update_distribution", "tag_resource"]
    assert run(client, module.absent, check=True)[1] is True
    assert run(client, module.absent)[1] is True
    assert client.calls[3:] == ["update_distribution", "distribution_deployed", "delete_distribution"]
    for check in (True, False):
        assert run(client, module.absent, check=check) == ({}, False)


def test_another_distribution_is_not_touched_and_two_of_one_name_are_an_error():
    client = CloudFront()
    run(client, module.present, name="other")
    run(client, module.present)
    assert module.observe(client, "chat-dev")["distribution"]["Id"] == "E1"
    client.distributions["E0"]["DistributionConfig"]["Comment"] = "chat-dev"
    with pytest.raises(BluegreenAWSError) as caught:
        module.observe(client, "chat-dev")
    assert caught.value.message == "Distributions E0, E1 are both called chat-dev; remove or rename one of them"


def test_the_documentation_names_what_is_returned():
    returned = module.shown({"Id": 1, "ARN": 2, "DomainName": 3, "Status": 4})
    assert set(yaml.safe_load(module.RETURN)["cloudfront_site"]["contains"]) == set(returned)
