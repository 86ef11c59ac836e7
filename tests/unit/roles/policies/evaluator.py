# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Decides requests by policies with MiniStack's evaluator; runs in the local cloud's interpreter, because MiniStack pins botocore.

Standard input: a list of {"kind", "policy", "action", "resource", "principal", "context"}; standard output: a list of true and false.
"""

from __future__ import annotations

import json
import sys

from ministack.core import iam_evaluator

ACCOUNT, REGION = "111111111111", "ap-northeast-2"


def decide(question):
    """Whether the policy allows: an identity's ("identity"), a resource's ("resource") or a role's trust in a service ("trust")."""
    problem = iam_evaluator.validate_policy_document(question["policy"]) if question["kind"] != "trust" else None
    if problem:
        raise ValueError(f"{problem}: {question['policy']}")
    context = iam_evaluator.EvalContext(
        principal_arn=f"arn:aws:sts::{ACCOUNT}:assumed-role/tried/session",
        principal_type="AssumedRole",
        principal_account=ACCOUNT,
        action=question["action"],
        resource_arn=question["resource"],
        region=REGION,
        service_context={key.lower(): value for key, value in question["context"].items()},
    )
    if question["kind"] == "identity":
        result = iam_evaluator.evaluate(context, [iam_evaluator.parse_policy_document(question["policy"])])
    else:
        # A service's principal is no role of the account; statements about AWS principals must not count for it.
        context.principal_arn = question["principal"]
        policy = question["policy"]
        if question["kind"] == "trust":
            policy = {"Statement": [{**one, "Resource": "*"} for one in policy["Statement"]]}
        result = iam_evaluator.evaluate_resource_policy(policy, context, service=question["principal"])
    return result.decision == "Allow"


if __name__ == "__main__":
    json.dump([decide(question) for question in json.load(sys.stdin)], sys.stdout)
