#!/usr/bin/python
# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: cloudfront_site
short_description: CloudFront distribution of a site in S3, with an API behind the same name
version_added: 0.1.0
description:
  - Serves a closed bucket over HTTPS through an origin access control, and sends some paths, uncached and with everything the viewer
    sent, to an API's load balancer. WebSockets pass.
  - P(community.aws.cloudfront_distribution#module) has no check mode, knows no origin access control, and reports a change each time AWS
    adds a setting. This module sets what it is told and leaves every other setting as it is.
author:
  - bluegreen.aws maintainers (@bluegreen-aws)
options:
  name:
    description: The distribution's comment and C(Name) tag, by which it is found again.
    type: str
    required: true
  bucket_domain_name:
    description: Domain name of the bucket, such as V(BUCKET.s3.ap-northeast-2.amazonaws.com). Needed for O(state=present).
    type: str
  origin_access_control_id:
    description: Origin access control that signs requests to the bucket. Needed for O(state=present).
    type: str
  default_root_object:
    description: What C(/) is.
    type: str
    default: index.html
  api_domain_name:
    description: Domain name of the API's load balancer. Empty is none.
    type: str
    default: ""
  api_https:
    description: Whether the API is asked over HTTPS.
    type: bool
    default: false
  api_paths:
    description: Path patterns that go to the API.
    type: list
    elements: str
    default: ["/api/*", "/ws*"]
  aliases:
    description: Other names of the site; O(certificate_arn) must cover them.
    type: list
    elements: str
    default: []
  certificate_arn:
    description: Certificate in ACM in V(us-east-1). Empty means CloudFront's own, for its own name.
    type: str
    default: ""
  price_class:
    description: Where in the world it is served from.
    type: str
    choices: [PriceClass_100, PriceClass_200, PriceClass_All]
    default: PriceClass_200
  tags:
    description: Tags. Others that it has stay.
    type: dict
    default: {}
  state:
    description: V(absent) disables the distribution, waits until that has arrived everywhere, and deletes it.
    type: str
    choices: [present, absent]
    default: present
  wait:
    description: With O(state=present), wait until all edge locations have it; that takes minutes.
    type: bool
    default: false
  wait_timeout:
    description: Seconds to wait at most.
    type: int
    default: 1800
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - bluegreen.aws.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
notes:
  - Needs C(cloudfront:ListDistributions), C(cloudfront:GetDistribution), C(cloudfront:CreateDistribution),
    C(cloudfront:UpdateDistribution), C(cloudfront:DeleteDistribution), C(cloudfront:TagResource) and C(cloudfront:ListTagsForResource).
"""

EXAMPLES = r"""
- name: The chat page, and its API behind the same name
  bluegreen.aws.cloudfront_site:
    name: chat-dev
    bucket_domain_name: chat-dev-site-123456789012.s3.ap-northeast-2.amazonaws.com
    origin_access_control_id: E2QWRUHEXAMPLE
    api_domain_name: chat-dev-1234567890.ap-northeast-2.elb.amazonaws.com
"""

RETURN = r"""
cloudfront_site:
  description: The distribution. Empty when there is none, or none yet in check mode.
  returned: success
  type: dict
  contains:
    id:
      description: Its id.
      type: str
      sample: E1A2B3C4D5E6F7
    arn:
      description: Its ARN.
      type: str
      sample: arn:aws:cloudfront::123456789012:distribution/E1A2B3C4D5E6F7
    domain_name:
      description: CloudFront's own name for it.
      type: str
      sample: d111111abcdef8.cloudfront.net
    status:
      description: V(Deployed) or V(InProgress).
      type: str
      sample: InProgress
"""

import uuid

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.bluegreen.aws.plugins.module_utils._aws import distributions as api
from ansible_collections.bluegreen.aws.plugins.module_utils._aws.client import make_client
from ansible_collections.bluegreen.aws.plugins.module_utils._aws.errors import BluegreenAWSError, fail
from ansible_collections.bluegreen.aws.plugins.module_utils._distribution import laid_over, wanted_config


def observe(client, name):
    """{"distribution", "etag", "tags"} of the distribution with that comment, or None. Two of one name are an error."""
    found = api.named(client, name)
    if len(found) > 1:
        raise BluegreenAWSError(message=f"Distributions {', '.join(found)} are both called {name}; remove or rename one of them")
    if not found:
        return None
    distribution, etag = api.get(client, found[0])
    return {"distribution": distribution, "etag": etag, "tags": api.tags(client, distribution["ARN"])}


def shown(distribution):
    if not distribution:
        return {}
    keys = {"id": "Id", "arn": "ARN", "domain_name": "DomainName", "status": "Status"}
    return {key: distribution[name] for key, name in keys.items()}


def present(client, params, there, *, check):
    """(distribution as the module returns it, before, after)"""
    tags = {"Name": params["name"], **{key: str(value) for key, value in params["tags"].items()}}
    wanted = wanted_config(params)
    if there is None:
        after = {"config": wanted, "tags": tags}
        made = None if check else api.create(client, params["name"], {"CallerReference": str(uuid.uuid4()), **wanted}, tags)
        return shown(made), {}, after
    distribution = there["distribution"]
    before = {"config": distribution["DistributionConfig"], "tags": there["tags"]}
    after = {"config": laid_over(before["config"], wanted), "tags": {**there["tags"], **tags}}
    if not check and after["config"] != before["config"]:
        distribution, _etag = api.update(client, distribution["Id"], there["etag"], after["config"])
    if not check and after["tags"] != before["tags"]:
        api.tag(client, distribution["ARN"], tags)
    return shown(distribution), before, after


def absent(client, params, there, *, check):
    """As present(), with nothing after."""
    if there is None:
        return {}, {}, {}
    distribution, etag = there["distribution"], there["etag"]
    before = {"config": distribution["DistributionConfig"], "tags": there["tags"]}
    if not check:
        if distribution["DistributionConfig"]["Enabled"]:
            _distribution, etag = api.update(client, distribution["Id"], etag, {**distribution["DistributionConfig"], "Enabled": False})
        api.wait(client, distribution["Id"], params["wait_timeout"])
        _distribution, etag = api.get(client, distribution["Id"])
        api.delete(client, distribution["Id"], etag)
    return {}, before, {}


def main():
    spec = {
        "name": {"type": "str", "required": True},
        "bucket_domain_name": {"type": "str"},
        "origin_access_control_id": {"type": "str"},
        "default_root_object": {"type": "str", "default": "index.html"},
        "api_domain_name": {"type": "str", "default": ""},
        "api_https": {"type": "bool", "default": False},
        "api_paths": {"type": "list", "elements": "str", "default": ["/api/*", "/ws*"]},
        "aliases": {"type": "list", "elements": "str", "default": []},
        "certificate_arn": {"type": "str", "default": ""},
        "price_class": {"type": "str", "default": "PriceClass_200", "choices": ["PriceClass_100", "PriceClass_200", "PriceClass_All"]},
        "tags": {"type": "dict", "default": {}},
        "state": {"type": "str", "default": "present", "choices": ["present", "absent"]},
        "wait": {"type": "bool", "default": False},
        "wait_timeout": {"type": "int", "default": 1800},
    }
    needed = [("state", "present", ["bucket_domain_name", "origin_access_control_id"])]
    module = AnsibleAWSModule(argument_spec=spec, required_if=needed, supports_check_mode=True)
    params = module.params
    if params["aliases"] and not params["certificate_arn"]:
        said = "has aliases and no certificate_arn; CloudFront's own certificate does not cover them."
        module.fail_json(msg=f"Distribution {params['name']} {said}")
    try:
        client = make_client(module, "cloudfront")
        there = observe(client, params["name"])
        work = present if params["state"] == "present" else absent
        site, before, after = work(client, params, there, check=module.check_mode)
        if params["state"] == "present" and params["wait"] and not module.check_mode:
            api.wait(client, site["id"], params["wait_timeout"])
            site = shown(api.get(client, site["id"])[0])
    except BluegreenAWSError as exc:
        fail(module, exc)
    module.exit_json(changed=before != after, cloudfront_site=site, diff={"before": before, "after": after})


if __name__ == "__main__":
    main()
