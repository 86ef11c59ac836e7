# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The distribution of a site and its API: what is wanted, checked against botocore's model, and laid over what AWS answers."""

from __future__ import annotations

import copy

import boto3
import pytest
from botocore.validate import ParamValidator

from ansible_collections.bluegreen.aws.plugins.module_utils._distribution import laid_over, wanted_config

CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/11111111-2222-3333-4444-555555555555"
PARAMS = {
    "name": "chat-dev",
    "default_root_object": "index.html",
    "price_class": "PriceClass_200",
    "aliases": [],
    "certificate_arn": "",
    "bucket_domain_name": "b.s3.ap-northeast-2.amazonaws.com",
    "origin_access_control_id": "E1",
    "api_domain_name": "lb.example",
    "api_https": False,
    "api_paths": ["/api/*", "/ws*"],
}


def answered(config):
    """The configuration as CloudFront gives it back: with defaults that nobody asked for, and lists in its own order."""
    given = copy.deepcopy(config)
    given["CallerReference"] = "once"
    given["Logging"] = {"Enabled": False, "IncludeCookies": False, "Bucket": "", "Prefix": ""}
    given["ViewerCertificate"] = {**given["ViewerCertificate"], "CertificateSource": "cloudfront", "MinimumProtocolVersion": "TLSv1"}
    for origin in given["Origins"]["Items"]:
        origin |= {"OriginPath": "", "CustomHeaders": {"Quantity": 0}, "ConnectionAttempts": 3, "OriginShield": {"Enabled": False}}
    for behaviour in [given["DefaultCacheBehavior"], *given["CacheBehaviors"].get("Items", [])]:
        behaviour |= {"SmoothStreaming": False, "TrustedSigners": {"Enabled": False, "Quantity": 0}, "GrpcConfig": {"Enabled": False}}
        behaviour["AllowedMethods"]["Items"].reverse()
    return given


def test_what_is_wanted_is_a_distribution_config_by_aws_own_model():
    model = boto3.client("cloudfront", region_name="us-east-1").meta.service_model.shape_for("DistributionConfig")
    for change in ({}, {"api_domain_name": ""}, {"aliases": ["chat.example.com"], "certificate_arn": CERTIFICATE, "api_https": True}):
        report = ParamValidator().validate({"CallerReference": "once", **wanted_config({**PARAMS, **change})}, model)
        assert not report.has_errors(), report.generate_report()


def test_viewers_get_https_only_and_the_api_is_not_cached():
    config = wanted_config(PARAMS)
    behaviours = [config["DefaultCacheBehavior"], *config["CacheBehaviors"]["Items"]]
    assert {behaviour["ViewerProtocolPolicy"] for behaviour in behaviours} == {"redirect-to-https"}
    to_api = config["CacheBehaviors"]["Items"]
    assert [(one["PathPattern"], one["TargetOriginId"]) for one in to_api] == [("/api/*", "api"), ("/ws*", "api")]
    assert all("POST" in one["AllowedMethods"]["Items"] for one in to_api)


def test_what_aws_adds_is_no_change():
    given = answered(wanted_config(PARAMS))
    assert laid_over(given, wanted_config(PARAMS)) == given


@pytest.mark.parametrize(
    ("change", "path", "value"),
    [
        ({"price_class": "PriceClass_All"}, ("PriceClass",), "PriceClass_All"),
        ({"api_domain_name": "other.example"}, ("Origins", "Items", 1, "DomainName"), "other.example"),
        ({"api_https": True}, ("Origins", "Items", 1, "CustomOriginConfig", "OriginProtocolPolicy"), "https-only"),
        ({"origin_access_control_id": "E2"}, ("Origins", "Items", 0, "OriginAccessControlId"), "E2"),
        ({"api_paths": ["/api/*"]}, ("CacheBehaviors", "Quantity"), 1),
        ({"api_domain_name": ""}, ("CacheBehaviors",), {"Quantity": 0}),
        ({"aliases": ["chat.example.com"], "certificate_arn": CERTIFICATE}, ("Aliases", "Items"), ["chat.example.com"]),
    ],
)
def test_a_change_changes_that_and_nothing_else(change, path, value):
    given = answered(wanted_config(PARAMS))
    after = laid_over(given, wanted_config({**PARAMS, **change}))
    found = after
    for step in path:
        found = found[step]
    assert found == value
    assert after["CallerReference"] == "once"
    assert after["Origins"]["Items"][0]["ConnectionAttempts"] == 3
    assert laid_over(after, wanted_config({**PARAMS, **change})) == after


def test_one_kind_of_certificate_leaves_nothing_of_the_other():
    own = wanted_config({**PARAMS, "certificate_arn": CERTIFICATE})
    assert "CertificateSource" not in laid_over(answered(wanted_config(PARAMS)), own)["ViewerCertificate"]
    assert laid_over(answered(own), wanted_config(PARAMS))["ViewerCertificate"] == {"CloudFrontDefaultCertificate": True}


def test_an_origin_that_somebody_added_goes():
    given = answered(wanted_config(PARAMS))
    given["Origins"]["Items"].append({"Id": "stray", "DomainName": "stray.example"})
    given["Origins"]["Quantity"] = 3
    assert [origin["Id"] for origin in laid_over(given, wanted_config(PARAMS))["Origins"]["Items"]] == ["site", "api"]
