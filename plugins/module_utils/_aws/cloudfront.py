# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""One function per CloudFront call that origin access controls need; decides nothing."""

from __future__ import annotations

from .errors import attempt


@attempt("list origin access controls (cloudfront:ListOriginAccessControls)")
def list_controls(client):
    """Every origin access control of the account, paged by hand: botocore has no paginator for this call everywhere."""
    found, marker = [], None
    while True:
        answer = client.list_origin_access_controls(**({"Marker": marker} if marker else {}))["OriginAccessControlList"]
        found.extend(answer.get("Items", []))
        marker = answer.get("NextMarker")
        if not answer.get("IsTruncated") or not marker:
            return found


@attempt("read origin access control {control_id} (cloudfront:GetOriginAccessControl)")
def get_control(client, control_id):
    """(configuration as the API has it, ETag)."""
    answer = client.get_origin_access_control(Id=control_id)
    return answer["OriginAccessControl"]["OriginAccessControlConfig"], answer["ETag"]


@attempt("create origin access control {name} (cloudfront:CreateOriginAccessControl)")
def create_control(client, name, config):
    """The id of the new one."""
    return client.create_origin_access_control(OriginAccessControlConfig={"Name": name, **config})["OriginAccessControl"]["Id"]


@attempt("change origin access control {name} (cloudfront:UpdateOriginAccessControl)")
def update_control(client, name, control_id, etag, config):
    client.update_origin_access_control(Id=control_id, IfMatch=etag, OriginAccessControlConfig={"Name": name, **config})


@attempt("delete origin access control {name} (cloudfront:DeleteOriginAccessControl)")
def delete_control(client, name, control_id, etag):
    client.delete_origin_access_control(Id=control_id, IfMatch=etag)
