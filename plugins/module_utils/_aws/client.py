# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Makes a client whose retries are botocore's adaptive mode; knows no service."""

from __future__ import annotations

from .errors import BluegreenAWSError

try:
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError
except ImportError:  # AnsibleAWSModule says so before anything here is called
    Config = None
    BotoCoreError = Exception


def make_client(module, service: str, region: str | None = None):
    """A botocore client of ``service`` for an AnsibleAWSModule; adaptive retries (10 attempts) pace themselves when AWS throttles.

    Its region is the module's unless another one is named.
    """
    try:
        more = {"region": region} if region else {}
        return module.client(service, **more, config=Config(retries={"mode": "adaptive", "max_attempts": 10}))
    except BotoCoreError as exc:
        raise BluegreenAWSError(message=f"Failed to prepare calls to {service}", exception=exc) from exc
