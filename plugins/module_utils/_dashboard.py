# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Reads and compares the bodies of CloudWatch dashboards, and puts CloudWatch's objections into words; no I/O."""

from __future__ import annotations

import json


class DashboardError(Exception):
    """A body that is no dashboard; the message says what to do."""


def parse(name, text):
    """The body as an object. Raises DashboardError when it is not JSON, or not an object."""
    try:
        body = json.loads(text)
    except ValueError as exc:
        raise DashboardError(
            f"Failed to read the body of dashboard {name}: it is not JSON ({exc}). Give a dictionary or a JSON text."
        ) from exc
    if not isinstance(body, dict):
        raise DashboardError(f"Failed to read the body of dashboard {name}: it is not an object. Give one with 'widgets'.")
    return body


def same(one, other):
    """Whether two bodies mean the same: the order of keys does not count, that of widgets does, and ``1`` is ``1.0``, not ``true``."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(value, other[key]) for key, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(same(value, other[index]) for index, value in enumerate(one))
    return one == other


def text(body):
    """The body as CloudWatch stores it: compact, keys in order, so that equal bodies are equal texts."""
    return json.dumps(body, sort_keys=True, separators=(",", ":"))


def shown(body):
    """The body as a diff shows it; nothing for a dashboard that does not exist."""
    return "" if body is None else json.dumps(body, indent=2, sort_keys=True) + "\n"


def objections(messages):
    """CloudWatch's DashboardValidationMessages as sentences."""
    return [f"{message['DataPath']}: {message['Message']}" if message.get("DataPath") else message["Message"] for message in messages]
