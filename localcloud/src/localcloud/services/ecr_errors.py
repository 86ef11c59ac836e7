# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The two families of errors that ECR gives, those of its API and those of its registry, in ECR's words; no I/O."""

from __future__ import annotations

import json


class ApiError(Exception):
    """An error of the API; `code` is one that botocore's ECR model documents."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status


class RegistryError(Exception):
    """An error of the registry's HTTP API (distribution specification: status, code, message)."""

    def __init__(self, status: int, code: str, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = headers or {}

    def body(self) -> bytes:
        """The error as the registry's clients read it."""
        return json.dumps({"errors": [{"code": self.code, "message": self.message}]}).encode()


def invalid_parameter(name: str, constraint: str) -> ApiError:
    """A parameter's value breaks a rule."""
    return ApiError("InvalidParameterException", f"Invalid parameter at '{name}' failed to satisfy constraint: '{constraint}'")


def no_repository(name: str, registry_id: str) -> str:
    """The sentence that both families use for an unknown repository."""
    return f"The repository with name '{name}' does not exist in the registry with id '{registry_id}'"


def immutable_tag(name: str, tag: str) -> str:
    """The sentence that both families use for a tag that may not move."""
    return f"The image tag '{tag}' already exists in the '{name}' repository and cannot be overwritten because the tag is immutable."
