# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks the texts of repository and lifecycle policies, as ECR does when they are set; evaluates none."""

from __future__ import annotations

import json
import typing as t

from .ecr_errors import ApiError, invalid_parameter

_COUNT_TYPES = ("imageCountMoreThan", "sinceImagePushed", "sinceImagePulled", "sinceImageTransitioned")
_TAG_STATUSES = ("tagged", "untagged", "any")
_ACTIONS = ("expire", "transition")


def check_repository_policy(text: str) -> None:
    """Raises ApiError for a text that is no policy document."""
    statements = _object("PolicyText", text, "Invalid repository policy provided").get("Statement")
    if isinstance(statements, dict):
        statements = [statements]
    if not isinstance(statements, list) or not all(isinstance(statement, dict) and "Effect" in statement for statement in statements):
        raise invalid_parameter("PolicyText", "Invalid repository policy provided")


def check_lifecycle_policy(text: str) -> None:
    """Raises ApiError for a text that is no lifecycle policy; the message names the rule and what is wrong with it."""
    rules = _object("LifecyclePolicyText", text, "Lifecycle policy validation failure: the text is not a JSON object").get("rules")
    if not isinstance(rules, list) or not rules or not all(isinstance(rule, dict) for rule in rules):
        raise _bad('object has missing required properties (["rules"])')
    priorities = [rule.get("rulePriority") for rule in rules]
    if len(set(map(str, priorities))) != len(priorities):
        raise _bad("rule priorities must be unique")
    for rule in rules:
        _rule(rule)


def _rule(rule: dict[str, t.Any]) -> None:
    name = f"rule {rule.get('rulePriority')}"
    selection, action = rule.get("selection"), rule.get("action")
    if not isinstance(rule.get("rulePriority"), int) or isinstance(rule["rulePriority"], bool) or rule["rulePriority"] < 1:
        raise _bad(f"{name}: rulePriority must be a positive integer")
    if not isinstance(selection, dict) or not isinstance(action, dict):
        raise _bad(f"{name}: selection and action are required")
    if action.get("type") not in _ACTIONS:
        raise _bad(f"{name}: action.type must be one of {', '.join(_ACTIONS)}")
    if selection.get("tagStatus") not in _TAG_STATUSES:
        raise _bad(f"{name}: selection.tagStatus must be one of {', '.join(_TAG_STATUSES)}")
    if selection.get("countType") not in _COUNT_TYPES:
        raise _bad(f"{name}: selection.countType must be one of {', '.join(_COUNT_TYPES)}")
    number = selection.get("countNumber")
    if not isinstance(number, int) or isinstance(number, bool) or number < 1:
        raise _bad(f"{name}: selection.countNumber must be a positive integer")
    if (selection["countType"] != "imageCountMoreThan") is not (selection.get("countUnit") == "days"):
        raise _bad(f"{name}: selection.countUnit is 'days' with a countType in time, and absent with imageCountMoreThan")
    chosen = "tagPrefixList" in selection or "tagPatternList" in selection
    if chosen is not (selection["tagStatus"] == "tagged"):
        raise _bad(f"{name}: tagPrefixList or tagPatternList goes with tagStatus 'tagged', and only with it")


def _object(parameter: str, text: str, otherwise: str) -> dict[str, t.Any]:
    try:
        document = json.loads(text)
    except ValueError as error:
        raise invalid_parameter(parameter, otherwise) from error
    if not isinstance(document, dict):
        raise invalid_parameter(parameter, otherwise)
    return document


def _bad(what: str) -> ApiError:
    return invalid_parameter("LifecyclePolicyText", f"Lifecycle policy validation failure: {what}")
