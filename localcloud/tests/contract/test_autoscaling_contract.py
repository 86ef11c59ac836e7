# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Auto Scaling's answers against botocore's model, from a whole cloud with instances in containers."""

from __future__ import annotations

import pytest

from localcloud.autoscaling import attachments, configurations, groups, hooks, instances, policies, refreshes, tagging

from . import autoscaling_cases
from .cases import Case, check, gaps
from .ec2_world import World


@pytest.mark.parametrize("case", autoscaling_cases.CASES, ids=str)
def test_autoscaling(case: Case, ec2_world: World) -> None:
    check(case, ec2_world)


def test_every_operation_has_cases() -> None:
    world: object = type("Nothing", (), {"state": None, "around": None, "clock": None})()
    handlers = [
        attachments.Attachments, configurations.Configurations, groups.Groups, hooks.Hooks, instances.Instances, policies.Policies,
        refreshes.Refreshes, tagging.Tagging,
    ]  # fmt: skip
    operations = {name for handler in handlers for name in handler(world).operations}  # type: ignore[arg-type]
    assert gaps(operations, autoscaling_cases.CASES, cannot_fail=autoscaling_cases.CANNOT_FAIL) == []
