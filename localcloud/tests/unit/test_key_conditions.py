# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Key conditions that are read once say the same as MiniStack, item by item, and leave the rest to it."""

from __future__ import annotations

import pytest
from ministack.services import dynamodb

from localcloud.emulation import key_conditions

SLOT = "KeyConditionExpression"
ORIGINAL = dynamodb._evaluate_condition
ITEMS = [{"room": {"S": "a"}, "id": {"N": number}} for number in ("9", "10", "10.0", "-1")] + [{"room": {"S": "b"}, "id": {"S": "10"}}, {}]
VALUES = {":room": {"S": "a"}, ":id": {"N": "10"}}


class Counting:
    def __init__(self):
        self.calls = 0

    def __call__(self, *arguments, slot):
        self.calls += 1
        return ORIGINAL(*arguments, slot=slot)


@pytest.mark.parametrize("operator", ["=", "<", "<=", ">", ">="])
@pytest.mark.parametrize("form", ["room = :room AND id {} :id", " #r=:room and #i {} :id "])
def test_it_says_what_ministack_says_and_asks_it_once(form, operator):
    original, names = Counting(), {"#r": "room", "#i": "id"}
    evaluate = key_conditions.once(original)
    expression = form.format(operator)
    said = [evaluate(expression, item, VALUES, names, slot=SLOT) for item in ITEMS * 2]
    assert said == [bool(ORIGINAL(expression, item, VALUES, names, slot=SLOT)) for item in ITEMS * 2]
    assert original.calls == 1


@pytest.mark.parametrize(
    ("expression", "slot"),
    [
        ("room = :room AND id BETWEEN :id AND :id", SLOT),
        ("begins_with(room, :room)", SLOT),
        ("room = :room", "FilterExpression"),
        ("attribute_not_exists(room)", "ConditionExpression"),
    ],
)
def test_everything_else_is_left_to_it(expression, slot):
    original = Counting()
    evaluate = key_conditions.once(original)
    for item in ITEMS[:2]:
        assert evaluate(expression, item, VALUES, {}, slot=slot) == ORIGINAL(expression, item, VALUES, {}, slot=slot)
    assert original.calls == 2


def test_names_that_are_given_once_are_not_known_the_next_time():
    original = Counting()
    evaluate = key_conditions.once(original)
    assert evaluate("#r = :room", ITEMS[0], VALUES, {"#r": "room"}, slot=SLOT)
    said = []
    for ask in (evaluate, lambda *arguments, slot: ORIGINAL(*arguments, slot=slot)):
        try:
            said.append(bool(ask("#r = :room", ITEMS[0], VALUES, {}, slot=SLOT)))
        except ValueError as error:
            said.append(str(error))
    assert said[0] == said[1]
    assert original.calls == 2


@pytest.mark.parametrize("expression", ["room = :nothing", "room = room", "(room = :room"])
def test_a_mistake_is_told_each_time(expression):
    evaluate = key_conditions.once(ORIGINAL)
    for _time in range(2):
        try:
            wanted = ORIGINAL(expression, ITEMS[0], VALUES, {}, slot=SLOT)
        except ValueError as error:
            with pytest.raises(ValueError, match="Invalid KeyConditionExpression") as caught:
                evaluate(expression, ITEMS[0], VALUES, {}, slot=SLOT)
            assert str(caught.value) == str(error)
        else:
            assert evaluate(expression, ITEMS[0], VALUES, {}, slot=SLOT) == wanted
