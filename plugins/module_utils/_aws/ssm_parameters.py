# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""One function per Parameter Store call; knows nothing of what the parameters are for."""

from __future__ import annotations

from .._parameters import SECURE, Existing
from .errors import attempt

_BATCH = 10  # GetParameters, DeleteParameters: at most ten names a call


@attempt("list the parameters below {path} (ssm:DescribeParameters)")
def describe_parameters(client, path):
    """Metadata of every parameter below ``path``, recursively, paged."""
    below = [{"Key": "Path", "Option": "Recursive", "Values": [path]}]
    pages = client.get_paginator("describe_parameters").paginate(ParameterFilters=below)
    return [item for page in pages for item in page["Parameters"]]


@attempt("read the parameters below {path} (ssm:GetParametersByPath)")
def get_parameters_by_path(client, path, decrypt=False):
    """Every parameter below ``path``, recursively; ten a page (the API's limit)."""
    pages = client.get_paginator("get_parameters_by_path").paginate(Path=path, Recursive=True, WithDecryption=decrypt)
    return [item for page in pages for item in page["Parameters"]]


@attempt("read {names} decrypted (ssm:GetParameters)")
def get_secrets(client, names):
    """{name: value} of the named SecureStrings."""
    values = {}
    for start in range(0, len(names), _BATCH):
        answer = client.get_parameters(Names=names[start : start + _BATCH], WithDecryption=True)
        values.update((item["Name"], item["Value"]) for item in answer["Parameters"])
    return values


@attempt("list the tags of parameter {name} (ssm:ListTagsForResource)")
def list_tags(client, name):
    """{key: value} of one parameter's tags."""
    answer = client.list_tags_for_resource(ResourceType="Parameter", ResourceId=name)
    return {tag["Key"]: tag["Value"] for tag in answer["TagList"]}


@attempt("write parameter {name} (ssm:PutParameter)")
def put_parameter(client, name, **arguments):
    """Version number of the parameter after the call."""
    return client.put_parameter(Name=name, **arguments)["Version"]


@attempt("tag parameter {name} (ssm:AddTagsToResource)")
def add_tags(client, name, tags):
    tag_list = [{"Key": key, "Value": str(value)} for key, value in tags.items()]
    client.add_tags_to_resource(ResourceType="Parameter", ResourceId=name, Tags=tag_list)


@attempt("delete the parameters {names} (ssm:DeleteParameters)")
def delete_parameters(client, names):
    """Names that were deleted; a name that was gone already is no error."""
    deleted = []
    for start in range(0, len(names), _BATCH):
        deleted.extend(client.delete_parameters(Names=names[start : start + _BATCH])["DeletedParameters"])
    return deleted


def observe(client, path, *, with_tags):
    """Everything below ``path`` as Existing, sorted by name, secrets unread."""
    metadata = {item["Name"]: item for item in describe_parameters(client, path)}
    values = {item["Name"]: item for item in get_parameters_by_path(client, path)}
    found = []
    for name in sorted(values):
        value, meta = values[name], metadata.get(name, {})
        secure = value["Type"] == SECURE
        found.append(
            Existing(
                name=name,
                type=value["Type"],
                version=value["Version"],
                value=None if secure else value["Value"],
                description=meta.get("Description", ""),
                key_id=meta.get("KeyId", "") if secure else "",
                arn=value.get("ARN", ""),
                tags=list_tags(client, name) if with_tags else {},
                tier=meta.get("Tier", ""),
            )
        )
    return found
