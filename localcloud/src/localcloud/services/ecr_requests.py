# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads what ECR's requests have in common: pages, tags, tag mutability, image identifiers; pure."""

from __future__ import annotations

import base64
import json
import re
import typing as t

from .ecr_errors import ApiError, invalid_parameter
from .ecr_state import ImageRecord, Repository

Members = dict[str, t.Any]


def mutability_of(members: Members) -> tuple[str, list[dict[str, str]]]:
    """The tag mutability and its exclusions that a request asks for."""
    mutability = members.get("imageTagMutability", "MUTABLE")
    exclusions = members.get("imageTagMutabilityExclusionFilters", [])
    if mutability.endswith("_WITH_EXCLUSION") is not bool(exclusions):
        raise invalid_parameter("imageTagMutabilityExclusionFilters", f"filters and imageTagMutability '{mutability}' do not go together")
    return mutability, exclusions


def exclusion_filters(repository: Repository) -> Members:
    """The exclusions as a member of an answer; absent when there are none."""
    return {"imageTagMutabilityExclusionFilters": repository.exclusions} if repository.exclusions else {}


def checked_tags(given: list[Members], before: dict[str, str] | None = None) -> dict[str, str]:
    """The tags of a repository after adding the given ones. Raises ApiError."""
    tags = dict(before or {})
    for tag in given:
        if tag["Key"].lower().startswith("aws:"):
            raise ApiError("InvalidTagParameterException", f"The tag key '{tag['Key']}' begins with the reserved prefix 'aws:'")
        tags[tag["Key"]] = tag["Value"]
    if len(tags) > 50:
        raise ApiError("TooManyTagsException", f"A repository can have at most 50 tags, and this would make {len(tags)}")
    return tags


def has_status(image: ImageRecord, members: Members) -> bool:
    """Whether an image passes a request's filter."""
    wanted = members.get("filter", {})
    if wanted.get("imageStatus", "ACTIVE") not in ("ACTIVE", "ANY"):
        return False
    status = wanted.get("tagStatus", "ANY")
    return status == "ANY" or (status == "TAGGED") is bool(image.tags)


def names_of(image: ImageRecord) -> list[str | None]:
    """Tags under which an image is listed; None for one that has no tag."""
    return [*image.tags] or [None]


def image_id_of(image: ImageRecord, tag: str | None) -> Members:
    """An ImageIdentifier."""
    return {"imageDigest": image.digest, **({"imageTag": tag} if tag else {})}


def failure_of(image_id: Members, code: str, reason: str) -> Members:
    """An ImageFailure."""
    return {"imageId": image_id, "failureCode": code, "failureReason": reason}


def find_image(repository: Repository, image_id: Members) -> tuple[ImageRecord | None, Members | None]:
    """The image that an identifier names, or the failure that says why there is none."""
    digest, tag = image_id.get("imageDigest"), image_id.get("imageTag")
    if digest is None and tag is None:
        return None, failure_of(image_id, "MissingDigestAndTag", "Invalid request parameters: both tag and digest cannot be null")
    if digest is not None and not re.fullmatch(r"sha256:[0-9a-f]{64}", digest):
        reason = "Invalid request parameters: image digest should satisfy the regex '[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+'"
        return None, failure_of(image_id, "InvalidImageDigest", reason)
    image = repository.resolve(digest or str(tag))
    if image is None:
        return None, failure_of(image_id, "ImageNotFound", "Requested image not found")
    if digest is not None and tag is not None and tag not in image.tags:
        return None, failure_of(image_id, "ImageTagDoesNotMatchDigest", "Invalid request parameters: tag does not match the digest")
    return image, None


def one_page(keys: list[str], members: Members, *, default: int) -> tuple[list[str], Members]:
    """One page of an ordered list; the token names the last key given, so that what is deleted meanwhile shifts nothing."""
    start = 0
    token = members.get("nextToken")
    if token:
        try:
            position = json.loads(base64.b64decode(token, validate=True))
            start = keys.index(position["after"]) + 1 if position["after"] in keys else position["start"]
        except (ValueError, KeyError, TypeError) as error:
            raise invalid_parameter("nextToken", "Invalid token") from error
    size = members.get("maxResults", default)
    page = keys[start : start + size]
    if start + size >= len(keys):
        return page, {}
    following = json.dumps({"after": page[-1], "start": start + size - 1})
    return page, {"nextToken": base64.b64encode(following.encode()).decode()}
