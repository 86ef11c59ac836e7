# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a service may assume a role, and what the role allows; reads MiniStack's IAM and changes nothing."""

from __future__ import annotations

import json
import typing as t
import urllib.parse

from ministack.core import iam_evaluator
from ministack.core.responses import request_scope
from ministack.services import iam


class Roles:
    """The roles of one account; safe for threads as far as IAM is."""

    def __init__(self, account_id: str, region: str) -> None:
        self._account_id = account_id
        self._region = region

    def assume_problem(self, role_arn: str, principal: str) -> str | None:
        """Why the service principal (`ecs-tasks.amazonaws.com`) cannot assume this role; None when it can."""
        with request_scope(self._account_id, self._region):
            role = iam._roles.get(role_arn.rpartition("/")[2])
        if role is None or role["Arn"] != role_arn:
            return "the role does not exist"
        document = role.get("AssumeRolePolicyDocument") or {}
        if isinstance(document, str):
            document = json.loads(urllib.parse.unquote(document))
        statements = document.get("Statement") or []
        for statement in statements if isinstance(statements, list) else [statements]:
            services = (statement.get("Principal") or {}).get("Service") if isinstance(statement.get("Principal"), dict) else None
            if statement.get("Effect") == "Allow" and principal in ([services] if isinstance(services, str) else services or []):
                return None
        return f"the role does not trust {principal}"

    def denial(self, role_arn: str, session: str, action: str, resource: str) -> str | None:
        """IAM's sentence when a session of the role may not do this; None when it may."""
        name = role_arn.rpartition("/")[2]
        principal = f"arn:aws:sts::{self._account_id}:assumed-role/{name}/{session}"
        context = iam_evaluator.EvalContext(
            principal_arn=principal,
            principal_type="AssumedRole",
            principal_account=self._account_id,
            action=action,
            resource_arn=resource,
            region=self._region,
        )
        with request_scope(self._account_id, self._region):
            policies: t.Any = iam_evaluator._gather_role_policies(name, self._account_id)
            if iam_evaluator.evaluate(context, policies).decision == "Allow":
                return None
        return (
            f"User: {principal} is not authorized to perform: {action} on resource: {resource} because no identity-based policy allows "
            f"the {action} action"
        )
