#!/usr/bin/python
# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: acm_issued_certificate
short_description: Certificate that Amazon issues, validated by DNS
version_added: 0.1.0
description:
  - Requests a public certificate from AWS Certificate Manager and returns the DNS records that prove the names are yours.
  - P(community.aws.acm_certificate#module) only imports certificates that exist already.
author:
  - bluegreen.aws maintainers (@bluegreen-aws)
options:
  name:
    description: The C(Name) tag, by which the certificate is found again together with O(domain).
    type: str
    required: true
  domain:
    description: Name that it is for. C(*.) in front covers one more label.
    type: str
    required: true
  alternatives:
    description: Further names. A certificate with other names than these is not changed but requested anew; the old one stays.
    type: list
    elements: str
    default: []
  tags:
    description: Tags. Others that it has stay.
    type: dict
    default: {}
  state:
    description: Whether it is to exist.
    type: str
    choices: [present, absent]
    default: present
  wait:
    description: Wait until it is issued, which needs the records in V(validation_records).
    type: bool
    default: false
  wait_timeout:
    description: Seconds to wait at most.
    type: int
    default: 600
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
  - Needs C(acm:ListCertificates), C(acm:DescribeCertificate), C(acm:RequestCertificate), C(acm:DeleteCertificate),
    C(acm:AddTagsToCertificate) and C(acm:ListTagsForCertificate).
"""

EXAMPLES = r"""
- name: Ask for a certificate
  bluegreen.aws.acm_issued_certificate:
    name: chat-dev-site
    domain: chat.example.com
    region: us-east-1
  register: asked
  until: asked.certificate.validation_records | length > 0
  retries: 10
  delay: 3
"""

RETURN = r"""
certificate:
  description: The certificate. Empty when there is none, or none yet in check mode.
  returned: success
  type: dict
  contains:
    arn:
      description: ARN.
      type: str
      sample: arn:aws:acm:us-east-1:123456789012:certificate/11111111-2222-3333-4444-555555555555
    status:
      description: V(PENDING_VALIDATION) or V(ISSUED).
      type: str
      sample: ISSUED
    validation_records:
      description: CNAME records that prove the names; C(name) and C(value). AWS makes them a few seconds after the request.
      type: list
      elements: dict
"""

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.bluegreen.aws.plugins.module_utils._aws import acm as api
from ansible_collections.bluegreen.aws.plugins.module_utils._aws.client import make_client
from ansible_collections.bluegreen.aws.plugins.module_utils._aws.errors import BluegreenAWSError, fail


def observe(client, name, domain, alternatives):
    """{"arn", "names", "tags"} of the certificates with that Name tag and first name; those for exactly these names come first."""
    found = []
    for arn in api.of_domain(client, domain):
        tags = api.tags(client, arn)
        if tags.get("Name") == name:
            names = set(api.describe(client, arn).get("SubjectAlternativeNames", [])) | {domain}
            found.append({"arn": arn, "names": names, "tags": tags})
    return sorted(found, key=lambda one: one["names"] != {domain, *alternatives})


def shown(certificate):
    records = [option["ResourceRecord"] for option in certificate.get("DomainValidationOptions", []) if "ResourceRecord" in option]
    unique = {record["Name"]: record["Value"] for record in records}
    return {
        "arn": certificate["CertificateArn"],
        "status": certificate["Status"],
        "validation_records": [{"name": name, "value": value} for name, value in sorted(unique.items())],
    }


def present(client, params, found, *, check):
    """(certificate as it is returned, before, after)"""
    names = {params["domain"], *params["alternatives"]}
    tags = {"Name": params["name"], **{key: str(value) for key, value in params["tags"].items()}}
    there = found[0] if found and found[0]["names"] == names else None
    if there is None:
        after = {"names": sorted(names), "tags": tags}
        if check:
            return {}, {}, after
        arn = api.request(client, params["domain"], params["alternatives"], tags)
        return shown(api.describe(client, arn)), {}, after
    before = {"names": sorted(there["names"]), "tags": there["tags"]}
    after = {"names": sorted(names), "tags": {**there["tags"], **tags}}
    if before != after and not check:
        api.tag(client, there["arn"], tags)
    return shown(api.describe(client, there["arn"])), before, after


def absent(client, found, *, check):
    """As present(), with nothing after; every certificate of that name goes, also older ones for other names."""
    for one in found if not check else ():
        api.delete(client, one["arn"])
    return {}, {"names": sorted({name for one in found for name in one["names"]})} if found else {}, {}


def main():
    spec = {
        "name": {"type": "str", "required": True},
        "domain": {"type": "str", "required": True},
        "alternatives": {"type": "list", "elements": "str", "default": []},
        "tags": {"type": "dict", "default": {}},
        "state": {"type": "str", "default": "present", "choices": ["present", "absent"]},
        "wait": {"type": "bool", "default": False},
        "wait_timeout": {"type": "int", "default": 600},
    }
    module = AnsibleAWSModule(argument_spec=spec, supports_check_mode=True)
    params = module.params
    try:
        client = make_client(module, "acm")
        found = observe(client, params["name"], params["domain"], params["alternatives"])
        if params["state"] == "absent":
            certificate, before, after = absent(client, found, check=module.check_mode)
        else:
            certificate, before, after = present(client, params, found, check=module.check_mode)
            if params["wait"] and not module.check_mode:
                api.wait(client, certificate["arn"], params["wait_timeout"])
                certificate = shown(api.describe(client, certificate["arn"]))
    except BluegreenAWSError as exc:
        fail(module, exc)
    module.exit_json(changed=before != after, certificate=certificate, diff={"before": before, "after": after})


if __name__ == "__main__":
    main()
