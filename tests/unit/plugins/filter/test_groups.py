# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which groups have not every instance in service."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.bluegreen.aws.plugins.filter.groups import lacking_instances


def group(name, desired, *instances):
    shown = [{"lifecycle_state": state, "health_status": health} for state, health in instances]
    return {"auto_scaling_group_name": name, "desired_capacity": desired, "instances": shown}


SERVING = ("InService", "Healthy")


@pytest.mark.parametrize(
    ("groups", "lacking"),
    [
        ([], ["a"]),
        ([group("a", 0)], []),
        ([group("a", 1, SERVING)], []),
        ([group("a", 2, SERVING)], ["a"]),
        ([group("a", 1, ("Pending:Wait", "Healthy"))], ["a"]),
        ([group("a", 1, ("InService", "Unhealthy"))], ["a"]),
        ([group("a", 1, SERVING, ("Terminating", "Healthy"))], []),
        ([group("b", 1, SERVING)], ["a"]),
    ],
)
def test_what_is_lacking(groups, lacking):
    assert lacking_instances(groups, ["a"]) == lacking


def test_what_is_no_list_of_groups():
    with pytest.raises(AnsibleFilterError, match="needs the list results"):
        lacking_instances("x", ["a"])
