# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What makes two dashboards the same, and what CloudWatch objects to."""

from __future__ import annotations

import pytest

from ansible_collections.bluegreen.aws.plugins.module_utils import _dashboard as dashboard


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ({"a": 1, "b": [1, 2]}, {"b": [1, 2], "a": 1}, True),
        ({"x": 6.0}, {"x": 6}, True),
        ({"x": True}, {"x": 1}, False),
        ({"x": [True]}, {"x": [True]}, True),
        ({"w": [1, 2]}, {"w": [2, 1]}, False),
        ({"w": [1]}, {"w": [1, 2]}, False),
        ({"a": 1}, {"a": 1, "b": None}, False),
        (None, None, True),
        (None, {}, False),
    ],
)
def test_same(one, other, same):
    for pair in ((one, other), (other, one)):
        assert dashboard.same(*pair) is same


def test_texts():
    assert dashboard.text({"b": 1, "a": {"d": 1, "c": 2}}) == '{"a":{"c":2,"d":1},"b":1}'
    assert dashboard.shown({"b": 1, "a": 2}) == '{\n  "a": 2,\n  "b": 1\n}\n'
    assert dashboard.shown(None) == ""
    assert dashboard.parse("d", '{"widgets": []}') == {"widgets": []}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[1]", "Failed to read the body of dashboard d: it is not an object. Give one with 'widgets'."),
        (
            "{",
            "Failed to read the body of dashboard d: it is not JSON (Expecting property name enclosed in double quotes: line 1 column 2 "
            "(char 1)). Give a dictionary or a JSON text.",
        ),
    ],
)
def test_bodies_that_are_none(text, sentence):
    with pytest.raises(dashboard.DashboardError) as caught:
        dashboard.parse("d", text)
    assert str(caught.value) == sentence


def test_objections():
    messages = [{"DataPath": "/widgets/0", "Message": "Should have properties"}, {"Message": "Too long"}]
    assert dashboard.objections(messages) == ["/widgets/0: Should have properties", "Too long"]
