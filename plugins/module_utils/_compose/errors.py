# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""The one exception family of a compose release: a sentence for the reader, and whether anything was changed; no I/O."""

from __future__ import annotations


class ComposeReleaseError(Exception):
    """A release that cannot go on. The text is complete: what was tried on what, the cause, the remedy."""


class InvalidInput(ComposeReleaseError):
    """Found before anything was touched: options, bundle, parameters, images."""


class ReleaseFailed(ComposeReleaseError):
    """The new release did not work; the old one goes on as it was."""


class Busy(ComposeReleaseError):
    """Another release holds the lock."""


class Interrupted(ComposeReleaseError):
    """A signal asked this process to end."""
