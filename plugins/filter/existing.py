# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters of roles that use something as it is, which the inventory declares as existing; pure."""

from __future__ import annotations

from ansible_collections.bluegreen.aws.plugins.module_utils._ownership import is_existing


def existing(declared, kind, name=""):
    """Whether the resource of that type and name is declared as existing."""
    return is_existing(declared, kind, name)


class FilterModule:
    def filters(self):
        return {"existing": existing}
