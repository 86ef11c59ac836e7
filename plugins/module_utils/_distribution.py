# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""What a CloudFront distribution of a site and its API is made of, and how that is laid over what is there; pure.

Shapes are CloudFront's DistributionConfig (https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_DistributionConfig.html).
"""

from __future__ import annotations

SITE, API = "site", "api"
# Managed policies: https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-managed-cache-policies.html
CACHING_OPTIMIZED = "658327ea-f89d-4fab-a63d-7e88639e58f6"
CACHING_DISABLED = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
ALL_VIEWER_EXCEPT_HOST = "b689b0a8-53d0-40ab-baf2-68738e2966ac"
_READ = ("GET", "HEAD")
_ALL = ("GET", "HEAD", "OPTIONS", "PUT", "PATCH", "POST", "DELETE")


def wanted_config(params):
    """The part of a DistributionConfig that ``params`` (the module's options) decide."""
    config = {
        "Comment": params["name"],
        "Enabled": True,
        "DefaultRootObject": params["default_root_object"],
        "PriceClass": params["price_class"],
        "HttpVersion": "http2",
        "Aliases": _list(params["aliases"]),
        "Origins": _list([_site_origin(params)]),
        "DefaultCacheBehavior": _behaviour(SITE, CACHING_OPTIMIZED, _READ),
        "CacheBehaviors": _list([]),
        "ViewerCertificate": {"CloudFrontDefaultCertificate": True},
    }
    if params["certificate_arn"]:
        config["ViewerCertificate"] = {
            "CloudFrontDefaultCertificate": False,
            "ACMCertificateArn": params["certificate_arn"],
            "SSLSupportMethod": "sni-only",
            "MinimumProtocolVersion": "TLSv1.2_2021",
        }
    if params["api_domain_name"]:
        config["Origins"] = _list([_site_origin(params), _api_origin(params)])
        behaviour = {**_behaviour(API, CACHING_DISABLED, _ALL), "OriginRequestPolicyId": ALL_VIEWER_EXCEPT_HOST}
        config["CacheBehaviors"] = _list([{"PathPattern": pattern, **behaviour} for pattern in params["api_paths"]])
    return config


def laid_over(current, wanted):
    """``current`` with everything that ``wanted`` names set; what it does not name, such as settings added by AWS later, stays.

    Lists are {"Quantity", "Items"}: origins and behaviours are matched by their names, plain texts compare without order.
    """
    if isinstance(wanted, dict) and isinstance(current, dict):
        if "Quantity" in wanted:
            return _list_over(current, wanted)
        if "CloudFrontDefaultCertificate" in wanted:  # what belongs to one kind of certificate is an error beside the other
            return current if all(current.get(key) == value for key, value in wanted.items()) else wanted
        return {**current, **{key: laid_over(current.get(key), value) for key, value in wanted.items()}}
    return wanted


def _list_over(current, wanted):
    have, ask = current.get("Items") or [], wanted.get("Items") or []
    if all(isinstance(item, str) for item in have + ask):
        items = have if sorted(have) == sorted(ask) else ask
    else:
        named = {_name(item): item for item in have}
        items = [laid_over(named.get(_name(item)), item) for item in ask]
    rest = {key: laid_over(current.get(key), value) for key, value in wanted.items() if key not in ("Items", "Quantity")}
    return {**current, **rest, **_list(items)} if items else {**{k: v for k, v in current.items() if k != "Items"}, **rest, "Quantity": 0}


def _name(item):
    return item.get("Id") or item.get("PathPattern")


def _list(items):
    items = list(items)
    return {"Quantity": len(items), "Items": items} if items else {"Quantity": 0}


def _site_origin(params):
    return {
        "Id": SITE,
        "DomainName": params["bucket_domain_name"],
        "OriginAccessControlId": params["origin_access_control_id"],
        "S3OriginConfig": {"OriginAccessIdentity": ""},
    }


def _api_origin(params):
    return {
        "Id": API,
        "DomainName": params["api_domain_name"],
        "CustomOriginConfig": {
            "HTTPPort": 80,
            "HTTPSPort": 443,
            "OriginProtocolPolicy": "https-only" if params["api_https"] else "http-only",
            "OriginSslProtocols": _list(["TLSv1.2"]),
        },
    }


def _behaviour(origin, cache_policy, methods):
    return {
        "TargetOriginId": origin,
        "ViewerProtocolPolicy": "redirect-to-https",
        "CachePolicyId": cache_policy,
        "Compress": origin == SITE,
        "AllowedMethods": {**_list(methods), "CachedMethods": _list(_READ)},
    }
