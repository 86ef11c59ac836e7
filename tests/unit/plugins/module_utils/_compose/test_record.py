# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records of releases."""

from __future__ import annotations

import pytest

from ansible_collections.bluegreen.aws.plugins.module_utils._compose import record
from ansible_collections.bluegreen.aws.plugins.module_utils._compose.errors import InvalidInput


def release(number, previous=0, result="succeeded", restores=0):
    def name(value):
        return f"2026112{value}T000000Z-0000" if value else ""

    return record.Record(id=name(number), project="popcon", previous=name(previous), result=result, restores=name(restores))


CHAIN = [release(1), release(2, 1), release(3, 2, "failed"), release(4, 2)]


def ids(text):
    return [f"2026112{digit}T000000Z-0000" for digit in text]


def test_a_record_survives_the_disk_and_a_later_version():
    item = record.Record(id="x", project="popcon", images={"a": "b"}, secret_keys=["A"], jobs={"m": "f"})
    assert record.from_dict(item.to_dict()) == item
    assert record.from_dict(dict(item.to_dict(), later="unknown")) == item


def test_the_previous_one_is_the_target():
    assert record.rollback_target(CHAIN, ids("4")[0]).id == ids("2")[0]
    assert record.rollback_target(CHAIN, ids("4")[0], ids("1")[0]).id == ids("1")[0]


def test_going_back_twice_goes_back_two():
    back = [*CHAIN, release(5, 4, restores=2)]
    assert record.rollback_target(back, ids("5")[0]).id == ids("1")[0]
    again = [*back, release(6, 5, restores=1)]
    with pytest.raises(InvalidInput, match=f"release {ids('6')[0]} is the first one"):
        record.rollback_target(again, ids("6")[0])


def test_a_rollback_is_no_content_of_its_own():
    back = [*CHAIN, release(5, 4, restores=2), release(6, 5)]
    assert record.rollback_target(back, ids("6")[0]).id == ids("2")[0]


@pytest.mark.parametrize(
    ("current", "wanted", "words"),
    [
        ("", "", "Cannot roll back: no release is recorded as live here. Release first."),
        (ids("1")[0], "", "is the first one. Releases that succeeded: "),
        (
            ids("4")[0],
            "20200101T000000Z-0000",
            "Cannot roll back to release 20200101T000000Z-0000: it is not kept here. Releases that succeeded: ",
        ),
        (ids("4")[0], ids("3")[0], f"Cannot roll back to release {ids('3')[0]}: it failed. Releases that succeeded: "),
    ],
)
def test_targets_that_are_not_there(current, wanted, words):
    with pytest.raises(InvalidInput) as caught:
        record.rollback_target(CHAIN, current, wanted)
    assert words in str(caught.value)


def test_a_target_that_was_removed():
    with pytest.raises(InvalidInput, match="is not kept any more"):
        record.rollback_target(CHAIN[2:], ids("4")[0])


def test_what_is_superseded():
    many = [release(number, number - 1) for number in range(1, 8)] + [release(8, 7, "failed"), release(9, 7, "interrupted")]
    assert record.superseded(many, ids("7")[0], 3, set()) == ids("12348")
    assert record.superseded(many, ids("7")[0], 3, set(ids("2"))) == ids("1348")
    assert record.superseded(many, ids("7")[0], 1, set()) == ids("123458")  # the one to go back to stays


def test_the_content_of_a_rollback_stays():
    many = [release(number, number - 1) for number in range(1, 6)] + [release(6, 5, restores=1)]
    assert ids("1")[0] not in record.superseded(many, ids("6")[0], 1, set())


def test_a_diff_names_keys_and_shows_no_value():
    before = record.Record(id="1", project="p", images={"a": "x"}, environment={"SAME": "d1", "CHANGED": "d2", "GONE": "d3"})
    after = record.Record(
        id="2", project="p", images={"a": "y"}, environment={"SAME": "d1", "CHANGED": "d4", "NEW": "d5"}, config_version="v2"
    )
    assert record.changed_keys(before.environment, after.environment) == ["CHANGED", "GONE", "NEW"]
    assert record.diff_pair(before, after) == (
        {
            "config_version": "",
            "images": {"a": "x"},
            "environment": {"SAME": "value", "CHANGED": "value (before)", "GONE": "value (before)"},
        },
        {
            "config_version": "v2",
            "images": {"a": "y"},
            "environment": {"SAME": "value", "CHANGED": "value (after)", "NEW": "value (after)"},
        },
    )
    assert record.diff_pair(None, None)[0] == {"config_version": "", "images": {}, "environment": {}}


def test_what_is_shown_has_no_digest_of_a_value():
    shown = record.Record(id="1", project="p", environment={"B": "digest", "A": "digest"}).shown()
    assert shown["keys"] == ["A", "B"] and "digest" not in str(shown)
    assert record.ended(release(1), "failed", duration=1.23456, error="why").duration == 1.235


def test_the_content_of_what_restores_a_release_that_is_gone_is_its_own():
    gone = release(5, 4, restores=2)
    assert record.content_of(gone, record.by_id([gone])) == gone
    assert record.content_of(release(4, 3), {}) == release(4, 3)
