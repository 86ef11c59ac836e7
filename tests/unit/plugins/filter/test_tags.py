# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tags as filters, and as an Auto Scaling group's."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.bluegreen.aws.plugins.filter.tags import autoscaling_tags, tag_filters


def test_each_tag_becomes_a_filter():
    assert tag_filters({"Name": "x", "n": 1}) == {"tag:Name": "x", "tag:n": "1"}


@pytest.mark.parametrize("wrong", [{}, None, [], "x"])
def test_no_tags_must_not_find_everything(wrong):
    with pytest.raises(AnsibleFilterError, match="at least one tag"):
        tag_filters(wrong)


def test_tags_of_a_group():
    assert autoscaling_tags({"b": 1, "Name": "x"}) == [
        {"Name": "x", "propagate_at_launch": False},
        {"b": "1", "propagate_at_launch": False},
    ]


def test_what_is_no_tags_of_a_group():
    with pytest.raises(AnsibleFilterError, match="autoscaling_tags needs a dictionary"):
        autoscaling_tags(["x"])
