# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters on tags; pure."""

from __future__ import annotations

from ansible.errors import AnsibleFilterError


def tag_filters(tags):
    """{"Name": "x"} -> {"tag:Name": "x"}; AnsibleFilterError when not a dictionary, or empty: that would find everything."""
    if not isinstance(tags, dict) or not tags:
        raise AnsibleFilterError("tag_filters needs a dictionary with at least one tag; without one every resource would match.")
    return {f"tag:{key}": str(value) for key, value in tags.items()}


def autoscaling_tags(tags):
    """{"Name": "x"} -> [{"Name": "x", "propagate_at_launch": False}], as amazon.aws.autoscaling_group takes them.

    Instances have their own tags from the launch template, so that a version of it says all of what it starts.
    """
    if not isinstance(tags, dict):
        raise AnsibleFilterError("autoscaling_tags needs a dictionary of tags.")
    return [{key: str(value), "propagate_at_launch": False} for key, value in sorted(tags.items())]


class FilterModule:
    def filters(self):
        return {"autoscaling_tags": autoscaling_tags, "tag_filters": tag_filters}
