# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks a request's members against botocore's model of ECR, as ECR itself would; answers nothing and changes nothing."""

from __future__ import annotations

import typing as t

from ..input_model import BadMember, InputModel
from .ecr_errors import invalid_parameter

_input = InputModel("ecr")


def check(operation: str, members: dict[str, t.Any]) -> None:
    """Raises ApiError(InvalidParameterException) for the first member that the model does not allow."""
    try:
        _input.check(operation, members)
    except BadMember as error:
        raise invalid_parameter(error.path, error.constraint) from error
