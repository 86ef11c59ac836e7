# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one error of the local cloud's program: a sentence for its user."""

from __future__ import annotations


class LocalCloudError(Exception):
    """What was attempted on what, the cause, the remedy; printed as it is, without a traceback."""
