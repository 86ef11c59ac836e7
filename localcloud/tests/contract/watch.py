# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lets every boto3 client of the test process validate the answers it gets from handlers of ours; changes no answer."""

from __future__ import annotations

import collections
import os
import typing as t

import botocore.session

from .answers import Answer, error_code, problems_of

OURS = frozenset(
    {
        "ec2",
        "autoscaling",
        "resourcegroupstaggingapi",
        "ssm",
        "ecr",
        "ecs",
        "elasticache",
        "rds",
        "elbv2",
        "acm",
        "application-autoscaling",
    }
)
"""botocore's names of the services that the local cloud answers itself; the other ones are MiniStack's."""

PARTLY: dict[str, frozenset[str]] = {
    "route53": frozenset({"GetDNSSEC"}),
    "cloudfront": frozenset({"DeleteOriginAccessControl"}),
    "cloudwatch": frozenset(
        {"PutDashboard", "GetDashboard", "ListDashboards", "DeleteDashboards", "TagResource", "UntagResource", "ListTagsForResource"}
    ),
}
"""Services of which the local cloud answers only these operations itself."""

seen: collections.Counter[tuple[str, str, str | None]] = collections.Counter()
"""How often (service, operation, error code or None) was answered in this process."""


LOG = "LOCALCLOUD_CONTRACT_LOG"
"""Names a file to which every validated answer adds a line `service operation code-or-dash`; for processes other than the tests'."""


class ContractBroken(AssertionError):
    """An answer is one that AWS would not give."""


def install() -> None:
    """Watch all clients that are created from now on; a second call changes nothing."""
    create_client = botocore.session.Session.create_client
    if getattr(create_client, "watched", False):
        return

    def create_watched_client(session: botocore.session.Session, *args: t.Any, **options: t.Any) -> t.Any:
        client = create_client(session, *args, **options)
        watch(client)
        return client

    create_watched_client.watched = True  # type: ignore[attr-defined]
    botocore.session.Session.create_client = create_watched_client  # type: ignore[method-assign]


def watch(client: t.Any) -> None:
    """Validate what this client gets, if the service is one of ours. A broken contract raises ContractBroken out of the call."""
    if client.meta.service_model.service_name in OURS | set(PARTLY):
        service_id = client.meta.service_model.service_id.hyphenize()
        client.meta.events.register(f"before-parse.{service_id}", _validate, unique_id="localcloud-contract")


def _validate(operation_model: t.Any, response_dict: dict[str, t.Any], **_: t.Any) -> None:
    only = PARTLY.get(operation_model.service_model.service_name)
    if only is not None and operation_model.name not in only:
        return
    headers = {name.lower(): value for name, value in response_dict["headers"].items()}
    answer = Answer(response_dict["status_code"], headers, response_dict["body"])
    problems = problems_of(operation_model, answer)
    if problems:
        listed = "\n  ".join(problems)
        raise ContractBroken(f"{operation_model.service_model.service_name} breaks its contract:\n  {listed}\nin {answer.body[:2000]!r}")
    code = error_code(operation_model, answer)
    seen[operation_model.service_model.service_name, operation_model.name, code] += 1
    if os.environ.get(LOG):
        with open(os.environ[LOG], "a", encoding="utf-8") as file:
            file.write(f"{operation_model.service_model.service_name} {operation_model.name} {code or '-'}\n")
