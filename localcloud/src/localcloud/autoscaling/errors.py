# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors of Auto Scaling's API; codes are those of botocore's model, sentences those of AWS where they are known."""

from __future__ import annotations

from ..services.query_protocol import ApiError


def invalid(message: str) -> ApiError:
    """A request that cannot be done as it is."""
    return ApiError("ValidationError", message)


def exists_already(message: str) -> ApiError:
    """A name that is taken."""
    return ApiError("AlreadyExists", message)


def in_use(message: str) -> ApiError:
    """Something that others need."""
    return ApiError("ResourceInUse", message)


def busy(message: str) -> ApiError:
    """A scaling activity, or a cooldown, is in the way."""
    return ApiError("ScalingActivityInProgress", message)


class LaunchFailed(Exception):
    """EC2 refused an instance."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
