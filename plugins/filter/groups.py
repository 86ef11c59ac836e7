# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters on Auto Scaling groups, as amazon.aws.autoscaling_group_info returns them; pure."""

from __future__ import annotations

from ansible.errors import AnsibleFilterError


def lacking_instances(groups, names):
    """Those of ``names`` whose group is not there, or has fewer healthy instances in service than it wants."""
    if not isinstance(groups, list):
        raise AnsibleFilterError("lacking_instances needs the list results of amazon.aws.autoscaling_group_info.")
    known = {group["auto_scaling_group_name"]: group for group in groups}
    return [name for name in names if name not in known or _serving(known[name]) < known[name]["desired_capacity"]]


def _serving(group):
    instances = group.get("instances", [])
    return sum(1 for one in instances if one["lifecycle_state"] == "InService" and one["health_status"] == "Healthy")


class FilterModule:
    def filters(self):
        return {"lacking_instances": lacking_instances}
