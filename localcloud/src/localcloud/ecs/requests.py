# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads what ECS's requests have in common: types, pages, tags; pure."""

from __future__ import annotations

import base64
import binascii
import typing as t

from ..input_model import BadMember, InputModel
from .errors import invalid
from .state import Members

MOST_TAGS = 50

input_model = InputModel("ecs")


def check(operation: str, members: Members) -> None:
    """Raises ApiError(InvalidParameterException) for the first member that botocore's model does not allow."""
    try:
        input_model.check(operation, members)
    except BadMember as error:
        raise invalid(f"Invalid parameter at '{error.path}': {error.constraint}.") from error


def page(items: list[str], members: Members, most: int = 100) -> tuple[list[str], Members]:
    """One page of a list, and the nextToken member when more follow. Raises ApiError for a token not handed out here."""
    size = members.get("maxResults") or most
    if not 1 <= size <= most:
        raise invalid(f"maxResults must be between 1 and {most}.")
    start = 0
    if token := members.get("nextToken"):
        try:
            start = int(base64.urlsafe_b64decode(token.encode()).decode())
        except (binascii.Error, ValueError, UnicodeError):
            raise invalid("Invalid token.") from None
    end = start + size
    more = {"nextToken": base64.urlsafe_b64encode(str(end).encode()).decode()} if end < len(items) else {}
    return items[start:end], more


def tags_of(given: list[Members] | None, before: dict[str, str] | None = None) -> dict[str, str]:
    """The tags of a resource after adding the given ones. Raises ApiError."""
    tags = dict(before or {})
    for tag in given or []:
        key = tag.get("key")
        if not key:
            raise invalid("Tag key can not be null or empty.")
        if key.lower().startswith("aws:"):
            raise invalid("Tag keys beginning with 'aws:' are reserved for system use.")
        tags[key] = tag.get("value") or ""
    if len(tags) > MOST_TAGS:
        raise invalid(f"The number of tags exceeds the limit of {MOST_TAGS}.")
    return tags


def tag_list(tags: dict[str, str]) -> list[Members]:
    """Tags as the API shows them."""
    return [{"key": key, "value": value} for key, value in tags.items()]


def tags_if(members: Members, tags: dict[str, str]) -> Members:
    """The member `tags` when a Describe operation includes it."""
    return {"tags": tag_list(tags)} if "TAGS" in (members.get("include") or []) else {}


def present(**members: t.Any) -> Members:
    """Members of an answer without those that are None."""
    return {name: value for name, value in members.items() if value is not None}
